package starprinter_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"regi/sim/device/starprinter"
)

// TestPeer prints what receiptline 4.0.4 (npm) makes of testdata's document for
// StarPRNT and for Star Line Mode.
func TestPeer(t *testing.T) {
	for _, name := range []string{"starmbcs", "starlinembcs"} {
		b, err := os.ReadFile("testdata/receiptline-" + name + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		p := starprinter.New(&once{Reader: bytes.NewReader(b)}, starprinter.Options{})
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"領収書", "2026年11月25日", "ブレンド珈琲", "¥1,080※", "ｱｲｽｺｰﾋｰ", strings.Repeat("─", 48), "¥1,530", "[EAN-13 4901234567894]"} {
			if !strings.Contains(p.Text(), want) {
				t.Errorf("%s: no %q on the paper:\n%s", name, want, p.Text())
			}
		}
		kinds := map[string]int{}
		for _, e := range p.Entries() {
			kinds[e.Kind]++
		}
		if kinds["picture"] == 0 || kinds["code"] != 1 || kinds["cut"] != 1 { // its QR is a picture
			t.Errorf("%s: %v", name, kinds)
		}
		if strings.Contains(p.Text(), "□") {
			t.Errorf("%s: a character is not read:\n%s", name, p.Text())
		}
	}
}
