package counter_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
	"regi/sim/cloud"
	"regi/sim/counter"
	"regi/sim/device/card"
	"regi/sim/device/console"
	"regi/sim/device/display"
	"regi/sim/device/drawer"
	"regi/sim/device/keypad"
	"regi/sim/device/power"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	"regi/sim/keyhost"
	"regi/sim/wire"
)

// Published test numbers; no real card exists for them.
const (
	track1 = "%B4111111111111111^TEST/CARD^30121010000000000000?"
	track2 = ";4111111111111111=30121010000000000000?"
)

// stand is a counter of real devices on real ttys with a real cloud; the test
// is its register.
type stand struct {
	t      testing.TB
	url    string
	dev    string
	cloud  *cloud.Cloud
	power  *power.Power
	key    ed25519.PrivateKey
	sealed []record.Sealed
	log    bytes.Buffer
}

// script is a register that only says what a test needs.
const script = `
( exec -a regi-capture sleep 60 ) &
( exec -a regi-uplink sleep 60 ) &
echo '{"level":"INFO","msg":"state","till":"IDLE","outbox":2,"acked":3,"head":5,"cloud":true,"scanner":"up","printer":"paper out","card":"up","keypad":"up","display":"up"}'
sleep 60
`

func id() record.ID { return record.ID{Store: "0001", Register: "01"} }

// setUp starts a counter. changes are made to it before.
func setUp(t testing.TB, changes ...func(*counter.Counter)) *stand {
	t.Helper()
	dir := t.TempDir()
	s := &stand{t: t, dev: filepath.Join(dir, "dev")}
	wires := map[string]*wire.TTY{}
	for _, name := range []string{"scanner", "printer", "card", "keypad", "display", "console"} {
		tty, err := wire.Open(filepath.Join(s.dev, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { check(t, tty.Close()) })
		wires[name] = tty
	}
	bell := &counter.Bell{}
	var err error
	if s.cloud, err = cloud.OpenWith(filepath.Join(dir, "cloud"), id(), cloud.Options{Changed: bell.Ring}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, s.cloud.Close()) })
	s.power = power.New(power.Options{Path: "/bin/bash", Args: []string{"-c", script}, Changed: bell.Ring})
	t.Cleanup(s.power.Close)
	c := counter.Counter{
		Scanner: scanner.New(wires["scanner"]), Card: card.New(wires["card"]), Keypad: keypad.New(wires["keypad"]),
		Printer: printer.New(wires["printer"], printer.Options{Changed: bell.Ring}),
		Drawer:  drawer.New(bell.Ring), Display: display.New(wires["display"], bell.Ring), Console: console.New(wires["console"], bell.Ring),
		Power: s.power, Cloud: s.cloud, Wires: wires, Bell: bell,
		Goods: []counter.Good{{GTIN: "4901234567894", Name: "ノート <A5>", Price: 1220, Rate: "standard"}, {GTIN: "49571202", Name: "チョコ", Price: 128, Rate: "reduced"}},
		Cards: []counter.TestCard{{ID: "visa-ok", Label: "Visa •••• 1111", Says: "approved", Track1: track1, Track2: track2}},
		Log:   func(format string, args ...any) { fmt.Fprintf(&s.log, format+"\n", args...) },
	}
	c.Letters = func() (keyhost.Letters, error) { return keyhost.Write([8]byte{0xF0}, [16]byte{1}) }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for _, run := range []func(context.Context) error{c.Printer.Run, c.Display.Run, c.Console.Run} {
		go func() { ended <- run(ctx) }()
	}
	t.Cleanup(func() {
		stop()
		for range 3 {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
	for _, change := range changes {
		change(&c)
	}
	server := httptest.NewServer(counter.New(c).Handler())
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s.url = server.URL
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// register opens the register's end of a wire.
func (s *stand) register(name string) *os.File {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dev, name), os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { f.Close() })
	return f
}

// drain is a register that reads everything on some wires.
func (s *stand) drain(names ...string) {
	for _, name := range names {
		f := s.register(name)
		go io.Copy(io.Discard, f)
	}
}

// post sends a body, which is text or something to encode.
func (s *stand) post(path string, body any) (status int, said string) {
	s.t.Helper()
	text, isText := body.(string)
	if !isText {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		text = string(b)
	}
	return s.do(s.request(http.MethodPost, path, text))
}

func (s *stand) request(method, path, body string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stand) do(r *http.Request) (status int, said string) {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// ok posts and wants an answer.
func (s *stand) ok(path string, body any, want string) {
	s.t.Helper()
	if status, said := s.post(path, body); status != http.StatusOK || strings.TrimSpace(said) != want {
		s.t.Errorf("POST %s %v: %d %s, want %s", path, body, status, said, want)
	}
}

func (s *stand) get(path string) string {
	s.t.Helper()
	status, said := s.do(s.request(http.MethodGet, path, ""))
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, said)
	}
	return said
}

