package boot

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Limits of the log, which is in memory only.
const (
	logLines = 2000 // of each ring
	lineMax  = 512
	// burstLines at once, then perSecond, are kept of what the register says: it
	// may not wash away what it said before.
	burstLines = 500
	perSecond  = 20
)

// entry is a line, with its place among those of all rings.
type entry struct {
	number uint64
	text   string
}

// ring keeps the newest lines.
type ring []entry

func (r *ring) keep(e entry) {
	if len(*r) == logLines {
		*r = append((*r)[:0], (*r)[logLines/10:]...)
	}
	*r = append(*r, e)
}

func (r ring) newest(n int) ring { return r[max(0, len(r)-n):] }

// log keeps the newest lines, and writes this process's to the console, as long
// as nobody else has that. This process's and those of its children, which may
// be in strange hands, are apart: no flood of theirs hides what happened.
type log struct {
	mu       sync.Mutex
	console  *os.File
	number   uint64
	own      ring
	children ring
	left     float64 // lines that the children may say now
	since    time.Time
	lost     int // lines of theirs since the last that was kept
}

func newLog() *log { return &log{left: burstLines, since: time.Now()} }

// open takes the console: console= may name a line that is not there, and then
// this process was born without any.
func (l *log) open() {
	f, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.console = f
}

// quiet gives the console to the technician.
func (l *log) quiet() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.console != nil {
		l.console.Close() //nolint:errcheck,gosec // only written to
		l.console = nil
	}
}

// say logs a line of this process.
func (l *log) say(format string, args ...any) {
	line := clean(fmt.Sprintf(format, args...))
	l.keep(line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.console != nil {
		fmt.Fprintf(l.console, "%s\r\n", line) //nolint:errcheck // the line may be unplugged
	}
}

func (l *log) keep(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own.keep(l.entry(line))
}

// entry is the next line. l.mu is held.
func (l *log) entry(line string) entry {
	l.number++
	return entry{l.number, time.Now().UTC().Format(time.RFC3339) + " " + line}
}

// register logs what the register brought about: among its own lines, and not
// on the console.
func (l *log) register(format string, args ...any) { l.hear(clean(fmt.Sprintf(format, args...))) }

// hear keeps a line of a child, unless there are too many.
func (l *log) hear(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.left = min(burstLines, l.left+perSecond*now.Sub(l.since).Seconds())
	l.since = now
	if l.left < 1 {
		l.lost++
		return
	}
	l.left--
	if l.lost > 0 {
		l.children.keep(l.entry(fmt.Sprintf("log: %d lines too many were not kept", l.lost)))
		l.lost = 0
	}
	l.children.keep(l.entry(line))
}

// tail returns the newest n lines, in their order: half of them are this
// process's, if it said as many.
func (l *log) tail(n int) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.own.newest(max(n/2, n-len(l.children)))
	all := slices.Concat(own, l.children.newest(n-len(own)))
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	for _, e := range all {
		lines = append(lines, e.text)
	}
	return lines
}

// drain keeps what a child writes to its standard error, until it ends.
func (l *log) drain(f *os.File) {
	defer f.Close() //nolint:errcheck // only read from
	b := make([]byte, lineMax)
	kept := 0
	for {
		n, err := f.Read(b[kept:])
		kept += n
		for {
			i := bytes.IndexByte(b[:kept], '\n')
			if i < 0 && kept == len(b) {
				i = kept - 1 // a longer line is cut in two
			}
			if i < 0 {
				break
			}
			l.hear(clean(string(b[:i])))
			kept = copy(b, b[i+1:kept])
		}
		if err != nil {
			return
		}
	}
}

// clean shows control characters, and what is no UTF-8, as "?": a line may hold what came from outside.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == unicode.ReplacementChar {
			return '?'
		}
		return c
	}, s[:min(len(s), lineMax)])
}
