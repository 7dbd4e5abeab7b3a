package guest_test

import (
	"os"
	"path/filepath"
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
	long(t, "an update over the air in QEMU takes two minutes")
	s := open(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	image := func(args ...string) { s.Helper(); s.must(run(s.image, args...)) }
	image("keygen", in("keys"))
	image("build", "-board", "qemu-virt", "-out", in("one"), "-keys", in("keys"), "-version", "v1")
	image("build", "-board", "qemu-virt", "-out", in("two"), "-keys", in("keys"), "-version", "v2", "-epoch", "2")
	s.must(unpack(in("one/regi-qemu-virt-v1.img.zst"), s.disk))
	s.fill()
	image("bundle", "-boot", in("two/regi-qemu-virt-v2.boot.img"), "-board", "qemu-virt", "-version", "v2", "-epoch", "2", in("bundle"))
	image("sign", "-key", in("keys/owner-1.key"), in("bundle"))
	image("sign", "-key", in("keys/owner-3.key"), in("bundle"))
	bundle, err := os.ReadFile(in("bundle"))
	s.must(err)
	s.offer("qemu-virt", "v2", bundle)
	s.on()
	s.openShift()
	s.await("cloud", func() bool { return s.started("v1", "false") })
	d := &desk{shop: s}
	d.pin("technician", "824671", true)
	d.fresh()
	d.say("update cloud\r")
	d.until("Type yes")
	d.say("yes\r")
	d.until("v2 (epoch 2) is written")
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

// long skips what takes longer than a test should, and says so.
func long(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REGI_GUEST") != "long" {
		t.Skip("not run: " + why + " (make guest, or REGI_GUEST=long)")
	}
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
	key, err := nats.NkeyOptionFromSeed(filepath.Join(s.home, "cloud", "admin.creds"))
	s.must(err)
	nc, err := nats.Connect("tls://127.0.0.1:"+strconv.Itoa(s.cloud), key, nats.RootCAs(filepath.Join(s.home, "cloud", "ca.pem")))
	s.must(err)
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute))
	s.must(err)
	store, err := js.ObjectStore(s.Context(), "regi_0001_updates")
	s.must(err)
	_, err = store.Put(s.Context(), jetstream.ObjectMeta{Name: board, Description: version, Opts: &jetstream.ObjectMetaOptions{ChunkSize: 16 << 10}}, strings.NewReader(string(bundle)))
	s.must(err)
}

// started says whether a version's start is in the cloud's ledger.
func (s *shop) started(version, trial string) bool {
	s.Helper()
	var ledger []struct {
		Kind string `json:"kind"`
		Body struct {
			Version string `json:"version"`
			Trial   string `json:"trial"`
		} `json:"body"`
	}
	s.get("/api/ledger?from=1", &ledger)
	for _, r := range ledger {
		if r.Kind == "fw.boot" && r.Body.Version == version && r.Body.Trial == trial {
			return true
		}
	}
	return false
}
