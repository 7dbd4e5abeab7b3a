package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/register"
)

// A change of the configuration is tried like a new version: it is laid ready,
// taken at the next start before that process is confined, kept if every device
// that worked before works then, and otherwise undone at the start after it. A
// process that ends in between, for whatever reason, has not passed.
//
//	staged → trying → passed          the old files are forgotten
//	                → failed, or a start while it says trying → undone
const (
	trialStaged = "staged"
	trialTrying = "trying"
	trialPassed = "passed"
	trialFailed = "failed"
	trialUndone = "undone"
)

// Limits of a trial.
const (
	trialMax   = 512 << 10
	trialLasts = 45 * time.Second
	trialEvery = 500 * time.Millisecond
	// trialTextMax bytes of each of its words and names, trialNamesMax of each
	// list: they go into a record and onto a terminal.
	trialTextMax, trialNamesMax = 160, 100
)

// trial is the change under way, as it is on disk.
type trial struct {
	State string   `json:"state"`
	Who   string   `json:"who"`
	Keys  []string `json:"keys"`          // what is changed, by name
	Up    []string `json:"up"`            // devices that worked before
	Why   string   `json:"why,omitempty"` // it failed
	// What is to be taken: the text of another configuration, with a grant of the
	// owner if it takes one, or credentials; and the challenge that they answer. Whoever has taken over the
	// register may write this file: it is checked like anything from outside.
	Config    string `json:"config,omitempty"`
	Grant     string `json:"grant,omitempty"`
	Packet    []byte `json:"packet,omitempty"`
	Challenge string `json:"challenge,omitempty"`
	// Answer is what a record calls the owner's part of it.
	Answer string `json:"answer,omitempty"`

	path       string
	unfinished bool // undoing it must be done again
}

// consoleFolder is where the technician's side of the register keeps its files.
func consoleFolder(c *Config) string { return filepath.Join(c.Register.State, "console") }

// beforeFile holds what the files were; the running register cannot reach it.
func beforeFile(c *Config) string { return filepath.Join(c.Register.State, "before.json") }

// readTrial never fails for what is in the folder: whoever has taken over the
// register could else keep it from starting.
func readTrial(c *Config) *trial {
	none := &trial{path: filepath.Join(consoleFolder(c), "trial.json")}
	data, err := readPlain(none.path, trialMax)
	if err != nil {
		return none
	}
	t := &trial{path: none.path}
	if json.Unmarshal(data, t) != nil { // nothing was taken of it
		return none
	}
	t.Who, t.Why, t.Answer, t.Keys, t.Up = shortened(t.Who), shortened(t.Why), shortened(t.Answer), allShortened(t.Keys), allShortened(t.Up)
	return t
}

func shortened(s string) string {
	return visible(strings.ToValidUTF8(s[:min(len(s), trialTextMax)], ""))
}

func allShortened(all []string) []string {
	all = slices.Clone(all[:min(len(all), trialNamesMax)])
	for i, s := range all {
		all[i] = shortened(s)
	}
	return all
}

func (t *trial) save() error {
	data, err := json.Marshal(t)
	if err == nil && len(data) > trialMax {
		err = fmt.Errorf("over %d bytes", trialMax)
	}
	if err == nil {
		err = replaceDurably(t.path, data)
	}
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	return nil
}

// drop forgets the change, whatever is in its file's place.
func (t *trial) drop() error {
	if err := os.RemoveAll(t.path); err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	return nil
}

// readPlain reads a file of a folder that a register which was taken over can
// write: nothing else, like a pipe that never ends or a link to another file.
func readPlain(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) //nolint:gosec // in the state folder
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, most)
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// replaceDurably is writeDurably in such a folder: what is in the way goes.
func replaceDurably(path string, data []byte) error {
	if err := os.RemoveAll(path + ".new"); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return writeDurably(path, data)
}

// settle takes or undoes a change before the register is made, and returns the
// configuration that then holds. No change, and nothing that stands for one,
// keeps the register from starting.
func settle(c *Config, path string, log *slog.Logger) (*Config, *trial, error) {
	if err := os.MkdirAll(consoleFolder(c), 0o700); err != nil {
		return nil, nil, fmt.Errorf("register.state: %w", err)
	}
	t := readTrial(c)
	switch t.State {
	case trialStaged:
		t = t.tryTake(c, path, log)
	case trialTrying:
		t.Why = "the register ended before the test was over"
		t = t.giveUp(c, log)
	case trialFailed:
		t = t.giveUp(c, log)
	case trialPassed:
		if err := t.drop(); err != nil {
			log.Error("configuration", "err", err.Error())
		}
		t = &trial{path: t.path}
	case trialUndone:
	default:
		t = &trial{path: t.path}
	}
	if t.State != trialTrying && !t.unfinished {
		// What was before is of use only to a change under way.
		if err := forget(beforeFile(c)); err != nil {
			log.Error("configuration", "err", err.Error())
		}
	}
	again, err := LoadConfig(path)
	if err != nil && t.State == trialTrying { // what is not even a configuration is not tried
		t.Why = shortened(err.Error())
		t = t.giveUp(c, log)
		again, err = LoadConfig(path)
	}
	return again, t, err
}