// view is the state as somebody outside reads it.
type view struct {
	Displays map[string][2]string
	Drawer   struct {
		State      string
		Violations int
	}
	Printer struct {
		Paper, Cover, Cutter, Power string
		Lines                       int
	}
	Till         string
	Outbox       uint64
	Acknowledged uint64
	Head         uint64
	Cloud        struct {
		Link    string
		Session bool
		Alarms  []string
	}
	Devices   map[string]string
	Unplugged []string
	Roles     map[string]int
	Power     string
	Console   []string
}

func decodeView(t testing.TB, text string) (v view) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func (s *stand) state() view {
	s.t.Helper()
	return decodeView(s.t, s.get("/api/state"))
}

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// await polls the state.
func (s *stand) await(what string, ok func(view) bool) view {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		v := s.state()
		if ok(v) {
			return v
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s: %+v", what, v)
		}
	}
}

// publish is the uplink: it sends the next record of the chain to the cloud.
func (s *stand) publish(kind record.Kind, body any) {
	s.t.Helper()
	files := s.cloud.Files()
	if s.key == nil {
		var err error
		var public ed25519.PublicKey
		if public, s.key, err = ed25519.GenerateKey(nil); err != nil {
			s.t.Fatal(err)
		}
		if err := s.cloud.Enroll(id(), public); err != nil {
			s.t.Fatal(err)
		}
	}
	file, err := os.ReadFile(files.SealTo)
	if err != nil {
		s.t.Fatal(err)
	}
	to, err := record.ParseSealPublic(file)
	if err != nil {
		s.t.Fatal(err)
	}
	var prev record.Hash
	if n := len(s.sealed); n > 0 {
		prev = s.sealed[n-1].Hash()
	}
	r, err := record.NewSealer(id(), s.key, to).Seal(kind, uint64(len(s.sealed)+1), time.UnixMilli(1_790_000_000_000+int64(len(s.sealed))), prev, body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sealed = append(s.sealed, r)
	seed, err := nats.NkeyOptionFromSeed(files.Creds)
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := nats.Connect(s.cloud.ServerURL(), nats.RootCAs(files.CA), seed, nats.CustomInboxPrefix("_INBOX_0001_01"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	m := nats.NewMsg(id().Subject("ledger"))
	m.Data = r.Body
	for name, value := range r.NATS() {
		m.Header.Set(name, value)
	}
	check(s.t, conn.PublishMsg(m))
	check(s.t, conn.FlushTimeout(patience))
	want := fmt.Sprintf(`"hash":"%s"`, r.Hash())
	for deadline := time.Now().Add(patience); !strings.Contains(s.get("/api/ledger"), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("record %d is not in the ledger: %s", r.Seq, s.get("/api/ledger"))
		}
	}
}

// event is one server-sent event.
type event struct{ name, id, data string }

// listen opens an event stream; its events come by the channel.
func (s *stand) listen(lastEventID string) <-chan event {
	s.t.Helper()
	r := s.request(http.MethodGet, "/api/events", "")
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("events: %s %v", resp.Status, resp.Header)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	events := make(chan event, 1000)
	go func() {
		defer close(events)
		var e event
		for lines := bufio.NewReader(resp.Body); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if e != (event{}) && line == "\n" {
					events <- e
				}
				e = event{}
			}
		}
	}()
	return events
}

// next waits for an event that fits.
func next(t *testing.T, events <-chan event, name string, fits func(data string) bool) event {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e, open := <-events:
			if !open {
				t.Fatalf("the stream ended before a %s event", name)
			}
			if e.name == name && fits(e.data) {
				return e
			}
		case <-timeout:
			t.Fatalf("no %s event", name)
		}
	}
}
