package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Limits of a script.
const (
	scriptBytesMax = 1 << 20
	scriptWait     = 30 * time.Second
	scriptPoll     = 20 * time.Millisecond
)

// runScript plays a counter scene from a file, a command a line:
//
//	scan 4901234567894        keys 1 0 0 0 CASH        swipe visa-ok
//	printer paper=out         drawer closed            cloud down
//	power cut                 device scanner unplug    kill uplink
//	wait IDLE                 sleep 500ms              # a comment
//	paper                     print what is on the paper
//
// It uses the same HTTP calls as the page. wait waits for a state of the till.
// The first line that fails ends the script with its number.
func runScript(ctx context.Context, path, url string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("script: %w", err)
	}
	if info.Size() > scriptBytesMax {
		return fmt.Errorf("script: %s is over %d bytes", path, scriptBytesMax)
	}
	script, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil {
		return fmt.Errorf("script: %w", err)
	}
	s := scene{url: url}
	lines := bufio.NewScanner(bytes.NewReader(script))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := s.do(ctx, words[0], words[1:]); err != nil {
			return fmt.Errorf("script: %s line %d: %s: %w", path, n, words[0], err)
		}
	}
	return lines.Err()
}

type scene struct{ url string }

var errArguments = errors.New("wrong arguments: see sim/script.go")

func (s scene) do(ctx context.Context, verb string, args []string) error {
	switch {
	case verb == "keys" && len(args) > 0:
		return s.post(ctx, "keys", map[string]any{"keys": args})
	case verb == "printer" && len(args) > 0:
		change := map[string]any{}
		for _, a := range args {
			key, value, _ := strings.Cut(a, "=")
			change[key] = value
		}
		return s.post(ctx, "printer", change)
	case verb == "device" && len(args) == 2:
		return s.post(ctx, "device", map[string]any{"name": args[0], "action": args[1]})
	case verb == "paper" && len(args) == 0:
		paper, err := s.get(ctx, "paper.txt")
		if err == nil {
			_, err = os.Stdout.Write(paper)
		}
		return err
	case len(args) != 1:
		return errArguments
	}
	switch verb {
	case "scan":
		return s.post(ctx, "scan", map[string]any{"data": args[0]})
	case "swipe":
		return s.swipe(ctx, args[0])
	case "drawer":
		return s.post(ctx, "drawer", map[string]any{"state": args[0]})
	case "cloud":
		return s.post(ctx, "cloud", map[string]any{"link": args[0]})
	case "power":
		return s.post(ctx, "power", map[string]any{"action": args[0]})
	case "kill":
		return s.post(ctx, "kill", map[string]any{"role": args[0]})
	case "wait":
		return s.wait(ctx, args[0])
	case "sleep":
		d, err := time.ParseDuration(args[0])
		if err == nil {
			pause(ctx, d)
		}
		return err
	}
	return errArguments
}

// swipe takes the id of one of the page's test cards.
func (s scene) swipe(ctx context.Context, id string) error {
	for _, c := range cards() {
		if c.ID == id {
			return s.post(ctx, "swipe", map[string]any{"track1": c.Track1, "track2": c.Track2})
		}
	}
	return fmt.Errorf("no card %q: see sim/goods.go", id)
}

func (s scene) wait(ctx context.Context, till string) error {
	var state struct {
		Till string `json:"till"`
	}
	for deadline := time.Now().Add(scriptWait); time.Now().Before(deadline); pause(ctx, scriptPoll) {
		b, err := s.get(ctx, "state")
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &state); err != nil {
			return err
		}
		if state.Till == till {
			return nil
		}
	}
	return fmt.Errorf("the till is %s, not %s, after %v", state.Till, till, scriptWait)
}

func (s scene) post(ctx context.Context, call string, body map[string]any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/"+call, bytes.NewReader(b))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	_, err = answer(q)
	return err
}

func (s scene) get(ctx context.Context, call string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/"+call, nil)
	if err != nil {
		return nil, err
	}
	return answer(q)
}

func answer(q *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(resp.Body, scriptBytesMax))
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return b, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
