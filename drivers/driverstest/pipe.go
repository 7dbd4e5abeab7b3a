package driverstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"regi/drivers"
)

// Pipe returns a line without hardware: the driver's end and the device's end
// of a net.Pipe. Inside testing/synctest its deadlines follow the bubble's
// clock. Nothing is buffered: a write waits for the other end's read, so a
// device that must not lock up with the driver reads and writes in goroutines
// of their own. Closing far is an unplug. Both ends are closed with the test.
func Pipe(t testing.TB) (near drivers.Port, far net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	p := &pipePort{conn: a}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), b.Close()); err != nil {
			t.Errorf("close the pipe: %v", err)
		}
	})
	return p, b
}

// pipePort is a net.Conn that speaks of failures as drivers.Port demands.
type pipePort struct {
	conn   net.Conn
	closed atomic.Bool
}

var _ drivers.Port = (*pipePort)(nil)

func (p *pipePort) Read(b []byte) (int, error) {
	n, err := p.conn.Read(b)
	return n, p.fail("read", err)
}

func (p *pipePort) Write(b []byte) (int, error) {
	n, err := p.conn.Write(b)
	return n, p.fail("write", err)
}

func (p *pipePort) Close() error {
	p.closed.Store(true)
	return p.conn.Close()
}

func (p *pipePort) SetReadDeadline(t time.Time) error {
	return p.fail("deadline", p.conn.SetReadDeadline(t))
}

func (p *pipePort) SetWriteDeadline(t time.Time) error {
	return p.fail("deadline", p.conn.SetWriteDeadline(t))
}

// Drain has nothing to wait for: Write returned because the far end has read.
func (p *pipePort) Drain(ctx context.Context) error {
	if p.closed.Load() {
		return p.fail("drain", io.ErrClosedPipe)
	}
	return ctx.Err()
}

func (p *pipePort) Lines() (drivers.Lines, error) { return 0, p.noLines() }

func (p *pipePort) SetLines(_, _ drivers.Lines) error { return p.noLines() }

func (p *pipePort) noLines() error {
	if p.closed.Load() {
		return fmt.Errorf("pipe: lines: %w", drivers.ErrClosed)
	}
	return fmt.Errorf("pipe: lines: %w", drivers.ErrUnsupported)
}

func (p *pipePort) fail(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case p.closed.Load():
		err = drivers.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrDeadlineExceeded
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		err = drivers.ErrUnplugged
	}
	return fmt.Errorf("pipe: %s: %w", op, err)
}
