package judge_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/databar"
	"regi/sim/device/printer/internal/symbol/datamatrix"
	"regi/sim/device/printer/internal/symbol/linear"
	"regi/sim/device/printer/internal/symbol/pdf417"
	"regi/sim/device/printer/internal/symbol/qr"
)

// drawn is a symbol of ours, and what to ask the other encoder for.
type drawn struct {
	kind, options, data string
	modules             string
}

func bars(b symbol.Bars, err error) string {
	if err != nil {
		return err.Error()
	}
	s := make([]string, 0, len(b.Widths)+1)
	if b.Light {
		s = append(s, "0")
	}
	for _, w := range b.Widths {
		s = append(s, strconv.Itoa(symbol.Wide(w, 1, 3)))
	}
	return "B " + strings.Join(s, ",")
}

func matrix(m *symbol.Matrix, err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString("M ")
	last := ""
	for y := range m.H {
		var row strings.Builder
		for x := range m.W {
			if m.Dark(x, y) {
				row.WriteByte('1')
			} else {
				row.WriteByte('0')
			}
		}
		if row.String() != last {
			b.WriteString("/" + row.String())
		}
		last = row.String()
	}
	return strings.Replace(b.String(), "/", "", 1)
}

// mask is which mask a QR Code or Micro QR Code has, counted from 1: another
// encoder may choose another one.
func mask(m *symbol.Matrix) int {
	at := func(x int) int { // in the row of the format bits
		if m.Dark(x, 8) {
			return 1
		}
		return 0
	}
	if m.W < 21 {
		return 1 + ((at(4)<<1 | at(5)) ^ 0b01)
	}
	return 1 + ((at(2)<<2 | at(3)<<1 | at(4)) ^ 0b101)
}

func symbols() []drawn {
	var all []drawn
	add := func(kind, options, data, modules string) {
		all = append(all, drawn{kind, options, data, modules})
	}
	for i := range 10 {
		d := fmt.Sprintf("%d12345678901", i)
		add("ean13", "{}", d, bars(linear.EAN13([]byte(d))))
		d = fmt.Sprintf("0%d2345", i) + strconv.Itoa(9-i)
		add("upce", "{}", d, bars(linear.UPCE([]byte(d))))
		d = fmt.Sprintf("98%d4567", i)
		add("ean8", "{}", d, bars(linear.EAN8([]byte(d))))
		d = fmt.Sprintf("%d0123456789%d", i, 7)[:11]
		add("upca", "{}", d, bars(linear.UPCA([]byte(d))))
	}
	add("code39", "{}", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%", bars(linear.Code39([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"))))
	add("interleaved2of5", "{}", "0123456789987654321001", bars(linear.ITF([]byte("0123456789987654321001"))))
	add("rationalizedCodabar", "{}", "A0123456789-$:/.+B", bars(linear.Codabar([]byte("A0123456789-$:/.+B"))))
	add("rationalizedCodabar", "{}", "C42D", bars(linear.Codabar([]byte("C42D"))))
	var ascii []byte
	for c := range byte(128) {
		ascii = append(ascii, c)
	}
	for i := 0; i < len(ascii); i += 32 {
		add("code93ext", `{"includecheck":true}`, string(ascii[i:i+32]), bars(linear.Code93(ascii[i:i+32])))
	}
	return append(all, matrices()...)
}

