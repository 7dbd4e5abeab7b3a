package linear

import (
	"strings"

	"regi/sim/device/printer/internal/symbol"
)

const code39Set = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"

//nolint:gochecknoglobals // a constant table
var code39 = strings.Fields(`
	nnnwwnwnn wnnwnnnnw nnwwnnnnw wnwwnnnnn nnnwwnnnw wnnwwnnnn nnwwwnnnn nnnwnnwnw wnnwnnwnn nnwwnnwnn
	wnnnnwnnw nnwnnwnnw wnwnnwnnn nnnnwwnnw wnnnwwnnn nnwnwwnnn nnnnnwwnw wnnnnwwnn nnwnnwwnn nnnnwwwnn
	wnnnnnnww nnwnnnnww wnwnnnnwn nnnnwnnww wnnnwnnwn nnwnwnnwn nnnnnnwww wnnnnnwwn nnwnnnwwn nnnnwnwwn
	wwnnnnnnw nwwnnnnnw wwwnnnnnn nwnnwnnnw wwnnwnnnn nwwnwnnnn
	nwnnnnwnw wwnnnnwnn nwwnnnwnn nwnwnwnnn nwnwnnnwn nwnnnwnwn nnnwnwnwn nwnnwnwnn`)

// Code39 adds the asterisks at both ends if the data has none.
func Code39(data []byte) (symbol.Bars, error) {
	s := string(data)
	if !strings.HasPrefix(s, "*") {
		s = "*" + s
	}
	if len(s) < 2 || !strings.HasSuffix(s, "*") {
		s += "*"
	}
	if len(s) < 3 || strings.Contains(s[1:len(s)-1], "*") {
		return symbol.Bars{}, symbol.ErrData
	}
	return gapped(s, code39Set, code39)
}

const codabarSet = "0123456789-$:/.+ABCD"

//nolint:gochecknoglobals // a constant table
var codabar = strings.Fields(`
	nnnnnww nnnnwwn nnnwnnw wwnnnnn nnwnnwn wnnnnwn nwnnnnw nwnnwnn nwwnnnn wnnwnnn
	nnnwwnn nnwwnnn wnnnwnw wnwnnnw wnwnwnn nnwnwnw nnwwnwn nwnwnnw nnnwnww nnnwwwn`)

// Codabar takes a start and a stop character, A to D, with the data.
func Codabar(data []byte) (symbol.Bars, error) {
	s := strings.ToUpper(string(data))
	const ends = "ABCD"
	if len(s) < 2 || !strings.ContainsRune(ends, rune(s[0])) || !strings.ContainsRune(ends, rune(s[len(s)-1])) ||
		strings.ContainsAny(s[1:len(s)-1], ends) {
		return symbol.Bars{}, symbol.ErrData
	}
	return gapped(s, codabarSet, codabar)
}

// gapped joins characters with a narrow space between them.
func gapped(s, set string, table []string) (symbol.Bars, error) {
	b := symbol.Bars{Text: s}
	for i := range len(s) {
		n := strings.IndexByte(set, s[i])
		if n < 0 {
			return symbol.Bars{}, symbol.ErrData
		}
		if i > 0 {
			b.Widths = append(b.Widths, 1)
		}
		b.Widths = append(b.Widths, widths(table[n])...)
	}
	return b, nil
}

//nolint:gochecknoglobals // a constant table
var twoOfFive = [10]string{"nnwwn", "wnnnw", "nwnnw", "wwnnn", "nnwnw", "wnwnn", "nwwnn", "nnnww", "wnnwn", "nwnwn"}

// ITF takes digits in pairs; an odd last one is dropped, as the printer does.
func ITF(data []byte) (symbol.Bars, error) {
	data = data[:len(data)&^1]
	if !isDigits(data) {
		return symbol.Bars{}, symbol.ErrData
	}
	b := symbol.Bars{Widths: widths("nnnn"), Text: string(data)}
	for i := 0; i < len(data); i += 2 {
		bars, spaces := widths(twoOfFive[data[i]-'0']), widths(twoOfFive[data[i+1]-'0'])
		for k := range bars {
			b.Widths = append(b.Widths, bars[k], spaces[k])
		}
	}
	b.Widths = append(b.Widths, widths("wnn")...)
	return b, nil
}
