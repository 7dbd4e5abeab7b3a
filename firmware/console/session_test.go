package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/console"
	"regi/firmware/record"
)

const (
	goodPIN = "824671"
	badPIN  = "824672"
)

// shop is a register for the console: what it is told to do, it notes.
type shop struct {
	away    string // why the cloud is, if it is
	mu      sync.Mutex
	notes   []note
	noteErr error
	did     []string
	sale    bool
	saved   []byte
	slow    bool // the tests of devices never come to an end
	notice  chan string
	owner   ed25519.PrivateKey
	changed []console.Setting
	taken   *console.Credentials
	printed []string // codes
	lines   []string // of the newest paper
	log     []string

	supervisor string
}

type note struct {
	kind record.Kind
	body map[string]any
}

func (s *shop) do(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, what)
	if s.sale {
		return console.ErrSale
	}
	return nil
}

func (s *shop) Note(_ context.Context, kind record.Kind, body any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noteErr != nil {
		return s.noteErr
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	n := note{kind: kind}
	if err := json.Unmarshal(text, &n.body); err != nil {
		return err
	}
	s.notes = append(s.notes, n)
	return nil
}

// records lists the records since the last call: "console.command check ok".
func (s *shop) records() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.notes {
		line := []string{n.kind.String()}
		for _, key := range []string{"Role", "Who", "By", "Command", "Result", "Why"} {
			if v, ok := n.body[key]; ok {
				line = append(line, fmt.Sprint(v))
			}
		}
		all = append(all, strings.Join(line, " "))
	}
	s.notes = nil
	return all
}

func (s *shop) Load() ([]byte, error) { return s.saved, nil }
func (s *shop) Save(b []byte) error   { s.saved = slices.Clone(b); return nil }

func (s *shop) State(context.Context) (console.State, error) {
	return console.State{
		Now: time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC), Till: "IDLE", Sale: s.sale,
		Devices: []console.Device{{Name: "scanner", Port: "/dev/s", Up: true}, {Name: "printer", Port: "/dev/p", Says: "paper out"}},
		Cloud:   console.Cloud{URL: "tls://cloud:4222", Up: s.away == "", Says: s.away}, Ledger: console.Ledger{Head: 7, Hash: "abcd", Acked: 6, Depth: 1, Room: 1 << 30},
	}, nil
}

