package uplink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"regi/firmware/record"
)

// Pauses between attempts to reach the cloud. Half of each is random: a chain's
// registers lose their cloud together and must not come back together.
const (
	pauseMin = 100 * time.Millisecond
	pauseMax = 5 * time.Second
	// filesPause is how long a process lives that could not open its CA or its
	// credentials: another one may be able to.
	filesPause = 30 * time.Second
	// forkPause is how often the stream is looked at after a fork.
	forkPause = 30 * time.Second
	// steadyAfter: after a session of this length the pauses start again, as
	// they do when a good line is lost.
	steadyAfter = 10 * time.Second
)

// Limits of what waits in this process.
const (
	// recordsMax bounds answers that no session has taken yet: one that was
	// asked for ahead, and those of questions that a later one replaced.
	recordsMax = 8
	// authorizeMax bounds authorisations under way; a counter has one.
	authorizeMax = 4
)

// uplink is the process. Its sessions follow one another; what outlives them
// is here.
type uplink struct {
	conn    *Conn
	config  Config
	files   files
	records chan *record.Sealed // what the parent sent, in its order
	asking  chan struct{}       // one place per authorisation under way
	timing  chan struct{}       // one place: a question for the time under way
	updates chan Message        // questions about them
	cloud   atomic.Pointer[nats.Conn]

	// Of the sessions' goroutine alone.
	conflict *record.Sealed // of ours, which did not fit the stream
	top      uint64         // highest sequence known to have been in the stream

	mu   sync.Mutex
	told Message // the state that the parent knows
}

// Main serves one parent until the link or the context ends. A link that ends
// is no error: the parent is gone. confine, if any, is called once everything
// is open that the configuration names; no file needs to be opened after it.
func Main(ctx context.Context, link *os.File, confine func(Config)) error {
	u := &uplink{
		conn: NewConn(link), records: make(chan *record.Sealed, recordsMax), asking: make(chan struct{}, authorizeMax), timing: make(chan struct{}, 1), updates: make(chan Message, 1),
	}
	stop := context.AfterFunc(ctx, func() { link.Close() }) //nolint:errcheck,gosec // ends Recv
	defer stop()
	first, err := u.conn.Recv()
	if err != nil {
		return ended(ctx, err)
	}
	if first.Config == nil {
		return fmt.Errorf("uplink: %s before the configuration: %w", first.Op, ErrMessage)
	}
	u.config = *first.Config
	u.files = openFiles(u.config)
	if confine != nil {
		confine(u.config)
	}
	g, ctx := errgroup.WithContext(ctx)
	stopListening := context.AfterFunc(ctx, func() { link.Close() }) //nolint:errcheck,gosec // ends Recv
	defer stopListening()
	g.Go(func() error { return u.listen(ctx) })
	g.Go(func() error { return u.serve(ctx) })
	g.Go(func() error { return u.pass(ctx) })
	return ended(ctx, g.Wait())
}

// ended drops what only says that the parent, or whoever runs us, has ended.
func ended(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return nil
	case ctx.Err() != nil && (errors.Is(err, os.ErrClosed) || errors.Is(err, context.Canceled)):
		return nil
	}
	return err
}

// listen takes what the parent sends. It never waits for the cloud.
func (u *uplink) listen(ctx context.Context) error {
	for {
		m, err := u.conn.Recv()
		if err != nil {
			return err
		}
		switch m.Op {
		case opRecord:
			if err := u.take(m); err != nil {
				return err
			}
		case opAuthorize:
			u.authorizeLater(ctx, *m.Auth)
		case opTime:
			u.timeLater(ctx, m.Record)
		case opUpdate, opFetch:
			select {
			case u.updates <- m:
			default:
				return fmt.Errorf("uplink: %s before the answer to the last: %w", m.Op, ErrMessage)
			}
		default:
			return fmt.Errorf("uplink: %s from the parent: %w", m.Op, ErrMessage)
		}
	}
}

// take checks a record before it is published under this register's name.
func (u *uplink) take(m Message) error {
	var r record.Sealed
	if err := r.UnmarshalBinary(m.Record); err != nil {
		return fmt.Errorf("uplink: record %d: %w", m.Seq, err)
	}
	if r.Seq != m.Seq || r.ID != u.config.ID {
		return fmt.Errorf("uplink: record %d is %d of %s: %w", m.Seq, r.Seq, r.ID, ErrMessage)
	}
	select {
	case u.records <- &r:
		return nil
	default:
		return fmt.Errorf("uplink: record %d: not asked for: %w", m.Seq, ErrMessage)
	}
}

// serve keeps a session with the cloud for ever.
func (u *uplink) serve(ctx context.Context) error {
	pause, born := pauseMin, time.Now()
	for {
		began := time.Now()
		err := u.session(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		lost := u.isUp() && errors.Is(err, errClosed)
		if err := u.tell(false, reason(err)); err != nil {
			return err
		}
		if lost || time.Since(began) > steadyAfter {
			pause = pauseMin
		}
		if u.files.missing() && time.Since(born) > filesPause {
			return errFiles
		}
		wait := pause
		if errors.Is(err, errFork) {
			wait = forkPause
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait/2 + rand.N(wait/2)): //nolint:gosec // spreads load, hides nothing
		}
		pause = min(2*pause, pauseMax)
	}
}

// tell lets the parent know a state that it does not know yet.
func (u *uplink) tell(up bool, detail string) error {
	m := Message{Op: opState, Up: up, Detail: clip(detail)}
	u.mu.Lock()
	defer u.mu.Unlock()
	if m.Up == u.told.Up && m.Detail == u.told.Detail && u.told.Op != "" {
		return nil
	}
	u.told = m
	return u.conn.Send(m)
}

func (u *uplink) isUp() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.told.Up
}

// clip makes text of the network fit for a display.
func clip(s string) string {
	s = strings.Map(func(c rune) rune {
		if !printable(string(c), detailMax) || c == '\uFFFD' {
			return '?'
		}
		return c
	}, s)
	for i := range s {
		if i > detailMax-4 {
			return s[:i]
		}
	}
	return s
}
