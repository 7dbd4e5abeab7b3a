package main

import (
	"bytes"
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// boardLog is the log of all processes, which the board keeps.
func (t *technician) boardLog(n int) []string {
	s, err := t.link.State()
	if err != nil {
		return append(t.log.tail(n), err.Error())
	}
	return inZone(s.Log[max(0, len(s.Log)-n):], t.config.zone())
}

// inZone has lines that begin with a time say it as the shop's clocks do.
func inZone(lines []string, zone *time.Location) []string {
	shown := make([]string, 0, len(lines))
	for _, line := range lines {
		at, rest, _ := strings.Cut(line, " ")
		if moment, err := time.Parse(time.RFC3339, at); err == nil {
			line = moment.In(zone).Format(time.RFC3339) + " " + rest
		}
		shown = append(shown, line)
	}
	return shown
}

// logLines of at most logLineMax bytes are kept of this process's log.
const logLines, logLineMax = 500, 8192

// stateLine is in what the shell logs whenever anything has changed.
const stateLine = "msg=state "

// logTail is the newest of it, in memory.
type logTail struct {
	zone *time.Location // the shop's; nil: UTC

	mu    sync.Mutex
	lines []string
}

func (l *logTail) handler() slog.Handler {
	zone := cmp.Or(l.zone, time.UTC)
	return slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.String("at", a.Value.Time().In(zone).Format("15:04:05Z07:00"))
		}
		return a
	}})
}

// Write takes one line, as a handler writes it.
func (l *logTail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A state follows each record: only the newest of several is of interest.
	if n := len(l.lines); n > 0 && bytes.Contains(b, []byte(stateLine)) && strings.Contains(l.lines[n-1], stateLine) {
		l.lines = l.lines[:n-1]
	}
	if len(l.lines) == logLines {
		l.lines = append(l.lines[:0], l.lines[logLines/10:]...)
	}
	line := bytes.TrimRight(b, "\n")
	l.lines = append(l.lines, string(line[:min(len(line), logLineMax)]))
	return len(b), nil
}

func (l *logTail) tail(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[max(0, len(l.lines)-n):])
}
