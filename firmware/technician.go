package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"regi/board/port"
	"regi/drivers"
	"regi/firmware/boot"
	"regi/firmware/capture/ceremony"
	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/role"
)

// technician is the register's side of the console.
type technician struct {
	reg    *register.Register
	keeper *keyKeeper
	spawn  *role.Spawner
	log    *logTail
	path   string // of the configuration
	key    ed25519.PrivateKey
	owner  ed25519.PublicKey
	trial  *trial

	config  *Config
	text    []byte     // of the configuration
	link    *boot.Link // nil: not on a flashed board
	began   time.Time
	console *console.Console
	restart chan error
	quiet   sync.Once

	mu      sync.Mutex
	changed []byte // the text with the changes that are noted; nil: none
	changes []console.Setting
}

// newTechnician completes t. Everything is read here: the process is confined
// soon.
func newTechnician(c *Config, t *technician) (*technician, error) {
	t.config, t.began, t.restart = c, time.Now(), make(chan error, 1)
	var err error
	if t.text, err = os.ReadFile(t.path); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	host := console.Host{
		ID: record.ID{Store: c.Register.Store, Register: c.Register.ID}, Version: version, Language: c.Register.Locale,
		Note: t.note, Notice: t.notice, Log: t.log.tail,
		Memory: memoryFile(filepath.Join(consoleFolder(c), "console.json")), Counter: t, Keys: cardKeys{t}, Settings: t, Identity: identity{t},
	}
	if c.Console.Owner != "" {
		if t.owner, err = keyFile("console.owner", c.Console.Owner, record.ParseSignPublic); err != nil {
			return nil, err
		}
		host.Owner = t.owner
	}
	if t.link != nil {
		host.Board, host.Slots = flashed{t.link}, slotsOf{link: t.link, reg: t.reg, worked: worked(t.config)}
		host.Log = t.boardLog
	}
	t.console = console.New(host)
	return t, nil
}

// run does what goes on beside the line.
func (t *technician) run(ctx context.Context) error {
	before := pending{path: pendingFile(t.config)}
	if err := before.journal(ctx, t.reg.Note); ended(ctx, err) != nil {
		return err
	}
	watched := make(chan error, 1)
	go func() { watched <- t.trial.watch(ctx, t.reg) }() // ends with ctx
	if t.link != nil {
		if t.trial.State == trialTrying || t.trial.State == trialUndone {
			if err := t.link.Tell(boot.Ask{Op: boot.OpNetwork}); err != nil {
				return err
			}
		}
		go func() {
			if err := tellAlive(ctx, t.link, t.reg); err != nil {
				t.end(err)
			}
		}()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watched:
			if err != nil {
				return err
			}
			watched = nil
		case err := <-t.restart:
			return err
		}
	}
}

// end ends the register; the first reason counts.
func (t *technician) end(err error) {
	select {
	case t.restart <- err:
	default:
	}
}

// serve is the console on an open line.
func (t *technician) serve(ctx context.Context, p drivers.Port) error {
	if t.link != nil {
		t.quiet.Do(func() {
			t.link.Tell(boot.Ask{Op: boot.OpQuiet}) //nolint:errcheck,gosec // then the board writes here, too
		})
	}
	return t.console.Serve(ctx, p)
}

func (t *technician) note(ctx context.Context, kind record.Kind, body any) error {
	err := t.reg.Note(ctx, kind, body)
	if errors.Is(err, register.ErrNoRoom) {
		return console.ErrNoRoom
	}
	return err
}

func (t *technician) notice(ctx context.Context) (string, error) {
	n, err := t.reg.Notice(ctx)
	return fmt.Sprintf("%s %s %s", time.Now().Format("15:04:05"), n.Code, n.Text), err
}

// memoryFile is console.Memory in a file.
type memoryFile string

