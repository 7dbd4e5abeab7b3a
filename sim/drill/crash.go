package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"regi/sim/drill/scrape"
)

// crashSignals end the reading process in mid-swipe.
//
//nolint:gochecknoglobals // a constant table
var crashSignals = []syscall.Signal{syscall.SIGSEGV, syscall.SIGQUIT, syscall.SIGABRT}

// crashes is how often they do: each with half a swipe on the line and with a
// whole one, or in the short form with one of them.
func (o options) crashes() int {
	if o.short {
		return len(crashSignals)
	}
	return 2 * len(crashSignals)
}

// dumps says whether a process is dumped: a debugger takes seconds for each.
func (o options) dumps(name string) bool { return !o.short || name == reading }

// crash is what crashes and dumps gave.
type crash struct {
	signals    int
	cores      int          // core files
	inCores    scrape.Count // what they held
	otherCores int          // of the processes that read no cards
	inOthers   scrape.Count
	elsewhere  bool     // this kernel hands core files to a program or another folder
	dumped     []string // processes that the debugger's gcore has dumped
	inDumps    scrape.Count
	frozen     bool     // the reading process was dumped in mid-swipe
	noGcore    bool     // it is not on this machine
	swapped    int      // kB of the register's processes that are in swap
	limits     []string // processes that may write a core file
}

func crashRegister(ctx context.Context, o options, t *traffic, w *scrape.Wanted, numbers []string) (c crash, err error) {
	if err := c.dumpRegister(ctx, o, t, w, numbers[0]); err != nil {
		return c, err
	}
	for i, number := range numbers {
		s := crashSignals[i%len(crashSignals)]
		if err := t.inMidSwipe(ctx, number, i%2 == 0, s); err != nil {
			return c, fmt.Errorf("%v in mid-swipe: %w", s, err)
		}
		c.signals++
	}
	for _, target := range targets(t.roles()) {
		if err := c.note(target); err != nil {
			return c, err
		}
	}
	if c.cores, c.inCores, err = c.searchCores(w, o.dir); err != nil {
		return c, err
	}
	return c, c.crashOthers(ctx, t, w, o.dir)
}

// crashOthers aborts the processes that may not hold a card anyway: core files
// of theirs are no failure, cards in them are.
func (c *crash) crashOthers(ctx context.Context, t *traffic, w *scrape.Wanted, dir string) error {
	for _, name := range []string{"uplink", "register"} { // the uplink ends with the register
		pid := t.roles()[name]
		if pid == 0 {
			return fmt.Errorf("abort %s: it is not running", name)
		}
		if err := syscall.Kill(pid, syscall.SIGABRT); err != nil {
			return fmt.Errorf("abort %s: %w", name, err)
		}
		err := await(ctx, "another "+name, func() bool {
			now := t.roles()
			return now[name] != 0 && now[name] != pid && now[reading] != 0
		})
		if err == nil {
			err = t.awaitReader(ctx)
		}
		if err != nil {
			return err
		}
		files, found, err := c.searchCores(w, dir)
		if err != nil {
			return err
		}
		c.otherCores += files
		c.inOthers.Add(found)
	}
	return nil
}

// note reads what the kernel keeps of a process: swap and the core limit.
func (c *crash) note(t target) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.pid))
	if err != nil {
		return err
	}
	kb := 0
	if _, rest, ok := strings.Cut(string(status), "\nVmSwap:"); ok {
		if _, err := fmt.Sscan(rest, &kb); err != nil {
			return fmt.Errorf("swap: %w", err)
		}
	}
	c.swapped += kb
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", t.pid))
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(limits), "Max core file size")
	if f := strings.Fields(rest); len(f) < 2 || f[0] != "0" || f[1] != "0" {
		c.limits = append(c.limits, t.name)
	}
	return nil
}

// coreNames is where this kernel writes the core file of a process that runs in
// dir, core(5).
func coreNames(dir string) (pattern string, elsewhere bool) {
	b, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	name := strings.TrimSpace(string(b))
	if err != nil || name == "" || strings.ContainsAny(name[:1], "|@/") {
		return "", true
	}
	name, _, _ = strings.Cut(name, "%")
	return filepath.Join(dir, name+"*"), false
}

// searchCores searches the core files in a folder, and removes them.
func (c *crash) searchCores(w *scrape.Wanted, dir string) (files int, found scrape.Count, err error) {
	pattern, elsewhere := coreNames(dir)
	if c.elsewhere = elsewhere; elsewhere {
		return 0, found, nil
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return 0, found, err
	}
	f := scrape.NewFound()
	for _, path := range paths {
		if err := errors.Join(w.File(path, f), os.Remove(path)); err != nil {
			return 0, found, err
		}
	}
	return len(paths), w.Count(f), nil
}

// gcoreWithin bounds one dump.
const gcoreWithin = 2 * time.Minute

