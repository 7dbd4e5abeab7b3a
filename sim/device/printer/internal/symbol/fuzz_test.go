package symbol_test

import (
	"testing"

	"regi/sim/device/printer/internal/symbol"
	"regi/sim/device/printer/internal/symbol/databar"
	"regi/sim/device/printer/internal/symbol/datamatrix"
	"regi/sim/device/printer/internal/symbol/linear"
	"regi/sim/device/printer/internal/symbol/pdf417"
	"regi/sim/device/printer/internal/symbol/qr"
)

// FuzzSymbols: no data makes an encoder fail but with an error, and what it
// makes has the shape of its code.
func FuzzSymbols(f *testing.F) {
	for _, s := range []string{
		"490123456789", "01234565", "*REGI*", "A1B", "{BRegi{C\x01{S", "(01)0490123456789*(10)A{1b", "1234", "\x00\x80\xff", "{", "{A{4\x01",
		"https://example.jp", "\x93\xfa\x96\x7b", "ABC 123,abc;\n~", "0490123456789", "(10)abc{1(21)\"%", "(01)049012345678940",
	} {
		f.Add([]byte(s), byte(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, n byte) {
		if len(data) > 200 {
			return
		}
		for i, encode := range []func([]byte) (symbol.Bars, error){
			linear.UPCA, linear.UPCE, linear.EAN13, linear.EAN8, linear.Code39, linear.ITF, linear.Codabar, linear.Code93,
			linear.Code128, linear.Code128Auto, linear.GS1128, databar.Omnidirectional, databar.Limited, databar.Expanded,
		} {
			b, err := encode(data)
			if err != nil {
				continue
			}
			if !b.Light && len(b.Widths)%2 == 0 {
				t.Fatalf("code %d of %q ends in a space", i, data)
			}
			for _, w := range b.Widths {
				if w < 0 || w > 9 {
					t.Fatalf("code %d of %q has an element of %d", i, data, w)
				}
			}
		}
		for i, encode := range []func() (*symbol.Matrix, error){
			func() (*symbol.Matrix, error) { return qr.Encode(data, qr.Level(n%4)) },
			func() (*symbol.Matrix, error) { return qr.Micro(data, qr.Level(n%3)) },
			func() (*symbol.Matrix, error) { return datamatrix.Encode(data, n%2 == 1, 0, 0) },
			func() (*symbol.Matrix, error) {
				return pdf417.Encode(data, pdf417.Options{Columns: int(n % 31), Level: int(n % 9), Truncated: n > 128})
			},
			func() (*symbol.Matrix, error) { return databar.Stacked(data) },
			func() (*symbol.Matrix, error) { return databar.StackedOmnidirectional(data) },
			func() (*symbol.Matrix, error) { return databar.ExpandedStacked(data, int(n)*4) },
		} {
			if m, err := encode(); err == nil && (m.W < 10 || m.H < 3 || m.W > 1000 || m.H > 500) {
				t.Fatalf("code %d of %q is %d × %d", i, data, m.W, m.H)
			}
		}
	})
}
