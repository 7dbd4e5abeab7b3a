package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// Names of the cloud.
const (
	streamLedger = "LEDGER"
	streamAcks   = "ACKS"
	directGet    = "$JS.API.DIRECT.GET."
	headerResend = "Regi-Resend" // on the ack subject: the sequence to go on from
)

// Times of one exchange with the stream.
const (
	lookWithin    = 20 * time.Second // a record of 60 KiB at 64 kbit/s takes 8 s
	publishWithin = 5 * time.Second
	// perByte is added for each byte of a record: half the speed of that line.
	perByte = 250 * time.Microsecond
	// againAfter is the pause before the stream is asked again.
	againAfter = 50 * time.Millisecond
	// attemptsMax bounds the attempts at one record in one session.
	attemptsMax = 5
)

// Error codes of JetStream.
const (
	wrongLast        = 10071 // the subject's last sequence is another one
	wrongLastCluster = 10164 // the same, from a cluster that does not agree yet
)

// Status of an answer without data.
const (
	notFound     = "404"
	noResponders = "503"
)

// Limits of what the cloud sends, in bytes.
const (
	pubAckMax = 4 << 10
	acksMax   = 256 // messages waiting, see subscribe
)

// session is one connection and the goroutine that publishes over it.
type session struct {
	*uplink
	nc      *nats.Conn
	end     context.CancelCauseFunc
	answers *nats.Subscription // to publishes
	acks    newest[record.Ack]
	resend  newest[uint64] // the receiver's request to go on from there
	sent    atomic.Uint64  // the record that was published last

	// Of the publishing goroutine alone.
	head   head
	wanted uint64 // the parent was asked for it last
	number uint64 // of publishes
	jumped bool   // the next record need not follow head: it is sent again
}

// session connects, learns what the cloud has, and sends until something ends.
func (u *uplink) session(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	nc, err := dial(ctx, u.config, &u.files, end)
	if err != nil {
		return err
	}
	defer nc.Close()
	u.cloud.Store(nc)
	defer u.cloud.Store(nil)
	s := &session{uplink: u, nc: nc, end: end, acks: make(newest[record.Ack], 1), resend: make(newest[uint64], 1)}
	var passing sync.WaitGroup
	passing.Go(func() { s.passAcks(ctx) })
	defer passing.Wait()
	defer end(nil)
	if err := s.begin(ctx); err != nil {
		return s.cause(ctx, err)
	}
	if err := u.tell(true, ""); err != nil {
		return err
	}
	return s.cause(ctx, s.publish(ctx))
}

// cause prefers why the connection ended over how its user noticed.
func (s *session) cause(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, errFork) {
		return context.Cause(ctx)
	}
	return err
}

// begin learns the newest acknowledgement and the stream's head.
func (s *session) begin(ctx context.Context) error {
	if err := s.subscribe(ctx); err != nil {
		return err
	}
	var err error
	if s.head, err = s.look(ctx); err != nil {
		return err
	}
	if s.conflict != nil && judge(s.conflict, head{}, s.head, 0) == forked {
		return errFork
	}
	s.conflict = nil
	for len(s.records) > 0 {
		<-s.records // asked for by an earlier session
	}
	return s.want(s.head.seq + 1)
}

// subscribe hears acknowledgements from now on, and fetches the newest of those
// before.
func (s *session) subscribe(ctx context.Context) error {
	subject := s.config.ID.Subject("ack")
	var err error
	if s.answers, err = s.nc.SubscribeSync(s.answer("*")); err != nil {
		return fmt.Errorf("uplink: subscribe: %w", err)
	}
	sub, err := s.nc.Subscribe(subject, s.hear)
	if err != nil {
		return fmt.Errorf("uplink: subscribe: %w", err)
	}
	if err := sub.SetPendingLimits(acksMax, acksMax*pubAckMax); err != nil {
		return fmt.Errorf("uplink: subscribe: %w", err)
	}
	last, err := s.last(ctx, streamAcks, subject)
	if err != nil {
		return err
	}
	if last != nil {
		s.hear(last)
	}
	return nil
}

// answer is the subject of the answer to one publish.
func (s *session) answer(number string) string { return s.config.ID.Subject("inbox.sent." + number) }

// publish sends one record after the other.
func (s *session) publish(ctx context.Context) error {
	for {
		r, err := s.next(ctx)
		if err != nil {
			return err
		}
		if !s.jumped && r.Seq == s.head.seq+1 && r.Prev != s.head.hash {
			s.conflict = r
			return errFork
		}
		if err := s.deliver(ctx, r); err != nil {
			return err
		}
	}
}

// next waits for the record that was wanted last.
func (s *session) next(ctx context.Context) (*record.Sealed, error) {
	var twice uint64
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case from := <-s.resend:
			if from >= s.wanted {
				continue // it is on its way already
			}
			s.jumped, s.top = true, max(s.top, s.head.seq)
			if err := s.want(from); err != nil {
				return nil, err
			}
		case r := <-s.records:
			switch {
			case r.Seq == s.wanted, r.Seq == twice:
				return r, nil
			case r.Seq > s.wanted:
				// Either the oldest that the parent still has, or the answer to a
				// question that was taken back. It says so twice if it is the former.
				twice = r.Seq
				if err := s.want(s.wanted); err != nil {
					return nil, err
				}
			}
		}
	}
}