// dump writes a process's memory into a file as gdb's gcore does, and searches
// it.
func (c *crash) dump(ctx context.Context, t target, w *scrape.Wanted, f *scrape.Found, dir string) error {
	gcore, err := exec.LookPath("gcore")
	if err != nil {
		c.noGcore = true
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, gcoreWithin)
	defer cancel()
	prefix := filepath.Join(dir, "gcore-"+t.name)
	out, err := exec.CommandContext(ctx, gcore, "-a", "-o", prefix, strconv.Itoa(t.pid)).CombinedOutput() //nolint:gosec // our own arguments
	path := fmt.Sprintf("%s.%d", prefix, t.pid)
	if _, statErr := os.Stat(path); statErr != nil {
		return fmt.Errorf("gcore of %s: %w: %.300s", t.name, errors.Join(err, statErr), out)
	}
	c.dumped = append(c.dumped, t.name)
	return errors.Join(w.File(path, f), os.Remove(path))
}

// Limits of catching a swipe half read.
const (
	freezeTries  = 1000
	freezeWithin = 100 * time.Millisecond
	freezeAfter  = 300 * time.Microsecond
)

// dumpRegister dumps processes, the reading one while it holds half a card.
func (c *crash) dumpRegister(ctx context.Context, o options, t *traffic, w *scrape.Wanted, number string) error {
	f := scrape.NewFound()
	for _, target := range targets(t.roles()) {
		if !o.dumps(target.name) {
			continue
		}
		freeze := func() (bool, error) { return false, nil }
		if target.name == reading {
			freeze = func() (bool, error) { return t.freeze(ctx, target.pid, number) }
		}
		frozen, err := freeze()
		if err != nil {
			return err
		}
		c.frozen = c.frozen || frozen
		err = c.dump(ctx, target, w, f, o.dir)
		if frozen {
			err = errors.Join(err, t.thaw(ctx, target.pid))
		}
		if err != nil {
			return err
		}
	}
	c.inDumps = w.Count(f)
	return nil
}

// freeze stops a process that has read a part of a swipe.
func (t *traffic) freeze(ctx context.Context, pid int, number string) (bool, error) {
	p, err := scrape.Open(pid)
	if err != nil {
		return false, err
	}
	defer p.Close() //nolint:errcheck // only read
	swipe := bytesOf(tracks(number))
	for try := range freezeTries {
		t.inFlight.Store(int64(len(swipe)))
		if _, err := t.wires["card"].Write(swipe); err != nil {
			return false, err
		}
		// Until it has begun, or is through. Where both share one processor, only a
		// sleeper that wakes interrupts it.
		if try%2 == 1 {
			time.Sleep(rand.N(freezeAfter)) //nolint:gosec // any pause will do
		}
		for begin := time.Now(); !taking(t.wires["card"], &t.inFlight) && time.Since(begin) < freezeWithin; {
			if n, err := t.wires["card"].Unread(); err != nil || n == 0 {
				break
			}
		}
		if err := p.Stop(); err != nil {
			return false, err
		}
		if taking(t.wires["card"], &t.inFlight) {
			return true, nil
		}
		if err := t.thaw(ctx, pid); err != nil {
			return false, err
		}
	}
	return false, nil
}

// thaw lets it read the rest.
func (t *traffic) thaw(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		return fmt.Errorf("continue: %w", err)
	}
	err := t.wires["card"].WaitRead(ctx)
	t.inFlight.Store(0)
	return err
}

// crashNaive dumps the naive reader and crashes it.
func crashNaive(ctx context.Context, o options, b *bareReader, w *scrape.Wanted) (c crash, err error) {
	f := scrape.NewFound()
	if !o.short {
		if err := c.dump(ctx, target{reading, b.cmd.Process.Pid}, w, f, b.dir); err != nil {
			return c, err
		}
	}
	c.inDumps = w.Count(f)
	if err := b.end(syscall.SIGABRT); err != nil {
		return c, err
	}
	c.signals++
	c.cores, c.inCores, err = c.searchCores(w, b.dir)
	return c, err
}

// written is what was searched after all of it.
type written struct {
	files, records int
	found          scrape.Count
}

// searchWritten searches everything that was written by anybody: the state
// directory with the journal, the log, the cloud's streams and database, the
// hsm's memory file, and what displays, paper and console show.
func searchWritten(ctx context.Context, c *counter, w *scrape.Wanted) (r written, err error) {
	f := scrape.NewFound()
	if r.files, err = w.Tree(c.dir, f); err != nil {
		return r, err
	}
	shown := c.display.Lines()
	for _, s := range append([]string{c.printer.Text(), shown[0], shown[1]}, c.console.Lines()...) {
		w.Search([]byte(s), f)
	}
	for from := uint64(1); ; {
		page, err := c.office.Ledger(ctx, from, ledgerPage)
		if err != nil {
			return r, err
		}
		if len(page) == 0 {
			break
		}
		for _, record := range page {
			w.Search(record.Body, f)
			from, r.records = record.Seq+1, r.records+1
		}
	}
	r.found = w.Count(f)
	return r, nil
}
