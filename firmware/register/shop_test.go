package register

import (
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/firmware/catalog"
	"regi/firmware/record"
	"regi/firmware/sale"
	"regi/firmware/till"
	"regi/firmware/uplink"
)

// shop is a register of a shop with two articles, and the other side's keys.
type shop struct {
	Config
	receiver ed25519.PrivateKey
	opener   *record.Opener
}

const prices = `{"version":"1","items":[
	{"gtin":"4901234567894","name":"ノート A5","kana":"ﾉｰﾄ A5","price":110,"rate":"standard"},
	{"gtin":"4912345678904","name":"おにぎり","kana":"ｵﾆｷﾞﾘ","price":130,"rate":"reduced"}]}`

func newShop(t testing.TB) shop {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signedBy, receiver, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	goods, err := catalog.Parse([]byte(prices))
	if err != nil {
		t.Fatal(err)
	}
	return shop{
		Config: Config{
			ID: record.ID{Store: "0001", Register: "01"}, StateDir: memDir(t), Version: "test",
			Till: till.Config{
				Store: "0001", Register: "01", Currency: "JPY", Locale: "en", Profile: "retail",
				Issuer: sale.Issuer{Name: "Shop", RegistrationNumber: "T1180301018771"},
			},
			Key: key, SealTo: seal.PublicKey(), SignedBy: signedBy, Prices: goods, Log: slog.New(slog.DiscardHandler),
		},
		receiver: receiver, opener: record.NewOpener(seal),
	}
}

// memDir is a directory in memory where there is one.
func memDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "regi-register-") //nolint:usetesting // a memory file system
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// open starts the register without its loop: handle is called by the test.
func (s shop) open(t testing.TB) *Register {
	t.Helper()
	r, err := New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// run starts the register with its loop, until the test or stop ends it.
func (s shop) run(t *testing.T) (r *Register, stop func() error) {
	t.Helper()
	r, err := New(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return r, stop
}

func keys(names ...string) []till.Event {
	es := make([]till.Event, len(names))
	for i, name := range names {
		es[i] = till.Key{Name: name}
	}
	return es
}

func (s shop) scan(label string) till.Event {
	return identify(drivers.Scan{Data: label, Label: label}, s.Prices)
}

func swipe() till.Event {
	return till.CardRead{Read: record.CardRead{
		Suite: "AES128-DUKPT-CTR-CMAC", KSN: "000000000000000000000001", Source: "msr", BIN: "411111", Last4: "1111",
		Brand: "visa", Tracks: "12", Luhn: true, Entry: "swipe", CT: make([]byte, 80), MAC: make([]byte, 16),
	}}
}

// day is a shift with everything that makes records.
func (s shop) day() []till.Event {
	note, rice := s.scan("4901234567894"), s.scan("4912345678904")
	var es []till.Event
	es = append(es, keys("1", "OPEN")...)
	es = append(es, note, rice)
	es = append(es, keys("3", "QTY")...)
	es = append(es, note)
	es = append(es, keys("VOID", "SUBTOTAL", "1", "00", "CASH", "VOID", "5", "00", "CASH")...)
	es = append(es, till.DrawerOpened{}, till.PrintPaused{Job: 1, Cause: "paper out"}, till.PrintPaused{Job: 1}, till.Printed{Job: 1}, till.DrawerClosed{})
	es = append(es, rice)
	es = append(es, keys("CARD")...)
	es = append(es, swipe(), till.Authorized{Reply: record.AuthReply{ID: "not asked", Result: record.Approved}})
	es = append(es, keys("CLEAR", "CLEAR")...)
	es = append(es, keys("CASH")...)
	es = append(es, till.PrintFailed{Job: 2, Cause: "cutter error"}, till.DrawerFailed{Reason: "did not open"})
	es = append(es, till.Device{Name: "scanner", Detail: "unplugged"}, till.Device{Name: "scanner", Up: true}, till.Cloud{}, till.Cloud{Up: true})
	es = append(es, keys("FN", "NOSALE", "X", "Z")...)
	return es
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// copyState copies a state folder, as a power cut at this moment leaves it,
// with another checkpoint.
func copyState(t *testing.T, from string, checkpoint []byte) (to string) {
	t.Helper()
	to = memDir(t)
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "checkpoint", "till"), checkpoint, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func readCheckpoint(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint", "till")) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// socketPair is two ends as role.Start makes them.
func socketPair(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs = os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}

// linked makes r talk to one end of a socket pair, and returns the other.
func (s shop) linked(t *testing.T, r *Register) (conn *uplink.Conn, theirs *os.File, served chan struct{}) {
	t.Helper()
	ours, theirs := socketPair(t)
	served = make(chan struct{})
	config := &uplink.Config{ID: s.ID, URL: "tls://localhost:4222", CA: "ca.pem", Creds: "creds"}
	go func() {
		defer close(served)
		r.ServeUplink(t.Context(), ours, config)
	}()
	conn = uplink.NewConn(theirs)
	m, err := conn.Recv()
	if err != nil || m.Op != "config" || asJSON(t, m.Config) != asJSON(t, config) {
		t.Fatalf("the first message is %+v, %v", m, err)
	}
	awaitLink(r)
	return conn, theirs, served
}

// awaitLink waits until the register may send: a moment after its config.
func awaitLink(r *Register) {
	for {
		r.mu.Lock()
		link := r.link
		r.mu.Unlock()
		if link != nil {
			return
		}
		runtime.Gosched()
	}
}