func (m memoryFile) Load() ([]byte, error) {
	data, err := readPlain(string(m), keyFileMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (m memoryFile) Save(data []byte) error { return replaceDurably(string(m), data) }

// counterOrder is how a technician walks along the counter.
var counterOrder = [...]string{"scanner", "printer", "drawer", "card", "keypad", "display", "console"} //nolint:gochecknoglobals // a constant table

// cloudName stands beside the devices that a change must not lose.
const cloudName = "cloud"

// State is console.Counter's.
func (t *technician) State(ctx context.Context) (console.State, error) {
	s, err := t.reg.Summary(ctx)
	if err != nil {
		return console.State{}, asConsole(err)
	}
	now := time.Now()
	st := console.State{
		Now: now, Up: now.Sub(t.began), Till: s.Phase, Sale: s.Sale,
		Cloud:  console.Cloud{URL: t.config.Cloud.URL, Up: s.Online, Says: s.CloudSays},
		Ledger: console.Ledger{Head: s.Head, Hash: s.Hash, Acked: s.Acked, Depth: s.Depth, Room: s.Room},
	}
	serials := t.config.serials()
	for _, name := range counterOrder {
		d := console.Device{Name: name, Up: works(&s, name), Says: s.Devices[name]}
		switch serial := serials[name]; {
		case serial != nil:
			d.Port = serial.Port
		case t.config.Drawer.Via == viaGPIO:
			d.Port = t.config.Drawer.Kick + "," + t.config.Drawer.Sense
		}
		if d.Port == "" || name == "card" && t.config.Card.Reader == "none" {
			continue
		}
		switch d.Says {
		case "up":
			d.Says = ""
		case "":
			d.Says = "starting"
		}
		st.Devices = append(st.Devices, d)
	}
	return st, nil
}

// works says whether a device can be used.
func works(s *register.Summary, name string) bool {
	if name == cloudName {
		return s.Online
	}
	says := s.Devices[name]
	return says == "up" || says == drivers.ErrPaperNearEnd.Error()
}

// asConsole says in the console's words what a caller there can act on.
func asConsole(err error) error {
	switch {
	case errors.Is(err, register.ErrSale):
		return console.ErrSale
	case errors.Is(err, register.ErrAway):
		return console.ErrAway
	}
	return err
}

// Scan is console.Counter's.
func (t *technician) Scan(ctx context.Context, ready func()) (console.Scan, error) {
	s, err := t.reg.NextScan(ctx, ready)
	return console.Scan{Label: s.Label, AIM: s.AIM, Problem: s.Problem}, asConsole(err)
}

// Card is console.Counter's. Of the card it passes on what stands on a receipt.
func (t *technician) Card(ctx context.Context, ready func()) (console.Card, error) {
	c, err := t.reg.NextCard(ctx, ready)
	return console.Card{Brand: c.Read.Brand, Last4: c.Read.Last4, Tracks: c.Read.Tracks, Luhn: c.Read.Luhn, Problem: c.Failed}, asConsole(err)
}

// Print is console.Counter's. A printer without codes prints what is in it.
func (t *technician) Print(ctx context.Context, lines []string, code string) error {
	var items []drivers.Item
	paper := func(last drivers.Item) error {
		return t.reg.TestPrint(ctx, func(columns int) drivers.Document {
			items = items[:0]
			for _, l := range lines {
				items = append(items, drivers.TextLine{Text: cut(l, columns)})
			}
			return drivers.Document{Items: append(items, last), Cut: true}
		})
	}
	if code == "" {
		return asConsole(paper(drivers.TextLine{}))
	}
	err := paper(drivers.Barcode{Symbology: drivers.QRCode, Data: code, Align: drivers.Center})
	if errors.Is(err, drivers.ErrUnsupported) {
		err = paper(drivers.TextLine{Text: code})
	}
	return asConsole(err)
}

// cut keeps what fits on a line of paper; a character of Japanese takes two
// columns.
func cut(s string, columns int) string {
	for i, r := range s {
		if columns--; r >= 0x1100 {
			columns--
		}
		if columns < 0 {
			return s[:i]
		}
	}
	return s
}

// OpenDrawer is console.Counter's.
func (t *technician) OpenDrawer(ctx context.Context) error { return asConsole(t.reg.TestDrawer(ctx)) }

// Show is console.Counter's.
func (t *technician) Show(ctx context.Context, upper, lower string) error {
	return asConsole(t.reg.TestShow(ctx, upper, lower))
}

// cardKeys is console.Keys.
type cardKeys struct{ t *technician }

func (k cardKeys) ask(ctx context.Context, op string, tty *os.File, heard func(keysWord) error) error {
	start := func() (*role.Child, error) { return k.t.spawn.Start(role.Keys, tty) }
	return askKeys(ctx, start, op, heard)
}

// Status is asked of the hardened process: this one cannot reach the key file.
func (k cardKeys) Status(ctx context.Context) (said string, err error) {
	err = k.ask(ctx, opStatus, nil, func(w keysWord) error {
		said = w.Done
		return nil
	})
	return said, err
}

// Wipe destroys the key as an opened case does.
func (k cardKeys) Wipe(ctx context.Context) error {
	k.t.keeper.wipe(ctx)
	return ctx.Err()
}

// releasedWithin is how long a card process may take to end.
const releasedWithin = 5 * time.Second

// Inject hands the line to the hardened process. The card process is ended for
// so long: it has the key file.
func (k cardKeys) Inject(ctx context.Context, line console.Line) error {
	p, ok := line.(*port.Port)
	if !ok {
		return drivers.ErrUnsupported
	}
	defer k.t.keeper.hold()()
	return p.Lend(func(tty *os.File) error {
		for until := time.Now().Add(releasedWithin); ; pause(ctx, wipeEvery) {
			err := k.inject(ctx, tty)
			if err == nil || err.Error() != ceremony.ErrRunning.Error() || time.Now().After(until) || ctx.Err() != nil {
				return err
			}
		}
	})
}

func (k cardKeys) inject(ctx context.Context, tty *os.File) error {
	note := func(ctx context.Context, body loadedBody) error { return k.t.reg.Note(ctx, record.SecurityEvent, body) }
	return journalled(ctx, note, func(heard func(keysWord) error) error { return k.ask(ctx, opInject, tty, heard) })
}

// List is console.Settings's: the settings that are in force, with the defaults.
func (t *technician) List() []console.Setting {
	all := settings(t.config)
	for i := range all {
		all[i].Value = all[i].Shown()
	}
	return all
}

func settings(c *Config) []console.Setting { return flatten(reflect.ValueOf(*c), "") }

// flatten lists a struct's fields by their keys in the file.
func flatten(v reflect.Value, prefix string) (all []console.Setting) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key := field.Tag.Get("toml")
		if prefix != "" && key != "" {
			key = prefix + "." + key
		}
		switch {
		case field.Anonymous:
			all = append(all, flatten(value, prefix)...)
		case field.Type.Kind() == reflect.Struct:
			all = append(all, flatten(value, key)...)
		default:
			all = append(all, console.Setting{Key: key, Value: fmt.Sprint(value.Interface())})
		}
	}
	return all
}

