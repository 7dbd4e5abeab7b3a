package register

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"regi/firmware/update"
	"regi/firmware/uplink"
)

// Updates says what runs, and where the next version is put.
type Updates struct {
	Board, Version string
	// Failed was tried and did not prove itself: it is not fetched again.
	Failed string
	// Path is the file that a whole bundle becomes. Nobody has checked it then.
	Path string
	// Arrived is told that it is there.
	Arrived func(version string)
}

const (
	// updateFirst lets the day begin before the cloud is asked for an update.
	updateFirst = 30 * time.Second
	updateEvery = time.Hour
	// chunkWithin is how long one answer of the uplink may take: over its own.
	chunkWithin = 30 * time.Second
	// fetchWithin is for all of it, over a slow mobile line: whoever has the uplink
	// shall not keep an update away by sending it byte by byte.
	fetchWithin = time.Hour
)

var errNoAnswer = errors.New("the uplink does not answer")

// PullUpdates looks for a new version every hour, until ctx ends, and fetches
// it: each once. What is fetched and from when it counts is decided elsewhere.
func (r *Register) PullUpdates(ctx context.Context, u Updates) {
	for pause := updateFirst; ; pause = updateEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		version, err := r.pull(ctx, u, true)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("update", "err", err.Error())
		}
		if version != "" {
			r.log.Info("update fetched", "version", version)
			u.Arrived(version)
		}
	}
}

var errPulling = errors.New("an update is being fetched already")

// ErrOffline says that the cloud cannot be asked.
var ErrOffline = errors.New("the cloud is away")

// FetchUpdate fetches the version that the cloud has for this board now, also
// one that was fetched before, and returns it, or "" if that is what runs.
// u.Arrived is not told.
func (r *Register) FetchUpdate(ctx context.Context, u Updates) (version string, err error) {
	r.mu.Lock()
	online := r.online
	r.mu.Unlock()
	if !online {
		return "", ErrOffline
	}
	u.Failed = "" // a technician wants it
	return r.pull(ctx, u, false)
}

// pull returns the version that it fetched, "" if there is none but what runs
// or, with once, was fetched before.
func (r *Register) pull(ctx context.Context, u Updates, once bool) (version string, err error) {
	if !r.pulling.TryLock() {
		return "", errPulling
	}
	defer r.pulling.Unlock()
	r.mu.Lock()
	online := r.online
	r.mu.Unlock()
	if !online {
		return "", nil
	}
	offer, err := r.askUpdate(ctx, uplink.Message{Op: "update", Detail: u.Board})
	if err != nil {
		return "", err
	}
	if offer.Detail == "" || offer.Detail == u.Version || once && offer.Detail == r.fetched || offer.Detail == u.Failed {
		return "", nil
	}
	if offer.Seq == 0 || offer.Seq > uint64(update.BundleMax) {
		return "", fmt.Errorf("%s has %d bytes: %w", offer.Detail, offer.Seq, update.ErrTooLarge)
	}
	part := u.Path + ".part"
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // of the data partition
	if err != nil {
		return "", err
	}
	fetching, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	err = r.fetchUpdate(fetching, f, offer.Seq)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, u.Path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(part))
	}
	r.fetched = offer.Detail
	return offer.Detail, nil
}

// fetchUpdate fetches size bytes, chunk by chunk.
func (r *Register) fetchUpdate(ctx context.Context, f *os.File, size uint64) error {
	for number := uint64(1); size > 0; number++ {
		m, err := r.askUpdate(ctx, uplink.Message{Op: "fetch", Seq: number})
		if err != nil {
			return err
		}
		n := uint64(len(m.Record))
		if m.Op != "chunk" || m.Seq != number || n == 0 || n > size {
			return fmt.Errorf("chunk %d: %s", number, m.Detail)
		}
		if _, err := f.Write(m.Record); err != nil {
			return err
		}
		size -= n
	}
	return nil
}

// askUpdate asks the uplink and waits for its answer.
func (r *Register) askUpdate(ctx context.Context, q uplink.Message) (uplink.Message, error) {
	for len(r.pulled) > 0 {
		<-r.pulled // to a question that was given up
	}
	if err := r.send(q); err != nil {
		return uplink.Message{}, err
	}
	select {
	case m := <-r.pulled:
		return m, nil
	case <-ctx.Done():
		return uplink.Message{}, ctx.Err()
	case <-time.After(chunkWithin):
		return uplink.Message{}, errNoAnswer
	}
}

// Closed says that no shift is open: nobody is kept waiting by a restart.
func (r *Register) Closed() bool { return r.closed.Load() }

// Proven is closed once the cloud has signed for the record of this start: this
// version journals, seals, signs and sends.
func (r *Register) Proven() <-chan struct{} { return r.proven }
