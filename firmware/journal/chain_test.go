package journal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"regi/firmware/journal"
	"regi/firmware/record"
)

// chain is what a journal must hold: record n is es[n-1].
type chain struct {
	es    []journal.Entry
	acked uint64
}

// size is what goes into an entry, in bytes.
type size struct{ payload, aux int }

func (c chain) head() (uint64, record.Hash) { return c.at(uint64(len(c.es))) }

func (c chain) at(seq uint64) (uint64, record.Hash) {
	if seq == 0 {
		return 0, record.Hash{}
	}
	return seq, c.es[seq-1].Hash
}

// next makes entries that follow the head, with content of r.
func (c chain) next(r *rand.ChaCha8, sizes ...size) []journal.Entry {
	seq, prev := c.head()
	es := make([]journal.Entry, len(sizes))
	for i, s := range sizes {
		seq++
		b := make([]byte, s.payload+s.aux)
		_, _ = r.Read(b)
		es[i] = entry(seq, prev, b[:s.payload:s.payload], b[s.payload:])
		prev = es[i].Hash
	}
	return es
}

// entry is a record of a chain whose hash is over its place and its payload.
func entry(seq uint64, prev record.Hash, payload, aux []byte) journal.Entry {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, seq)
	_, _ = h.Write(prev[:])
	_, _ = h.Write(payload)
	return journal.Entry{Seq: seq, Prev: prev, Hash: record.Hash(h.Sum(nil)), Payload: payload, Aux: aux}
}

// with is the chain after an Append of es.
func (c chain) with(es ...journal.Entry) chain {
	c.es = append(c.es[:len(c.es):len(c.es)], es...)
	return c
}

// trimmed is the chain after a Trim.
func (c chain) trimmed(seq uint64) chain {
	c.acked = max(c.acked, seq)
	return c
}

// check compares a journal with the chain, record by record.
func (c chain) check(j *journal.Journal) error {
	seq, hash := j.Head()
	if s, h := c.head(); seq != s || hash != h {
		return fmt.Errorf("head is %d %.8s, want %d %.8s", seq, hash, s, h)
	}
	ackedSeq, ackedHash := j.Acked()
	if s, h := c.at(c.acked); ackedSeq != s || ackedHash != h {
		return fmt.Errorf("acknowledged is %d, want %d", ackedSeq, s)
	}
	if d := j.Depth(); d != seq-c.acked {
		return fmt.Errorf("depth is %d, want %d", d, seq-c.acked)
	}
	gone := true // until the first record that is there
	for i := range c.es {
		e, err := j.Read(uint64(i) + 1)
		if gone && uint64(i) < c.acked && errors.Is(err, journal.ErrTrimmed) {
			continue
		}
		gone = false
		if err != nil {
			return err
		}
		if err := same(e, c.es[i]); err != nil {
			return err
		}
	}
	for _, seq := range []uint64{seq + 1, seq + 2, 1<<64 - 1} {
		if _, err := j.Read(seq); !errors.Is(err, journal.ErrNotYet) {
			return fmt.Errorf("read of record %d past the head: %v", seq, err) //nolint:errorlint // may be nil
		}
	}
	last, ok := j.Last()
	if ok != (seq > 0) {
		return fmt.Errorf("last: %v with head %d", ok, seq)
	}
	if ok {
		return same(last, c.es[seq-1])
	}
	return nil
}

func same(got, want journal.Entry) error {
	if got.Seq != want.Seq || got.Hash != want.Hash || got.Prev != want.Prev ||
		!bytes.Equal(got.Payload, want.Payload) || !bytes.Equal(got.Aux, want.Aux) {
		return fmt.Errorf("record %d is not the one that was written (read as %d)", want.Seq, got.Seq)
	}
	return nil
}

// memDir is a directory in memory where there is one: the tests of what is on
// the disk need no disk.
func memDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "regi-journal-") //nolint:usetesting // a memory file system, not the test's directory
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// source is content by seed.
func source(seed uint64) *rand.ChaCha8 {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	return rand.NewChaCha8(s)
}

// setting is a number from the environment, or its default.
func setting(tb testing.TB, name string, or int) int {
	tb.Helper()
	s := os.Getenv(name)
	if s == "" {
		return or
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		tb.Fatalf("%s=%q is no number", name, s)
	}
	return n
}

func mustOpen(tb testing.TB, dir string, o journal.Options) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = j.Close() })
	return j
}

// mustAppend appends new entries of the sizes to journal and chain.
func mustAppend(tb testing.TB, j *journal.Journal, c *chain, r *rand.ChaCha8, sizes ...size) {
	tb.Helper()
	es := c.next(r, sizes...)
	if err := j.Append(tb.Context(), es...); err != nil {
		tb.Fatal(err)
	}
	*c = c.with(es...)
}

func mustTrim(tb testing.TB, j *journal.Journal, c *chain, seq uint64) {
	tb.Helper()
	if err := j.Trim(c.at(seq)); err != nil {
		tb.Fatal(err)
	}
	*c = c.trimmed(seq)
}

func mustBe(tb testing.TB, j *journal.Journal, c chain) {
	tb.Helper()
	if err := c.check(j); err != nil {
		tb.Fatal(err)
	}
}
