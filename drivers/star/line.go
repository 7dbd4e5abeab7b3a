package star

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
	// answerWithin bounds a status: its request may wait behind two blocks of a
	// document on a 9,600 bit/s line (0.6 s).
	answerWithin = 1500 * time.Millisecond
	// quiet is how long a printer must be silent before its answers are believed
	// to be those to the last question: as long as that one may wait behind a
	// document.
	quiet = 750 * time.Millisecond
	// writeSlice is how long a write may be blocked before somebody looks why.
	writeSlice = 500 * time.Millisecond
	// stallMax is how long a printer that says it is well may do nothing.
	stallMax = 5 * time.Second
	// emptyReadsMax bounds how often in a row a port may return nothing.
	emptyReadsMax = 100
)

// paddingLeast ends any command without data that was cut short on the wire:
// NULs are its missing parameters, and nothing where none is missing.
const paddingLeast = 8

// piece is what stays together on the wire.
type piece struct {
	bytes []byte
	// ends closes data of any length: RS after a bar code. It is nothing to a
	// printer that does not read such data.
	ends string
}

// mend ends the piece when only n bytes of it were sent: as many NULs as are
// missing are data of a known length. It never does what the piece would.
func (p piece) mend(n int) []byte {
	return append(make([]byte, max(paddingLeast, len(p.bytes)-n)), p.ends...)
}

// errBlocked: the line did not take the first byte. Nothing was sent.
var errBlocked = fmt.Errorf("line blocked: %w", drivers.ErrTimeout)

// turn is a mutex that can be waited for with a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
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

func (t turn) release() { <-t }

// line shares one port between goroutines that print, ask and kick. What is
// written as one unit stays in one piece; whoever waits for an answer reads the
// port for all who wait.
type line struct {
	port drivers.Port

	writing, reading, asking turn

	torn     []byte // ends a piece that was cut short; guarded by writing
	unsynced bool   // status answers may still be under way; guarded by asking

	mu    sync.Mutex // a leaf: never held over a call that can block
	got   answers
	heard chan struct{} // closed and replaced when bytes came
}

func newLine(p drivers.Port) *line {
	return &line{port: p, writing: newTurn(), reading: newTurn(), asking: newTurn(), heard: make(chan struct{})}
}

// edit changes or reads what is known of the answers.
func (l *line) edit(f func(*answers)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.got)
}

// send writes one piece and returns how much of it has left. If not even its
// first byte has within writeSlice, the error wraps errBlocked.
func (l *line) send(ctx context.Context, p piece) (int, error) {
	if err := l.writing.take(ctx); err != nil {
		return 0, err
	}
	defer l.writing.release()
	if len(l.torn) > 0 {
		n, err := l.write(ctx, l.torn)
		l.torn = l.torn[n:]
		if err != nil {
			return 0, err
		}
	}
	n, err := l.write(ctx, p.bytes)
	if n > 0 && n < len(p.bytes) {
		l.torn = p.mend(n)
	}
	return n, err
}

func (l *line) write(ctx context.Context, b []byte) (int, error) {
	sent := 0
	for moved := time.Now(); sent < len(b); {
		n, err := bounded(ctx, l.port.SetWriteDeadline, time.Now().Add(writeSlice), func() (int, error) {
			return l.port.Write(b[sent:])
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
			return 0, errBlocked
		case late && time.Since(moved) >= stallMax:
			err = fmt.Errorf("line blocked in a command: %w", drivers.ErrTimeout)
		case late:
			err = nil // a started command must be finished before another
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// sendBy is send for what must not be late; then it wraps drivers.ErrTimeout.
func (l *line) sendBy(ctx context.Context, until time.Time, p piece) (int, error) {
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	n, err := l.send(bound, p)
	if err != nil && bound.Err() != nil && ctx.Err() == nil {
		if n == 0 {
			return 0, errBlocked
		}
		err = fmt.Errorf("line blocked in a command: %w", drivers.ErrTimeout)
	}
	return n, err
}

// await returns nil once done says so, an error that wraps drivers.ErrTimeout
// if it has not by until, or the port's.
func (l *line) await(ctx context.Context, until time.Time, done func(*answers) bool) error {
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
			l.reading.release()
			if err != nil {
				return err
			}
		case <-heard:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

func (l *line) look(done func(*answers) bool) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return done(&l.got), l.heard
}

// read takes what the port has, for everybody.
func (l *line) read(ctx context.Context, until time.Time, done func(*answers) bool) error {
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

func (l *line) hear(bytes []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range bytes {
		l.got.feed(b)
	}
	close(l.heard)
	l.heard = make(chan struct{})
}

// ask asks how the printer is, with ESC ACK SOH.
func (l *line) ask(ctx context.Context) (drivers.PrinterStatus, error) {
	if err := l.asking.take(ctx); err != nil {
		return drivers.PrinterStatus{}, err
	}
	defer l.asking.release()
	noise := 0
	l.edit(func(a *answers) { a.asked, a.extra, noise = 1, 0, a.noise })
	until := time.Now().Add(answerWithin)
	if sent, err := l.sendBy(ctx, until, piece{bytes: []byte{esc, ack, soh}}); err != nil {
		l.unsynced = l.unsynced || sent > 0
		l.edit(func(a *answers) { a.asked = 0 })
		return drivers.PrinterStatus{}, err
	}
	err := l.await(ctx, until, func(a *answers) bool { return a.asked == 0 })
	if err == nil && l.unsynced {
		err = l.sync(ctx)
	} else if err != nil {
		l.unsynced = true
	}
	var got drivers.PrinterStatus
	l.edit(func(a *answers) {
		got = a.status
		if errors.Is(err, drivers.ErrTimeout) && a.noise > noise {
			err = fmt.Errorf("%w: %w (other speed?)", err, drivers.ErrFrame)
		}
	})
	if err != nil {
		return drivers.PrinterStatus{}, err
	}
	return got, nil
}

// sync checks that the answers were to this question: an older one's would
// have left as many over.
func (l *line) sync(ctx context.Context) error {
	err := l.await(ctx, time.Now().Add(quiet), func(a *answers) bool { return a.extra > 0 })
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
