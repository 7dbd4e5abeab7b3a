package uplink

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// timeWithin bounds the wait for the cloud's time.
const timeWithin = 5 * time.Second

// timeLater passes the parent's question for the time on, without holding up the
// link. One is under way at a time: the parent asks again.
func (u *uplink) timeLater(ctx context.Context, nonce []byte) {
	select {
	case u.timing <- struct{}{}:
	default:
		return
	}
	go func() { // ends within timeWithin
		defer func() { <-u.timing }()
		if t := askTime(ctx, u.cloud.Load(), u.config.ID, nonce); t != nil {
			u.conn.Send(Message{Op: opClock, Time: t}) //nolint:errcheck,gosec // if the link is gone listen sees it
		}
	}()
}

// askTime returns nil where the cloud does not say. Whether it has signed for
// this question is checked by the parent.
func askTime(ctx context.Context, nc *nats.Conn, id record.ID, nonce []byte) *record.Time {
	if nc == nil || !nc.IsConnected() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeWithin)
	defer cancel()
	answer, err := nc.RequestWithContext(ctx, id.Subject("time"), nonce)
	if err != nil {
		return nil
	}
	t, err := record.ParseTime(answer.Data)
	if err != nil {
		return nil
	}
	return &t
}
