package guest_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The next version comes from the cloud, is written to the other slot, tried
// while no shift is open, and committed once the cloud has signed for a record
// of it; a cut of power then finds it in its place.
//
// It takes two minutes of an idle machine, so it is of the long form.
func TestUpdate(t *testing.T) {
	campaign(t, "long", "an update over the air in QEMU takes two minutes")
	t.Parallel()
	s := open(t)
	s.publish("v2", "2", "")
	s.on()
	s.openShift()
	s.Await("cloud", func() bool { return s.started("v1", "false") })
	d := &desk{shop: s}
	d.pin("technician", "824671", true)
	d.update("v2")
	d.until("tried once no shift is open")
	if s.started("v2", "true") {
		t.Error("tried while the shift is open")
	}
	s.keys("Z")
	s.slowly("trial of v2", func() bool { return s.started("v2", "true") })
	d.pin("technician", "824671", false)
	d.committed("v2")
	s.guest.Kill()
	// The display says what it said before: the start is seen in the cloud.
	s.start()
	s.slowly("start of v2 as what is committed", func() bool { return s.started("v2", "false") })
}

// hangs is added to a version whose register never says that it lives.
const hangs = `package main

import (
	"os"
	"time"
)

func init() {
	if len(os.Args) > 1 && os.Args[0] == "regi" && os.Args[1] == "run" {
		time.Sleep(time.Hour)
	}
}
`

// crashes is added to a version whose first process ends: the kernel panics.
const crashes = `package main

import (
	"os"
	"time"
)

func init() {
	if os.Getpid() == 1 {
		time.AfterFunc(time.Second, func() { panic("a fault") }) // before its register is in the cloud
	}
}
`

// A version that was signed as it must be, and is no good, is tried once: the
// machine is back in the old one by itself, says so, and sells. This one hangs:
// the watchdog bites when its register has not said for 90 s that it lives.
func TestRollback(t *testing.T) {
	campaign(t, "short", "a watchdog that bites in QEMU takes three minutes")
	t.Parallel()
	s := rollback(t, "v2-hangs", hangs)
	if !slices.Contains(s.guest.Events(), "WATCHDOG") {
		t.Errorf("it was not the watchdog: %q", s.guest.Events())
	}
}

// TestPanic is TestRollback with a version that crashes the kernel.
func TestPanic(t *testing.T) {
	campaign(t, "long", "a version that crashes in QEMU takes two minutes")
	t.Parallel()
	s := rollback(t, "v2-crashes", crashes)
	// The kernel restarts 5 s after; on a machine that is kept waiting that long
	// the watchdog may be first.
	t.Logf("by the watchdog: %v", slices.Contains(s.guest.Events(), "WATCHDOG"))
}

// rollback has a version with a fault tried, while no shift is open.
func rollback(t *testing.T, version, fault string) *shop {
	t.Helper()
	s := open(t)
	s.on()
	s.Await("cloud", func() bool { return s.started("v1", "false") })
	d := &desk{shop: s}
	d.pin("technician", "824671", true)
	s.publish(version, "1", fault)
	closed := s.showing("ｷｭｳｼﾁｭｳ")
	if !closed() {
		s.until("end of the shift", func() { s.keys("CLEAR", "Z") }, closed)
	}
	starts := s.count("fw.boot")
	d.update(version)
	d.until("the board starts it now, once")
	ctx, cancel := context.WithTimeout(s.Context(), 10*patience)
	defer cancel()
	begun := time.Now()
	s.must(s.guest.Again(ctx)) // the restart
	s.Logf("%s is on trial %.0f s after the order", version, time.Since(begun).Seconds())
	s.awaitRom("b")
	begun = time.Now()
	s.must(s.guest.Again(ctx)) // the reset
	s.Logf("%s is ended by a reset after %.0f s: %q", version, time.Since(begun).Seconds(), s.guest.Events())
	s.awaitRom("a")
	s.slowly("start of v1 in the cloud", func() bool { return s.count("fw.boot") > starts })
	if s.started(version, "true") || s.started(version, "false") {
		s.Errorf("%s has said that it lives", version)
	}
	boots := s.boots()
	if failed := boots[len(boots)-1].Failed; failed != version {
		s.Errorf("the cloud knows that %q failed", failed)
	}
	var state struct {
		Cloud struct{ Version, Slot string } `json:"cloud"`
	}
	s.Read("/api/state", &state)
	if state.Cloud.Slot != "a" || state.Cloud.Version != "v1" {
		s.Errorf("the cloud knows version %q in slot %q", state.Cloud.Version, state.Cloud.Slot)
	}
	d.pin("technician", "824671", false)
	d.fresh()
	d.say("slot\r")
	said := strings.Join(strings.Fields(d.until("did not prove itself")), " ")
	if !strings.Contains(said, version+" was tried and did not prove itself: v1 runs again") {
		s.Errorf("the technician is told: %s", said)
	}
	s.openShift()
	s.sell()
	s.Await("sale in the cloud", func() bool { return s.count("sale.commit") == 1 })
	s.noAlarm()
	return s
}

