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
	// causedLines at once, then one each causedEvery, of what others had this
	// process do stand among its own lines: a week of it leaves room for the boot.
	causedLines = 100
	causedEvery = 10 * time.Minute
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

// bound is how many lines may be said now.
type bound struct {
	left, most, perSecond float64
	since                 time.Time
}

func (b *bound) take(now time.Time) bool {
	b.left = min(b.most, b.left+b.perSecond*now.Sub(b.since).Seconds())
	b.since = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// log keeps the newest lines, and writes this process's to the console, as long
// as nobody else has that. This process's and those of its children, which may
// be in strange hands, are apart: no flood of theirs hides what happened.
type log struct {
	mu       sync.Mutex
	console  *os.File
	number   uint64
	own      ring
	children ring
	says     bound // of the children's lines
	lost     int   // lines of theirs since the last that was kept
	causes   bound // of this process's lines that others have caused
}

func newLog() *log {
	return &log{
		says:   bound{left: burstLines, most: burstLines, perSecond: perSecond, since: time.Now()},
		causes: bound{left: causedLines, most: causedLines, perSecond: 1 / causedEvery.Seconds(), since: time.Now()},
	}
}

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

// caused logs what this process did because others had it do so: the register
// asked for it, or ended, or the network changed. While that is seldom it is said
// as this process's own is; what is more is among the register's lines.
func (l *log) caused(format string, args ...any) {
	l.mu.Lock()
	seldom := l.causes.take(time.Now())
	l.mu.Unlock()
	if seldom {
		l.say(format, args...)
		return
	}
	l.register(format, args...)
}

// hear keeps a line of a child, unless there are too many.
func (l *log) hear(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.says.take(time.Now()) {
		l.lost++
		return
	}
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
