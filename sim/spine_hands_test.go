package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sheetCode is a key of the command sheet that is good between two Zs, by a
// second reading of what a sheet is.
func sheetCode(t *testing.T, dir, name string, z int) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "state", "receipt.key"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "regi command sheet v1|0001|01|%d|%s", z, name)
	return fmt.Sprintf("~K:%.5s:%08d", name, binary.BigEndian.Uint64(mac.Sum(nil))%100_000_000)
}

// TestTwoFacesAndASheet: with the real register, a customer's display of another
// make shows the sale and no message; a device that is pulled in mid-sale is
// a mark on the operator's; a sheet sells until the Z.
func TestTwoFacesAndASheet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings(t, dir, "", "# [customer] ", "[customer] #", "# port   =", "port   =", `# model  = "escpos"`, "model  = \"escpos\"\nbrightness = 2")
	k := startAt(t, dir)
	k.Await("open shift", func() bool { return k.till() == "IDLE" })
	var faces struct {
		Displays map[string][2]string `json:"displays"`
	}
	customer := func() string {
		if err := json.Unmarshal(k.Get("/api/state"), &faces); err != nil {
			t.Fatal(err)
		}
		d := faces.Displays["customer"]
		return d[0] + "\n" + d[1]
	}
	sees := func(what string, face func() string, parts ...string) {
		t.Helper()
		k.Await(what, func() bool {
			for _, part := range parts {
				if !strings.Contains(face(), part) {
					return false
				}
			}
			return true
		})
	}
	sees("welcome", customer, "ｲﾗｯｼｬｲﾏｾ")
	k.scan(notebook)
	sees("the line", customer, "1x220", "ｺﾞｳｹｲ            220")
	k.device("keypad", "unplug")
	sees("the mark", k.display, "ｺﾞｳｹｲ !ｷｰ        220")
	k.device("keypad", "plug")
	sees("no mark", k.display, "ｺﾞｳｹｲ            220")
	press := func(z int, names ...string) {
		t.Helper()
		for _, name := range names {
			k.Post("/api/scan", map[string]string{"data": sheetCode(t, dir, name, z), "aim": "]C0"})
		}
	}
	press(0, "Z")
	sees("refusal", k.display, "K30")
	press(0, "1", "000")
	sees("another refusal", k.display, "K28")
	if shown := customer(); !strings.Contains(shown, "1x220") || strings.Contains(shown, "K28") {
		t.Errorf("the customer sees %q", shown)
	}
	press(0, "SUBTOTAL", "5", "00", "CASH")
	sees("the change", customer, "ｵﾂﾘ              280")
	k.awaitKind("sale.commit", 1)
	k.keys("5", "ENTER")
	k.Await("a sheet", func() bool { return strings.Contains(k.Paper(), "キーシート") })
	k.keys("Z", "1", "OPEN")
	press(0, "FN")
	sees("an old sheet", k.display, "K29")
	press(1, "7")
	sees("the new one", k.display, "                   7")
}
