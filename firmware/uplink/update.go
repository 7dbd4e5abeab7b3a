package uplink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// Updates lie in an object store of the cloud, one for each store of the chain,
// under the name of their board. This process passes them on as they are: who
// signed them is checked by who writes them to a slot.

// Limits of an update's description.
const (
	metaMax   = 4 << 10
	nameMax   = 64
	chunksMax = 1 << 16
)

var errNoUpdate = errors.New("the cloud has no update")

// bucket is the object store of the register's store.
func bucket(id record.ID) string { return "regi_" + id.Store + "_updates" }

// fetcher is one update that is being passed on.
type fetcher struct {
	subject string // of its chunks
	chunks  uint64
	next    uint64 // chunk
	after   uint64 // sequence in the stream of the chunk before
}

// pass answers what the parent asks about updates, one question after the other.
func (u *uplink) pass(ctx context.Context) error {
	var f fetcher
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m := <-u.updates:
			var answer Message
			if m.Op == opUpdate {
				f, answer = u.describe(ctx, m.Detail)
			} else {
				answer = u.chunk(ctx, &f, m.Seq)
			}
			if err := u.conn.Send(answer); err != nil {
				return err
			}
		}
	}
}

// described is what an object store says of an object.
type described struct {
	Description string `json:"description"`
	NUID        string `json:"nuid"`
	Size        uint64 `json:"size"`
	Chunks      uint64 `json:"chunks"`
	Deleted     bool   `json:"deleted"`
}

// describe looks for an update. An empty answer says that there is none.
func (u *uplink) describe(ctx context.Context, name string) (f fetcher, answer Message) {
	answer = Message{Op: opUpdate}
	b := bucket(u.config.ID)
	subject := "$O." + b + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
	m, err := direct(ctx, u.cloud.Load(), directGet+"OBJ_"+b+"."+subject, nil)
	if err != nil {
		return f, answer
	}
	d, err := parseDescribed(m.Data)
	if err != nil {
		return f, answer
	}
	answer.Seq, answer.Detail = d.Size, d.Description
	return fetcher{subject: "$O." + b + ".C." + d.NUID, chunks: d.Chunks, next: 1}, answer
}

func parseDescribed(data []byte) (d described, err error) {
	if len(data) > metaMax || json.Unmarshal(data, &d) != nil {
		return d, fmt.Errorf("uplink: update: %w", errProtocol)
	}
	word := d.NUID != "" && len(d.NUID) <= nameMax && !strings.ContainsFunc(d.NUID, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
	if d.Deleted || !word || d.Size == 0 || d.Chunks == 0 || d.Chunks > chunksMax || d.Description == "" || !printable(d.Description, nameMax) {
		return d, fmt.Errorf("uplink: update: %w", errProtocol)
	}
	return d, nil
}

// chunk fetches the chunk of a number, which rise one by one. One without data
// says why in Detail, and ends the update.
func (u *uplink) chunk(ctx context.Context, f *fetcher, number uint64) Message {
	answer := Message{Op: opChunk, Seq: number}
	m, at, err := f.fetch(ctx, u.cloud.Load(), bucket(u.config.ID), number)
	if err != nil {
		*f = fetcher{}
		answer.Detail = clip(err.Error())
		return answer
	}
	f.next, f.after = number+1, at
	answer.Record = m.Data
	return answer
}

func (f *fetcher) fetch(ctx context.Context, nc *nats.Conn, bucket string, number uint64) (m *nats.Msg, at uint64, err error) {
	if number != f.next || number > f.chunks {
		return nil, 0, errNoUpdate
	}
	question, err := json.Marshal(struct {
		Seq  uint64 `json:"seq"`
		Next string `json:"next_by_subj"`
	}{f.after + 1, f.subject})
	if err != nil {
		return nil, 0, err
	}
	if m, err = direct(ctx, nc, directGet+"OBJ_"+bucket, question); err != nil {
		return nil, 0, err
	}
	at, err = streamSeq(m)
	if err != nil || m.Header.Get("Nats-Subject") != f.subject || at <= f.after || len(m.Data) == 0 || len(m.Data) > record.SealedMax {
		return nil, 0, fmt.Errorf("uplink: update: %w", errProtocol)
	}
	return m, at, nil
}

// direct asks a stream for one message.
func direct(ctx context.Context, nc *nats.Conn, subject string, question []byte) (*nats.Msg, error) {
	if nc == nil {
		return nil, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, subject, question)
	switch {
	case err != nil:
		return nil, fmt.Errorf("uplink: update: %w", err)
	case m.Header.Get("Status") != "":
		return nil, errNoUpdate
	}
	return m, nil
}