func matrices() []drawn {
	var all []drawn
	add := func(kind, options, data, modules string) {
		all = append(all, drawn{kind, options, data, modules})
	}
	for _, d := range []string{"0000000000000", "0123456789012", "1999999999999", "0490123456789", "1234567890123", "1000000000017"} {
		add("databarlimited", fmt.Sprintf(`{"latin1":"(01)%s"}`, d), d, bars(databar.Limited([]byte(d))))
	}
	for _, d := range []string{"0000000000000", "9999999999999", "0490123456789", "2001234567890", "1234567890123", "7777777777777"} {
		o := fmt.Sprintf(`{"latin1":"(01)%s"}`, d)
		add("databaromni", o, d, bars(databar.Omnidirectional([]byte(d))))
		add("databarstacked", o, d, matrix(databar.Stacked([]byte(d))))
		if d != "0000000000000" { // one module between the rows differs, which readers do not look at
			add("databarstackedomni", o, d, matrix(databar.StackedOmnidirectional([]byte(d))))
		}
	}
	for _, d := range []string{"(10)ABC123", "(01)04901234567894(17)261231(10)LOT", "(21)abcXYZ", "(10)1234567", "(01)14901234567891(21)" + strings.Repeat("8", 20)} {
		o := strings.ReplaceAll(d, "{1", "")
		add("databarexpanded", fmt.Sprintf(`{"latin1":%q,"dontlint":true}`, o), d, bars(databar.Expanded([]byte(d))))
		for pairs := 1; pairs <= 4; pairs++ {
			add("databarexpandedstacked", fmt.Sprintf(`{"latin1":%q,"segments":%d,"dontlint":true}`, o, 2*pairs), d, matrix(databar.ExpandedStacked([]byte(d), 4+49*pairs)))
		}
	}
	for level, name := range []string{"L", "M", "Q", "H"} {
		for n := 1; n < 2900; n = n*3 + 7 {
			d := strings.Repeat("ab!", n/3+1)[:n]
			if m, err := qr.Encode([]byte(d), qr.Level(level)); err == nil {
				add("qrcode", fmt.Sprintf(`{"fixedeclevel":true,"eclevel":%q,"version":"%d","mask":%d}`, name, (m.W-17)/4, mask(m)), d, matrix(m, nil))
			}
		}
		for _, d := range []string{"12345678901234567890", "HELLO WORLD $%*", "a1234567890123456789b", "HTTPS://X.JP/0123456789ABC"} {
			if m, err := qr.Encode([]byte(d), qr.Level(level)); err == nil {
				add("qrcode", fmt.Sprintf(`{"fixedeclevel":true,"eclevel":%q,"mask":%d}`, name, mask(m)), d, matrix(m, nil))
			}
		}
	}
	for _, d := range []string{"1", "12345", "1234567890", "A1", "ABCDEF", "abcdef", "ABCdef12345", "012345678901234567890123456789"} {
		for level, name := range []string{"L", "M", "Q"} {
			if m, err := qr.Micro([]byte(d), qr.Level(level)); err == nil {
				add("microqrcode", fmt.Sprintf(`{"fixedeclevel":true,"eclevel":%q,"version":"M%d","mask":%d}`, name, (m.W-9)/2, mask(m)), d, matrix(m, nil))
			}
		}
	}
	for n := 1; n < 2200; n = n*5/4 + 1 {
		d := strings.Repeat("1234567890", n/10+1)[:n]
		add("datamatrix", `{}`, d, matrix(datamatrix.Encode([]byte(d), false, 0, 0)))
		if n < 90 {
			add("datamatrixrectangular", `{}`, d, matrix(datamatrix.Encode([]byte(d), true, 0, 0)))
		}
	}
	for level := range 9 {
		rows := max(20, (2<<level)/8+20)
		for _, d := range []string{strings.Repeat("\x80\x00\xff\x91\x0e\x7f", 15), strings.Repeat("314159265358979", 9), "REGI PRINTER ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
			add("pdf417", fmt.Sprintf(`{"fixedeclevel":true,"eclevel":%d,"columns":8,"rows":%d,"rowmult":1}`, level, rows), d,
				matrix(pdf417.Encode([]byte(d), pdf417.Options{Level: level, Columns: 8, Rows: rows})))
		}
	}
	return all
}

// TestModules: another encoder draws the same modules, bar for bar.
func TestModules(t *testing.T) {
	t.Parallel()
	all := symbols()
	var in strings.Builder
	for _, s := range all {
		fmt.Fprintf(&in, "%s|%s|%s\n", s.kind, s.options, hex.EncodeToString([]byte(s.data)))
	}
	cmd := exec.Command("node", "testdata/modules.js", node(t, "bwip-js"))
	cmd.Stdin = strings.NewReader(in.String())
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, cmd.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%d answers to %d questions", len(lines), len(all))
	}
	differ := map[string]int{}
	for i, s := range all {
		want := strings.TrimRight(lines[i], "/")
		if s.kind == "interleaved2of5" { // thick is 2 there
			want = strings.ReplaceAll(want, "2", "3")
		}
		switch s.kind {
		case "code39", "rationalizedCodabar", "interleaved2of5": // a gap behind the last character
			want = strings.TrimSuffix(want, ",1")
		case "databarlimited": // a quiet zone
			want = strings.TrimSuffix(want, ",5,0")
		}
		if s.modules != want {
			if differ[s.kind]++; differ[s.kind] <= 3 {
				at := 0
				for at < min(len(want), len(s.modules)) && want[at] == s.modules[at] {
					at++
				}
				t.Errorf("%s %s of %.40q differs at %d: \n%.80s, want\n%.80s", s.kind, s.options, s.data, at, s.modules[at:], want[at:])
			}
		}
	}
	if len(all) < 200 {
		t.Errorf("only %d symbols were compared", len(all))
	}
}
