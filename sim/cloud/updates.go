package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"regi/firmware/record"
)

const (
	// updatesBytesMax bounds the updates of a store: a few boards, two versions
	// each while one replaces the other.
	updatesBytesMax = 1 << 30
	// updateChunk keeps a record that waits behind a chunk waiting for 2 s at most
	// on a line of 64 kbit/s.
	updateChunk = 16 << 10
)

// updatesBucket is the object store of a store's updates.
func updatesBucket(store string) string { return "regi_" + store + "_updates" }

// makeBuckets makes one for each store that has a register.
func (s *secrets) makeBuckets(ctx context.Context, js jetstream.JetStream) error {
	made := map[string]bool{}
	for id := range s.users {
		if made[id.Store] {
			continue
		}
		made[id.Store] = true
		_, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: updatesBucket(id.Store), Storage: jetstream.FileStorage, MaxBytes: updatesBytesMax,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", updatesBucket(id.Store), err)
		}
	}
	return nil
}

// OfferUpdate puts a bundle where the registers of a store find it, by the name
// of their board. It replaces the one before.
func (c *Cloud) OfferUpdate(ctx context.Context, store, board, version string, bundle []byte) error {
	nc, err := c.secrets.connect(c.server.Addr().String(), c.secrets.staff.admin)
	if err != nil {
		return fmt.Errorf("cloud: update: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("cloud: update: %w", err)
	}
	o, err := js.ObjectStore(ctx, updatesBucket(store))
	if err != nil {
		return fmt.Errorf("cloud: update: %w", err)
	}
	meta := jetstream.ObjectMeta{Name: board, Description: version, Opts: &jetstream.ObjectMetaOptions{ChunkSize: updateChunk}}
	if _, err := o.Put(ctx, meta, bytes.NewReader(bundle)); err != nil {
		return fmt.Errorf("cloud: update: %w", err)
	}
	return nil
}

// SetFloor says which versions' records are accepted: those of this epoch and
// later. A register that starts with an older one is quarantined; what it sold
// waits in its journal.
func (c *Cloud) SetFloor(epoch uint64) {
	c.receiver.mu.Lock()
	defer c.receiver.mu.Unlock()
	c.receiver.floor = epoch
}

// Running is what a register said of itself when it last started.
type Running struct {
	Register string `json:"register"`
	Time     string `json:"time"`
	Version  string `json:"version"`
	// Slot, Epoch and Trial are empty where no flashed board runs.
	Slot  string `json:"slot,omitempty"`
	Epoch string `json:"epoch,omitempty"`
	Trial string `json:"trial,omitempty"`
	// Failed is a version that was tried on it and did not prove itself.
	Failed string `json:"failed,omitempty"`
}

// Running lists the version that each register runs, by the newest start in the
// ledger.
func (c *Cloud) Running(ctx context.Context) (list []Running, err error) {
	records, err := c.ledger.newest(ctx, record.FwBoot)
	if err != nil {
		return nil, fmt.Errorf("cloud: versions: %w", err)
	}
	for _, r := range records {
		v := Running{}
		if err := json.Unmarshal(r.Body, &v); err != nil {
			continue // of a version that said it otherwise
		}
		v.Register, v.Time = r.Register, r.Time
		list = append(list, v)
	}
	return list, nil
}

// newest returns the newest record of a kind of each register.
func (l *ledger) newest(ctx context.Context, kind record.Kind) (all []Record, err error) {
	rows, err := l.read.QueryContext(ctx, `SELECT r.register, r.time, r.body FROM registers JOIN records r ON r.register = registers.register AND r.seq =
		(SELECT seq FROM records WHERE register = registers.register AND kind = ? ORDER BY seq DESC LIMIT 1) ORDER BY r.register`, kind.String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			r    Record
			ms   int64
			body string
		)
		if err := rows.Scan(&r.Register, &ms, &body); err != nil {
			return nil, err
		}
		r.Time = time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
		r.Body = json.RawMessage(body)
		all = append(all, r)
	}
	return all, rows.Err()
}
