// Package ceremony is how two officers bring a card key into a register: each
// types one component of the protection key with its check value, then the key
// block is pasted, and the key it holds is kept in the key file. A register that
// has an owner takes only the key that the owner has signed for it.
//
// Everything typed goes byte by byte into an arena and is gone at the end. Only
// names, key ids and check values are ever written back.
package ceremony

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"runtime"

	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/jail"
	"regi/firmware/capture/internal/keyblock"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/permit"
)

// triesMax is how often a component or a block may be mistyped.
const triesMax = 3

// Errors of Inject.
var (
	// ErrStopped: the officers stopped, or the line ended.
	ErrStopped = errors.New("ceremony stopped, no key was loaded")
	// ErrTries: too many mistakes.
	ErrTries = errors.New("too many tries, no key was loaded: begin again")
	// ErrRunning: the register uses the key file.
	ErrRunning = errors.New("the register is running: stop it first")
	// ErrFile: the key file, or its folder, cannot be used.
	ErrFile = errors.New("the key file cannot be written: check the disk and register.state")
	// ErrSame: it would begin to count again.
	ErrSame = errors.New("this key was loaded before, and its counters are used: ask for a new one")
)

// Terminal is where the officers sit. Hide says whether what comes next is
// secret: a terminal that echoes must not echo it. Bytes may come one at a time
// or by lines.
type Terminal interface {
	io.ReadWriter
	Hide(secret bool) error
}

// Loaded is what the journal is told, and all that may be told.
type Loaded struct {
	IKID, KCV string // hex
	Officers  [2]string
	Permit    string // the id of the owner's; "": there is no owner
}

// Options of Inject.
type Options struct {
	// Dir is the register's state folder.
	Dir string
	// VersionB takes key blocks of version B (TDES), too.
	VersionB bool
	// Owner, if there is one, must permit the key for Register: whoever has taken
	// over the process that lends the terminal could else be both officers.
	Owner    ed25519.PublicKey
	Register string
	// Journal makes the record durable; only then is the key written.
	Journal func(Loaded) error
	// Confine locks this process in, for good, before the first secret comes.
	Confine bool
}

// Inject conducts a ceremony. With an error no key was loaded, but where the
// error wraps ErrFile, after Journal.
func Inject(tty Terminal, o Options) error {
	files, err := keystore.Open(o.Dir)
	if err != nil {
		return fileError(err)
	}
	defer files.Close() //nolint:errcheck // every write is synced
	a, err := arena.Map(vaultBytes)
	if err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	defer a.Close() //nolint:errcheck // the process ends
	if o.Confine {
		jail.Enter()
	}
	challenge := permit.Challenged(o.Register)
	arena.Do(func() {
		var s *sitting
		if s, err = newSitting(a, tty, files, o); err == nil {
			s.challenge = challenge
			err = s.run()
			*s.v = vault{}
		}
	})
	runtime.GC() // what was on the heap is erased when it is collected
	return err
}

func fileError(err error) error {
	if errors.Is(err, keystore.ErrBusy) {
		return ErrRunning
	}
	return fmt.Errorf("%w: %w", ErrFile, err)
}

// sitting is one ceremony under way.
type sitting struct {
	tty    Terminal
	o      Options
	v      *vault
	store  *keystore.Store
	opener *keyblock.Opener
	device *dukpt.Device
	cr     bool // the last line ended with a carriage return

	challenge permit.Challenge
	permit    *permit.Permit // nil: there is no owner
}

func newSitting(a *arena.Arena, tty Terminal, files *keystore.Files, o Options) (*sitting, error) {
	v, err := arena.Place[vault](a)
	if err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	s := &sitting{tty: tty, o: o, v: v}
	if s.opener, err = keyblock.New(&v.block); err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	if s.device, err = dukpt.New(&v.keys); err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	if s.store, err = keystore.New(files.Keys, files.Device, &v.store); err != nil {
		return nil, fileError(err)
	}
	return s, nil
}

func (s *sitting) run() error {
	loaded := Loaded{}
	size := 0
	if err := s.say("Loading a card key. Ctrl-C stops.\r\n%s\r\n", describe(s.store.Info())); err != nil {
		return err
	}
	if s.o.Owner != nil {
		var err error
		if loaded.Permit, err = s.permitted(); err != nil {
			return err
		}
	}
	for i := range loaded.Officers {
		name, err := s.officer(i, loaded.Officers[0])
		if err != nil {
			return err
		}
		loaded.Officers[i] = name
		if size, err = s.component(i, size); err != nil {
			return err
		}
	}
	kbpk, err := s.combine(size)
	if err != nil {
		return err
	}
	h, key, err := s.keyBlock(kbpk)
	if err != nil {
		return err
	}
	kcv := s.keyKCV(key)
	loaded.IKID, loaded.KCV = fmt.Sprintf("%X", h.IKID), fmt.Sprintf("%X", kcv)
	if err := s.confirm(loaded, len(key)); err != nil {
		return err
	}
	return s.keep(h, key, kcv, loaded)
}

// keep journals the key and then writes it.
func (s *sitting) keep(h keyblock.Header, key []byte, kcv [keystore.KCVBytes]byte, loaded Loaded) error {
	if info := s.store.Info(); info.IKID == h.IKID && info.State != keystore.Empty {
		return ErrSame
	}
	if s.permit != nil {
		if err := s.permit.Check(s.challenge); err != nil {
			return fmt.Errorf("%w, no key was loaded", err)
		}
	}
	if err := s.o.Journal(loaded); err != nil {
		return fmt.Errorf("the journal does not take the record, no key was loaded: %w", err)
	}
	if err := s.device.Load(&h.IKID, key); err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	s.opener.Wipe()
	s.device.Advance(keystore.WindowEnd(s.device.Counter()))
	if err := s.store.Put(s.device, kcv); err != nil {
		return fileError(err)
	}
	return s.say("Loaded. The register can be started.\r\n")
}

// Wipe destroys the key of a state folder.
func Wipe(dir string) error {
	files, err := keystore.Open(dir)
	if err != nil {
		return fileError(err)
	}
	arena.Do(func() {
		room := new(keystore.Room)
		var s *keystore.Store
		if s, err = keystore.New(files.Keys, files.Device, room); err == nil {
			err = s.Wipe()
		}
		*room = keystore.Room{}
	})
	runtime.GC()
	if err = errors.Join(err, files.Close()); err != nil {
		return fileError(err)
	}
	return nil
}

// Status says in one line what a state folder holds; it may be asked while the
// register runs.
func Status(dir string) (string, error) {
	var info keystore.Info
	var err error
	arena.Do(func() { info, err = keystore.Inspect(dir) })
	runtime.GC()
	if err != nil {
		return "", fileError(err)
	}
	return describe(info), nil
}

func describe(i keystore.Info) string {
	at := i.At.UTC().Format("2006-01-02 15:04 UTC") // the local zone is a file, which a confined process cannot open
	switch i.State {
	case keystore.Empty:
		return "This register has no card key."
	case keystore.Keyed:
		left := "used up"
		if i.Mark != 0 {
			left = fmt.Sprintf("counters below %08X used or given up", i.Mark)
		}
		return fmt.Sprintf("Card key %X, check value %X, loaded %s, %s.", i.IKID, i.KCV, at, left)
	case keystore.Zeroised:
		return fmt.Sprintf("The card key was zeroised %s: load a new one.", at)
	case keystore.Foreign:
		return "The key file is of another device: load a new key."
	case keystore.Damaged:
	}
	return "The key file is damaged: load a new key."
}