func (s *shop) wait(ctx context.Context) error {
	if s.slow {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (s *shop) Scan(ctx context.Context, ready func()) (console.Scan, error) {
	ready()
	return console.Scan{Label: "4901234567894", AIM: "]E0"}, errors.Join(s.do("scan"), s.wait(ctx))
}

func (s *shop) Card(_ context.Context, ready func()) (console.Card, error) {
	ready()
	return console.Card{Brand: "visa", Last4: "1111", Tracks: "2", Luhn: true}, s.do("card")
}

func (s *shop) Print(_ context.Context, lines []string, codes ...string) error {
	s.printed, s.lines = codes, lines
	return s.do("print")
}

func (s *shop) OpenDrawer(context.Context) error           { return s.do("drawer") }
func (s *shop) Show(context.Context, string, string) error { return s.do("show") }

type keys struct{ *shop }

func (k keys) Status(context.Context) (string, error) { return "Card key 00, check value 00.", nil }
func (k keys) Wipe(context.Context) error             { return k.do("wipe") }
func (k keys) Inject(_ context.Context, line console.Line) error {
	b := make([]byte, 1) // what is typed now is for another process
	for secret := ""; !strings.HasSuffix(secret, "\r"); secret += string(b) {
		if _, err := line.Read(b); err != nil {
			return err
		}
	}
	return k.do("inject")
}

func (s *shop) List() []console.Setting {
	return []console.Setting{{Key: "scanner.baud", Value: "9600"}, {Key: "cloud.url", Value: "tls://cloud:4222"}, {Key: "issuer.name", Value: "Sato Store"}, {Key: "register.supervisor", Value: s.supervisor}}
}

func (s *shop) Set(key, value string, _ console.Warrant) error {
	if key != "scanner.baud" {
		return errors.New("no such setting")
	}
	s.changed = []console.Setting{{Key: key, Value: value}}
	return nil
}

func (s *shop) Replace(text string, _ console.Warrant) error {
	if !strings.Contains(text, "[register]") {
		return errors.New("that is no configuration")
	}
	s.changed = nil
	if !strings.Contains(text, "as it was") {
		s.changed = []console.Setting{{Key: "all of it", Value: text}}
	}
	return nil
}
func (s *shop) Changed() []console.Setting { return s.changed }
func (s *shop) Discard()                   { s.changed = nil }
func (s *shop) Apply(_ context.Context, who string, _ console.Warrant) error {
	return s.do("apply " + who)
}

type identity struct{ *shop }

func (i identity) Request() (string, string, error) { return "ab cd", "-----BEGIN X-----\n", nil }
func (i identity) Accept(_ context.Context, _ string, packet []byte, shown console.Challenge, _ ed25519.PublicKey) error {
	public, _ := i.owner.Public().(ed25519.PublicKey)
	c, err := console.OpenCredentials(packet, public, shown)
	if err == nil {
		i.taken = &c
	}
	return err
}

type board struct{ *shop }

func (b board) State() ([]console.Setting, error) {
	return []console.Setting{{Key: "link", Value: "eth0"}, {Key: "usb", Value: "fault: 0951:1666 refused"}}, nil
}
func (b board) Reboot() error   { return b.do("reboot") }
func (b board) PowerOff() error { return b.do("off") }

func newShop() *shop {
	_, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	s := &shop{notice: make(chan string), owner: owner, log: []string{"printer up", "card 4111111111111111 x", "till IDLE"}}
	salt := []byte("0123456789abcdef")
	hash, err := pbkdf2.Key(sha256.New, goodPIN, salt, 1, 32)
	if err != nil {
		panic(err)
	}
	pin := map[string]any{"salt": salt, "hash": hash, "rounds": 1}
	if s.saved, err = json.Marshal(map[string]any{"pins": map[string]any{"technician": pin, "key-officer": pin}}); err != nil {
		panic(err)
	}
	return s
}

func (s *shop) host() console.Host {
	public, _ := s.owner.Public().(ed25519.PublicKey)
	return console.Host{
		ID: record.ID{Store: "0001", Register: "01"}, Version: "test", Language: "en", Owner: public, Note: s.Note,
		Notice: func(ctx context.Context) (string, error) {
			select {
			case n := <-s.notice:
				return n, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		},
		Log:    func(int) []string { return s.log },
		Memory: s, Counter: s, Keys: keys{s}, Settings: s, Identity: identity{s},
	}
}

// seat is a technician at a console, in a bubble of package synctest.
type seat struct {
	t     *testing.T
	line  net.Conn
	ended chan error
	stop  context.CancelFunc
	left  bool

	mu    sync.Mutex
	shown strings.Builder
}

// sit opens the console of a host. It must be called in a bubble.
func sit(t *testing.T, c *console.Console) *seat {
	near, far := net.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	s := &seat{t: t, line: near, ended: make(chan error, 1), stop: stop}
	go func() { s.ended <- c.Serve(ctx, far); far.Close() }()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := near.Read(b)
			s.mu.Lock()
			s.shown.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	synctest.Wait()
	return s
}

// leave pulls the cable.
func (s *seat) leave() {
	if s.left {
		return
	}
	s.left = true
	s.line.Close()
	<-s.ended
	s.stop()
}

// type sends keys and returns what is shown then.
func (s *seat) type_(keys string) string {
	s.t.Helper()
	s.mu.Lock()
	s.shown.Reset()
	s.mu.Unlock()
	if _, err := s.line.Write([]byte(keys)); err != nil {
		s.t.Fatalf("%q: %v", keys, err)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *seat) login(role string) {
	s.t.Helper()
	s.type_("login " + role + "\r")
	if shown := s.type_(goodPIN + "\r"); !strings.Contains(shown, "is logged in") {
		s.t.Fatalf("no login:\n%s", shown)
	}
}

func bubble(t *testing.T, f func(t *testing.T, s *shop, at *seat)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		at := sit(t, console.New(s.host()))
		f(t, s, at)
		at.leave()
	})
}

// Who has not logged in can do nothing, and each role only what is its own.
func TestRoles(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		all := []string{"status", "check", "devices", "net", "ledger", "log", "support", "scan test", "print test", "drawer test", "card test", "display test", "keys status", "keys inject", "keys wipe", "enroll", "config show", "config set scanner.baud 1", "config apply", "update", "slot", "reboot", "power off", "pin", "logout"}
		for _, c := range all {
			if shown := at.type_(c + "\r"); !strings.Contains(shown, "Log in first") {
				t.Errorf("%s without a login:\n%s", c, shown)
			}
		}
		at.login("key-officer")
		for _, c := range []string{"check", "config apply", "drawer test", "reboot", "log", "enroll"} {
			if shown := at.type_(c + "\r"); !strings.Contains(shown, "other role") {
				t.Errorf("%s as key officer:\n%s", c, shown)
			}
		}
		at.type_("logout\r")
		at.login("")
		for _, c := range []string{"keys inject", "keys wipe"} {
			if shown := at.type_(c + "\r"); !strings.Contains(shown, "other role") {
				t.Errorf("%s as technician:\n%s", c, shown)
			}
		}
		if len(s.did) > 0 {
			t.Errorf("done: %v", s.did)
		}
	})
}

