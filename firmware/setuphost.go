package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"regi/board/port"
	"regi/drivers"
	"regi/firmware/catalog"
	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/role"
)

// host is what the console has here.
func (s *setup) host() console.Host {
	h := console.Host{
		ID: record.ID{Store: s.config.Register.Store, Register: s.config.Register.ID}, Version: version, Language: s.config.Register.Locale, Zone: s.config.zone(),
		Setup: s.why.Error(), Prices: s.takePrices, Owner: s.owner,
		Note: s.pended.note,
		Notice: func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		},
		Log:    s.log.tail,
		Memory: memoryFile(filepath.Join(consoleFolder(s.config), "console.json")), Counter: s, Keys: setupKeys{s}, Settings: s, Identity: s,
	}
	if s.link != nil {
		h.Board, h.Slots = flashed{s.link}, slotsOf{link: s.link}
		h.Log = (&technician{link: s.link, log: s.log, config: s.config}).boardLog
	}
	return h
}

// State is console.Counter's.
func (s *setup) State(context.Context) (console.State, error) {
	now := time.Now()
	return console.State{Now: now, Up: now.Sub(s.began), Till: "not set up", Cloud: console.Cloud{URL: s.config.Cloud.URL, Says: "not set up"}}, nil
}

var errNoCounter = errors.New("the register does not sell yet")

// Scan is console.Counter's, as are the next four: there is no counter.
func (s *setup) Scan(context.Context, func()) (console.Scan, error) {
	return console.Scan{}, errNoCounter
}

// Card reads none.
func (s *setup) Card(context.Context, func()) (console.Card, error) {
	return console.Card{}, errNoCounter
}

// Print prints nothing.
func (s *setup) Print(context.Context, []string, ...string) error { return errNoCounter }

// OpenDrawer opens none.
func (s *setup) OpenDrawer(context.Context) error { return errNoCounter }

// Show shows nothing.
func (s *setup) Show(context.Context, string, string) error { return errNoCounter }

// setupKeys is console.Keys: no card process is there that would have to end.
type setupKeys struct{ s *setup }

func (k setupKeys) ask(ctx context.Context, op string, tty *os.File, heard func(keysWord) error) error {
	return askKeys(ctx, func() (*role.Child, error) { return k.s.spawn.Start(role.Keys, tty) }, op, heard)
}

// Status is asked of the hardened process.
func (k setupKeys) Status(ctx context.Context) (said string, err error) {
	err = k.ask(ctx, opStatus, nil, func(w keysWord) error {
		said = w.Done
		return nil
	})
	return said, err
}

// Wipe destroys the key.
func (k setupKeys) Wipe(ctx context.Context) error {
	return k.ask(ctx, opWipe, nil, func(keysWord) error { return nil })
}

// Inject hands the line to the hardened process.
func (k setupKeys) Inject(ctx context.Context, line console.Line) error {
	p, ok := line.(*port.Port)
	if !ok {
		return drivers.ErrUnsupported
	}
	return p.Lend(func(tty *os.File) error {
		note := func(ctx context.Context, body loadedBody) error {
			return k.s.pended.note(ctx, record.SecurityEvent, body)
		}
		return journalled(ctx, note, func(heard func(keysWord) error) error { return k.ask(ctx, opInject, tty, heard) })
	})
}

// List is console.Settings's: the file as it is, and as it would be.
func (s *setup) List() []console.Setting {
	s.mu.Lock()
	defer s.mu.Unlock()
	return settings(s.config)
}

// Set is console.Settings's. A file that is not complete yet may be right in
// what it has.
func (s *setup) Set(key, value string, by console.Warrant) error {
	section, name, ok := strings.Cut(key, ".")
	if i := strings.LastIndex(key, "."); ok && i > 0 {
		section, name = key[:i], key[i+1:]
	}
	if !ok || !slices.ContainsFunc(s.List(), func(l console.Setting) bool { return l.Key == key }) {
		return fmt.Errorf("%s is no setting: config show lists them", key)
	}
	if visible(value) != value {
		return errNoValue
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := error(nil)
	for _, v := range []string{value, quote(value)} {
		var probe map[string]any
		if toml.Unmarshal([]byte("x = "+v), &probe) != nil || len(probe) != 1 {
			continue // no value as it stands
		}
		changed := setKey(s.draft, section, name, v)
		err := s.mayBecome(changed, by != (console.Warrant{}))
		if err == nil {
			s.draft = changed
			s.changes = append(slices.DeleteFunc(s.changes, func(c console.Setting) bool { return c.Key == key }), console.Setting{Key: key, Value: value})
			return nil
		}
		if first == nil || errors.Is(err, errLocked) {
			first = err
		}
	}
	return first
}

// Replace is console.Settings's.
func (s *setup) Replace(text string, by console.Warrant) error {
	if err := s.mayBecome([]byte(text), by != (console.Warrant{})); err != nil {
		return err
	}
	if _, err := parseConfig([]byte(text), s.path); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft = []byte(text)
	s.changes = []console.Setting{{Key: "register.toml", Value: fmt.Sprintf("%d bytes", len(text))}}
	return nil
}

func (s *setup) takePrices(text []byte) error {
	if _, err := catalog.Parse(text); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prices = text
	s.changes = append(slices.DeleteFunc(s.changes, func(c console.Setting) bool { return c.Key == firstPrices }), console.Setting{Key: firstPrices, Value: fmt.Sprintf("%d bytes", len(text))})
	return nil
}

// Changed is console.Settings's.
func (s *setup) Changed() []console.Setting {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changes)
}

// Discard is console.Settings's: what one technician has begun the next need not
// know of.
func (s *setup) Discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.config.Register.State // it may be in memory
	s.begin()
	s.config.Register.State = state
}

// Apply is console.Settings's.
func (s *setup) Apply(_ context.Context, who string, by console.Warrant) error {
	s.mu.Lock()
	p := prepared{Who: who, Config: string(s.draft), Prices: s.prices}
	s.mu.Unlock()
	after, err := parseConfig([]byte(p.Config), s.path)
	if err != nil {
		return err
	}
	if was, err := s.loose(s.text); err == nil && was.Console.Owner != "" && mayBecome(settings(was), settings(after), false) != nil {
		p.Grant, p.Challenge = by.Grant, by.Challenge // which the next start asks for
	}
	return s.lay(&p)
}

// Request is console.Identity's.
func (s *setup) Request() (fingerprint, request string, err error) {
	if s.wrong != nil {
		return "", "", fmt.Errorf("first the configuration (config set, config paste, config apply): %w", s.wrong)
	}
	return enrolment(s.config.Register.Store+"/"+s.config.Register.ID, s.key)
}

// Accept is console.Identity's.
func (s *setup) Accept(_ context.Context, who string, packet []byte, shown console.Challenge, owner ed25519.PublicKey) error {
	k, err := console.OpenCredentials(packet, owner, shown)
	if err == nil {
		err = checkCredentials(k)
	}
	if err != nil {
		return err
	}
	p := prepared{Who: who, Packet: packet, Challenge: shown.String()}
	if s.owner == nil {
		p.Owner = record.MarshalSignPublic(owner)
	}
	s.mu.Lock()
	p.Prices = s.prices
	s.mu.Unlock()
	return s.lay(&p)
}
