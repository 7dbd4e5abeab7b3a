package gs1

import "strings"

// Percent-encoding (RFC 3986 section 2.1), and that of forms in queries, where
// "+" is a space.

// Unescape decodes a part of a URI; what is no %hh stays. It copies only what
// has to be changed.
func Unescape(s string, query bool) string {
	if !strings.Contains(s, "%") && (!query || !strings.Contains(s, "+")) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && hex(s[i+1]) && hex(s[i+2]):
			b.WriteByte(nibble(s[i+1])<<4 | nibble(s[i+2]))
			i += 2
		case s[i] == '+' && query:
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func nibble(c byte) byte {
	if digit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// AppendEscaped appends s with all but unreserved characters encoded.
func AppendEscaped(dst []byte, s string, query bool) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case unreserved(c):
			dst = append(dst, c)
		case c == ' ' && query:
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func unreserved(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.' || c == '_' || c == '~'
}

// bitsURI are the characters of a URI: unreserved, reserved and "%".
var bitsURI = newCharset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%") //nolint:gochecknoglobals // a constant table

// bitsHost are those of a name, an address and a port.
var bitsHost = newCharset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]") //nolint:gochecknoglobals // a constant table
