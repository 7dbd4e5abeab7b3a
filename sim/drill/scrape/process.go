package scrape

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits of a pass.
const (
	// stopWithin is how long a process may take to stop.
	stopWithin = 2 * time.Second
	stopPoll   = 50 * time.Microsecond
	// runMax bounds the bytes that are held at once.
	runMax = 32 << 20
)

// Bits of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageEntry   = 8 // bytes
)

// Process is one process under attack.
type Process struct {
	PID           int
	memory, pages *os.File
	page          int64
	seed          maphash.Seed
	known         map[int64]uint64 // pages searched before, by their sum
	run           []byte
}

// Open returns the process of a number. It needs root.
func Open(pid int) (*Process, error) {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", err)
	}
	pages, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return nil, fmt.Errorf("scrape: %w", errors.Join(err, memory.Close()))
	}
	p := &Process{PID: pid, memory: memory, pages: pages, page: int64(os.Getpagesize()), seed: maphash.MakeSeed()}
	p.Forget()
	return p, nil
}

// Close ends the attack.
func (p *Process) Close() error { return errors.Join(p.memory.Close(), p.pages.Close()) }

// Forget makes the next pass search every page again, for something else.
func (p *Process) Forget() { p.known = map[int64]uint64{} }

// Pass is what a pass went through.
type Pass struct {
	Pages   int // resident pages that were read
	Changed int // of them, those that a pass before had not seen as they are
	Refused int // pages that the kernel does not give to root either
}

// Stop stops all threads of the process, so that a pass sees one instant.
func (p *Process) Stop() error {
	if err := syscall.Kill(p.PID, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("scrape: stop: %w", err)
	}
	for begin := time.Now(); ; time.Sleep(stopPoll) {
		stopped, err := p.stopped()
		if err != nil || stopped {
			return err
		}
		if time.Since(begin) > stopWithin {
			return errors.Join(errors.New("scrape: process does not stop"), p.Continue())
		}
	}
}

func (p *Process) stopped() (bool, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.PID))
	if err != nil || len(tasks) == 0 {
		return false, fmt.Errorf("scrape: process is gone: %w", os.ErrProcessDone)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(task) //nolint:gosec // of /proc
		if err != nil {
			continue // this thread has ended
		}
		// The name may hold blanks and parentheses.
		_, state, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')'):]), " ")
		switch state[:1] {
		case "T", "t":
		case "Z", "X":
			return false, fmt.Errorf("scrape: process is gone: %w", os.ErrProcessDone)
		default:
			return false, nil
		}
	}
	return true, nil
}

// Continue lets the process run on.
func (p *Process) Continue() error {
	if err := syscall.Kill(p.PID, syscall.SIGCONT); err != nil {
		return fmt.Errorf("scrape: continue: %w", err)
	}
	return nil
}

// Search reads every resident page of every mapping, whatever its mode, and
// searches those that are not as in the pass before. The process should be
// stopped.
func (p *Process) Search(w *Wanted, f *Found) (pass Pass, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", p.PID))
	if err != nil {
		return pass, fmt.Errorf("scrape: %w", err)
	}
	defer maps.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		from, to, ok := bounds(lines.Text())
		if !ok {
			continue
		}
		if strings.Contains(lines.Text(), "/secretmem") {
			p.refused(from, to, w, f, &pass)
			continue
		}
		if err := p.mapping(from, to, w, f, &pass); err != nil {
			return pass, err
		}
	}
	return pass, lines.Err()
}

// bounds are the addresses of a line of /proc/PID/maps. The kernel's own pages
// in every process are left out: nobody can write there.
func bounds(line string) (from, to int64, ok bool) {
	span, rest, _ := strings.Cut(line, " ")
	if strings.Contains(rest, "[v") {
		return 0, 0, false
	}
	low, high, _ := strings.Cut(span, "-")
	f, errFrom := strconv.ParseUint(low, 16, 63)
	t, errTo := strconv.ParseUint(high, 16, 63)
	return int64(f), int64(t), errFrom == nil && errTo == nil && f < t
}

// refused tries memory that is said to be secret: what can be read is searched.
func (p *Process) refused(from, to int64, w *Wanted, f *Found, pass *Pass) {
	for at := from; at < to; at += p.page {
		p.run = grow(p.run, p.page)
		if _, err := p.memory.ReadAt(p.run, at); err != nil {
			pass.Refused++
			continue
		}
		pass.Pages++
		w.Search(p.run, f)
	}
}

// mapping searches the resident pages of one mapping, neighbours together.
func (p *Process) mapping(from, to int64, w *Wanted, f *Found, pass *Pass) error {
	const entriesMax = 1 << 16
	entries := make([]byte, min((to-from)/p.page, entriesMax)*pageEntry)
	begin := int64(-1) // of the run of resident pages under way
	end := func(at int64) error {
		if begin < 0 {
			return nil
		}
		err := p.resident(begin, at, w, f, pass)
		begin = -1
		return err
	}
	for at := from; at < to; {
		n, err := p.pages.ReadAt(entries[:min(int64(len(entries)), (to-at)/p.page*pageEntry)], at/p.page*pageEntry)
		if n < pageEntry {
			return fmt.Errorf("scrape: pagemap: %w", errors.Join(err, os.ErrProcessDone))
		}
		for e := 0; e+pageEntry <= n; e, at = e+pageEntry, at+p.page {
			here := binary.NativeEndian.Uint64(entries[e:])&(pagePresent|pageSwapped) != 0
			switch {
			case here && begin < 0:
				begin = at
			case here && at-begin >= runMax:
				if err := end(at); err != nil {
					return err
				}
				begin = at - p.page // one page again, for what lies across
			case !here:
				if err := end(at); err != nil {
					return err
				}
			}
		}
	}
	return end(to)
}

// resident searches a run of pages.
func (p *Process) resident(from, to int64, w *Wanted, f *Found, pass *Pass) error {
	p.run = grow(p.run, to-from)
	n, err := p.memory.ReadAt(p.run, from)
	b := p.run[:int64(n)/p.page*p.page]
	pass.Pages += len(b) / int(p.page)
	p.changed(b, from, w, f, pass)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrProcessDone), errors.Is(err, syscall.ESRCH):
		return fmt.Errorf("scrape: read: %w", err)
	}
	// The page after them cannot be read; go on behind it.
	pass.Refused++
	if next := from + int64(len(b)) + p.page; next < to {
		return p.resident(next, to, w, f, pass)
	}
	return nil
}

// changed searches the pages that are new, each with a bit of its neighbours.
func (p *Process) changed(b []byte, from int64, w *Wanted, f *Found, pass *Pass) {
	for at := 0; at < len(b); {
		end := at
		for end < len(b) && p.isNew(b[end:end+int(p.page)], from+int64(end)) {
			end += int(p.page)
			pass.Changed++
		}
		if end > at {
			w.Search(b[max(0, at-overlapBytes):min(len(b), end+overlapBytes)], f)
		}
		at = end + int(p.page)
	}
}

func (p *Process) isNew(page []byte, at int64) bool {
	sum := maphash.Bytes(p.seed, page)
	if old, ok := p.known[at]; ok && old == sum {
		return false
	}
	p.known[at] = sum
	return true
}

func grow(b []byte, n int64) []byte {
	if int64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}