// awaitRom waits for a ROM to choose a slot, as the last it did.
func (s *shop) awaitRom(slot string) {
	s.Helper()
	s.slowly("boot of slot "+slot, func() bool {
		log := s.Log.String()
		i := strings.LastIndex(log, "rom: slot ")
		return i >= 0 && strings.HasPrefix(log[i:], "rom: slot "+slot)
	})
}

// publish builds a version, signed by two of the owner's keys, and puts it into
// the cloud. fault is the text of a file that is added to its sources.
func (s *shop) publish(version, epoch, fault string) {
	s.Helper()
	dir := s.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	keys := filepath.Join(s.dir, "keys")
	var env []string
	if fault != "" {
		sources, err := filepath.Abs("../../firmware")
		s.must(err)
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(sources, "fault.go"): in("fault")}})
		s.must(err)
		s.must(os.WriteFile(in("fault"), []byte(fault), 0o600))
		s.must(os.WriteFile(in("overlay"), overlay, 0o600))
		env = []string{"GOFLAGS=-overlay=" + in("overlay")}
	}
	s.must(runWith(env, s.image, "build", "-board", "qemu-virt", "-out", dir, "-keys", keys, "-version", version, "-epoch", epoch))
	s.must(run(s.image, "bundle", "-boot", in("regi-qemu-virt-"+version+".boot.img"), "-board", "qemu-virt", "-version", version, "-epoch", epoch, in("bundle")))
	s.must(run(s.image, "sign", "-key", filepath.Join(keys, "owner-1.key"), in("bundle")))
	s.must(run(s.image, "sign", "-key", filepath.Join(keys, "owner-3.key"), in("bundle")))
	bundle, err := os.ReadFile(in("bundle"))
	s.must(err)
	s.offer("qemu-virt", version, bundle)
}

// update takes what the cloud has.
func (d *desk) update(version string) {
	d.Helper()
	d.fresh()
	d.say("update cloud\r")
	d.until("Type yes")
	d.say("yes\r")
	d.until(version + " is fetched")
	d.until("is written")
}

// slowly waits for what takes an emulated board minutes on a busy machine.
func (s *shop) slowly(what string, done func() bool) {
	s.Helper()
	for until := time.Now().Add(3 * patience); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(until) {
			s.Fatalf("no %s within %v", what, 3*patience)
		}
	}
}

// committed asks at the console until a version is more than tried.
func (d *desk) committed(version string) {
	d.Helper()
	d.slowly("commit of "+version, func() bool {
		d.fresh()
		d.say("slot\r")
		said := d.until("may run here")
		return strings.Contains(said, version) && !strings.Contains(said, "on trial")
	})
}

// offer puts an update into the cloud, as its staff does.
func (s *shop) offer(board, version string, bundle []byte) {
	s.Helper()
	key, err := nats.NkeyOptionFromSeed(filepath.Join(s.Dir, "cloud", "admin.creds"))
	s.must(err)
	nc, err := nats.Connect("tls://127.0.0.1:"+strconv.Itoa(s.cloud), key, nats.RootCAs(filepath.Join(s.Dir, "cloud", "ca.pem")))
	s.must(err)
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute))
	s.must(err)
	store, err := js.ObjectStore(s.Context(), "regi_0001_updates")
	s.must(err)
	_, err = store.Put(s.Context(), jetstream.ObjectMeta{Name: board, Description: version, Opts: &jetstream.ObjectMetaOptions{ChunkSize: 48 << 10}}, strings.NewReader(string(bundle)))
	s.must(err)
}

// boot is what the record of a start says.
type boot struct{ Version, Trial, Failed string }

// boots are the starts that the cloud knows of.
func (s *shop) boots() (all []boot) {
	s.Helper()
	var ledger []struct {
		Kind string `json:"kind"`
		Body boot   `json:"body"`
	}
	s.Read("/api/ledger?from=1", &ledger)
	for _, r := range ledger {
		if r.Kind == "fw.boot" {
			all = append(all, r.Body)
		}
	}
	return all
}

// started says whether a version's start is among them.
func (s *shop) started(version, trial string) bool {
	s.Helper()
	return slices.ContainsFunc(s.boots(), func(b boot) bool { return b.Version == version && b.Trial == trial })
}
