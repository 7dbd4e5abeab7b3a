package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/firmware/boot"
	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/role"
	"regi/firmware/till"
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
		ID: record.ID{Store: c.Register.Store, Register: c.Register.ID}, Version: version, Language: c.Register.Locale, Zone: c.zone(),
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
		// No reason not to sell, but the cloud shall know that some are lost.
		lost := till.SecurityBody{Event: "setup-notes-lost", Detail: shortened(err.Error())}
		if err := t.reg.Note(ctx, record.SecurityEvent, lost); ended(ctx, err) != nil {
			return err
		}
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
	return fmt.Sprintf("%s %s %s", time.Now().In(t.config.zone()).Format("15:04:05 MST"), n.Code, n.Text), err
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

// Save replaces the file. On a full partition it is overwritten in place: there a
// technician is needed most, and it is one sector or little more.
func (m memoryFile) Save(data []byte) error {
	err := replaceDurably(string(m), data)
	if err == nil {
		return nil
	}
	os.Remove(string(m) + ".new") //nolint:errcheck,gosec // it may not even have been made
	if overwrite(string(m), data) == nil {
		return nil
	}
	return err
}

// overwrite takes no room that a file does not have. Blanks at its end, which JSON
// passes over, stand for what was longer before.
func overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) //nolint:gosec // in the state folder
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > keyFileMax) {
		err = fs.ErrInvalid
	}
	if err == nil {
		data = append(slices.Clip(data), bytes.Repeat([]byte{' '}, max(0, int(info.Size())-len(data)))...)
		_, err = f.WriteAt(data, 0)
	}
	return errors.Join(err, f.Sync(), f.Close())
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
