package barcode

import (
	"strings"

	"regi/drivers"
)

// Modules are the narrowest parts of a linear code from left to right, true for
// black, without its quiet zones. ok is false for those that are not drawn
// here: DataBar.
func (c Code) Modules() (m []bool, ok bool) {
	switch c.Symbology {
	case drivers.EAN13, drivers.UPCA, drivers.EAN8:
		return ean(c.Data), true
	case drivers.UPCE:
		return upcEBars(c.Data), true
	case drivers.Code39:
		return code39(c.Data), true
	case drivers.ITF:
		return itfBars(c.Data), true
	case drivers.Codabar:
		return codabarBars(c.Data), true
	case drivers.Code128, drivers.GS1128:
		return code128Bars(c.Symbols()), true
	case drivers.DataBar, drivers.QRCode, drivers.PDF417, drivers.DataMatrix:
	}
	return nil, false
}

// widths appends bars and spaces by their widths ("3211"), black first.
func widths(m []bool, pattern string, black bool) []bool {
	for i := range len(pattern) {
		for range pattern[i] - '0' {
			m = append(m, black)
		}
		black = !black
	}
	return m
}

// eanDigits are the widths of space, bar, space, bar of number set A; C has
// them as bar, space, bar, space, and B is A backwards.
//
//nolint:gochecknoglobals // a constant table
var eanDigits = [10]string{"3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"}

// eanFirst says which of the left six digits are of set B for a first digit.
//
//nolint:gochecknoglobals // a constant table
var eanFirst = [10]string{"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"}

func reversed(s string) string {
	b := []byte(s)
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return string(b)
}

func ean(s string) []bool {
	left, sets := len(s)/2, "AAAA"
	if len(s) != 8 {
		if len(s) == 12 {
			s = "0" + s
		}
		sets, s, left = eanFirst[s[0]-'0'], s[1:], 6
	}
	m := widths(nil, "111", true)
	for i := range left {
		p := eanDigits[s[i]-'0']
		if sets[i] == 'B' {
			p = reversed(p)
		}
		m = widths(m, p, false)
	}
	m = widths(m, "11111", false)
	for i := left; i < len(s); i++ {
		m = widths(m, eanDigits[s[i]-'0'], true)
	}
	return widths(m, "111", true)
}

// upcEBars draws the short form of a UPC-A; its check digit and number system
// choose the sets.
func upcEBars(full string) []bool {
	sets := [10]string{"BBBAAA", "BBABAA", "BBAABA", "BBAAAB", "BABBAA", "BAABBA", "BAAABB", "BABABA", "BABAAB", "BAABAB"}[full[11]-'0']
	m := widths(nil, "111", true)
	for i, d := range []byte(short(full)) {
		p := eanDigits[d-'0']
		if (sets[i] == 'B') == (full[0] == '0') {
			p = reversed(p)
		}
		m = widths(m, p, false)
	}
	return widths(m, "111111", false)
}

// code39Set is in the order of code39Wide.
const code39Set = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

// code39Wide says which of the nine bars and spaces are wide, first the highest
// bit; the last is the asterisk that starts and stops.
//
//nolint:gochecknoglobals // a constant table
var code39Wide = [44]uint16{
	0x034, 0x121, 0x061, 0x160, 0x031, 0x130, 0x070, 0x025, 0x124, 0x064,
	0x109, 0x049, 0x148, 0x019, 0x118, 0x058, 0x00D, 0x10C, 0x04C, 0x01C,
	0x103, 0x043, 0x142, 0x013, 0x112, 0x052, 0x007, 0x106, 0x046, 0x016,
	0x181, 0x0C1, 0x1C0, 0x091, 0x190, 0x0D0, 0x085, 0x184, 0x0C4, 0x0A8,
	0x0A2, 0x08A, 0x02A, 0x094,
}

// wideModules is the width of a wide bar of Code 39, ITF and Codabar.
const wideModules = 3

func wide(m []bool, bits uint16, n int) []bool {
	for i := range n {
		w := byte('1')
		if bits>>(n-1-i)&1 == 1 {
			w = '0' + wideModules
		}
		m = widths(m, string(w), i%2 == 0)
	}
	return m
}

func code39(s string) []bool {
	const stars = 43
	m := wide(nil, code39Wide[stars], 9)
	for i := range len(s) {
		m = wide(append(m, false), code39Wide[strings.IndexByte(code39Set, s[i])], 9)
	}
	return wide(append(m, false), code39Wide[stars], 9)
}

func itfBars(s string) []bool {
	wides := [10]uint16{0x06, 0x11, 0x09, 0x18, 0x05, 0x14, 0x0C, 0x03, 0x12, 0x0A}
	m := widths(nil, "1111", true)
	for i := 0; i < len(s); i += 2 {
		bars, spaces := wides[s[i]-'0'], wides[s[i+1]-'0']
		var both uint16
		for k := 4; k >= 0; k-- {
			both = both<<2 | bars>>k&1<<1 | spaces>>k&1
		}
		m = wide(m, both, 10)
	}
	return widths(m, "311", true)
}

func codabarBars(s string) []bool {
	const set = "0123456789-$:/.+ABCD"
	wides := [20]uint16{
		0x03, 0x06, 0x09, 0x60, 0x12, 0x42, 0x21, 0x24, 0x30, 0x48,
		0x0C, 0x18, 0x45, 0x51, 0x54, 0x15, 0x1A, 0x29, 0x0B, 0x0E,
	}
	var m []bool
	for i := range len(s) {
		if i > 0 {
			m = append(m, false)
		}
		m = wide(m, wides[strings.IndexByte(set, s[i])], 7)
	}
	return m
}
