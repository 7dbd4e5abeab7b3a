package cloud

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"regi/firmware/record"
)

const (
	consumerName = "receiver"
	// batchMax bounds the messages of one transaction.
	batchMax = 128
	// pendingMax bounds the messages that the server hands out unanswered.
	pendingMax = 4 * batchMax
	// askEvery is how long a register has to answer before it is asked again
	// for the same record.
	askEvery = 2 * time.Second
	// againAfter is the pause after a trouble of the database or the server.
	againAfter = 200 * time.Millisecond
	// askWithin bounds one call of the JetStream API.
	askWithin = 5 * time.Second
	// headerResend on the ack subject tells the register which record to go on
	// from.
	headerResend = "Regi-Resend"
)

// message is what the receiver reads of one message of the stream.
type message struct {
	subject string
	header  func(string) string
	body    []byte
	at      uint64 // the stream's sequence
}

// receiver takes records out of the stream into the ledger. The database says
// how far it is, so a message counts exactly once, whatever dies in between.
type receiver struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	ledger  *ledger
	opener  *record.Opener
	signer  ed25519.PrivateKey
	log     *slog.Logger
	changed func()

	mu       sync.Mutex // one transaction at a time, and what follows it
	stream   string     // which stream position counts in
	position uint64
	members  map[string]member
	asked    map[string]ask
	forgiven map[string]uint64 // highest record that a resend may bring again
	floor    uint64            // lowest epoch of a version that is accepted
}

// ask is the newest request to send again.
type ask struct {
	from uint64
	when time.Time
}

func newReceiver(ctx context.Context, c *Cloud) (*receiver, error) {
	r := &receiver{
		ledger: c.ledger, opener: c.secrets.opener, signer: c.secrets.signer, log: c.options.Log, changed: c.options.Changed,
		asked: map[string]ask{}, forgiven: map[string]uint64{},
	}
	var err error
	if r.members, err = r.ledger.members(ctx); err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	r.nc, err = c.secrets.connect(c.server.Addr().String(), c.secrets.staff.receiver, nats.CustomInboxPrefix(receiverInbox))
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	if r.js, err = jetstream.New(r.nc); err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	return r, nil
}

func (r *receiver) close() { r.nc.Close() }

// run receives until the context ends, from the start again after each trouble.
func (r *receiver) run(ctx context.Context) {
	for {
		err := r.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		r.log.Error("receiver", "err", err.Error())
		select {
		case <-ctx.Done():
			return
		case <-time.After(againAfter):
		}
	}
}

// receive goes on from the database's position.
func (r *receiver) receive(ctx context.Context) error {
	consumer, err := r.consumer(ctx)
	if err != nil {
		return err
	}
	r.repeat()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(pendingMax))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	defer messages.Stop()
	queue := make(chan jetstream.Msg, batchMax)
	failed := make(chan error, 1)
	done := make(chan struct{})
	defer close(done)
	go func() { // ends when Messages is stopped
		defer close(queue)
		for {
			m, err := messages.Next()
			if err != nil {
				failed <- err
				return
			}
			select {
			case queue <- m:
			case <-done:
				return
			}
		}
	}()
	for m := range queue {
		batch := []jetstream.Msg{m}
		for more := true; more && len(batch) < batchMax; {
			select {
			case m, open := <-queue:
				if more = open; open {
					batch = append(batch, m)
				}
			default:
				more = false
			}
		}
		if err := r.take(ctx, batch); err != nil {
			return err
		}
	}
	return <-failed
}

// consumer makes the durable consumer anew where the database ends: after a
// crash between commit and ack it would be behind, after a restored backup
// ahead.
func (r *receiver) consumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	stream, err := r.js.Stream(ctx, streamLedger)
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stream = info.Created.UTC().Format(time.RFC3339Nano)
	if r.position, err = r.ledger.position(ctx, r.stream); err != nil {
		return nil, err
	}
	if r.position > info.State.LastSeq {
		r.position = 0 // the stream was restored from an older copy
	}
	if err := r.js.DeleteConsumer(ctx, streamLedger, consumerName); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	return r.js.CreateConsumer(ctx, streamLedger, jetstream.ConsumerConfig{
		Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: pendingMax,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.position + 1,
	})
}

