package register

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
)

// ledger is the durable side of the loop. Two files work together:
//
//   - the journal holds the sealed records, which this register cannot read;
//   - the checkpoint holds the till's working state after record seq, and a
//     fresh key for one note.
//
// Each batch of records carries, in the same synced write, the event that
// caused it, encrypted with the key of the checkpoint before. After a power
// cut either the checkpoint is up to date, or it is one event behind and the
// till, being a pure function, handles that event again. The next checkpoint
// destroys the key: what waits in the journal stays unreadable.
type ledger struct {
	sealer     *record.Sealer
	journal    *journal.Journal
	checkpoint *journal.Checkpoint
	last       time.Time // of the newest record
	redoKey    []byte    // the key in the newest checkpoint
	saved      []byte    // the till state in it
	savedSeq   uint64    // and the record it follows
	saving     chan error
}

// checkpointFile is the content of the checkpoint.
type checkpointFile struct {
	Seq   uint64          `json:"seq"`
	Time  time.Time       `json:"time"`
	Redo  []byte          `json:"redo"` // AES-256 key for the next batch's note
	State json.RawMessage `json:"state"`
}

// redoNote is the event behind a batch of records.
type redoNote struct {
	Index int             `json:"index"` // of this record within its batch
	Now   time.Time       `json:"now"`
	Event json.RawMessage `json:"event"`
}

const journalBytesMax = 1 << 30

// The folders of the state folder. The checkpoint has one of its own because a
// larger one is made beside it.
const (
	journalFolder    = "journal"
	checkpointFolder = "checkpoint"
	checkpointName   = "till"
)

// Folders are the folders below a state folder that a running register writes
// in; it writes nowhere else.
func Folders(stateDir string) []string {
	return []string{filepath.Join(stateDir, journalFolder), filepath.Join(stateDir, checkpointFolder)}
}

func openLedger(c Config) (*ledger, *till.Till, error) {
	if c.journal.BytesMax == 0 {
		c.journal.BytesMax = journalBytesMax
	}
	j, err := journal.Open(filepath.Join(c.StateDir, journalFolder), c.journal)
	if err != nil {
		return nil, nil, err
	}
	cp, err := openCheckpoint(c.StateDir)
	if err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	l := &ledger{sealer: record.NewSealer(c.ID, c.Key, c.SealTo), journal: j, checkpoint: cp, saving: make(chan error, 1)}
	l.saving <- nil
	var t *till.Till
	if err = l.belongsTo(c.ID); err == nil {
		t, err = l.recover(c.Till)
	}
	if err != nil {
		return nil, nil, errors.Join(err, j.Close(), cp.Close())
	}
	return l, t, nil
}