// Every command is on record; one with an effect before it is carried out, and
// without a record it is not.
func TestRecords(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("")
		at.type_("check\rdrawer test\rconfig set scanner.baud 19200\rpower off\rnonsense " + goodPIN + "\rlogout\r")
		want := []string{
			"console.open technician technician pin",
			"console.command technician technician check 1 of 6",
			"console.command technician technician drawer test begun", "console.command technician technician drawer test ok",
			"console.command technician technician config set scanner.baud 19200 ok",
			"console.command technician technician power off begun", "console.command technician technician power off not on a flashed board",
			"console.close technician technician logout",
		}
		if got := s.records(); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		at.login("")
		s.did, s.noteErr = nil, errors.New("disk")
		if shown := at.type_("drawer test\r"); len(s.did) > 0 || !strings.Contains(shown, "Not on record") {
			t.Errorf("done without a record: %v\n%s", s.did, shown)
		}
		s.noteErr = console.ErrNoRoom // the way out of a full journal stays open
		at.type_("drawer test\r")
		if len(s.did) != 1 {
			t.Errorf("a full journal locks the technician out")
		}
		s.noteErr = nil
		at.type_("status\r")
		if n := s.notes[len(s.notes)-1]; n.body["CommandsNotRecorded"] != 2.0 {
			t.Errorf("what was not recorded is not told: %v", n.body)
		}
	})
}