// take commits a batch, and only then signs for it and lets the stream go on.
func (r *receiver) take(ctx context.Context, batch []jetstream.Msg) error {
	ms := make([]message, 0, len(batch))
	for _, m := range batch {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		ms = append(ms, message{subject: m.Subject(), header: m.Headers().Get, body: m.Data(), at: meta.Sequence.Stream})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	touched, err := r.commit(ctx, ms)
	if err != nil {
		return err
	}
	for id, resend := range touched {
		r.acknowledge(id, resend)
	}
	for _, m := range batch {
		if err := m.Ack(); err != nil {
			return err
		}
	}
	r.changed()
	return nil
}

// commit makes the messages durable in one transaction. It returns the registers
// they are of, and which of those must send again.
func (r *receiver) commit(ctx context.Context, ms []message) (touched map[string]bool, err error) {
	b, err := r.ledger.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer b.tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	s := sitting{receiver: r, batch: b, members: maps.Clone(r.members), touched: map[string]bool{}}
	position := r.position
	for _, m := range ms {
		if err := s.one(ctx, m); err != nil {
			return nil, err
		}
		position = max(position, m.at)
	}
	for id := range s.touched {
		if m, enrolled := s.members[id]; enrolled {
			if err := b.put(ctx, id, m); err != nil {
				return nil, err
			}
		}
	}
	if err := b.exec(ctx, b.setPosition, r.stream, int64(position)); err != nil { //nolint:gosec // a count of messages
		return nil, err
	}
	if err := b.tx.Commit(); err != nil {
		return nil, err
	}
	r.members, r.position = s.members, position
	return s.touched, nil
}

// acknowledge signs for everything through the head, and asks for what comes
// after it if something was missing. r.mu is held.
func (r *receiver) acknowledge(id string, resend bool) {
	m, enrolled := r.members[id]
	if !enrolled || m.quarantined != 0 {
		return
	}
	register, err := record.ParseID(id)
	if err != nil {
		return
	}
	out := nats.NewMsg(register.Subject("ack"))
	if m.head > 0 {
		if out.Data, err = json.Marshal(record.SignAck(r.signer, register, m.head, m.hash)); err != nil {
			r.log.Error("acknowledge", "err", err.Error())
			return
		}
	}
	if m.gap > m.head || resend {
		last := r.asked[id]
		asked := last.from == m.head+1
		if asked && time.Since(last.when) < askEvery {
			return // all of it was just said; without the request it would hide it
		}
		if asked || resend {
			out.Header.Set(headerResend, strconv.FormatUint(m.head+1, 10))
			r.asked[id] = ask{from: m.head + 1, when: time.Now()}
		}
	}
	if len(out.Data) == 0 && len(out.Header) == 0 {
		return
	}
	if err := r.nc.PublishMsg(out); err != nil {
		r.log.Error("acknowledge", "err", err.Error())
	}
}

// repeat says again how far each register is: after a crash between commit and
// acknowledgement nobody knows.
func (r *receiver) repeat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, m := range r.members {
		r.acknowledge(id, m.gap > m.head)
	}
}

func (r *receiver) enroll(id record.ID, key ed25519.PublicKey) error {
	if _, err := id.MarshalText(); err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize {
		return record.ErrKey
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	m, known := r.members[id.String()]
	if known && m.key.Equal(key) && m.quarantined == 0 {
		return nil
	}
	b, err := r.ledger.begin(ctx)
	if err != nil {
		return err
	}
	defer b.tx.Rollback() //nolint:errcheck // after Commit it has nothing to do
	m.key, m.quarantined = key, 0
	refused := false // something was, and must be sent again
	for _, kind := range [...]string{AlarmUnknown, AlarmFork, AlarmVersion} {
		had, err := b.settle(ctx, id.String(), kind)
		if err != nil {
			return err
		}
		refused = refused || had
	}
	if err := b.put(ctx, id.String(), m); err != nil {
		return err
	}
	if err := b.tx.Commit(); err != nil {
		return err
	}
	r.members[id.String()] = m
	delete(r.asked, id.String())
	r.acknowledge(id.String(), refused)
	return nil
}

// registerOf reads the register out of "regi.v1.<store>.<register>.ledger".
func registerOf(subject string) (record.ID, error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 5 {
		return record.ID{}, record.ErrFormat
	}
	return record.ParseID(tokens[2] + "/" + tokens[3])
}
