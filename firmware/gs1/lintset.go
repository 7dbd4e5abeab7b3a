package gs1

// Character sets: General Specifications 7.11, RFC 4648 section 5.
const (
	set82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
	set39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	set64 = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)

// charset has one bit for each ASCII character.
type charset [2]uint64

func (c *charset) has(b byte) bool { return b < 128 && c[b/64]>>(b%64)&1 != 0 }

var ( // constant tables
	bits82 = newCharset(set82) //nolint:gochecknoglobals // a constant table
	bits39 = newCharset(set39) //nolint:gochecknoglobals // a constant table
	bits64 = newCharset(set64) //nolint:gochecknoglobals // a constant table
)

func newCharset(s string) (c charset) {
	for i := range len(s) {
		c[s[i]/64] |= 1 << (s[i] % 64)
	}
	return c
}

// characters holds a component against its set: N, X, Y or Z.
func characters(set byte, s string) Fault {
	switch set {
	case 'N':
		return notDigit(s)
	case 'X':
		return lintcset82(s)
	case 'Y':
		return lintcset39(s)
	}
	return lintcset64(s)
}

func (c *charset) lint(s string, code Code) Fault {
	for i := range len(s) {
		if !c.has(s[i]) {
			return Fault{code, i, 1}
		}
	}
	return Fault{}
}

func lintcset82(s string) Fault { return bits82.lint(s, invalidSet82Character) }
func lintcset39(s string) Fault { return bits39.lint(s, invalidSet39Character) }

// lintcset64: base64url with at most two pad characters, which fill up to a
// multiple of three.
func lintcset64(s string) Fault {
	n := len(s)
	for n > 0 && s[n-1] == '=' {
		n--
	}
	if f := bits64.lint(s[:n], invalidSet64Character); f.Code != OK {
		return f
	}
	if pads := len(s) - n; pads > 0 && (pads > 2 || len(s)%3 != 0) {
		return Fault{invalidSet64Padding, n, pads}
	}
	return Fault{}
}

// linthasnondigit: not digits only.
func linthasnondigit(s string) Fault {
	if notDigit(s).Code == OK {
		return whole(requiresNonDigitCharacter, s)
	}
	return Fault{}
}

func linthyphen(s string) Fault {
	for i := range len(s) {
		if s[i] != '-' {
			return Fault{notHyphen, i, 1}
		}
	}
	return Fault{}
}

// lintimporteridx: one character of base64url.
func lintimporteridx(s string) Fault {
	if len(s) != 1 {
		return whole(importerIdxMustBeOneCharacter, s)
	}
	return bits64.lint(s, invalidImportIdxCharacter)
}

// lintpcenc: each % begins two hexadecimal digits.
func lintpcenc(s string) Fault {
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !hex(s[i+1]) || !hex(s[i+2])) {
			return Fault{invalidPercentSequence, i, min(3, len(s)-i)}
		}
	}
	return Fault{}
}

func hex(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// oneOf: a single character of a list.
func oneOf(list, s string, code Code) Fault {
	if len(s) == 1 {
		for i := range len(list) {
			if list[i] == s[0] {
				return Fault{}
			}
		}
	}
	return whole(code, s)
}

func lintwinding(s string) Fault { return oneOf("019", s, invalidWindingDirection) }
func lintyesno(s string) Fault   { return oneOf("01", s, notZeroOrOne) }
func lintiso5218(s string) Fault { return oneOf("0129", s, invalidBiologicalSexCode) }
