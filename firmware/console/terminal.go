package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Line is the serial line to the technician. A deadline that has passed ends a
// call with an error whose Timeout is true.
type Line interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Limits of the line.
const (
	readMax = 256
	// aheadMax bounds what is typed while a command runs.
	aheadMax = 4096
	// writeMax is what is written at once, within writeWithin: a terminal that
	// holds us up for longer loses what is to be shown.
	writeMax    = 512
	writeWithin = time.Second
)

// terminal is the open line: a task reads it, so that whoever waits can wait for
// something else, too.
type terminal struct {
	line  Line
	edit  editor
	ahead []byte // read and not yet looked at

	in     chan []byte
	failed chan error
	// rest and wake stop and start the reading task: another process may have
	// the line meanwhile.
	rest, wake chan struct{}
	reading    sync.WaitGroup
	cancel     context.CancelFunc
}

func newTerminal(ctx context.Context, line Line) *terminal {
	t := &terminal{line: line, in: make(chan []byte), failed: make(chan error, 1), rest: make(chan struct{}), wake: make(chan struct{})}
	ctx, t.cancel = context.WithCancel(ctx)
	t.reading.Go(func() { t.read(ctx) })
	return t
}

// close ends the reading task; the line itself is the caller's.
func (t *terminal) close() {
	t.cancel()
	t.line.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed line has ended the read by itself
	t.reading.Wait()
}

func (t *terminal) read(ctx context.Context) {
	for {
		b := make([]byte, readMax)
		n, err := t.line.Read(b)
		if n > 0 {
			select {
			case t.in <- b[:n]:
			case <-ctx.Done():
				return
			}
		}
		switch {
		case err == nil:
			continue
		case !timedOut(err):
			t.failed <- err
			return
		}
		select {
		case t.rest <- struct{}{}:
			<-t.wake
		case <-ctx.Done():
			return
		}
	}
}

func timedOut(err error) bool {
	late, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && late.Timeout()
}

// lend leaves the line alone while f runs. What was typed before is dropped.
func (t *terminal) lend(ctx context.Context, f func() error) error {
	if err := t.line.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return err
	}
	for resting := false; !resting; {
		select {
		case <-t.rest:
			resting = true
		case <-t.in:
		case err := <-t.failed:
			t.failed <- err
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.ahead = t.ahead[:0]
	if err := t.line.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	err := f()
	t.wake <- struct{}{} // it waits for nothing else but the end of the line
	return err
}

// flush writes what the editor has for the terminal. It fails when the line is
// gone.
func (t *terminal) flush() error {
	out := t.edit.out.String()
	t.edit.out.Reset()
	for len(out) > 0 {
		n := min(len(out), writeMax)
		if err := t.line.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
			return err
		}
		if _, err := io.WriteString(t.line, out[:n]); err != nil {
			if timedOut(err) {
				return nil // nobody reads: the rest is lost, as on paper
			}
			return err
		}
		out = out[n:]
	}
	return nil
}

// say writes lines to the terminal, broken where it ends. Whatever is no printed
// character is shown as "?".
func (t *terminal) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		for _, part := range wrap(printed(line)) {
			t.edit.out.WriteString(part + "\r\n")
		}
	}
}

// wrapIndent is how far the rest of a broken line stands in.
const wrapIndent = 6

// wrap breaks a line at a blank, or before a wide character.
func wrap(line string) (parts []string) {
	rest := []rune(line)
	for indent := 0; ; indent = wrapIndent {
		used, end, at := indent, 0, 0
		for ; end < len(rest) && used+runeWidth(rest[end]) <= columns; end++ {
			used += runeWidth(rest[end])
			if w := runeWidth(rest[end]); rest[end] == ' ' || w > 1 {
				at = end + 1
			}
		}
		if end == len(rest) {
			return append(parts, strings.Repeat(" ", indent)+string(rest))
		}
		if at <= wrapIndent { // one long word
			at = end
		}
		parts = append(parts, strings.Repeat(" ", indent)+strings.TrimRight(string(rest[:at]), " "))
		rest = rest[at:]
		for len(rest) > 0 && rest[0] == ' ' {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return parts
		}
	}
}

func printed(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