// tryTake takes a change, or gives it up.
func (t *trial) tryTake(c *Config, path string, log *slog.Logger) *trial {
	err := t.take(c, path)
	if err == nil {
		return t
	}
	t.Why = shortened(err.Error())
	if t.State == trialTrying {
		return t.giveUp(c, log)
	}
	t.end(trialUndone)
	if err := t.save(); err != nil {
		log.Error("configuration", "err", err.Error())
	}
	return t
}

// giveUp undoes a change. If that fails the register starts with the files as
// they are, and its next start does it again.
func (t *trial) giveUp(c *Config, log *slog.Logger) *trial {
	err := t.undo(c)
	switch {
	case errors.Is(err, errNoBefore): // it never was: nothing is taken before that is written
		log.Error("configuration", "err", err.Error())
		t.Why = shortened(t.Why + ": " + err.Error())
		t.end(trialUndone)
	case err != nil:
		log.Error("configuration", "err", err.Error())
		return &trial{path: t.path, unfinished: true}
	}
	if err := t.save(); err != nil {
		log.Error("configuration", "err", err.Error())
		t.unfinished = true // on disk
	}
	return t
}

// end drops what was to be taken.
func (t *trial) end(state string) {
	t.State, t.Config, t.Grant, t.Packet, t.Challenge = state, "", "", nil, ""
}

// take puts the new files in place of the old ones, which are kept.
func (t *trial) take(c *Config, path string) error {
	files, err := t.files(c, path)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	if err := t.useUp(c); err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	before := map[string]*string{}
	for file := range files {
		old, err := readBounded(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			before[file] = nil
		case err != nil:
			return fmt.Errorf("trial: %w", err)
		default:
			text := string(old)
			before[file] = &text
		}
	}
	data, err := json.Marshal(before)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	if err := writeDurably(beforeFile(c), data); err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	t.end(trialTrying)
	if err := t.save(); err != nil { // from here on a start undoes it
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := writeDurably(file, []byte(files[file])); err != nil {
			return fmt.Errorf("trial: %w", err)
		}
	}
	return nil
}

// files are what is to be written, by their paths.
func (t *trial) files(c *Config, path string) (map[string]string, error) {
	if len(t.Packet) > 0 {
		return enrolled(c, path, t.Packet, t.Challenge)
	}
	after, err := parseConfig([]byte(t.Config), path)
	if err != nil {
		return nil, err
	}
	if t.Grant != "" {
		if err := warranted(c, console.Warrant{Grant: t.Grant, Challenge: t.Challenge}); err != nil {
			return nil, err
		}
	}
	was, will := settings(c), settings(after)
	if err := mayBecome(was, will, t.Grant != ""); err != nil {
		return nil, err
	}
	t.Keys = nil // whatever was said of them
	for _, s := range changes(was, will) {
		t.Keys = append(t.Keys, s.Key)
	}
	return map[string]string{path: t.Config}, nil
}

// useUp takes the owner's part of the change, which is good once.
func (t *trial) useUp(c *Config) error {
	if t.Grant == "" && len(t.Packet) == 0 {
		return nil
	}
	shown, err := console.ParseChallenge(t.Challenge)
	if err != nil {
		return err
	}
	t.Answer = grantID(shown)
	return useUp(c, shown)
}

// enrolled are the files that an enrolment changes, if the owner signed it for
// this register.
func enrolled(c *Config, path string, packet []byte, shown string) (map[string]string, error) {
	challenge, err := console.ParseChallenge(shown)
	if err != nil {
		return nil, err
	}
	challenge.ID = record.ID{Store: c.Register.Store, Register: c.Register.ID}
	owner, err := keyFile("console.owner", c.Console.Owner, record.ParseSignPublic)
	if err != nil {
		return nil, err
	}
	k, err := console.OpenCredentials(packet, owner, challenge)
	if err != nil {
		return nil, err
	}
	if err := checkCredentials(k); err != nil {
		return nil, err
	}
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	text = setKey(text, "cloud", "url", quote(k.URL))
	files := map[string]string{}
	for _, f := range []struct{ name, path, text string }{
		{"ca", c.Cloud.CA, k.CA}, {"creds", c.Cloud.Creds, k.Creds}, {"seal_to", c.Cloud.SealTo, k.SealTo}, {"signed_by", c.Cloud.SignedBy, k.SignedBy},
	} {
		if f.path == "" { // a file beside the configuration
			name := "enrolled-" + f.name
			text, f.path = setKey(text, "cloud", f.name, quote(name)), filepath.Join(filepath.Dir(path), name)
		}
		files[f.path] = f.text
	}
	if _, err := parseConfig(text, path); err != nil {
		return nil, err
	}
	files[path] = string(text)
	return files, nil
}