// 10,000 wrong PINs and 10,000 replays of a grant: nobody gets in, each is on
// record, alone or counted, and the journal does not fill.
func TestAbuse(t *testing.T) {
	const tries = 10_000
	for name, attack := range map[string]struct {
		ask, answer string
	}{"guesses": {"login\r", badPIN + "\r"}, "replays": {"grant\r", ""}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *shop, at *seat) {
				if attack.answer == "" {
					attack.answer = at.grant(s, console.Grant{Role: console.Technician, Minutes: 480, Name: "x"}) + "\r"
					at.type_(attack.answer + "logout\r")
				}
				s.notes = nil
				for i := range tries {
					shown := at.type_(attack.ask)
					if strings.Contains(shown, "answer: ") || strings.Contains(shown, "PIN (") {
						shown = at.type_(attack.answer)
					}
					if strings.Contains(shown, "is logged in") {
						t.Fatalf("try %d got in:\n%s", i, shown)
					}
					if i%10 == 9 {
						time.Sleep(20 * time.Second)
					}
				}
				at.leave()
				total := 0
				for _, n := range s.notes {
					if n.body["Event"] != "console-login-refused" {
						t.Fatalf("%v", n)
					}
					if also, ok := n.body["AlsoRefused"].(float64); ok {
						total += int(also)
					}
					if n.body["By"] != nil {
						total++
					}
				}
				if total != tries {
					t.Errorf("%d on record, %d tried", total, tries)
				}
				if len(s.notes) > 200 {
					t.Errorf("%d records", len(s.notes))
				}
				t.Logf("%d records", len(s.notes))
				again := sit(t, console.New(s.host())) // a restart lets nobody in, either
				if shown := again.type_("login\r"); !strings.Contains(shown, "Too early") {
					t.Errorf("after a restart:\n%s", shown)
				}
				again.leave()
			})
		})
	}
}

// grant asks for a challenge and signs a grant for it.
func (s *seat) grant(shop *shop, g console.Grant) string {
	s.t.Helper()
	shown := s.type_("grant\r")
	c, err := console.ParseChallenge(strings.TrimSpace(between(shown, "owner:", "The owner's")))
	if err != nil {
		s.t.Fatalf("%v:\n%s", err, shown)
	}
	text, err := g.Sign(shop.owner, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func between(s, begin, end string) string {
	_, s, _ = strings.Cut(s, begin)
	s, _, _ = strings.Cut(s, end)
	return s
}

// A grant lets in its role for its commands and its time, and no longer.
func TestGrant(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		shown := at.type_(at.grant(s, console.Grant{Role: console.Technician, Minutes: 30, Name: "Sato", Scope: []string{"print test", "config"}}) + "\r")
		if !strings.Contains(shown, "Sato, technician is logged in") {
			t.Fatal(shown)
		}
		if got := s.records(); !slices.Equal(got, []string{"console.open technician Sato grant"}) {
			t.Errorf("%q", got)
		}
		if shown := at.type_("print test\r"); !strings.Contains(shown, "Printed") {
			t.Error(shown)
		}
		if shown := at.type_("config show\r"); !strings.Contains(shown, "scanner.baud") {
			t.Error(shown)
		}
		for _, c := range []string{"drawer test", "pin", "log"} {
			if shown := at.type_(c + "\r"); !strings.Contains(shown, "does not cover") {
				t.Errorf("%s:\n%s", c, shown)
			}
		}
		for range 29 {
			time.Sleep(time.Minute)
			at.type_("help\r")
		}
		time.Sleep(59 * time.Second)
		if shown := at.type_("print test\r"); !strings.Contains(shown, "Printed") {
			t.Error(shown)
		}
		time.Sleep(2 * time.Second)
		if shown := at.type_("print test\r"); !strings.Contains(shown, "Log in first") {
			t.Error(shown)
		}
		at.type_(at.grant(s, console.Grant{Role: console.KeyOfficer, Minutes: 30, Name: "Suzuki"}) + "\r")
		if shown := at.type_("pin\r"); !strings.Contains(shown, "must name") {
			t.Errorf("pin, not named:\n%s", shown)
		}
	})
}

// A session ends when nothing is typed, and with the cable.
func TestSessionEnds(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("")
		time.Sleep(9 * time.Minute)
		if shown := at.type_("status\r"); !strings.Contains(shown, "register") {
			t.Error(shown)
		}
		time.Sleep(11 * time.Minute)
		if shown := at.type_("status\r"); !strings.Contains(shown, "Log in first") {
			t.Error(shown)
		}
		at.login("")
		s.records()
		at.leave()
		if got := s.records(); !slices.Equal(got, []string{"console.close technician technician line lost"}) {
			t.Errorf("%q", got)
		}
		again := sit(t, console.New(s.host()))
		if shown := again.type_("status\r"); !strings.Contains(shown, "Log in first") {
			t.Error(shown)
		}
		again.leave()
	})
}

