package boot

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Limits of the log, which is in memory only.
const (
	logLines = 2000
	lineMax  = 512
)

// log keeps the newest lines of all processes, and writes this one's to the
// console, as long as nobody else has that.
type log struct {
	mu      sync.Mutex
	console *os.File
	lines   []string
}

func newLog() *log { return &log{} }

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
	if len(l.lines) == logLines {
		l.lines = append(l.lines[:0], l.lines[logLines/10:]...)
	}
	l.lines = append(l.lines, time.Now().UTC().Format(time.RFC3339)+" "+line)
}

// tail returns the newest n lines.
func (l *log) tail(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines[max(0, len(l.lines)-n):]...)
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
			l.keep(clean(string(b[:i])))
			kept = copy(b, b[i+1:kept])
		}
		if err != nil {
			return
		}
	}
}

// clean shows control characters as "?": a line may hold what came from outside.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, s[:min(len(s), lineMax)])
}
