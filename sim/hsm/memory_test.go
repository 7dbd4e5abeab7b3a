package hsm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"regi/firmware/record"
)

func memoryIn(t *testing.T, dir string) *memory {
	t.Helper()
	m, err := openMemory(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return m
}

// till is a register.
var till = record.ID{Store: "0001", Register: "01"} //nolint:gochecknoglobals // a constant

func used(key, counter uint32, n int) entry {
	tag := binary.BigEndian.AppendUint64(nil, uint64(n)) //nolint:gosec // not negative
	return entry{
		Used:   &use{Key: key, Counter: counter, Register: till, Tag: tag},
		Answer: &answer{Register: till, ID: "id-" + strconv.Itoa(n), Reply: &record.AuthReply{ID: "id-" + strconv.Itoa(n), Result: record.Approved}},
	}
}

// What is remembered is the same after a restart, whether it was written
// entry by entry or anew, and it is bounded.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	m := memoryIn(t, dir)
	const more = 300
	for n := range answersMax + more {
		m.apply(entry{Issued: uint32(n) + 1})
		m.apply(used(uint32(n)+1, 1, n))
		m.apply(used(uint32(n)+1, uint32(2+n%100), n))
	}
	if len(m.answers) != answersMax || len(m.order) != answersMax || len(m.windows) != ikidsMax {
		t.Errorf("%d answers, %d windows", len(m.answers), len(m.windows))
	}
	if m.good(0) || m.good(more) || !m.good(more+1) || !m.good(ikidsMax+more) || m.good(ikidsMax+more+1) {
		t.Error("the wrong initial keys are retired")
	}
	if err := m.compact(); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if err := m.remember(used(more+5, uint32(200+n), n)); err != nil {
			t.Fatal(err)
		}
	}
	again := memoryIn(t, dir)
	if again.issued != m.issued || !reflect.DeepEqual(again.windows, m.windows) || !reflect.DeepEqual(again.answers, m.answers) {
		t.Error("something was forgotten over a restart")
	}
	// The oldest answer goes first, after a restart too.
	again.apply(used(more+5, 400, answersMax*2))
	oldest := more + 20 // the 20 above were new again
	_, dropped := again.answers[attempt{till, "id-" + strconv.Itoa(oldest)}]
	_, kept := again.answers[attempt{till, "id-" + strconv.Itoa(oldest+1)}]
	if dropped || !kept {
		t.Errorf("the oldest answer: %v, the next: %v", dropped, kept)
	}
	if len(again.answers) != answersMax {
		t.Errorf("%d answers", len(again.answers))
	}
}

func lines(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, memoryName)) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// The file is written anew before it grows without end.
func TestMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	m := memoryIn(t, dir)
	m.apply(entry{Issued: 1})
	m.grown = compactAfter
	if err := m.remember(used(1, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if m.grown == 0 || m.grown > entryMax {
		t.Errorf("%d bytes since", m.grown)
	}
	if n := lines(t, dir); n != 2 {
		t.Errorf("%d lines", n)
	}
}

// A file that cannot be written ends all answers: the next line might be
// joined to half a line.
func TestMemoryFails(t *testing.T) {
	m := memoryIn(t, t.TempDir())
	m.apply(entry{Issued: 1})
	whole := m.file
	broken, err := os.Open(os.DevNull) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	m.file = broken
	if m.remember(used(1, 1, 1)) == nil {
		t.Fatal("remembered in a file that cannot be written")
	}
	m.file = whole
	if m.remember(used(1, 2, 2)) == nil || len(m.windows) != 0 || len(m.answers) != 0 {
		t.Error("went on after a failure")
	}
	if err := broken.Close(); err != nil {
		t.Error(err)
	}
}

func TestSubjects(t *testing.T) {
	if id, err := subjectOf("regi.v1.0001.01.authorize"); err != nil || id != till {
		t.Errorf("%v, %v", id, err)
	}
	for _, s := range []string{
		"", "regi.v1.0001.01", "regi.v1.0001.01.ledger", "regi.v2.0001.01.authorize", "regi.v1.0001.01.authorize.x",
		"regi.v1..01.authorize", "regi.v1.0001.*.authorize", "regi.v1.0001.0/1.authorize", "regi.v1." + strings.Repeat("0", 33) + ".01.authorize",
	} {
		if id, err := subjectOf(s); err == nil {
			t.Errorf("%q: %v", s, id)
		}
	}
}
