package uplink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

const (
	// authorizeWithin bounds the wait for the card processor.
	authorizeWithin = 6 * time.Second
	// replyMax bounds its answer, in bytes.
	replyMax = 4 << 10
)

// authorizeLater asks the card processor without holding up the link.
func (u *uplink) authorizeLater(ctx context.Context, q record.AuthRequest) {
	select {
	case u.asking <- struct{}{}:
	default:
		u.reply(record.AuthReply{ID: q.ID, Result: resultOffline})
		return
	}
	go func() { // ends within authorizeWithin
		defer func() { <-u.asking }()
		u.reply(authorize(ctx, u.cloud.Load(), u.config.ID, q))
	}()
}

// reply reports to the parent; if that fails the link is gone, which listen
// sees.
func (u *uplink) reply(r record.AuthReply) {
	u.conn.Send(Message{Op: opReply, Reply: &r}) //nolint:errcheck,gosec // see above
}

// authorize says "offline" only when the question surely did not leave, and
// "no-answer" whenever the card may have been charged.
func authorize(ctx context.Context, nc *nats.Conn, id record.ID, q record.AuthRequest) record.AuthReply {
	unsent := record.AuthReply{ID: q.ID, Result: resultOffline}
	data, err := json.Marshal(q)
	if err != nil || nc == nil || !nc.IsConnected() {
		return unsent
	}
	ctx, cancel := context.WithTimeout(ctx, authorizeWithin)
	defer cancel()
	answer, err := nc.RequestWithContext(ctx, id.Subject("authorize"), data)
	if errors.Is(err, nats.ErrNoResponders) {
		return unsent // the server had nobody to give it to
	}
	unknown := record.AuthReply{ID: q.ID, Result: resultNoAnswer}
	if err != nil {
		return unknown
	}
	r, err := parseReply(answer.Data, q.ID)
	if err != nil {
		return unknown
	}
	return r
}

// parseReply accepts the processor's answer to this question, in its words
// only. An answer that cannot be read is none: the till then reverses.
func parseReply(data []byte, id string) (record.AuthReply, error) {
	if len(data) > replyMax {
		return record.AuthReply{}, fmt.Errorf("uplink: reply of %d bytes: %w", len(data), ErrMessage)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r record.AuthReply
	if d.Decode(&r) != nil || d.More() {
		return record.AuthReply{}, fmt.Errorf("uplink: reply: %w", ErrMessage)
	}
	if !validReply(&r) || r.ID != id || r.Result == resultOffline || r.Result == resultNoAnswer {
		return record.AuthReply{}, fmt.Errorf("uplink: reply: %w", ErrMessage)
	}
	return r, nil
}
