package counter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits of the event streams.
const (
	streamsMax     = 16
	streamGap      = 50 * time.Millisecond // at most 20 looks a second
	streamTick     = time.Second           // a look without a bell
	keepAliveAfter = 15 * time.Second
	streamWrite    = 10 * time.Second // for a reader that does not read
	recordsAtOnce  = 100
)

// Bell wakes the open pages when something on the counter changes. Its zero
// value is ready, and Ring may be called from anywhere: it never waits.
type Bell struct {
	mu   sync.Mutex
	ears map[chan struct{}]struct{}
}

// Ring tells that something changed; each page finds out what.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ear := range b.ears {
		select {
		case ear <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// listen gives one of the bounded places; stop gives it back.
func (b *Bell) listen() (ear <-chan struct{}, stop func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ears) >= streamsMax {
		return nil, nil, false
	}
	if b.ears == nil {
		b.ears = map[chan struct{}]struct{}{}
	}
	mine := make(chan struct{}, 1)
	b.ears[mine] = struct{}{}
	return mine, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ears, mine)
	}, true
}

// getEvents sends a state event at once, then state, paper and record events as
// they happen. A record event's id is its sequence number: a browser that comes
// back goes on after the last it saw.
func (c *Counter) getEvents(w http.ResponseWriter, r *http.Request) {
	ear, stop, ok := c.Bell.listen()
	if !ok {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages are open: close one", streamsMax))
		return
	}
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	s := &stream{counter: c, w: w, flush: http.NewResponseController(w), lines: -1}
	if err := s.begin(r); err != nil {
		c.Log("events: %v", err)
		return
	}
	tick := time.NewTicker(streamTick)
	defer tick.Stop()
	for ctx := r.Context(); ; {
		more, err := s.look(ctx)
		if err != nil {
			return // the reader is gone, or the counter is being taken down
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(streamGap):
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ear:
		case <-tick.C:
		}
	}
}

// stream is one open page: what it has been told so far.
type stream struct {
	counter *Counter
	w       http.ResponseWriter
	flush   *http.ResponseController
	state   []byte
	lines   int
	seq     uint64 // of the newest record told
	wrote   time.Time
}

// begin finds where the ledger stands, so that only what comes later is an event.
func (s *stream) begin(r *http.Request) error {
	if seq, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		s.seq = seq
		return nil
	}
	s.seq = s.counter.state(r.Context()).Acknowledged
	for {
		records, err := s.counter.Cloud.Ledger(r.Context(), s.seq+1, recordsAtOnce)
		if err != nil {
			return err
		}
		if len(records) > 0 {
			s.seq = records[len(records)-1].Seq
		}
		if len(records) < recordsAtOnce {
			return nil
		}
	}
}

// look tells what changed since the last look; more says that there is more.
func (s *stream) look(ctx context.Context) (more bool, err error) {
	var out bytes.Buffer
	now := s.counter.state(ctx)
	b, err := json.Marshal(now)
	if err != nil {
		return false, fmt.Errorf("counter: state: %w", err)
	}
	if !bytes.Equal(b, s.state) {
		s.state = b
		fmt.Fprintf(&out, "event: state\ndata: %s\n\n", b)
	}
	if now.Printer.Lines != s.lines {
		s.lines = now.Printer.Lines
		fmt.Fprintf(&out, "event: paper\ndata: {\"lines\":%d}\n\n", s.lines)
	}
	if more, err = s.records(ctx, &out); err != nil {
		return false, err
	}
	return more, s.write(out.Bytes())
}

// records tells the next recordsAtOnce records.
func (s *stream) records(ctx context.Context, out *bytes.Buffer) (more bool, err error) {
	records, err := s.counter.Cloud.Ledger(ctx, s.seq+1, recordsAtOnce)
	if err != nil {
		return false, fmt.Errorf("counter: ledger: %w", err)
	}
	for _, r := range records {
		b, err := json.Marshal(r)
		if err != nil {
			return false, fmt.Errorf("counter: record %d: %w", r.Seq, err)
		}
		fmt.Fprintf(out, "event: record\nid: %d\ndata: %s\n\n", r.Seq, b)
		s.seq = r.Seq
	}
	return len(records) == recordsAtOnce, nil
}

// write sends events at once; a comment now and then shows that the way is open.
func (s *stream) write(events []byte) error {
	if len(events) == 0 {
		if time.Since(s.wrote) < keepAliveAfter {
			return nil
		}
		events = []byte(": still here\n\n")
	}
	s.wrote = time.Now()
	if err := s.flush.SetWriteDeadline(s.wrote.Add(streamWrite)); err != nil {
		return fmt.Errorf("counter: events: %w", err)
	}
	if _, err := s.w.Write(events); err != nil {
		return fmt.Errorf("counter: events: %w", err)
	}
	return s.flush.Flush() //nolint:wrapcheck // only its being an error counts
}
