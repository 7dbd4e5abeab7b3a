package main

import "encoding/json"

// text is bytes that JSON writes as characters up to U+00FF; a text with others
// is its UTF-8.
type text string

// UnmarshalJSON reads characters as bytes.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	raw := make([]byte, 0, len(s))
	for _, c := range s {
		if c > 0xff {
			*t = text(s)
			return nil
		}
		raw = append(raw, byte(c)) //nolint:gosec // looked at above
	}
	*t = text(raw)
	return nil
}

// MarshalJSON writes bytes as characters.
func (t text) MarshalJSON() ([]byte, error) {
	runes := make([]rune, len(t))
	for i := range len(t) {
		runes[i] = rune(t[i])
	}
	return json.Marshal(string(runes))
}
