package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
)

// trial is the change under way, as it is on disk.
type trial struct {
	State string   `json:"state"`
	Who   string   `json:"who"`
	Keys  []string `json:"keys"`          // what is changed, by name
	Up    []string `json:"up"`            // devices that worked before
	Why   string   `json:"why,omitempty"` // it failed
	// What is to be taken: the text of another configuration, or credentials of
	// the owner and the challenge that they answer. Whoever has taken over the
	// register may write this file: it is checked like anything from outside.
	Config    string `json:"config,omitempty"`
	Packet    []byte `json:"packet,omitempty"`
	Challenge string `json:"challenge,omitempty"`

	path string
}

// consoleFolder is where the technician's side of the register keeps its files.
func consoleFolder(c *Config) string { return filepath.Join(c.Register.State, "console") }

// beforeFile holds what the files were; the running register cannot reach it.
func beforeFile(c *Config) string { return filepath.Join(c.Register.State, "before.json") }

func readTrial(c *Config) (*trial, error) {
	t := &trial{path: filepath.Join(consoleFolder(c), "trial.json")}
	info, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("trial: %w", err)
	}
	if info.Size() > trialMax {
		return nil, fmt.Errorf("trial: %s is over %d bytes", t.path, trialMax)
	}
	data, err := os.ReadFile(t.path)
	if err != nil {
		return nil, fmt.Errorf("trial: %w", err)
	}
	if err := json.Unmarshal(data, t); err != nil { // nothing was taken of it
		return &trial{path: t.path}, nil
	}
	return t, nil
}

func (t *trial) save() error {
	data, err := json.Marshal(t)
	if err == nil && len(data) > trialMax {
		err = fmt.Errorf("over %d bytes", trialMax)
	}
	if err == nil {
		err = writeDurably(t.path, data)
	}
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	return nil
}

// settle takes or undoes a change before the register is made, and returns the
// configuration that then holds.
func settle(c *Config, path string) (*Config, *trial, error) {
	if err := os.MkdirAll(consoleFolder(c), 0o700); err != nil {
		return nil, nil, fmt.Errorf("register.state: %w", err)
	}
	t, err := readTrial(c)
	if err != nil {
		return nil, nil, err
	}
	switch t.State {
	case trialStaged:
		err = t.tryTake(c, path)
	case trialTrying:
		t.Why = "the register ended before the test was over"
		err = t.undo(c)
	case trialFailed:
		err = t.undo(c)
	case trialPassed:
		err = forget(beforeFile(c), t.path)
		t = &trial{path: t.path}
	default:
		return c, t, nil
	}
	if err != nil {
		return nil, nil, err
	}
	again, err := LoadConfig(path)
	if err != nil && t.State == trialTrying { // what is not even a configuration is not tried
		t.Why = err.Error()
		if err := t.undo(c); err != nil {
			return nil, nil, err
		}
		again, err = LoadConfig(path)
	}
	return again, t, err
}

// tryTake takes a change, or gives it up: what cannot be taken must not keep the
// register from starting.
func (t *trial) tryTake(c *Config, path string) error {
	err := t.take(c, path)
	if err == nil {
		return nil
	}
	t.Why = err.Error()
	if t.State == trialTrying {
		return t.undo(c)
	}
	t.end(trialUndone)
	return t.save()
}

// end drops what was to be taken.
func (t *trial) end(state string) { t.State, t.Config, t.Packet, t.Challenge = state, "", nil, "" }

// take puts the new files in place of the old ones, which are kept.
func (t *trial) take(c *Config, path string) error {
	files, err := t.files(c, path)
	if err != nil {
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
	was := settings(c)
	for i, s := range settings(after) {
		if s != was[i] && slices.Contains(locked[:], s.Key) {
			return nil, fmt.Errorf("%s: %w", s.Key, errLocked)
		}
	}
	return map[string]string{path: t.Config}, nil
}

var errLocked = errors.New("it comes with enroll, or with the card")

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

// undo brings the old files back. It may be cut off and done again.
func (t *trial) undo(c *Config) error {
	data, err := os.ReadFile(beforeFile(c))
	if err != nil {
		return fmt.Errorf("trial: what was before is lost: %w", err)
	}
	before := map[string]*string{}
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("trial: what was before is damaged: %w", err)
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
	return t.save()
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
}

// watch tests the register with the change that it was started with, and puts
// on record what became of one. errRestart: it is to be undone.
func (t *trial) watch(ctx context.Context, reg *register.Register) error {
	switch t.State {
	case trialUndone:
		err := reg.Note(ctx, record.ConfigApplied, configBody{t.Who, t.Keys, "undone", t.Why})
		if err == nil {
			err = forget(t.path)
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
		if err := t.save(); err != nil {
			return err
		}
		return errRestart
	}
	if err := reg.Note(ctx, record.ConfigApplied, configBody{Who: t.Who, Keys: t.Keys, Result: "kept"}); err != nil {
		return ended(ctx, err)
	}
	reg.Announce("S01", "設定変更を確定しました / the change of the configuration is kept")
	t.State = trialPassed
	return t.save()
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
				lines[i] = line
				return bytes.Join(lines, []byte("\n"))
			}
		}
	}
	if header < 0 {
		return fmt.Appendf(nil, "%s\n\n[%s]\n%s\n", bytes.TrimRight(text, "\n"), section, line)
	}
	return bytes.Join(slices.Insert(lines, header+1, line), []byte("\n"))
}
