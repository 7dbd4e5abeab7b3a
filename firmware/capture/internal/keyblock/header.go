package keyblock

import "fmt"

// headerSize is the fixed part of a header, in characters.
const headerSize = 16

// optionalMax bounds the number of optional blocks; the standard defines 13.
const optionalMax = 16

// Header is what a key block says of its key (X9.143:2021 table 1).
type Header struct {
	Version       byte
	Usage         string // "B1": initial DUKPT key
	Algorithm     byte   // 'A' AES, 'T' TDES
	Mode          byte   // 'X': key derivation
	KeyVersion    string
	Exportability byte // 'N': not exportable
	// IKID is the initial key id of the optional block IK, with its presence.
	IKID    [8]byte
	HasIKID bool

	size int // characters before the key
}

// CheckInitial reports whether the key is an initial AES DUKPT key that stays
// where it is loaded, and names its id.
func (h *Header) CheckInitial() error {
	for _, c := range []struct {
		what     string
		got      string
		expected string
	}{
		{"usage", h.Usage, "B1"},
		{"algorithm", string(h.Algorithm), "A"},
		{"mode of use", string(h.Mode), "X"},
		{"exportability", string(h.Exportability), "N"},
	} {
		if c.got != c.expected {
			return fmt.Errorf("keyblock: %s %s, want %s: %w", c.what, c.got, c.expected, ErrUse)
		}
	}
	if !h.HasIKID {
		return fmt.Errorf("keyblock: no optional block IK with the initial key id: %w", ErrUse)
	}
	return nil
}

// parse reads the header and returns the digits behind it.
func parse(block []byte) (h Header, body []byte, err error) {
	if len(block) < headerSize || len(block) > BlockMax {
		return h, nil, fmt.Errorf("keyblock: %d characters: %w", len(block), ErrFormat)
	}
	h.Version = block[0]
	granule := map[byte]int{'B': 8, 'D': 16}[h.Version]
	if granule == 0 {
		return h, nil, fmt.Errorf("keyblock: version %q: %w", h.Version, ErrVersion)
	}
	length, ok := decimal(block[1:5])
	if !ok || length != len(block) || length%granule != 0 {
		return h, nil, fmt.Errorf("keyblock: length %q of %d characters: %w", block[1:5], len(block), ErrFormat)
	}
	for _, c := range block[5:12] {
		if !alphanumeric(c) {
			return h, nil, fmt.Errorf("keyblock: header: %w", ErrFormat)
		}
	}
	h.Usage, h.Algorithm, h.Mode = string(block[5:7]), block[7], block[8]
	h.KeyVersion, h.Exportability = string(block[9:11]), block[11]
	count, ok := decimal(block[12:14])
	// The last two are reserved in TR-31; X9.143 has the key's context, then 0.
	if !ok || count > optionalMax || block[14] < '0' || block[14] > '2' || block[15] != '0' {
		return h, nil, fmt.Errorf("keyblock: header: %w", ErrFormat)
	}
	if h.size, err = h.optional(block, count); err != nil {
		return h, nil, err
	}
	if h.size%granule != 0 {
		return h, nil, fmt.Errorf("keyblock: a header of %d characters: %w", h.size, ErrFormat)
	}
	return h, block[h.size:], nil
}

// optional reads the optional blocks and returns where they end.
func (h *Header) optional(block []byte, count int) (end int, err error) {
	end = headerSize
	seen := map[string]bool{}
	for i := range count {
		id, data, next, ok := optionalBlock(block, end)
		if !ok || seen[id] || id == "PB" && i != count-1 {
			return 0, fmt.Errorf("keyblock: optional block %d: %w", i+1, ErrFormat)
		}
		seen[id] = true
		switch id {
		case "IK":
			if len(data) != 2*len(h.IKID) || !unhex(h.IKID[:], data) {
				return 0, fmt.Errorf("keyblock: optional block IK: %w", ErrFormat)
			}
			h.HasIKID = true
		case "KS": // a key serial number, which is a number
			if !unhex(make([]byte, len(data)/2), data) || len(data)%2 != 0 || len(data) == 0 {
				return 0, fmt.Errorf("keyblock: optional block KS: %w", ErrFormat)
			}
		}
		end = next
	}
	return end, nil
}

// optionalBlock reads one: id, length in hex (of the whole of it, or 00 and an
// extended length: the digits it has, 02, and four digits), printable data.
func optionalBlock(block []byte, at int) (id string, data []byte, next int, ok bool) {
	rest := block[at:]
	if len(rest) < 4 || !alphanumeric(rest[0]) || !alphanumeric(rest[1]) {
		return "", nil, 0, false
	}
	size, length := 4, [2]byte{}
	if !unhex(length[1:], rest[2:4]) {
		return "", nil, 0, false
	}
	if length[1] == 0 {
		if len(rest) < 10 || string(rest[4:6]) != "02" || !unhex(length[:], rest[6:10]) {
			return "", nil, 0, false
		}
		size = 10
	}
	n := int(length[0])<<8 | int(length[1])
	if n < size || n > len(rest) || size == 10 && n <= 0xFF { // one encoding of a length
		return "", nil, 0, false
	}
	for _, c := range rest[size:n] {
		if c < ' ' || c > '~' {
			return "", nil, 0, false
		}
	}
	return string(rest[:2]), rest[size:n], at + n, true
}

func decimal(digits []byte) (n int, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z'
}