// Set is console.Settings's.
func (t *technician) Set(key, value string, by console.Warrant) error {
	section, name, ok := strings.Cut(key, ".")
	if !ok || !slices.ContainsFunc(t.List(), func(s console.Setting) bool { return s.Key == key }) {
		return fmt.Errorf("%s is no setting: config show lists them", key)
	}
	if err := mayChange(key, t.warrants(by)); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.changed
	if text == nil {
		text = t.text
	}
	changed, err := t.with(text, section, name, value)
	if err != nil {
		return err
	}
	t.changed = changed
	t.changes = append(slices.DeleteFunc(t.changes, func(s console.Setting) bool { return s.Key == key }), console.Setting{Key: key, Value: value})
	return nil
}

var errNoValue = errors.New("that is no value of a setting")

// with is a file with one setting changed, if it is right then. What is typed
// is taken as it is, or as text.
func (t *technician) with(text []byte, section, key, value string) ([]byte, error) {
	quoted := quote(value)
	first := errNoValue
	if visible(value) != value {
		return nil, first
	}
	for _, v := range []string{value, quoted} {
		var probe map[string]any
		if toml.Unmarshal([]byte("x = "+v), &probe) != nil || len(probe) != 1 {
			continue
		}
		changed := setKey(text, section, key, v)
		_, err := parseConfig(changed, t.path)
		if err == nil {
			return changed, nil
		}
		if errors.Is(first, errNoValue) || v == quoted && strings.Contains(first.Error(), "in \"quotes\"") {
			first = err
		}
	}
	return nil, first
}

// quote is a TOML basic string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// warrants says whether the owner lets whoever is at the console change more than
// the register's own settings. The console has opened the warrant.
func (t *technician) warrants(by console.Warrant) bool {
	return t.config.Console.Owner != "" && by != (console.Warrant{})
}

// Replace is console.Settings's: another file, with the same identity.
func (t *technician) Replace(text string, by console.Warrant) error {
	after, err := parseConfig([]byte(text), t.path)
	if err != nil {
		return err
	}
	was, will := settings(t.config), settings(after)
	if err := mayBecome(was, will, t.warrants(by)); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed, t.changes = []byte(text), changes(was, will)
	return nil
}

// Changed is console.Settings's.
func (t *technician) Changed() []console.Setting {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.changes)
}

// Discard is console.Settings's.
func (t *technician) Discard() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed, t.changes = nil, nil
}

// Apply is console.Settings's.
func (t *technician) Apply(ctx context.Context, who string, by console.Warrant) error {
	t.mu.Lock()
	text, changes := t.changed, slices.Clone(t.changes)
	t.mu.Unlock()
	keys := make([]string, 0, len(changes))
	next := trial{Who: who, Config: string(text)}
	for _, c := range changes {
		if err := mayChange(c.Key, t.warrants(by)); err != nil {
			return err // whoever noted it had a grant, and has left
		}
		keys = append(keys, c.Key)
		if isLocked(c.Key) {
			next.Grant, next.Challenge = by.Grant, by.Challenge
		}
	}
	next.Keys = keys
	return t.stage(ctx, next)
}

// answerFor is how long the console may still say that it went well.
const answerFor = 500 * time.Millisecond

var errTrial = errors.New("a change is being tried already: wait a minute")

