package guest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"regi/sim/guest"
)

// What fails on a board is a state with words, and none is the end of it: the
// network's cable that is pulled out, the card that is pulled out while it runs,
// the data partition that is full.
func TestStates(t *testing.T) {
	campaign(t, "short", "broken boards take a minute and a half")
	t.Parallel()
	s := open(t)
	s.on()
	s.openShift()
	s.sell()
	s.Await("sale in the cloud", func() bool { return s.count("sale.commit") == 1 })
	d := &desk{shop: s}
	d.pin("technician", "824671", true)
	s.must(s.guest.Cable(false))
	s.says("N01")
	d.fresh()
	d.say("net\r")
	d.until("fault: no cable")
	s.sell()
	s.must(s.guest.Cable(true))
	s.slowly("second sale in the cloud", func() bool { return s.count("sale.commit") == 2 })
	// The card: nothing can be written from here on.
	s.must(s.guest.PullCard())
	s.Post("/api/scan", map[string]string{"data": "4901234567894", "aim": "]E0"})
	s.slowly("display that says so", s.showing("ｷﾞｼﾞｭﾂｼｬｦ"))
	d.until("it cannot sell")
	// Put back and switched on again, it is what it was.
	s.must(s.guest.Kill())
	s.on()
	s.slowly("a register that sells again", func() bool { return s.count("power.resume") > 0 || s.count("fw.boot") > 1 })
	s.noAlarm()
	s.fullData(d)
}

// fullData starts a register whose data partition has no room left.
func (s *shop) fullData(d *desk) {
	s.Helper()
	s.must(s.guest.Kill())
	data := filepath.Join(s.Dir, "data")
	const kib, step = 24 << 10, 256 << 10
	filler := filepath.Join(data, "filler")
	for size := kib << 10; ; size -= step {
		if size <= 0 {
			s.Fatal("the file system holds nothing")
		}
		s.must(os.WriteFile(filler, bytes.Repeat([]byte("full"), size/4), 0o600)) // no hole
		if guest.WriteData(s.Context(), s.disk, data, kib) == nil {
			break
		}
	}
	s.on()
	s.slowly("display that says so", s.showing("ｷﾞｼﾞｭﾂｼｬｦ"))
	d.until("no space left on")
	// With room it sells: nothing about it is for good.
	s.must(s.guest.Kill())
	s.must(os.Remove(filler))
	s.must(guest.WriteData(s.Context(), s.disk, data, kib))
	s.on()
	s.openShift()
	s.sell()
}