func (s *session) want(seq uint64) error {
	s.wanted = seq
	return s.conn.Send(Message{Op: opWant, Seq: seq})
}

// deliver returns when the record is the stream's head, or when the stream
// turned out to end elsewhere, which is then what is wanted.
func (s *session) deliver(ctx context.Context, r *record.Sealed) error {
	for range attemptsMax {
		at, err := s.send(ctx, r)
		switch {
		case err == nil:
			s.delivered(r, at)
			return nil
		case !errors.Is(err, errLook):
			return err
		}
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		switch judge(r, s.head, now, s.top) {
		case delivered:
			s.delivered(r, now.at)
			return nil
		case moved:
			s.head, s.jumped = now, false
			return s.want(now.seq + 1)
		case forked:
			s.conflict = r
			return errFork
		case resend:
			s.head = now
		}
		if err := sleep(ctx, againAfter); err != nil {
			return err
		}
	}
	return errStalled
}

func (s *session) delivered(r *record.Sealed, at uint64) {
	s.head, s.jumped, s.top = head{at: at, seq: r.Seq, hash: r.Hash()}, false, max(s.top, r.Seq)
}

// errLook: only a look at the stream tells what became of the record.
var errLook = errors.New("look")

// send publishes a record to follow the head that we know, and returns where
// the stream has put it.
func (s *session) send(ctx context.Context, r *record.Sealed) (at uint64, err error) {
	s.number++
	m := &nats.Msg{
		Subject: s.config.ID.Subject("ledger"), Reply: s.answer(strconv.FormatUint(s.number, 10)), Data: r.Body, Header: nats.Header{},
	}
	for name, value := range r.NATS() {
		m.Header[name] = []string{value}
	}
	m.Header[nats.ExpectedLastSubjSeqHdr] = []string{strconv.FormatUint(s.head.at, 10)}
	s.sent.Store(r.Seq)
	if err := s.nc.PublishMsg(m); err != nil {
		return 0, fmt.Errorf("uplink: publish: %w", err)
	}
	if s.wanted <= r.Seq {
		// The parent fetches the next one while this one is on its way.
		if err := s.want(r.Seq + 1); err != nil {
			return 0, err
		}
	}
	within, cancel := context.WithTimeout(ctx, publishWithin+time.Duration(len(r.Body))*perByte)
	defer cancel()
	for {
		answer, err := s.answers.NextMsgWithContext(within)
		switch {
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		case err != nil && within.Err() != nil:
			return 0, errLook // not heard of, which is not the same as not stored
		case err != nil:
			return 0, fmt.Errorf("uplink: publish: %w", err)
		case answer.Subject != m.Reply:
			continue // to an earlier attempt, too late
		case answer.Header.Get("Status") == noResponders:
			return 0, errStream
		}
		return parsePubAck(answer.Data)
	}
}

// pubAck is JetStream's answer to a publish.
type pubAck struct {
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
	Error  *struct {
		Code        int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

func parsePubAck(data []byte) (seq uint64, err error) {
	var a pubAck
	if len(data) > pubAckMax || json.Unmarshal(data, &a) != nil {
		return 0, fmt.Errorf("uplink: publish: %w", errProtocol)
	}
	switch {
	case a.Error != nil && (a.Error.Code == wrongLast || a.Error.Code == wrongLastCluster):
		return 0, errLook
	case a.Error != nil:
		return 0, fmt.Errorf("the cloud cannot store: error %d, %s", a.Error.Code, a.Error.Description)
	case a.Stream != streamLedger || a.Seq == 0:
		return 0, fmt.Errorf("uplink: publish: %w", errProtocol)
	}
	return a.Seq, nil
}

// look reads the head of our own subject. A message there that is no record of
// this register means that somebody else writes under its name.
func (s *session) look(ctx context.Context) (head, error) {
	last, err := s.last(ctx, streamLedger, s.config.ID.Subject("ledger"))
	if err != nil || last == nil {
		return head{}, err
	}
	at, err := streamSeq(last)
	if err != nil {
		return head{}, fmt.Errorf("uplink: look: %w", err)
	}
	r, err := record.FromNATS(s.config.ID, last.Header.Get, last.Data)
	if err != nil {
		return head{}, errFork
	}
	return head{at: at, seq: r.Seq, hash: r.Hash()}, nil
}

// streamSeq is where a stream has a message.
func streamSeq(m *nats.Msg) (uint64, error) {
	at, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil || at == 0 {
		return 0, errProtocol
	}
	return at, nil
}

// last returns the newest message of a subject that a stream keeps, or nil.
func (s *session) last(ctx context.Context, stream, subject string) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	m, err := s.nc.RequestWithContext(ctx, directGet+stream+"."+subject, nil)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, errStream
	case err != nil:
		return nil, fmt.Errorf("uplink: look: %w", err)
	}
	switch m.Header.Get("Status") {
	case "":
	case notFound:
		return nil, nil //nolint:nilnil // no message is an answer
	default:
		return nil, fmt.Errorf("uplink: look: %w", errProtocol)
	}
	if m.Header.Get("Nats-Subject") != subject {
		return nil, fmt.Errorf("uplink: look: %w", errProtocol)
	}
	return m, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
