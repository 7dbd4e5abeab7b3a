package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/console"
	"regi/firmware/record"
)

// A console before the first sale has no journal: the journal is that of a store
// and a register, and neither may be known yet. What it must put on record
// waits in a file until the register is made, and is journalled then, each with
// the time at which it was.
type pending struct {
	path string
	mu   sync.Mutex
}

const (
	// pendingMax bounds the file: some 300 commands.
	pendingMax = 64 << 10
	// noteMax bounds the body of one, as JSON. A record that is too large is an end
	// of the register, and this one would come again at each start.
	noteMax = 8 << 10
)

var errLongNote = fmt.Errorf("over %d bytes", noteMax)

func pendingFile(c *Config) string { return filepath.Join(consoleFolder(c), "before.jsonl") }

// pendingNote is a line of it.
type pendingNote struct {
	Kind string         `json:"kind"`
	Body map[string]any `json:"body"`
}

// note appends one, durably. A file that is full refuses as a journal does.
func (p *pending) note(_ context.Context, kind record.Kind, body any) error {
	text, err := json.Marshal(body)
	n := pendingNote{Kind: kind.String()}
	if err == nil {
		err = json.Unmarshal(text, &n.Body)
	}
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	n.Body["NotedAt"] = time.Now().UTC().Format(time.RFC3339)
	line, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Size()+int64(len(line)) >= pendingMax:
		err = console.ErrNoRoom
	default:
		// A line that a cut has torn must not take this one with it.
		_, err = f.Write(append(append([]byte{'\n'}, line...), '\n'))
		err = errors.Join(err, f.Sync())
	}
	return errors.Join(err, f.Close())
}

// journal hands everything over to note, in order. A cut in between has some of
// it journalled twice, and none lost. Whoever took over an earlier register may
// have written the file: what cannot be journalled is passed over with an error,
// and nothing of it comes back at the next start.
func (p *pending) journal(ctx context.Context, note func(context.Context, record.Kind, any) error) error {
	data, err := readPlain(p.path, pendingMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errors.Join(fmt.Errorf("notes of the setup: %w", err), os.RemoveAll(p.path))
	}
	for line := range bytes.Lines(data) {
		var n pendingNote
		if json.Unmarshal(line, &n) != nil { // blank, or torn by a cut
			continue
		}
		kind, errKind := record.ParseKind(n.Kind)
		if errKind != nil {
			continue
		}
		if body, wrong := json.Marshal(n.Body); wrong != nil || len(body) > noteMax {
			err = errors.Join(err, fmt.Errorf("notes of the setup: %v: %w", kind, errLongNote))
			continue
		}
		failed := note(ctx, kind, n.Body)
		if failed != nil && ended(ctx, failed) == nil {
			return failed // the next start goes on with it
		}
		err = errors.Join(err, failed)
	}
	return errors.Join(err, forget(p.path))
}
