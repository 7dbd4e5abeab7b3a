package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/capture/ceremony"
	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/role"
)

// keysMax bounds a packet between "regi keys" and its hardened process.
const keysMax = 8192

// What the hardened process can be asked for. Where the key file is, and whose
// permit a key needs, it has from elsewhere: see charter.
const (
	opInject = "inject"
	opStatus = "status"
	opWipe   = "wipe"
)

// keysWord is what it says: Load asks for the journal's word, the others are
// its last.
type keysWord struct {
	Load *ceremony.Loaded `json:",omitempty"`
	Done string           `json:",omitempty"`
	Err  string           `json:",omitempty"`
}

// granted is the answer to Load: the record is durable.
const granted = "G"

// loadedBody is the body of the security.event of a new key.
type loadedBody struct {
	Event    string    `json:"Event"` // "card-key-loaded", or "card-key-not-loaded" right after it
	IKID     string    `json:"IKID"`
	KCV      string    `json:"KCV"`
	Officers [2]string `json:"Officers"`
	Permit   string    `json:"Permit,omitempty"` // the id of the owner's
}

// journalled conducts a ceremony whose key is on record before it is written,
// and so is what became of it otherwise.
func journalled(ctx context.Context, note func(context.Context, loadedBody) error, conduct func(heard func(keysWord) error) error) error {
	var body *loadedBody
	err := conduct(func(w keysWord) error {
		if w.Load == nil {
			return nil
		}
		body = &loadedBody{"card-key-loaded", w.Load.IKID, w.Load.KCV, w.Load.Officers, w.Load.Permit}
		return note(ctx, *body)
	})
	if err != nil && body != nil {
		body.Event = "card-key-not-loaded"
		err = errors.Join(err, note(context.WithoutCancel(ctx), *body))
	}
	return err
}

// keys is the command "regi keys". No byte that is typed comes to this process:
// the hardened one has the terminal.
func keys(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	path := flags.String("config", "", "the register's configuration `FILE`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || flags.NArg() != 1 {
		return errors.New("use: regi keys --config FILE inject|status|wipe")
	}
	c, err := LoadConfig(*path)
	if err != nil {
		return err
	}
	told, err := c.charter()
	if err != nil {
		return err
	}
	switch op := flags.Arg(0); op {
	case opInject:
		return inject(ctx, c, told)
	case opStatus, opWipe:
		return askKeys(ctx, startKeys(nil, told), op, func(w keysWord) error {
			_, err := fmt.Fprintln(out, w.Done)
			return err
		})
	default:
		return fmt.Errorf("%q is not inject, status or wipe", op)
	}
}