// The first PIN is set by the owner where there is one: the file may have been
// removed by somebody.
func TestFirstPINOfOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		s.saved = nil
		at := sit(t, console.New(s.host()))
		for role, r := range map[string]console.Role{"technician": console.Technician, "key-officer": console.KeyOfficer} {
			if shown := at.type_("login " + role + "\r"); !strings.Contains(shown, "needs a grant") {
				t.Error(shown)
			}
			if shown := at.type_(goodPIN + "\r" + goodPIN + "\rkeys status\r"); !strings.Contains(shown, "Log in first") {
				t.Error(shown)
			}
			at.type_(at.grant(s, console.Grant{Role: r, Minutes: 30, Name: "Sato", Scope: []string{"pin"}}) + "\r")
			if shown := at.type_("pin\r" + goodPIN + "\r" + goodPIN + "\r"); !strings.Contains(shown, "The PIN is set") {
				t.Error(shown)
			}
			if shown := at.type_("logout\rlogin " + role + "\r" + goodPIN + "\r"); !strings.Contains(shown, role+" is logged in") {
				t.Error(shown)
			}
			at.type_("logout\r")
		}
		at.leave()
	})
}

// A language is kept, but nothing is written for whoever is not logged in.
func TestLanguageKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		before := string(s.saved)
		at := sit(t, console.New(s.host()))
		for range 100 {
			at.type_("lang ja\rlang en\r")
		}
		if at.type_("lang ja\r"); string(s.saved) != before {
			t.Errorf("written: %s", s.saved)
		}
		if at.type_("login\r" + goodPIN + "\r"); !strings.Contains(string(s.saved), `"language":"ja"`) {
			t.Errorf("not kept: %s", s.saved)
		}
		if at.type_("lang en\r"); !strings.Contains(string(s.saved), `"language":"en"`) {
			t.Errorf("not kept: %s", s.saved)
		}
		at.leave()
	})
}

// The supervisor's number is neither shown, nor in a bundle, nor on record.
func TestSupervisor(t *testing.T) {
	const number, typed = "59205920", "70217021"
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		s.supervisor = number
		at.login("")
		shown := at.type_("config show\r")
		if !regexp.MustCompile(`register\.supervisor +set\r`).MatchString(shown) {
			t.Errorf("that there is one is not shown:\n%s", shown)
		}
		s.changed = []console.Setting{{Key: "register.supervisor", Value: typed}}
		shown += at.type_("config show\rconfig apply\rno\r")
		if strings.Contains(shown, number) || strings.Contains(shown, typed) {
			t.Errorf("shown:\n%s", shown)
		}
		for _, text := range []string{"register.supervisor " + typed, "Register.Supervisor " + typed, "register.supervisr " + typed, "register.supervisor=" + typed, typed} {
			at.type_("config set " + text + "\r")
		}
		at.type_("config set scanner.baud 19200\r")
		got := strings.Join(s.records(), "\n")
		if strings.Contains(got, typed) || !strings.Contains(got, "config set register.supervisor ") || !strings.Contains(got, "config set scanner.baud 19200") {
			t.Errorf("on record:\n%s", got)
		}
		if text := unpacked(t, at.type_("support\r")); strings.Contains(text, number) || strings.Contains(text, typed) || strings.Contains(text, "supervisor") {
			t.Errorf("in the bundle: %s", text)
		}
	})
}

// unpacked is the bundle that was shown.
func unpacked(t *testing.T, shown string) string {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(between(shown, "BEGIN REGI SUPPORT-----", "-----END"), "\r\n", ""))
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	return plainBundle(t, packed)
}

// plainBundle unpacks one; gzip passes over what fills it up.
func plainBundle(t *testing.T, packed []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	text, err := io.ReadAll(z)
	if err != nil || !json.Valid(text) {
		t.Errorf("%v\n%s", err, text)
	}
	return string(text)
}

