package main

import (
	"errors"
	"maps"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"regi/sim/drill/scrape"
	"regi/sim/guest/order"
)

// hunt searches all processes of the register again and again, each stopped for
// its pass: the one that reads cards in between all others.
type hunt struct {
	stop   chan struct{}
	ended  sync.WaitGroup
	wanted *scrape.Wanted
	found  *scrape.Found
	result order.Result
	count  sync.Mutex // of the result
	open   map[int]*scrape.Process
	err    error
}

// reading is the process that reads cards.
const reading = "regi-capture"

// betweenPasses lets the register work.
const betweenPasses = 5 * time.Millisecond

func newHunt(cards []scrape.Card) *hunt {
	h := &hunt{stop: make(chan struct{}), wanted: scrape.New(cards), found: scrape.NewFound(), open: map[int]*scrape.Process{}}
	h.result.Passes = map[string]int{}
	h.ended.Go(h.run)
	return h
}

func (h *hunt) run() {
	for turn := 0; ; turn++ {
		var reader, others []order.Process
		for _, p := range processes() {
			if p.Name == reading {
				reader = append(reader, p)
			} else {
				others = append(others, p)
			}
		}
		targets := reader
		if len(others) > 0 && turn%2 == 0 {
			targets = append(targets, others[turn/2%len(others)])
		}
		for _, p := range targets {
			if err := h.pass(p); err != nil && !gone(err) {
				h.err = errors.Join(h.err, err)
				return
			}
			select {
			case <-h.stop:
				return
			case <-time.After(betweenPasses):
			}
		}
	}
}

func gone(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrNotExist)
}

// pass stops a process, searches it and lets it go on. The first one of a system
// does not stop for anybody.
func (h *hunt) pass(p order.Process) (err error) {
	s := h.open[p.PID]
	if s == nil {
		if s, err = scrape.Open(p.PID); err != nil {
			return err
		}
		h.open[p.PID] = s
	}
	if p.PID != 1 {
		if err := s.Stop(); err != nil {
			return h.close(p.PID, err)
		}
	}
	went, err := s.Search(h.wanted, h.found)
	if p.PID != 1 {
		err = errors.Join(err, s.Continue())
	}
	if err != nil {
		return h.close(p.PID, err)
	}
	h.count.Lock()
	defer h.count.Unlock()
	h.result.Passes[strings.TrimPrefix(p.Name, "/")]++
	h.result.Pages += went.Pages
	if p.Name == reading {
		h.result.Refused = max(h.result.Refused, went.Refused)
	}
	return nil
}

func (h *hunt) close(pid int, err error) error {
	s := h.open[pid]
	delete(h.open, pid)
	return errors.Join(err, s.Close())
}

// passes are those so far.
func (h *hunt) passes() map[string]int {
	h.count.Lock()
	defer h.count.Unlock()
	return maps.Clone(h.result.Passes)
}

// end is one more pass over everything, every page, and the outcome.
func (h *hunt) end() (order.Result, error) {
	close(h.stop)
	h.ended.Wait()
	if h.err != nil {
		return h.result, h.err
	}
	for _, p := range processes() {
		if s := h.open[p.PID]; s != nil {
			s.Forget()
		}
		if err := h.pass(p); err != nil && !gone(err) {
			return h.result, err
		}
	}
	for pid, s := range h.open {
		delete(h.open, pid)
		s.Close() //nolint:errcheck,gosec // only read
	}
	h.result.Found = h.wanted.Count(h.found)
	return h.result, nil
}

// search searches all that is written on the board, and the kernel's log.
func search(cards []scrape.Card) (files int, n scrape.Count, err error) {
	w, f := scrape.New(cards), scrape.NewFound()
	for _, dir := range []string{"/data", "/run", "/tmp", "/dev/shm", "/etc"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		n, err := w.Tree(dir, f)
		if files += n; err != nil {
			return files, w.Count(f), err
		}
	}
	log := make([]byte, 1<<20)
	const readAll = 3 // SYSLOG_ACTION_READ_ALL
	n2, err := syscall.Klogctl(readAll, log)
	if err != nil {
		return files, w.Count(f), err
	}
	w.Search(log[:n2], f)
	return files, w.Count(f), nil
}