// stage lays a change ready and ends this process for the next one to take it.
func (t *technician) stage(ctx context.Context, next trial) error {
	if current := readTrial(t.config); current.State == trialTrying || current.State == trialFailed {
		return errTrial
	}
	s, err := t.reg.Summary(ctx)
	if err != nil {
		return err
	}
	if s.Sale {
		return console.ErrSale
	}
	next.State, next.path = trialStaged, t.trial.path
	next.Up = up(&s)
	if err := next.save(); err != nil {
		return err
	}
	time.AfterFunc(answerFor, func() { t.end(errRestart) })
	return nil
}

// identity is console.Identity.
type identity struct{ t *technician }

// Request is signed by the key that signs the records: it never leaves.
func (i identity) Request() (fingerprint, request string, err error) {
	return enrolment(i.t.config.Register.Store+"/"+i.t.config.Register.ID, i.t.key)
}

func enrolment(id string, key ed25519.PrivateKey) (fingerprint, request string, err error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", "", errors.New("enroll: no device key")
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: id}}, key)
	if err != nil {
		return "", "", fmt.Errorf("enroll: %w", err)
	}
	return console.Fingerprint(public), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// Accept lays the credentials ready as they were pasted: the next start checks
// the owner's signature itself.
func (i identity) Accept(ctx context.Context, who string, packet []byte, shown console.Challenge, _ ed25519.PublicKey) error {
	c, err := console.OpenCredentials(packet, i.t.owner, shown)
	if err == nil {
		err = checkCredentials(c)
	}
	if err != nil {
		return err
	}
	keys := []string{"cloud.url", "cloud.ca", "cloud.creds", "cloud.seal_to", "cloud.signed_by"}
	return i.t.stage(ctx, trial{Who: who, Keys: keys, Packet: packet, Challenge: shown.String()})
}

// flashed is console.Board over the link to the board's first process.
type flashed struct{ link *boot.Link }

func (b flashed) Reboot() error   { return b.link.Tell(boot.Ask{Op: boot.OpReboot}) }
func (b flashed) PowerOff() error { return b.link.Tell(boot.Ask{Op: boot.OpPowerOff}) }

// State is the board's own account; what is wrong begins with "fault: ".
func (b flashed) State() ([]console.Setting, error) {
	s, err := b.link.State()
	if err != nil {
		return nil, err
	}
	n := s.Network
	link := n.Link
	if link == "" {
		link = "none"
	}
	if !n.Up {
		link += ", no cable"
	}
	rows := []console.Setting{
		{Key: "link", Value: link},
		{Key: "address", Value: n.Address},
		{Key: "gateway", Value: n.Gateway},
		{Key: "names", Value: strings.Join(n.Servers, " ")},
		{Key: "cloud at", Value: strings.Join(n.Cloud, " ")},
		{Key: "dropped", Value: n.Dropped.String()},
		{Key: "watchdog", Value: s.Watchdog},
	}
	for _, f := range []console.Setting{
		{Key: "network", Value: n.Fault},
		{Key: "data", Value: s.Data},
		{Key: "board time", Value: s.Clock},
		{Key: "firewall", Value: s.Firewall},
		{Key: "kernel", Value: strings.Join(s.Knobs, ", ")},
		{Key: "usb", Value: strings.Join(s.Refused, ", ")},
	} {
		if f.Value != "" {
			rows = append(rows, console.Setting{Key: f.Key, Value: "fault: " + f.Value})
		}
	}
	return rows, nil
}

// boardLog is the log of all processes, which the board keeps.
func (t *technician) boardLog(n int) []string {
	s, err := t.link.State()
	if err != nil {
		return append(t.log.tail(n), err.Error())
	}
	return s.Log[max(0, len(s.Log)-n):]
}

// logLines of at most logLineMax bytes are kept of this process's log.
const logLines, logLineMax = 500, 8192

// stateLine is in what the shell logs whenever anything has changed.
const stateLine = "msg=state "

// logTail is the newest of it, in memory.
type logTail struct {
	mu    sync.Mutex
	lines []string
}

func (l *logTail) handler() slog.Handler {
	return slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.String("at", a.Value.Time().Format("15:04:05"))
		}
		return a
	}})
}

// Write takes one line, as a handler writes it.
func (l *logTail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A state follows each record: only the newest of several is of interest.
	if n := len(l.lines); n > 0 && bytes.Contains(b, []byte(stateLine)) && strings.Contains(l.lines[n-1], stateLine) {
		l.lines = l.lines[:n-1]
	}
	if len(l.lines) == logLines {
		l.lines = append(l.lines[:0], l.lines[logLines/10:]...)
	}
	line := bytes.TrimRight(b, "\n")
	l.lines = append(l.lines, string(line[:min(len(line), logLineMax)]))
	return len(b), nil
}

func (l *logTail) tail(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[max(0, len(l.lines)-n):])
}
