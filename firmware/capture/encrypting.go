package capture

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"unsafe"

	"regi/drivers"
	"regi/drivers/encreader"
	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
)

// passage is where a frame of an encrypting reader lies on its way: sealed
// tracks, but also a name and whatever else the reader shows.
type passage struct {
	frame  [encreader.FrameMax]byte
	packet [link.PacketMax]byte
}

// suiteOf is the number of a suite's word in a packet.
func suiteOf(word string) uint8 {
	for i, w := range link.PassedSuites {
		if w == word {
			return uint8(i)
		}
	}
	panic("capture: internal error: a suite without a number")
}

// Pass is Main for a reader that encrypts in its own head: its reads are passed
// on as they are. No key is here that would open them, and none is needed;
// Options.Key, Keys and CBC are not used. The port must be in raw mode. An order to
// destroy the key makes it refuse all cards until it is started again: the keys
// are in the reader, which guards them by itself.
func Pass(ctx context.Context, o Options, format encreader.Format) (err error) {
	debug.SetPanicOnFault(true)
	p := &process{link: o.Link, status: link.Status{SecretDo: arena.Erases()}}
	defer func() {
		// Neither the panic's value nor its stack may be seen by anyone.
		if recover() != nil {
			err = errors.Join(errFault, p.report(link.Internal))
		}
	}()
	ctx, stop := watch(ctx, o.Link, &p.order)
	defer stop()
	if p.arena, err = arena.Map(int(unsafe.Sizeof(passage{}))); err != nil {
		return errors.Join(fmt.Errorf("capture: %w", err), p.report(link.Internal))
	}
	defer p.close()
	p.status.SecretMem = p.arena.Secret()
	p.status.Controls = memoryControls(p.arena)
	room, err := arena.Place[passage](p.arena)
	if err != nil {
		return errors.Join(fmt.Errorf("capture: %w", err), p.report(link.Internal))
	}
	p.status.Controls = append(p.status.Controls, o.confine()...)
	return p.pass(ctx, encreader.New(o.Port, format, encreader.Options{}), format, room)
}

// pass takes one frame after the other.
func (p *process) pass(ctx context.Context, reader *encreader.Reader, format encreader.Format, room *passage) error {
	if err := p.report(link.None); err != nil {
		return err
	}
	for {
		within, stop := p.order.under(ctx)
		var err, sent error
		p.secretly(func() {
			var n int
			if n, err = reader.Read(within, room.frame[:]); err == nil || isFrame(err) {
				sent = p.forward(format, room, room.frame[:n], err)
			}
			*room = passage{}
		})
		stop()
		switch {
		case sent != nil:
			return sent
		case p.order.taken():
			if err := p.report(link.Zeroised); err != nil {
				return err
			}
		case err == nil || isFrame(err):
		case errors.Is(err, drivers.ErrUnplugged):
			return errors.Join(fmt.Errorf("capture: %w", err), p.report(link.Unplugged))
		default:
			return fmt.Errorf("capture: %w", err)
		}
	}
}

func isFrame(err error) bool {
	return errors.Is(err, drivers.ErrFrame) || errors.Is(err, drivers.ErrTooLong)
}

// forward sends what a frame was; bad is why it was none.
func (p *process) forward(format encreader.Format, room *passage, frame []byte, bad error) error {
	if p.status.Reason != link.None {
		return p.send(link.AppendFailed(room.packet[:0], link.Failed{Refused: p.status.Reason}))
	}
	var e encreader.Encrypted
	if bad == nil {
		e, bad = format.Parse(frame)
	}
	if bad != nil || e.Good == 0 {
		where, why := faultOf(&e, bad)
		return p.send(link.AppendFailed(room.packet[:0], link.Failed{Track: where, Fault: uint8(why)}))
	}
	return p.send(link.AppendPassed(room.packet[:0], &link.Passed{
		Suite: suiteOf(e.Suite), KSN: e.KSN, First: e.First, Brand: iin.Brand(e.First), Service: e.Service,
		Tracks: e.Good, Cipher: e.CT, Last: e.Last,
	}))
}

// faultOf is why a frame is no good read, and on which track.
func faultOf(e *encreader.Encrypted, bad error) (where uint8, why track.Fault) {
	switch {
	case errors.Is(bad, encreader.ErrKind):
		return 0, track.NoNumber
	case errors.Is(bad, encreader.ErrShows):
		return 0, track.Shows
	case errors.Is(bad, encreader.ErrClear):
		return 0, track.Clear
	case bad != nil:
		return 0, track.Garbled
	}
	for _, t := range [...]uint8{2, 1, 3} {
		if e.Bad&(1<<(t-1)) != 0 {
			return t, track.Unreadable
		}
	}
	return 0, track.NoStart
}