// checkCredentials looks at every part before anything is kept.
func checkCredentials(k console.Credentials) error {
	if _, err := record.ParseSealPublic([]byte(k.SealTo)); err != nil {
		return fmt.Errorf("enroll: seal_to: %w", err)
	}
	if _, err := record.ParseSignPublic([]byte(k.SignedBy)); err != nil {
		return fmt.Errorf("enroll: signed_by: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(k.CA)) {
		return errors.New("enroll: ca: no certificate")
	}
	if len(k.CA) > keyFileMax || len(k.Creds) > keyFileMax || k.Creds == "" {
		return fmt.Errorf("enroll: creds and ca: 1 to %d bytes", keyFileMax)
	}
	return nil
}

// errNoBefore: there is nothing that an undo could bring back.
var errNoBefore = errors.New("trial: what was before is lost or damaged")

// undo brings the old files back. It may be cut off and done again.
func (t *trial) undo(c *Config) error {
	data, err := os.ReadFile(beforeFile(c))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoBefore, err)
	}
	before := map[string]*string{}
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("%w: %w", errNoBefore, err)
	}
	for path, text := range before {
		if text == nil {
			err = forget(path)
		} else {
			err = writeDurably(path, []byte(*text))
		}
		if err != nil {
			return fmt.Errorf("trial: %w", err)
		}
	}
	t.end(trialUndone)
	return nil
}

func forget(paths ...string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// errRestart ends this process for the next one to take what was laid ready.
var errRestart = errors.New("starting again with another configuration")

// configBody is the body of the record of what became of a change.
type configBody struct {
	Who    string   `json:"Who"`
	Keys   []string `json:"Keys"`
	Result string   `json:"Result"` // "kept" or "undone"
	Why    string   `json:"Why,omitempty"`
	// Answer is the owner's, if it took one: the nonce of the challenge.
	Answer string `json:"Answer,omitempty"`
}

// watch tests the register with the change that it was started with, and puts
// on record what became of one. errRestart: it is to be undone.
func (t *trial) watch(ctx context.Context, reg *register.Register) error {
	switch t.State {
	case trialUndone:
		err := reg.Note(ctx, record.ConfigApplied, configBody{t.Who, t.Keys, "undone", t.Why, t.Answer})
		if err == nil {
			err = t.drop()
		}
		reg.Announce("S02", "設定変更を元に戻しました / the change of the configuration was undone: "+t.Why)
		return ended(ctx, err)
	case trialTrying:
	default:
		return nil
	}
	missing := t.Up
	for until := time.Now().Add(trialLasts); time.Now().Before(until) && len(missing) > 0; pause(ctx, trialEvery) {
		s, err := reg.Summary(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		missing = slices.DeleteFunc(slices.Clone(t.Up), func(name string) bool { return works(&s, name) })
	}
	if ctx.Err() != nil {
		return nil // not passed
	}
	if len(missing) > 0 {
		t.State, t.Why = trialFailed, "not up any more: "+strings.Join(missing, ", ")
		t.save() //nolint:errcheck,gosec // then it still says trying, and is undone, too
		return errRestart
	}
	if err := reg.Note(ctx, record.ConfigApplied, configBody{Who: t.Who, Keys: t.Keys, Result: "kept", Answer: t.Answer}); err != nil {
		return ended(ctx, err)
	}
	reg.Announce("S01", "設定変更を確定しました / the change of the configuration is kept")
	t.State = trialPassed
	if t.save() == nil {
		return nil
	}
	return t.drop() // as good as passed
}

// ended: an error at the end of everything is none.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, register.ErrEnded) || errors.Is(err, register.ErrNoRoom) {
		return nil
	}
	return err
}

// setKey changes one setting in the text of a file and leaves everything else
// as it stands there. value is TOML.
func setKey(text []byte, section, key, value string) []byte {
	lines := bytes.Split(text, []byte("\n"))
	line := []byte(key + " = " + value)
	inside, header := false, -1
	for i, l := range lines {
		l = bytes.TrimSpace(l)
		switch {
		case len(l) > 0 && l[0] == '[':
			if name, _, ok := bytes.Cut(l[1:], []byte("]")); ok {
				inside = string(bytes.TrimSpace(name)) == section
			}
			if inside {
				header = i
			}
		case inside:
			name, _, ok := bytes.Cut(l, []byte("="))
			if ok && string(bytes.TrimSpace(name)) == key {
				lines[i] = append(line, comment(l)...)
				return bytes.Join(lines, []byte("\n"))
			}
		}
	}
	if header < 0 {
		return fmt.Appendf(nil, "%s\n\n[%s]\n%s\n", bytes.TrimRight(text, "\n"), section, line)
	}
	return bytes.Join(slices.Insert(lines, header+1, line), []byte("\n"))
}

// comment is what stands behind the value on a line, with a blank before it.
func comment(line []byte) []byte {
	quoted := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted == '"':
			i++ // what is escaped ends nothing
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '"', c == '\'':
			quoted = c
		case c == '#':
			return append([]byte{' '}, line[i:]...)
		}
	}
	return nil
}