// The first PIN of a register without an owner is set by whoever stands there.
func TestFirstPIN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		s.saved = nil
		h := s.host()
		h.Owner = nil
		at := sit(t, console.New(h))
		if shown := at.type_("login\r111111\r"); !strings.Contains(shown, "6 to 12 digits") {
			t.Error(shown)
		}
		if shown := at.type_("login\r" + goodPIN + "\r" + badPIN + "\r"); !strings.Contains(shown, "two different") {
			t.Error(shown)
		}
		if shown := at.type_("login\r" + goodPIN + "\r" + goodPIN + "\r"); !strings.Contains(shown, "is logged in") || strings.Contains(shown, goodPIN) {
			t.Error(shown)
		}
		if shown := at.type_("logout\rlogin\r" + badPIN + "\r"); !strings.Contains(shown, "Wrong") {
			t.Error(shown)
		}
		at.leave()
	})
}

// What the operator is told comes above the line that is typed.
func TestNoticeDoesNotTear(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.type_("hel")
		s.notice <- "P06 paper \x1b[2Jnear end"
		synctest.Wait()
		shown := at.shown.String()
		if want := "\r\x1b[KP06 paper ?[2Jnear end\r\n\rregi> hel\x1b[K"; !strings.HasSuffix(shown, want) {
			t.Errorf("%q", shown)
		}
		if shown := at.type_("p\r"); !strings.Contains(shown, "login [technician") {
			t.Errorf("%q", shown)
		}
	})
}

// A break on the line, which reads as NUL, and Ctrl-C do nothing.
func TestBreak(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.type_(strings.Repeat("\x00", 1000) + "b\x00o\x03")
		if shown := at.type_("\x00\r"); strings.Contains(shown, "no such") {
			t.Error(shown)
		}
		at.login("")
		s.slow = true
		if shown := at.type_("scan test\r"); !strings.Contains(shown, "Scan a label") {
			t.Error(shown)
		}
		if shown := at.type_("\x00\x03"); !strings.Contains(shown, "Stopped.") {
			t.Error(shown)
		}
		at.type_("scan test\r")
		time.Sleep(31 * time.Second)
		if shown := at.type_("status\r"); !strings.Contains(shown, "register ") {
			t.Errorf("after a test that nobody answered:\n%s", shown)
		}
	})
}

// A sale that is open is not disturbed.
func TestSale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		h := s.host()
		h.Board = board{s}
		at := sit(t, console.New(h))
		s.sale = true
		at.login("")
		for _, c := range []string{"scan test", "print test", "drawer test", "card test", "display test", "support print", "reboot", "power off"} {
			if shown := at.type_(c + "\r"); !strings.Contains(shown, "A sale is open") || strings.Contains(shown, "REGI TEST") || strings.Contains(shown, "is printed") {
				t.Errorf("%s:\n%s", c, shown)
			}
		}
		s.sale = false
		s.did = nil
		at.type_("reboot\ryes\r")
		at.login("") // it goes down, which ends the session
		at.type_("power off\rno\rpower off\ryes\r")
		at.login("")
		if !slices.Equal(s.did, []string{"reboot", "off"}) {
			t.Errorf("%v", s.did)
		}
		if shown := at.type_("check\r"); !strings.Contains(shown, "0951:1666") {
			t.Error(shown)
		}
		at.leave()
	})
}

// The ceremony has the line for itself: what is typed meanwhile is no command,
// is not shown, and is nowhere afterwards.
func TestInject(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("key-officer")
		const secret = "A7A7A7A7A7A7A7A7"
		shown := at.type_("keys inject\rlogout\r") // typed ahead: for nobody
		shown += at.type_(secret)
		shown += at.type_("\r")
		if !strings.Contains(shown, "The card key is loaded") || strings.Contains(shown, secret[:4]) || !slices.Equal(s.did, []string{"inject"}) {
			t.Errorf("%v\n%s", s.did, shown)
		}
		if shown := at.type_("\x1b[A\x1b[A\x15status\r"); strings.Contains(shown, secret[:4]) || !strings.Contains(shown, "register ") {
			t.Errorf("%s", shown)
		}
		for _, n := range s.notes {
			if strings.Contains(fmt.Sprint(n.body), secret[:4]) {
				t.Errorf("on record: %v", n.body)
			}
		}
	})
}