// openCheckpoint makes the folder, so that it survives a power cut, and opens
// what is in it.
func openCheckpoint(stateDir string) (*journal.Checkpoint, error) {
	dir := filepath.Join(stateDir, checkpointFolder)
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		var above *os.File
		if above, err = os.Open(stateDir); err == nil { //nolint:gosec // the configuration names it
			err = errors.Join(above.Sync(), above.Close())
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return journal.OpenCheckpoint(filepath.Join(dir, checkpointName))
}

// belongsTo refuses the state of another register: its chain goes on under its
// own name only.
func (l *ledger) belongsTo(id record.ID) error {
	last, ok := l.journal.Last()
	if !ok {
		return nil
	}
	var s record.Sealed
	if err := s.UnmarshalBinary(last.Payload); err != nil {
		return fmt.Errorf("record %d: %w", last.Seq, err)
	}
	if s.ID != id {
		return fmt.Errorf("this state folder belongs to register %s, the configuration says %s: correct register.store and register.id, or name an empty register.state", s.ID, id)
	}
	return nil
}

// recover brings the till to the state after the journal's last record.
func (l *ledger) recover(config till.Config) (*till.Till, error) {
	head, _ := l.journal.Head()
	var file checkpointFile
	var state till.State
	data, seq, ok := l.checkpoint.Load()
	switch {
	case !ok && head > 0:
		return nil, fmt.Errorf("the till's working state is lost, though the journal holds %d records: restore the state folder, or enrol this register anew", head)
	case ok:
		if err := json.Unmarshal(data, &file); err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		if err := json.Unmarshal(file.State, &state); err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
	}
	if seq > head {
		return nil, fmt.Errorf("the journal ends at record %d, but record %d was written: it was damaged or swapped; call service", head, seq)
	}
	l.last, l.redoKey = file.Time, file.Redo
	t := till.New(config, state)
	if head > seq {
		if err := l.redo(t, head-seq); err != nil {
			return nil, err
		}
	}
	return t, l.save(t.State())
}

// redo handles the one event again whose records reached the journal when the
// state after it did not. Its effects are not carried out: nobody knows which
// of them were, and the till asks after a restart.
func (l *ledger) redo(t *till.Till, done uint64) error {
	entry, _ := l.journal.Last()
	var newest record.Sealed // its body is closed to us, its header is not
	if err := newest.UnmarshalBinary(entry.Payload); err != nil {
		return fmt.Errorf("redo of record %d: %w", entry.Seq, err)
	}
	l.last = time.UnixMilli(newest.Time)
	if len(entry.Aux) == 0 && done == 1 {
		return nil // the shell's own record: it does not change the till
	}
	aead, err := redoCipher(l.redoKey)
	if err != nil {
		return err
	}
	plain, err := aead.Open(nil, nil, entry.Aux, entry.Prev[:])
	if err != nil {
		return fmt.Errorf("redo of record %d: %w", entry.Seq, err)
	}
	var n redoNote
	if err := json.Unmarshal(plain, &n); err != nil {
		return fmt.Errorf("redo of record %d: %w", entry.Seq, err)
	}
	if done != uint64(n.Index)+1 { //nolint:gosec // an index within one batch
		return fmt.Errorf("redo: %d records to account for, the last is number %d of its batch", done, n.Index+1)
	}
	event, err := till.UnmarshalEvent(n.Event)
	if err != nil {
		return fmt.Errorf("redo of record %d: %w", entry.Seq, err)
	}
	missing := records(t.Handle(n.Now, event))[n.Index+1:]
	return l.append(batch{now: n.Now, event: n.Event, first: n.Index + 1, records: missing})
}

func redoCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("redo: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func records(effects []till.Effect) []till.Record {
	var rs []till.Record
	for _, e := range effects {
		if r, ok := e.(till.Record); ok {
			rs = append(rs, r)
		}
	}
	return rs
}

// commit makes the event's records durable: on return they exist. The state
// after them is saved while the effects are carried out; the next event waits
// for that.
func (l *ledger) commit(now time.Time, e till.Event, effects []till.Effect, after till.State) error {
	if err := l.wait(); err != nil {
		return err
	}
	if rs := records(effects); len(rs) > 0 {
		event, err := till.MarshalEvent(e)
		if err != nil {
			return err
		}
		if err := l.append(batch{now: now, event: event, records: rs}); err != nil {
			return err
		}
	}
	return l.saveLater(after)
}

// note appends a record of the shell itself.
func (l *ledger) note(now time.Time, kind record.Kind, body any) error {
	if err := l.wait(); err != nil {
		return err
	}
	if err := l.append(batch{now: now, records: []till.Record{{Kind: kind, Body: body}}}); err != nil {
		return err
	}
	return l.store(l.saved)
}

// batch is the records of one event; first counts those of it that are
// already in the journal.
type batch struct {
	now     time.Time
	event   json.RawMessage // nil: the shell's own record
	first   int
	records []till.Record
}

// append seals, chains and writes a batch in one synced write. Ledger time
// never stands still or goes back, whatever the clock does. The end of the
// register does not cut a write off.
func (l *ledger) append(b batch) error {
	if len(b.records) == 0 {
		return nil
	}
	seq, prev := l.journal.Head()
	entries := make([]journal.Entry, 0, len(b.records))
	at := l.last
	for i, r := range b.records {
		seq++
		if at = at.Add(time.Millisecond); b.now.After(at) {
			at = b.now.Truncate(time.Millisecond)
		}
		sealed, err := l.sealer.Seal(r.Kind, seq, at, prev, r.Body)
		if err != nil {
			return err
		}
		payload, err := sealed.MarshalBinary()
		if err != nil {
			return err
		}
		entry := journal.Entry{Seq: seq, Prev: prev, Hash: sealed.Hash(), Payload: payload}
		if b.event != nil {
			if entry.Aux, err = l.sealNote(redoNote{Index: b.first + i, Now: b.now, Event: b.event}, prev); err != nil {
				return err
			}
		}
		entries = append(entries, entry)
		prev = entry.Hash
	}
	if err := l.journal.Append(context.Background(), entries...); err != nil {
		return err
	}
	l.last = at
	return nil
}

func (l *ledger) sealNote(n redoNote, prev record.Hash) ([]byte, error) {
	plain, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("redo: %w", err)
	}
	aead, err := redoCipher(l.redoKey)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, prev[:]), nil //nolint:gosec // the nonce is random, and the cipher's own business
}

