package uplink

import (
	"context"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// gatherFor bounds how long an acknowledgement is held back while records are
// still on their way: each costs the parent a signature check and a synced
// write, and a later one says all that it says.
const gatherFor = 10 * time.Millisecond

// newest is a channel of one place in which a later value replaces an earlier.
// One goroutine puts.
type newest[T any] chan T

func (n newest[T]) put(v T) {
	for {
		select {
		case n <- v:
			return
		default:
			select {
			case <-n:
			default:
			}
		}
	}
}

// hear takes one message of the ack subject. The parent checks the signature;
// here only what is no acknowledgement of this register's is dropped.
func (s *session) hear(m *nats.Msg) {
	if ack, err := record.ParseAck(m.Data); err == nil && ack.Register == s.config.ID {
		s.acks.put(ack)
	}
	if from, err := strconv.ParseUint(m.Header.Get(headerResend), 10, 64); err == nil && from > 0 {
		s.resend.put(from)
	}
}

// passAcks gives the parent each acknowledgement that covers everything sent at
// once, and gathers the others.
func (s *session) passAcks(ctx context.Context) {
	for {
		var ack record.Ack
		select {
		case <-ctx.Done():
			return
		case ack = <-s.acks:
		}
		late := time.NewTimer(gatherFor)
		for waiting := true; waiting && ack.Seq < s.sent.Load(); {
			select {
			case <-ctx.Done():
				waiting = false // but the parent may have it
			case <-late.C:
				waiting = false
			case ack = <-s.acks:
			}
		}
		late.Stop()
		if err := s.conn.Send(Message{Op: opAck, Ack: &ack}); err != nil {
			s.end(err)
			return
		}
	}
}