// No card number is shown, from wherever it comes.
func TestNoCardNumber(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("")
		shown := at.type_("log 50\r")
		if strings.Contains(shown, "4111") || !strings.Contains(shown, "till IDLE") {
			t.Errorf("%s", shown)
		}
		shown = at.type_("card test\r")
		if strings.Contains(shown, "411111") || !strings.Contains(shown, "•••• 1111") {
			t.Errorf("%s", shown)
		}
		shown = at.type_("support\r")
		if text := unpacked(t, shown); strings.Contains(text, "4111") || strings.Contains(text, "Sato Store") || !strings.Contains(text, "scanner.baud") {
			t.Error(text)
		}
	})
}

// Credentials are taken once, of the owner, for the code that was shown.
func TestEnroll(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("")
		shown := at.type_("enroll\r")
		c, err := console.ParseChallenge(strings.Fields(between(shown, "code", "Paste"))[0])
		if err != nil {
			t.Fatal(err)
		}
		want := console.Credentials{URL: "tls://cloud:4222", CA: "ca", Creds: strings.Repeat("secret", 300), SealTo: "s", SignedBy: "b"}
		packet, err := want.Sign(s.owner, c)
		if err != nil {
			t.Fatal(err)
		}
		shown = at.paste(packet) + at.type_("yes\r")
		if s.taken == nil || *s.taken != want || strings.Contains(shown, base64.StdEncoding.EncodeToString(packet)[:20]) {
			t.Fatalf("%+v\n%s", s.taken, shown)
		}
		s.taken = nil
		at.login("") // the register starts again, which ends the session
		at.type_("enroll\r")
		if shown := at.paste(packet); !strings.Contains(shown, "not signed by the owner") || strings.Contains(shown, "Wrong.") || s.taken != nil {
			t.Errorf("twice:\n%s", shown)
		}
	})
}

func (s *seat) paste(packet []byte) string {
	var shown strings.Builder
	text := base64.StdEncoding.EncodeToString(packet)
	for len(text) > 0 {
		n := min(len(text), 76)
		shown.WriteString(s.type_(text[:n] + "\r"))
		text = text[n:]
	}
	return shown.String() + s.type_("\r")
}

// FuzzSession: whatever is typed, a register that nobody has logged into does
// nothing, and no command runs without Enter.
func FuzzSession(f *testing.F) {
	f.Add([]byte("status\rdrawer test\r"))
	f.Add([]byte("login\r" + goodPIN))
	f.Add([]byte("grant\rAAAA\rhelp \"x\rlang ja\r\x1b[A\r"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		if strings.Contains(string(keys), goodPIN) && strings.Contains(string(keys), "login") {
			keys = nil // it may be right
		}
		bubble(t, func(t *testing.T, s *shop, at *seat) {
			at.type_(string(keys))
			if len(s.did) > 0 || slices.ContainsFunc(s.notes, func(n note) bool { return n.kind == record.ConsoleOpen || n.kind == record.ConsoleCommand }) {
				t.Errorf("%q did %v, %v", keys, s.did, s.notes)
			}
		})
	})
}

// The console is no way to files, programs or the network.
func TestImports(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, pkg := range []string{`"os`, `"net`, `"syscall`, `"golang.org/x/sys`, `"regi/drivers`, `"regi/board`, `"plugin`, `"io/ioutil`} {
			if strings.Contains(between(string(text), "import (", "\n)"), "\t"+pkg) {
				t.Errorf("%s imports %s", file.Name(), pkg)
			}
		}
	}
}
