package receipt_test

import (
	"errors"
	"strings"
	"testing"

	"regi/drivers"
	"regi/firmware/receipt"
)

// TestSheet: each key has its code under its name, in the shop's language, and
// nothing is printed that a printer of text could only print in part.
func TestSheet(t *testing.T) {
	keys := []receipt.SheetKey{{Name: "7", Code: "~K:7:00000001"}, {Name: "CASH", Code: "~K:CASH:00000002"}}
	for locale, words := range map[string][]string{
		"ja-JP": {"キーシート", "0001/01", "精算（Z）まで", "7", "~K:7:00000001", "現金  CASH", "~K:CASH:00000002"},
		"en":    {"COMMAND SHEET", "0001/01", "until the next Z", "7", "~K:7:00000001", "CASH", "~K:CASH:00000002"},
	} {
		for _, columns := range []int{32, 42, 48} {
			doc, err := receipt.New(locale, nil).Sheet(keys, "0001/01", receipt.Paper{Columns: columns})
			if err != nil || !doc.Cut {
				t.Fatal(err)
			}
			at := 0
			for _, item := range doc.Items {
				text := ""
				switch i := item.(type) {
				case drivers.TextLine:
					text = i.Text
				case drivers.Barcode:
					text = i.Data
					if i.Symbology != drivers.Code128 || i.Module < 2 || i.Height < 5 {
						t.Errorf("%+v", i)
					}
				}
				if at < len(words) && strings.Contains(text, words[at]) {
					at++
				}
			}
			if at < len(words) {
				t.Errorf("%s: %q does not come in its turn", locale, words[at])
			}
		}
	}
	l := receipt.New("ja-JP", nil)
	for _, on := range []receipt.Paper{{Columns: 42, Plain: true}, {Columns: 20}} {
		if _, err := l.Sheet(keys, "", on); err == nil {
			t.Errorf("%+v was taken", on)
		}
	}
	if _, err := l.Sheet(nil, "", receipt.Paper{Columns: 42}); !errors.Is(err, receipt.ErrForm) {
		t.Errorf("a sheet without keys: %v", err)
	}
}
