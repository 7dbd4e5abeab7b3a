package printer

import (
	"testing"

	"golang.org/x/text/encoding/japanese"

	"regi/sim/device/printer/internal/font"
)

// TestShiftJISArithmetic: x/text's EUC-JP, where row and cell stand in the
// open, is the judge.
func TestShiftJISArithmetic(t *testing.T) {
	checked := 0
	for row := 1; row <= 94; row++ {
		for cell := 1; cell <= 94; cell++ {
			lead, trail := shiftJIS(row, cell)
			if r, c := rowCell(lead, trail); r != row || c != cell || !isLead(lead) || !isTrail(trail) {
				t.Fatalf("%d-%d is %x %x is %d-%d", row, cell, lead, trail, r, c)
			}
			if _, ok := font.Kanji(row, cell); !ok {
				continue
			}
			text := kanjiText(lead, trail)
			euc, err := japanese.EUCJP.NewEncoder().String(text)
			if err != nil || euc != string([]byte{byte(row + 0xA0), byte(cell + 0xA0)}) {
				t.Errorf("%d-%d is %q, which is %x in EUC-JP", row, cell, text, euc)
			}
			checked++
		}
	}
	if checked != 6945 { // JIS X 0208-1983 and 68 of row 13
		t.Errorf("%d characters, want 6945", checked)
	}
}

func TestTables(t *testing.T) {
	if len(katakana) != 128 {
		t.Errorf("the katakana table has %d characters", len(katakana))
	}
	for n, set := range national {
		if len([]rune(set)) != len(nationalCodes) {
			t.Errorf("ESC R %d has %d characters", n, len([]rune(set)))
		}
	}
	for code := range commands {
		if len(code) != 2 {
			t.Errorf("command %q: the interpreter looks at two bytes", code)
		}
	}
}
