package star

import (
	"context"

	"regi/drivers"
	"regi/drivers/printerport"
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

// line is one port, and what ends a piece that was cut short on it.
type line struct {
	*printerport.Line[*answers]

	torn []byte // guarded by Writing
}

func newLine(p drivers.Port) *line { return &line{Line: printerport.New(p, &answers{})} }

// send writes one piece and returns how much of it has left. If not even its
// first byte has within a while, the error wraps printerport.ErrBlocked.
func (l *line) send(ctx context.Context, p piece) (int, error) {
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
	n, err := l.Push(ctx, p.bytes)
	if n > 0 && n < len(p.bytes) {
		l.torn = p.mend(n)
	}
	return n, err
}

// ask asks how the printer is, with ESC ACK SOH.
func (l *line) ask(ctx context.Context) (got drivers.PrinterStatus, err error) {
	err = l.Ask(ctx, printerport.Question[*answers]{
		Answers: 1,
		Send:    func(ctx context.Context) (int, error) { return l.send(ctx, piece{bytes: []byte{esc, ack, soh}}) },
		End:     func(a *answers) { got = a.status },
	})
	return got, err
}
