package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/boot"
	"regi/firmware/register"
)

// standing is a register of which some devices work, from a moment on until
// another.
type standing struct {
	began  time.Time
	works  map[string][2]time.Duration
	proven time.Duration
}

func (s *standing) Summary(context.Context) (register.Summary, error) {
	r := register.Summary{Devices: map[string]string{}}
	for name, t := range s.works {
		if at := time.Since(s.began); at >= t[0] && at < t[1] {
			r.Devices[name] = "up"
		}
	}
	return r, nil
}

func (s *standing) Proven() <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(s.proven, func() { close(c) })
	return c
}

// TestProve: a version on trial is committed after its record is signed for and
// every device that worked before has worked with it, at whatever moment; one
// that lost a device never is.
func TestProve(t *testing.T) {
	const ever = time.Hour
	for name, c := range map[string]struct {
		worked string
		trial  bool
		s      standing
		at     time.Duration // 0: never
	}{
		"as before":             {`["scanner","printer"]`, true, standing{works: map[string][2]time.Duration{"scanner": {0, ever}, "printer": {0, ever}}, proven: time.Second}, time.Second},
		"a printer that is new": {`["scanner"]`, true, standing{works: map[string][2]time.Duration{"scanner": {0, ever}}, proven: time.Second}, time.Second},
		"a slow printer":        {`["printer"]`, true, standing{works: map[string][2]time.Duration{"printer": {time.Minute, ever}}}, time.Minute},
		"switched off after":    {`["printer","scanner"]`, true, standing{works: map[string][2]time.Duration{"printer": {0, 10 * time.Second}, "scanner": {30 * time.Second, ever}}}, 30 * time.Second},
		"a printer is lost":     {`["scanner","printer"]`, true, standing{works: map[string][2]time.Duration{"scanner": {0, ever}}}, 0},
		"not signed for":        {`[]`, true, standing{proven: ever}, 0},
		"no trial":              {`["printer"]`, false, standing{}, time.Millisecond},
		"a damaged file":        {`{`, true, standing{}, time.Millisecond},
		"a name of nothing":     {`["toaster"]`, true, standing{}, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "worked.json")
				if err := os.WriteFile(file, []byte(c.worked), 0o600); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				c.s.began = time.Now()
				got := prove(ctx, &boot.SlotState{Trial: c.trial}, &c.s, file, slog.New(slog.DiscardHandler))
				took := time.Since(c.s.began)
				if got != (c.at > 0) || got && (took < c.at-time.Millisecond || took > c.at+trialEvery) {
					t.Errorf("%v after %v, want it after %v", got, took, c.at)
				}
				if _, err := os.Stat(file); got != errors.Is(err, os.ErrNotExist) {
					t.Errorf("the file: %v", err)
				}
			})
		})
	}
}
