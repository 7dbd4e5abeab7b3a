package register

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
	"regi/firmware/uplink"
)

// sendWithin bounds a packet to an uplink that does not read.
const sendWithin = time.Second

// ServeUplink talks to one uplink process until its link ends.
func (r *Register) ServeUplink(ctx context.Context, link *os.File, config *uplink.Config) {
	conn := &peer{Conn: uplink.NewConn(deadlined{link}), link: link}
	if err := conn.Send(uplink.Message{Op: "config", Config: config}); err != nil {
		r.log.Error("uplink", "err", err.Error())
		return
	}
	r.mu.Lock()
	r.link = conn
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		if r.link == conn {
			r.link = nil
		}
		r.mu.Unlock()
	}()
	for {
		m, err := conn.Recv()
		if err != nil {
			return
		}
		if m.Op == "state" {
			r.CloudState(ctx, m.Up, m.Detail)
			if !m.Up {
				continue // else the loop asks for the time
			}
		}
		if m.Op == "update" || m.Op == "chunk" {
			select {
			case r.pulled <- m:
			default: // nobody asked
			}
			continue
		}
		select {
		case r.cloud <- m:
		case <-ctx.Done():
			return
		}
	}
}

// peer is the link to one uplink process.
type peer struct {
	*uplink.Conn
	link io.Closer
}

// deadlined gives up on a packet that the other side does not take, so that a
// stuck uplink never holds the counter.
type deadlined struct{ *os.File }

func (d deadlined) Write(b []byte) (int, error) {
	if err := d.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return 0, err
	}
	return d.File.Write(b)
}

// CloudState is told that the cloud came or went; neither ends anything.
func (r *Register) CloudState(ctx context.Context, up bool, detail string) {
	r.mu.Lock()
	r.online, r.cloudSays = up, detail
	r.mu.Unlock()
	r.post(ctx, till.Cloud{Up: up, Detail: detail})
}

// fromCloud checks and carries out what the uplink asks; it is not trusted.
func (r *Register) fromCloud(ctx context.Context, m uplink.Message) error {
	switch m.Op {
	case "want":
		if head, _ := r.ledger.journal.Head(); m.Seq > head+1 {
			r.notify(till.Notice{Code: "C91", Text: foreignChain})
			return nil
		}
		r.wanted = m.Seq
		r.feedUplink()
	case "ack":
		return r.acknowledged(m.Ack)
	case "state":
		r.clock.told = time.Time{}
		r.askTime()
	case "clock":
		r.toldTime(m.Time)
	case "reply":
		if m.Reply != nil {
			return r.handle(ctx, till.Authorized{Reply: *m.Reply})
		}
	}
	return nil
}

const foreignChain = "クラウドの台帳がこのレジと一致しません。サービスへ連絡 / the cloud holds another chain than this register, call service"

// acknowledged lets the journal delete, if the receiver really signed.
func (r *Register) acknowledged(ack *record.Ack) error {
	if ack == nil {
		return nil
	}
	if err := ack.Verify(r.config.SignedBy, r.config.ID); err != nil {
		r.notify(till.Notice{Code: "C90", Text: "クラウドの受領署名が不正です。サービスへ連絡 / acknowledgement refused, call service: " + err.Error()})
		return nil
	}
	err := r.ledger.journal.Trim(ack.Seq, ack.Hash)
	if errors.Is(err, journal.ErrForeignAck) {
		r.notify(till.Notice{Code: "C91", Text: foreignChain})
		return nil
	}
	if err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	r.askTime()
	if r.started != 0 && ack.Seq >= r.started {
		r.started = 0
		close(r.proven)
	}
	return nil
}

// feedUplink sends the record that the uplink waits for, once it exists.
func (r *Register) feedUplink() {
	head, _ := r.ledger.journal.Head()
	if r.wanted == 0 || r.wanted > head {
		return
	}
	entry, err := r.ledger.journal.Read(r.wanted)
	if errors.Is(err, journal.ErrTrimmed) {
		// The cloud acknowledged it and then asked again: it lost its tail. The
		// oldest record still here is where it can go on.
		acked, _ := r.ledger.journal.Acked()
		r.log.Warn("cloud asks for a deleted record", "seq", r.wanted, "acked", acked)
		entry, err = r.ledger.journal.Read(acked + 1)
	}
	if err != nil {
		if !errors.Is(err, journal.ErrNotYet) {
			r.log.Error("journal read", "seq", r.wanted, "err", err.Error())
		}
		return
	}
	if r.send(uplink.Message{Op: "record", Seq: entry.Seq, Record: entry.Payload}) == nil {
		r.wanted = 0
	}
}

// authorize asks the cloud about a card. The answer is an event, and so is
// its absence.
func (r *Register) authorize(ctx context.Context, q record.AuthRequest) {
	reply := record.AuthReply{ID: q.ID, Result: "offline"}
	if err := r.send(uplink.Message{Op: "authorize", Auth: &q}); err != nil {
		r.again = append(r.again, till.Authorized{Reply: reply})
		return
	}
	// The till ignores an answer to a question it no longer asks.
	reply.Result = "no-answer"
	time.AfterFunc(authorizeWithin, func() { r.post(ctx, till.Authorized{Reply: reply}) })
}

var errNoUplink = errors.New("uplink is being started")

func (r *Register) send(m uplink.Message) error {
	r.mu.Lock()
	link := r.link
	r.mu.Unlock()
	if link == nil {
		return errNoUplink
	}
	err := link.Send(m)
	if err != nil && !errors.Is(err, uplink.ErrMessage) {
		r.hangUp(link)
	}
	return err
}

// hangUp gives up an uplink that is stuck or gone: it may cost the counter
// sendWithin once, not at every event. ServeUplink ends, and with it the child,
// which is then started again.
func (r *Register) hangUp(link *peer) {
	r.mu.Lock()
	if r.link == link {
		r.link = nil
	}
	r.mu.Unlock()
	_ = link.link.Close() //nolint:errcheck // nothing is left to lose on it
}
