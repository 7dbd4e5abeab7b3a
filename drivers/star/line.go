package star

import (
	"context"

	"regi/drivers"
	"regi/drivers/printerport"
)

// paddingLeast ends any command without data that was cut short on the wire:
// NULs are its missing parameters, and nothing where none is missing.
// paddingMost bounds what is sent for one whose data may be missing.
const (
	paddingLeast = 8
	paddingMost  = 8 << 10
)

// mend ends what was sent of a command when n bytes of it are missing: as many
// NULs are data of a known length, and RS ends data of any length. It never does
// what the command would, and is nothing to a printer that waits for neither.
func mend(n int) []byte {
	return append(make([]byte, min(paddingMost, max(paddingLeast, n))), rs)
}

// line is one port, and what ends a command that was cut short on it.
type line struct {
	*printerport.Line[*answers]

	torn []byte // guarded by Writing
}

func newLine(p drivers.Port) *line { return &line{Line: printerport.New(p, &answers{})} }

// send writes one unit in one piece and returns how much of it has left. If not
// even its first byte has within a while, the error wraps printerport.ErrBlocked.
func (l *line) send(ctx context.Context, unit []byte) (int, error) {
	if err := l.Writing.Take(ctx); err != nil {
		return 0, err
	}
	defer l.Writing.Release()
	if len(l.torn) > 0 {
		n, err := l.Push(ctx, l.torn)
		l.torn = l.torn[n:]
		if err != nil {
			return 0, err
		}
	}
	n, err := l.Push(ctx, unit)
	if n > 0 && n < len(unit) {
		l.torn = mend(len(unit) - n)
	}
	return n, err
}

// broken is told that up to n bytes of a command may be missing at the printer.
func (l *line) broken(ctx context.Context, n int) error {
	if err := l.Writing.Take(ctx); err != nil {
		return err
	}
	defer l.Writing.Release()
	if n >= len(l.torn) {
		l.torn = mend(n)
	}
	return nil
}

// ask asks how the printer is, with ESC ACK SOH.
func (l *line) ask(ctx context.Context) (got drivers.PrinterStatus, err error) {
	err = l.Ask(ctx, printerport.Question[*answers]{
		Answers: 1,
		Send:    func(ctx context.Context) (int, error) { return l.send(ctx, []byte{esc, ack, soh}) },
		End:     func(a *answers) { got = a.status },
	})
	return got, err
}
