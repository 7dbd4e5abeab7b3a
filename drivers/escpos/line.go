package escpos

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

// padding ends a short command that was cut on the wire: NULs are its missing
// parameters, and nothing where none is missing. paddingMax ends a picture, and
// bounds what is sent for one whose header was garbled.
const (
	padding    = 8
	paddingMax = 8 << 10
)

// gap is longer than the bytes of one answer are apart.
const gap = 250 * time.Millisecond

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

	mend     int  // NULs that end what was cut short; guarded by writing
	unsynced bool // status answers may still be under way; guarded by asking

	mu    sync.Mutex // a leaf: never held over a call that can block
	got   answers
	at    time.Time     // when bytes came last
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

// urgent units are real-time commands: the printer obeys them inside a command
// that was cut short, too, and they do not wait for the end of its padding.
type urgency bool

const (
	urgent urgency = true
	inTurn urgency = false
)

// send writes one unit in its turn and in one piece, and returns how much of it
// has left. If not even its first byte has within writeSlice, the error wraps
// errBlocked.
func (l *line) send(ctx context.Context, unit []byte) (int, error) {
	return l.write(ctx, unit, inTurn)
}

func (l *line) write(ctx context.Context, unit []byte, u urgency) (int, error) {
	if err := l.writing.take(ctx); err != nil {
		return 0, err
	}
	defer l.writing.release()
	mend := l.mend
	if u == urgent {
		mend = min(mend, padding)
	}
	if mend > 0 {
		unit = append(make([]byte, mend, mend+len(unit)), unit...)
	}
	sent, err := l.push(ctx, unit)
	switch {
	case err == nil:
		l.mend -= mend
	case sent <= mend:
		l.mend -= sent
	default: // the unit was cut short
		l.mend = min(paddingMax, l.mend-mend+len(unit)-sent+padding)
	}
	return sent, err
}

// broken is told that up to n bytes of a command may be missing at the printer.
func (l *line) broken(ctx context.Context, n int) error {
	if err := l.writing.take(ctx); err != nil {
		return err
	}
	defer l.writing.release()
	l.mend = min(paddingMax, max(l.mend, n))
	return nil
}

// push writes until all has left.
func (l *line) push(ctx context.Context, unit []byte) (int, error) {
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

// sendBy sends what must not be late; then it wraps drivers.ErrTimeout.
func (l *line) sendBy(ctx context.Context, until time.Time, unit []byte, u urgency) (int, error) {
	bound, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	n, err := l.write(bound, unit, u)
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
	now := time.Now()
	if now.Sub(l.at) > gap {
		l.got.pausedLine()
	}
	l.at = now
	for _, b := range bytes {
		l.got.feed(b)
	}
	close(l.heard)
	l.heard = make(chan struct{})
}

// ask sends DLE EOT n for each n and returns the answers in the same order.
func (l *line) ask(ctx context.Context, ns ...byte) ([]byte, error) {
	if err := l.asking.take(ctx); err != nil {
		return nil, err
	}
	defer l.asking.release()
	request := make([]byte, 0, 3*len(ns))
	for _, n := range ns {
		request = append(request, dle, eot, n)
	}
	noise := 0
	l.edit(func(a *answers) {
		a.asked, a.status, a.extra = len(ns), make([]byte, 0, len(ns)), 0
		noise = a.noise
	})
	until := time.Now().Add(answerWithin)
	if sent, err := l.sendBy(ctx, until, request, urgent); err != nil {
		l.unsynced = l.unsynced || sent > 0
		l.edit(func(a *answers) { a.asked = 0 })
		return nil, err
	}
	err := l.await(ctx, until, func(a *answers) bool { return a.asked == 0 })
	if err == nil && l.unsynced {
		err = l.sync(ctx)
	} else if err != nil {
		l.unsynced = true
	}
	var got []byte
	l.edit(func(a *answers) {
		got = a.status
		if errors.Is(err, drivers.ErrTimeout) && a.noise > noise {
			err = fmt.Errorf("%w: %w (other speed?)", err, drivers.ErrFrame)
		}
	})
	if err != nil {
		return nil, err
	}
	return got, nil
}

// askBlock sends a command that is answered in its turn with block data of the
// given beginning, and returns the block without its NUL. It wraps
// drivers.ErrTimeout where none comes: a model that does not know the command.
// Nothing else may be asked for in this way meanwhile: hold the printer's turn.
func (l *line) askBlock(ctx context.Context, request, beginning string, within time.Duration) (string, error) {
	l.edit(func(a *answers) { a.want, a.found = beginning, "" })
	until := time.Now().Add(within)
	_, err := l.sendBy(ctx, until, []byte(request), inTurn)
	if err == nil {
		err = l.await(ctx, until, func(a *answers) bool { return a.found != "" })
	}
	var found string
	l.edit(func(a *answers) { found, a.want = a.found, "" })
	return found, err
}

// askByte is askBlock for an answer of one byte (GS I 1 to 3, GS r). No fence
// of that form may be under way.
func (l *line) askByte(ctx context.Context, request string, within time.Duration) (byte, error) {
	l.edit(func(a *answers) { a.byte, a.plainly = nil, true })
	until := time.Now().Add(within)
	_, err := l.sendBy(ctx, until, []byte(request), inTurn)
	if err == nil {
		err = l.await(ctx, until, func(a *answers) bool { return a.byte != nil })
	}
	var got []byte
	l.edit(func(a *answers) { got, a.plainly = a.byte, false })
	if err != nil {
		return 0, err
	}
	return got[0], nil
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
