// Package printerport shares the line of a receipt printer between goroutines
// that print, ask and kick: what is written in one turn stays in one piece, and
// whoever waits for an answer reads the port for all who wait.
package printerport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"regi/drivers"
)

const (
	// AnswerWithin bounds a status: its request may wait behind two blocks of a
	// document on a 9,600 bit/s line (0.6 s).
	AnswerWithin = 1500 * time.Millisecond
	// quiet is how long a printer must be silent before its answers are believed
	// to be those to the last question: as long as that one may wait behind a
	// document.
	quiet = 750 * time.Millisecond
	// writeSlice is how long a write may be blocked before somebody looks why.
	writeSlice = 500 * time.Millisecond
	// StallMax is how long a printer that says it is well may do nothing.
	StallMax = 5 * time.Second
	// emptyReadsMax bounds how often in a row a port may return nothing.
	emptyReadsMax = 100
)

// ErrBlocked is for a line that did not take the first byte: nothing was sent.
var ErrBlocked = fmt.Errorf("line blocked: %w", drivers.ErrTimeout)

var errCut = fmt.Errorf("line blocked in a command: %w", drivers.ErrTimeout)

// Turn is a mutex that can be waited for with a context.
type Turn chan struct{}

// NewTurn returns one that is free.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for it.
func (t Turn) Take(ctx context.Context) error {
	if ctx.Err() != nil { // select would toss a coin
		return ctx.Err()
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives it to the next.
func (t Turn) Release() { <-t }

// Tally counts what a printer says; it stands in a driver's Answers.
type Tally struct {
	Asked int // answers still to come
	Extra int // answers beyond those asked for
	// Noise counts bytes that are no answer: a wrong speed, a broken line.
	Noise int
}

// Answers sort the bytes of a printer by the question they answer.
type Answers interface {
	// Hear takes bytes, and how long the line was silent before them.
	Hear(b []byte, silent time.Duration)
	Count() *Tally
}

// Line is one port, and what was heard on it.
type Line[A Answers] struct {
	port drivers.Port
	// Writing is held by whoever writes: see Push.
	Writing         Turn
	reading, asking Turn
	unsynced        bool // status answers may still be under way; guarded by asking

	mu    sync.Mutex // a leaf: never held over a call that can block
	got   A
	at    time.Time     // when bytes came last
	heard chan struct{} // closed and replaced when bytes came
}

// New returns the line of a port on which nothing was heard yet.
func New[A Answers](p drivers.Port, got A) *Line[A] {
	return &Line[A]{port: p, Writing: NewTurn(), reading: NewTurn(), asking: NewTurn(), got: got, heard: make(chan struct{})}
}

// Edit changes or reads what is known of the answers.
func (l *Line[A]) Edit(f func(A)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l.got)
}

// Push writes until all has left, and returns how much of it has. If not even
// the first byte has within a while, the error wraps ErrBlocked. The caller
// holds Writing.
func (l *Line[A]) Push(ctx context.Context, unit []byte) (int, error) {
	sent := 0
	for moved := time.Now(); sent < len(unit); {
		n, err := bounded(ctx, l.port.SetWriteDeadline, time.Now().Add(writeSlice), func() (int, error) {
			return l.port.Write(unit[sent:])
		})
		sent += n
		if n > 0 {
			moved = time.Now()
		}
		late := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case err == nil && n == 0:
			err = io.ErrNoProgress
		case late && ctx.Err() != nil:
			err = ctx.Err()
		case late && sent == 0:
			return 0, ErrBlocked
		case late && time.Since(moved) >= StallMax:
			err = errCut
		case late:
			err = nil // a started command must be finished before another
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// By sends what must not be late; then it wraps drivers.ErrTimeout.
func By(ctx context.Context, until time.Time, send func(context.Context) (int, error)) (int, error) {
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	n, err := send(bound)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		if n == 0 {
			return 0, ErrBlocked
		}
		err = errCut
	}
	return n, err
}

// ErrLate is for what was sent and is on its way, behind much else.
var ErrLate = errors.New("leaves late")

// Out is By that returns when what was sent has left the port. It wraps ErrLate
// where that takes longer than until.
func (l *Line[A]) Out(ctx context.Context, until time.Time, send func(context.Context) (int, error)) error {
	if _, err := By(ctx, until, send); err != nil {
		return err
	}
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err := l.port.Drain(bound)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		return ErrLate
	}
	return err
}

// Await returns nil once done says so, an error that wraps drivers.ErrTimeout
// if it has not by until, or the port's.
func (l *Line[A]) Await(ctx context.Context, until time.Time, done func(A) bool) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		ok, heard := l.look(done)
		switch {
		case ok:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !time.Now().Before(until):
			return drivers.ErrTimeout
		}
		select {
		case l.reading <- struct{}{}:
			err := l.read(ctx, until, done)
			l.reading.Release()
			if err != nil {
				return err
			}
		case <-heard:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// Pause is Await for nothing: it hears what comes until then.
func (l *Line[A]) Pause(ctx context.Context, until time.Time) error {
	err := l.Await(ctx, until, func(A) bool { return false })
	if errors.Is(err, drivers.ErrTimeout) {
		return nil
	}
	return err
}

func (l *Line[A]) look(done func(A) bool) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return done(l.got), l.heard
}

// read takes what the port has, for everybody.
func (l *Line[A]) read(ctx context.Context, until time.Time, done func(A) bool) error {
	// Whoever read before may have read this caller's answer.
	if ok, _ := l.look(done); ok {
		return nil
	}
	var buf [64]byte
	for range emptyReadsMax {
		n, err := bounded(ctx, l.port.SetReadDeadline, until, func() (int, error) { return l.port.Read(buf[:]) })
		if n > 0 {
			l.hear(buf[:n])
			return nil // an error comes again
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

func (l *Line[A]) hear(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.got.Hear(b, now.Sub(l.at))
	l.at = now
	close(l.heard)
	l.heard = make(chan struct{})
}

// Question is what Ask asks. Nobody else asks between Begin and End.
type Question[A any] struct {
	Answers int     // how many there are to it
	Begin   func(A) // makes ready for them, if not nil
	Send    func(context.Context) (int, error)
	End     func(A) // takes them, if all have come
}

// Ask sends a question and waits for all of its answers. Answers that come late
// are not taken for those to the next question.
func (l *Line[A]) Ask(ctx context.Context, q Question[A]) error {
	if err := l.asking.Take(ctx); err != nil {
		return err
	}
	defer l.asking.Release()
	noise := 0
	l.Edit(func(a A) {
		t := a.Count()
		t.Asked, t.Extra, noise = q.Answers, 0, t.Noise
		if q.Begin != nil {
			q.Begin(a)
		}
	})
	until := time.Now().Add(AnswerWithin)
	if sent, err := By(ctx, until, q.Send); err != nil {
		l.unsynced = l.unsynced || sent > 0
		l.Edit(func(a A) { a.Count().Asked = 0 })
		return err
	}
	err := l.Await(ctx, until, func(a A) bool { return a.Count().Asked == 0 })
	if err == nil && l.unsynced {
		err = l.sync(ctx)
	} else if err != nil {
		l.unsynced = true
	}
	l.Edit(func(a A) {
		if err == nil {
			q.End(a)
		} else if errors.Is(err, drivers.ErrTimeout) && a.Count().Noise > noise {
			err = fmt.Errorf("%w: %w (other speed?)", err, drivers.ErrFrame)
		}
	})
	return err
}

// sync checks that the answers were to this question: an older one's would
// have left as many over.
func (l *Line[A]) sync(ctx context.Context) error {
	err := l.Await(ctx, time.Now().Add(quiet), func(a A) bool { return a.Count().Extra > 0 })
	switch {
	case errors.Is(err, drivers.ErrTimeout):
		l.unsynced = false
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("late answers: %w: %w", drivers.ErrTimeout, drivers.ErrFrame)
}

// bounded runs one blocking call of the port that ends at until or with ctx.
// What ends it has ended when bounded returns.
func bounded(ctx context.Context, set func(time.Time) error, until time.Time, call func() (int, error)) (int, error) {
	if err := set(until); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		set(time.Unix(1, 0)) //nolint:errcheck,gosec // a closed port has ended the call by itself
	})
	n, err := call()
	if !stop() {
		<-ended
	}
	return n, err
}
