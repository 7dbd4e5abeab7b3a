// Package linear makes the bars of retail and industry: EAN, UPC, Code 39,
// Code 93, Code 128, interleaved 2 of 5 and Codabar.
//
// Each code is from its standard (ISO/IEC 15420, 16388, 15417, 16390, AIM BC5,
// EN 798); what data a command may carry is Epson's GS k.
package linear

import (
	"strings"

	"regi/sim/device/printer/internal/symbol"
)

// eanWidths are the four elements of a digit of set A (space first) and C (bar
// first); set B is A backwards.
//
//nolint:gochecknoglobals // a constant table
var eanWidths = [10]string{"3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"}

// ean13Sets: the first digit stands in the sets of the next six.
//
//nolint:gochecknoglobals // a constant table
var ean13Sets = [10]string{"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"}

// upceSets: the check digit stands in the sets, for number system 0.
//
//nolint:gochecknoglobals // a constant table
var upceSets = [10]string{"BBBAAA", "BBABAA", "BBAABA", "BBAAAB", "BABBAA", "BAABBA", "BAAABB", "BABABA", "BABAAB", "BAABAB"}

// UPCA takes 11 digits, or 12 with a right check digit.
func UPCA(data []byte) (symbol.Bars, error) {
	d, err := checked(data, 11)
	if err != nil {
		return symbol.Bars{}, err
	}
	b, err := EAN13([]byte("0" + d))
	b.Text = d
	return b, err
}

// EAN13 takes 12 digits, or 13 with a right check digit.
func EAN13(data []byte) (symbol.Bars, error) {
	d, err := checked(data, 12)
	if err != nil {
		return symbol.Bars{}, err
	}
	w := append(widths("111"), digits(d[1:7], ean13Sets[d[0]-'0'])...)
	w = append(w, widths("11111")...)
	w = append(w, digits(d[7:], "CCCCCC")...)
	return symbol.Bars{Widths: append(w, widths("111")...), Text: d}, nil
}

// EAN8 takes 7 digits, or 8 with a right check digit.
func EAN8(data []byte) (symbol.Bars, error) {
	d, err := checked(data, 7)
	if err != nil {
		return symbol.Bars{}, err
	}
	w := append(widths("111"), digits(d[:4], "AAAA")...)
	w = append(w, widths("11111")...)
	w = append(w, digits(d[4:], "CCCC")...)
	return symbol.Bars{Widths: append(w, widths("111")...), Text: d}, nil
}

// UPCE takes a number of system 0 in its short form (6 digits, 7 with the
// system, 8 with the check digit too) or one of UPC-A that has a short form.
func UPCE(data []byte) (symbol.Bars, error) {
	if !isDigits(data) {
		return symbol.Bars{}, symbol.ErrData
	}
	var short, long string
	switch s := string(data); len(s) {
	case 6:
		short, long = s, expand(s)
	case 7, 8:
		short, long = s[1:7], s[:1]+expand(s[1:7])[1:]+s[7:]
	case 11, 12:
		short, long = shorten(s), s
	}
	d, err := checked([]byte(long), 11)
	if err != nil || short == "" || d[0] != '0' {
		return symbol.Bars{}, symbol.ErrData
	}
	w := append(widths("111"), digits(short, upceSets[d[11]-'0'])...)
	return symbol.Bars{Widths: append(w, widths("111111")...), Text: "0" + short + d[11:]}, nil
}

// expand is the UPC-A number, without its check digit, of six digits of UPC-E.
func expand(s string) string {
	switch s[5] {
	case '0', '1', '2':
		return "0" + s[:2] + s[5:] + "0000" + s[2:5]
	case '3':
		return "0" + s[:3] + "00000" + s[3:5]
	case '4':
		return "0" + s[:4] + "00000" + s[4:5]
	}
	return "0" + s[:5] + "0000" + s[5:]
}

// shorten finds the six digits that expand to a UPC-A number; "" if none do.
func shorten(long string) string {
	for _, s := range []string{
		long[1:3] + long[8:11] + long[3:4], long[1:4] + long[9:11] + "3", long[1:5] + long[10:11] + "4", long[1:6] + long[10:11],
	} {
		if expand(s) == long[:11] {
			return s
		}
	}
	return ""
}

// checked is n digits and their check digit, which the data may have or not.
func checked(data []byte, n int) (string, error) {
	if !isDigits(data) || len(data) != n && len(data) != n+1 {
		return "", symbol.ErrData
	}
	c := checkDigit(data[:n])
	if len(data) == n+1 && data[n] != c {
		return "", symbol.ErrData
	}
	return string(data[:n]) + string(c), nil
}

// checkDigit is modulo 10 with weight 3 on every second digit from the right.
func checkDigit(data []byte) byte {
	sum := 0
	for i, c := range data {
		sum += int(c-'0') * (1 + 2*((len(data)-i)%2))
	}
	return byte('0' + (10-sum%10)%10)
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

func digits(d, sets string) []int {
	w := make([]int, 0, 4*len(d))
	for i := range len(d) {
		e := widths(eanWidths[d[i]-'0'])
		if sets[i] == 'B' {
			e[0], e[1], e[2], e[3] = e[3], e[2], e[1], e[0]
		}
		w = append(w, e...)
	}
	return w
}

// widths reads 1 to 9 as so many modules, n as a narrow and w as a thick element.
func widths(s string) []int {
	w := make([]int, len(s))
	for i := range len(s) {
		w[i] = strings.IndexByte("w123456789", s[i])
		if s[i] == 'n' {
			w[i] = 1
		}
	}
	return w
}