// inject holds the journal for as long as the ceremony lasts, so that no
// register starts meanwhile.
func inject(ctx context.Context, c *Config, told string) error {
	mode, err := unix.IoctlGetTermios(unix.Stdin, unix.TCGETS)
	if err != nil {
		return errors.New("inject needs a terminal: run it at the console, not in a pipe")
	}
	defer unix.IoctlSetTermios(unix.Stdin, unix.TCSETS, mode) //nolint:errcheck // the terminal may be gone
	rc, err := registerConfig(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	notes, err := register.OpenNotes(rc) //nolint:contextcheck // a write to the journal is never cut off
	if errors.Is(err, journal.ErrBusy) {
		return ceremony.ErrRunning
	}
	if err != nil {
		return err
	}
	note := func(_ context.Context, body loadedBody) error { return notes.Note(record.SecurityEvent, body) } //nolint:contextcheck // see above
	err = journalled(ctx, note, func(heard func(keysWord) error) error {
		return askKeys(ctx, startKeys(os.Stdin, told), opInject, heard)
	})
	return errors.Join(err, notes.Close())
}

// startKeys starts the hardened process of this command, with a terminal or
// without.
func startKeys(tty *os.File, told string) func() (*role.Child, error) {
	env := []string{"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none", role.TellEnv(told)}
	return func() (*role.Child, error) { return role.Start(role.Keys, tty, env, nil) }
}

// askKeys starts the hardened process and has it carry out an order. heard is
// called with each of its words; its error refuses.
func askKeys(ctx context.Context, start func() (*role.Child, error), op string, heard func(keysWord) error) error {
	child, err := start()
	if err != nil {
		return err
	}
	// Wait closes the link: only after the last word was heard.
	waited, cancel := context.WithCancel(ctx)
	defer func() { cancel(); child.Wait(waited) }()
	defer context.AfterFunc(ctx, func() {
		child.Link.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed link has ended the read by itself
	})()
	if _, err := io.WriteString(child.Link, op); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for {
		w, err := hearKeys(child.Link)
		if err != nil {
			return err
		}
		answer := granted
		if heard != nil {
			if err := heard(w); err != nil {
				return err
			}
		}
		if w.Load == nil {
			return nil
		}
		if _, err := io.WriteString(child.Link, answer); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
}

func hearKeys(link io.Reader) (w keysWord, err error) {
	packet := make([]byte, keysMax)
	n, err := link.Read(packet)
	if err != nil {
		return w, fmt.Errorf("keys: the process that holds the terminal ended: %w", err)
	}
	if err := json.Unmarshal(packet[:n], &w); err != nil {
		return w, fmt.Errorf("keys: %w", err)
	}
	if w.Err != "" {
		return w, errors.New(w.Err)
	}
	return w, nil
}

// keysMain is the hardened process: it alone has the terminal and the keys.
func keysMain() int {
	hardened := role.Born()
	link, err := role.Link(role.LinkFD)
	if err != nil || hardened != nil {
		return exitLink
	}
	told, err := chartered()
	if err != nil {
		return exitLink
	}
	op := make([]byte, keysMax)
	n, err := link.Read(op)
	if err != nil {
		return exitLink
	}
	var w keysWord
	if w.Done, err = obey(string(op[:n]), told, link); err != nil {
		w = keysWord{Err: err.Error()}
	}
	if sendKeys(link, w) != nil || err != nil {
		return exitKeys
	}
	return 0
}

func obey(op string, told charter, link io.ReadWriter) (string, error) {
	switch op {
	case opStatus:
		return ceremony.Status(told.State)
	case opWipe:
		return "The card key is zeroised: load a new one.", ceremony.Wipe(told.State)
	case opInject:
	default:
		return "", errors.New("it was asked for nothing that it knows")
	}
	if told.Owned && told.Owner == nil {
		return "", errOwnerKey
	}
	tty, err := openTerminal(role.TTYFD)
	if err != nil {
		return "", err
	}
	err = ceremony.Inject(tty, ceremony.Options{
		Dir: told.State, VersionB: told.VersionB, Confine: true, Register: told.Register, Owner: told.Owner,
		Journal: func(l ceremony.Loaded) error {
			if err := sendKeys(link, keysWord{Load: &l}); err != nil {
				return err
			}
			answer := make([]byte, len(granted)+1)
			n, err := link.Read(answer)
			if err != nil || string(answer[:n]) != granted {
				return errors.New("refused")
			}
			return nil
		},
	})
	return "loaded", errors.Join(err, tty.restore())
}

// errOwnerKey: nobody else's word counts while it is so.
var errOwnerKey = errors.New("the owner's key cannot be read, so no card key is loaded: put console.owner right")

func sendKeys(link io.Writer, w keysWord) error {
	packet, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if _, err := link.Write(packet); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// terminal is the local tty. It stays in canonical mode, where the kernel wipes
// what was read as long as echo is off (zero_buffer in drivers/tty/n_tty.c); in
// raw mode the last 4,096 bytes typed would stay in its ring.
type terminal struct {
	*os.File
	before unix.Termios
}

func openTerminal(fd int) (*terminal, error) {
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("keys: terminal: %w", err)
	}
	t := &terminal{File: os.NewFile(uintptr(fd), "terminal"), before: *mode}
	return t, t.Hide(true)
}

// Hide turns the echo off or on.
func (t *terminal) Hide(secret bool) error {
	const ctrlC, ctrlD, ctrlU, rubout = 3, 4, 21, 127
	mode := t.before
	mode.Iflag |= unix.ICRNL
	mode.Iflag &^= unix.INLCR | unix.IGNCR | unix.ISTRIP
	mode.Lflag = unix.ICANON
	if !secret {
		mode.Lflag |= unix.ECHO | unix.ECHOE
	}
	clear(mode.Cc[:])
	// Ctrl-C ends the line, and is read; it sends no signal, which would leave
	// the terminal as it is.
	mode.Cc[unix.VEOL], mode.Cc[unix.VEOF], mode.Cc[unix.VKILL], mode.Cc[unix.VERASE] = ctrlC, ctrlD, ctrlU, rubout
	return t.set(&mode)
}

func (t *terminal) restore() error { return t.set(&t.before) }

func (t *terminal) set(mode *unix.Termios) error {
	if err := unix.IoctlSetTermios(role.TTYFD, unix.TCSETS, mode); err != nil {
		return fmt.Errorf("keys: terminal: %w", err)
	}
	return nil
}
