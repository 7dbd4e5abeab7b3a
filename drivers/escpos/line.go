package escpos

import (
	"context"
	"time"

	"regi/drivers"
	"regi/drivers/printerport"
)

// padding ends a short command that was cut on the wire: NULs are its missing
// parameters, and nothing where none is missing. paddingMax ends a picture, and
// bounds what is sent for one whose header was garbled.
const (
	padding    = 8
	paddingMax = 8 << 10
)

// line is one port, and what ends a command that was cut short on it.
type line struct {
	*printerport.Line[*answers]

	mend int // NULs; guarded by Writing
}

func newLine(p drivers.Port) *line { return &line{Line: printerport.New(p, &answers{})} }

// urgent units are real-time commands: the printer obeys them inside a command
// that was cut short, too, and they do not wait for the end of its padding.
type urgency bool

const (
	urgent urgency = true
	inTurn urgency = false
)

// send writes one unit in its turn and in one piece, and returns how much of it
// has left. If not even its first byte has within writeSlice, the error wraps
// printerport.ErrBlocked.
func (l *line) send(ctx context.Context, unit []byte) (int, error) {
	return l.write(ctx, unit, inTurn)
}

func (l *line) write(ctx context.Context, unit []byte, u urgency) (int, error) {
	if err := l.Writing.Take(ctx); err != nil {
		return 0, err
	}
	defer l.Writing.Release()
	mend := l.mend
	if u == urgent {
		mend = min(mend, padding)
	}
	if mend > 0 {
		unit = append(make([]byte, mend, mend+len(unit)), unit...)
	}
	sent, err := l.Push(ctx, unit)
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
	if err := l.Writing.Take(ctx); err != nil {
		return err
	}
	defer l.Writing.Release()
	l.mend = min(paddingMax, max(l.mend, n))
	return nil
}

// sendBy sends what must not be late; then it wraps drivers.ErrTimeout.
func (l *line) sendBy(ctx context.Context, until time.Time, unit []byte, u urgency) (int, error) {
	return printerport.By(ctx, until, func(ctx context.Context) (int, error) { return l.write(ctx, unit, u) })
}

// ask sends DLE EOT n for each n and returns the answers in the same order.
func (l *line) ask(ctx context.Context, ns ...byte) ([]byte, error) {
	request := make([]byte, 0, 3*len(ns))
	for _, n := range ns {
		request = append(request, dle, eot, n)
	}
	var got []byte
	err := l.Ask(ctx, printerport.Question[*answers]{
		Answers: len(ns),
		Begin:   func(a *answers) { a.status = make([]byte, 0, len(ns)) },
		Send:    func(ctx context.Context) (int, error) { return l.write(ctx, request, urgent) },
		End:     func(a *answers) { got = a.status },
	})
	return got, err
}

// askBlock sends a command that is answered in its turn with block data of the
// given beginning, and returns the block without its NUL. It wraps
// drivers.ErrTimeout where none comes: a model that does not know the command.
// Nothing else may be asked for in this way meanwhile: hold the printer's turn.
func (l *line) askBlock(ctx context.Context, request, beginning string, within time.Duration) (string, error) {
	l.Edit(func(a *answers) { a.want, a.found = beginning, "" })
	until := time.Now().Add(within)
	_, err := l.sendBy(ctx, until, []byte(request), inTurn)
	if err == nil {
		err = l.Await(ctx, until, func(a *answers) bool { return a.found != "" })
	}
	var found string
	l.Edit(func(a *answers) { found, a.want = a.found, "" })
	return found, err
}

// askByte is askBlock for an answer of one byte (GS I 1 to 3, GS r). No fence
// of that form may be under way.
func (l *line) askByte(ctx context.Context, request string, within time.Duration) (byte, error) {
	l.Edit(func(a *answers) { a.byte, a.plainly = nil, true })
	until := time.Now().Add(within)
	_, err := l.sendBy(ctx, until, []byte(request), inTurn)
	if err == nil {
		err = l.Await(ctx, until, func(a *answers) bool { return a.byte != nil })
	}
	var got []byte
	l.Edit(func(a *answers) { got, a.plainly = a.byte, false })
	if err != nil {
		return 0, err
	}
	return got[0], nil
}
