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

// pendingMax bounds the file: some 300 commands.
const pendingMax = 64 << 10

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
	f, err := os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
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
// it journalled twice, and none lost.
func (p *pending) journal(ctx context.Context, note func(context.Context, record.Kind, any) error) error {
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("notes of the setup: %w", err)
	}
	if info.Size() > pendingMax {
		return fmt.Errorf("notes of the setup: %s is over %d bytes", p.path, pendingMax)
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("notes of the setup: %w", err)
	}
	for line := range bytes.Lines(data) {
		var n pendingNote
		if json.Unmarshal(line, &n) != nil { // blank, or torn by a cut
			continue
		}
		kind, err := record.ParseKind(n.Kind)
		if err != nil {
			continue
		}
		if err := note(ctx, kind, n.Body); err != nil {
			return err
		}
	}
	return forget(p.path)
}
