// Package letters is how bytes are read out and typed: base32 in groups of four,
// with a check at the end.
package letters

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"unicode"
)

const (
	// Max bounds a text, as it is typed.
	Max        = 512
	checkBytes = 2
	group      = 4
)

// ErrTyped is of a text that is not what was written down.
var ErrTyped = errors.New("mistyped: letters are missing or wrong")

// encoding (RFC 4648) has no 0, 1, 8 and 9, which look like O, I and B.
func encoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// Write puts bytes and their check into letters.
func Write(b []byte) string {
	sum := sha256.Sum256(b)
	text := encoding().EncodeToString(append(bytes.Clone(b), sum[:checkBytes]...))
	var s strings.Builder
	for i := 0; i < len(text); i += group {
		if i > 0 {
			s.WriteByte('-')
		}
		s.WriteString(text[i:min(i+group, len(text))])
	}
	return s.String()
}

// Read reads what Write wrote, however it is grouped.
func Read(s string) ([]byte, error) {
	if len(s) > Max {
		return nil, ErrTyped
	}
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
	b, err := encoding().DecodeString(s)
	if err != nil || len(b) < checkBytes || encoding().EncodeToString(b) != s {
		return nil, ErrTyped
	}
	b, check := b[:len(b)-checkBytes], b[len(b)-checkBytes:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:checkBytes], check) {
		return nil, ErrTyped
	}
	return b, nil
}