// wait ends when the newest checkpoint is on disk.
func (l *ledger) wait() error {
	err := <-l.saving
	l.saving <- err
	return err
}

func (l *ledger) save(s till.State) error {
	state, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return l.store(state)
}

// store writes a checkpoint with a fresh key, which ends the life of the notes
// written under the one before.
func (l *ledger) store(state []byte) error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	head, _ := l.journal.Head()
	data, err := json.Marshal(checkpointFile{Seq: head, Time: l.last, Redo: key, State: state})
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := l.checkpoint.Store(head, data); err != nil {
		return err
	}
	l.redoKey, l.saved, l.savedSeq = key, state, head
	return nil
}

// saveLater stores the state in the background when it has changed.
func (l *ledger) saveLater(s till.State) error {
	if err := <-l.saving; err != nil {
		l.saving <- err
		return err
	}
	go func() {
		l.saving <- l.storeAhead(s) // wait and close await it
		collectAhead()
	}()
	return nil
}

// freeMax bytes may be kept from the kernel for objects to come.
const freeMax = 1 << 20

// collectAhead collects garbage long before the runtime would: that does so when
// an event allocates, and makes that event pay for it. What a start or a long
// receipt took goes back to the kernel.
func collectAhead() {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	if live, goal, objects := heap[0].Value.Uint64(), heap[1].Value.Uint64(), heap[2].Value.Uint64(); objects > live+(goal-live)/4 {
		runtime.GC()
	}
	free := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}}
	if metrics.Read(free); free[0].Value.Uint64() > freeMax {
		debug.FreeOSMemory()
	}
}

// storeAhead stores the state, and does what it can of the next event's work
// before anybody waits for it: the journal's next segment, the seals.
func (l *ledger) storeAhead(s till.State) error {
	state, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if head, _ := l.journal.Head(); head == l.savedSeq && bytes.Equal(state, l.saved) {
		return nil
	}
	if err := l.store(state); err != nil {
		return err
	}
	_ = l.journal.Prepare() //nolint:errcheck // the Append that needs the segment tries again, and says why not
	l.sealer.Ahead()
	return nil
}

// headDigits of the hash stand on paper: as many as an eye compares.
const headDigits = 16

// head names the newest record, for a report on paper: its number and the first
// digits of its hash as the console and the cloud write it.
func (l *ledger) head() string {
	seq, hash := l.journal.Head()
	return fmt.Sprintf("%d %s", seq, hash.String()[:headDigits])
}

func (l *ledger) close() error {
	return errors.Join(l.wait(), l.journal.Close(), l.checkpoint.Close())
}
