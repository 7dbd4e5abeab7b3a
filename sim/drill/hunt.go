package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"regi/sim/drill/scrape"
)

// hunt searches processes again and again, each stopped for its pass.
type hunt struct {
	wanted *scrape.Wanted
	found  *scrape.Found
	// targets are the processes now; the first is the one that reads cards, and
	// is searched every other time.
	targets func() []target
	// midSwipe reports whether the reader has taken in a part of a swipe.
	midSwipe func() bool

	passes         map[string]int
	all            atomic.Int64 // passes, whoever's
	mid            int          // passes in mid-swipe
	refused, pages int          // of the newest pass over the reading process
	open           map[int]*scrape.Process
}

type target struct {
	name string
	pid  int
}

func newHunt(w *scrape.Wanted, targets func() []target, midSwipe func() bool) *hunt {
	return &hunt{
		wanted: w, found: scrape.NewFound(), targets: targets, midSwipe: midSwipe,
		passes: map[string]int{}, open: map[int]*scrape.Process{},
	}
}

// gapMax is the longest pause between two passes: a swipe is read within some
// of them, and stopped at a random byte.
const gapMax = 600 * time.Microsecond

// run hunts until the context ends.
func (h *hunt) run(ctx context.Context) error {
	defer h.close()
	for turn := 0; ctx.Err() == nil; {
		targets := h.targets()
		if len(targets) == 0 {
			time.Sleep(gapMax)
			continue
		}
		now := targets[0]
		if turn++; turn%4 == 0 && len(targets) > 1 {
			now = targets[1+turn/4%(len(targets)-1)]
		}
		if err := h.pass(now, h.found, false); err != nil && !gone(err) {
			return fmt.Errorf("%s: %w", now.name, err)
		}
		time.Sleep(rand.N(gapMax)) //nolint:gosec // only out of step
	}
	return nil
}

// gone says that a process has ended meanwhile, as those do that are killed.
func gone(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrNotExist)
}

// pass stops one process, searches it and lets it go on.
func (h *hunt) pass(t target, f *scrape.Found, all bool) error {
	p := h.open[t.pid]
	if p == nil {
		var err error
		if p, err = scrape.Open(t.pid); err != nil {
			return err
		}
		h.open[t.pid] = p
	}
	if all {
		p.Forget()
	}
	err := p.Stop()
	if err == nil {
		mid := h.midSwipe()
		var went scrape.Pass
		if went, err = p.Search(h.wanted, f); err == nil {
			h.note(t, went, mid)
		}
		err = errors.Join(err, p.Continue())
	}
	if gone(err) {
		delete(h.open, t.pid)
		return errors.Join(err, p.Close())
	}
	return err
}

func (h *hunt) note(t target, went scrape.Pass, mid bool) {
	h.passes[t.name]++
	h.all.Add(1)
	if t.name != reading {
		return
	}
	h.refused, h.pages = went.Refused, went.Pages
	if mid {
		h.mid++
	}
}

// count is how many passes there were so far.
func (h *hunt) count() int { return int(h.all.Load()) }

func (h *hunt) close() {
	for pid, p := range h.open {
		p.Close() //nolint:errcheck,gosec // only read
		delete(h.open, pid)
	}
}

// last searches each process once more, every page, for what is left.
func last(w *scrape.Wanted, targets []target) (*scrape.Found, error) {
	h := newHunt(w, nil, func() bool { return false })
	defer h.close()
	f := scrape.NewFound()
	for _, t := range targets {
		if err := h.pass(t, f, true); err != nil {
			return nil, fmt.Errorf("last pass over %s: %w", t.name, err)
		}
	}
	return f, nil
}

// reading is the name of the process that reads cards.
const reading = "capture"
