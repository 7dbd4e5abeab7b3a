package journal_test

import (
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"regi/firmware/journal"
	"regi/firmware/record"
)

// TestModel does anything in any order to a journal and to a slice of entries.
func TestModel(t *testing.T) {
	dir := memDir(t)
	rapid.Check(t, func(t *rapid.T) {
		if err := (image{}).write(dir); err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, dir: dir, o: journal.Options{SegmentSlots: rapid.IntRange(4, 12).Draw(t, "slots"), BytesMax: 1 << 18}}
		m.open()
		defer func() { _ = m.j.Crash() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append, "refuse": m.refuse, "trim": m.trim, "foreign": m.foreign,
			"prepare": m.prepare, "reopen": m.reopen, "read": m.read, "": m.look,
		})
		if err := m.held.check(m.j); err != nil {
			t.Fatal(err)
		}
	})
}

type model struct {
	t    *rapid.T
	dir  string
	o    journal.Options
	j    *journal.Journal
	held chain
}

func (m *model) open() {
	var err error
	if m.j, err = journal.Open(m.dir, m.o); err != nil {
		m.t.Fatal(err)
	}
	if r := m.j.Recovery(); r.Torn || r.MarkTorn {
		m.t.Fatalf("recovered %+v", r)
	}
}

func (m *model) entries(t *rapid.T) (es []journal.Entry, slots int) {
	sizes := make([]size, rapid.IntRange(1, 4).Draw(t, "entries"))
	for i := range sizes {
		sizes[i].payload = rapid.OneOf(rapid.IntRange(1, 600), rapid.IntRange(3970, 4000), rapid.IntRange(1, 12_000)).Draw(t, "payload")
		sizes[i].aux = rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 300)).Draw(t, "aux")
		slots += (sizes[i].payload + sizes[i].aux + journal.FrameHead + journal.SlotSize - 1) / journal.SlotSize
	}
	return m.held.next(source(rapid.Uint64().Draw(t, "content")), sizes...), slots
}

func (m *model) append(t *rapid.T) {
	es, slots := m.entries(t)
	room := m.j.Room()
	err := m.j.Append(t.Context(), es...)
	switch {
	case err == nil:
		m.held = m.held.with(es...)
		if int64(slots)*journal.SlotSize > room {
			t.Errorf("%d slots in a room of %d bytes", slots, room)
		}
	case errors.Is(err, journal.ErrTooLong) && slots > m.o.SegmentSlots:
	case errors.Is(err, journal.ErrFull) && int64(slots)*journal.SlotSize+int64(m.o.SegmentSlots)*journal.SlotSize > room:
		// Up to a segment less one slot is lost to records that do not fit its end.
	default:
		t.Fatalf("%d slots with room for %d bytes: %v", slots, room, err)
	}
}

func (m *model) refuse(t *rapid.T) {
	es, _ := m.entries(t)
	e := &es[rapid.IntRange(0, len(es)-1).Draw(t, "which")]
	switch rapid.IntRange(0, 4).Draw(t, "how") {
	case 0:
		e.Seq += rapid.Uint64Range(1, 1<<63).Draw(t, "by")
	case 1:
		e.Prev[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
	case 2:
		e.Hash = record.Hash{}
	case 3:
		e.Payload = nil
	case 4:
		e.Aux = make([]byte, journal.AuxMax+1)
	}
	if err := m.j.Append(t.Context(), es...); !errors.Is(err, journal.ErrChain) && !errors.Is(err, journal.ErrTooLong) {
		t.Fatal(err)
	}
}

func (m *model) trim(t *rapid.T) {
	head, _ := m.held.head()
	if head == 0 {
		t.Skip("empty")
	}
	seq := rapid.Uint64Range(1, head).Draw(t, "seq")
	if err := m.j.Trim(m.held.at(seq)); err != nil {
		t.Fatal(err)
	}
	m.held = m.held.trimmed(seq)
}

func (m *model) foreign(t *rapid.T) {
	head, _ := m.held.head()
	seq, hash := m.held.at(rapid.Uint64Range(m.held.acked, head).Draw(t, "seq"))
	hash[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 0x10
	if rapid.Bool().Draw(t, "future") {
		seq = head + rapid.Uint64Range(1, 1<<40).Draw(t, "by")
	}
	if err := m.j.Trim(seq, hash); !errors.Is(err, journal.ErrForeignAck) {
		t.Fatalf("trim to a foreign %d of %d: %v", seq, head, err)
	}
}

func (m *model) prepare(t *rapid.T) {
	if err := m.j.Prepare(); err != nil && !errors.Is(err, journal.ErrFull) {
		t.Fatal(err)
	}
}

func (m *model) reopen(t *rapid.T) {
	leave := m.j.Close
	if rapid.Bool().Draw(t, "crash") {
		leave = m.j.Crash
	}
	room := m.j.Room()
	if err := leave(); err != nil {
		t.Fatal(err)
	}
	m.open()
	if m.j.Room() != room {
		t.Errorf("room for %d bytes after a reopen, %d before", m.j.Room(), room)
	}
	if err := m.held.check(m.j); err != nil {
		t.Fatal(err)
	}
}

func (m *model) read(t *rapid.T) {
	head, _ := m.held.head()
	seq := rapid.Uint64Range(0, head+2).Draw(t, "seq")
	e, err := m.j.Read(seq)
	switch {
	case seq > head:
		if !errors.Is(err, journal.ErrNotYet) {
			t.Fatal(err)
		}
	case seq <= m.held.acked && errors.Is(err, journal.ErrTrimmed):
	case err != nil:
		t.Fatal(err)
	default:
		if err := same(e, m.held.es[seq-1]); err != nil {
			t.Fatal(err)
		}
	}
}

// look compares the cheap things after each step.
func (m *model) look(t *rapid.T) {
	seq, hash := m.j.Head()
	if s, h := m.held.head(); seq != s || hash != h {
		t.Fatalf("head is %d, want %d", seq, s)
	}
	if d := m.j.Depth(); d != seq-m.held.acked {
		t.Fatalf("depth is %d, want %d", d, seq-m.held.acked)
	}
	if m.j.Room() < 0 {
		t.Fatalf("room is %d", m.j.Room())
	}
}

// TestConcurrent appends, reads, acknowledges and prepares at the same time.
func TestConcurrent(t *testing.T) {
	const records = 400
	dir := memDir(t)
	j := mustOpen(t, dir, small)
	r, c := source(60), chain{}
	all := c.next(r, make256(records)...)
	c = c.with(all...)
	acks := make(chan uint64, records)
	var wg sync.WaitGroup
	wg.Go(func() { // the till
		for i := range all {
			for err := j.Append(t.Context(), all[i]); err != nil; err = j.Append(t.Context(), all[i]) {
				if !errors.Is(err, journal.ErrFull) {
					t.Error(err)
					return
				}
			}
		}
	})
	wg.Go(func() { // the uplink
		defer close(acks)
		for seq := uint64(1); seq <= records; {
			e, err := j.Read(seq)
			if errors.Is(err, journal.ErrNotYet) {
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			if err := same(e, all[seq-1]); err != nil {
				t.Error(err)
			}
			acks <- seq
			seq++
		}
	})
	wg.Go(func() { // the cloud
		for seq := range acks {
			if err := j.Trim(c.at(seq)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	stop := make(chan struct{})
	var idle sync.WaitGroup
	idle.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := j.Prepare(); err != nil && !errors.Is(err, journal.ErrFull) {
				t.Error(err)
				return
			}
			head, _ := j.Head()
			last, ok := j.Last()
			if ok != (last.Seq > 0) || last.Seq < head || j.Room() < 0 || j.Depth() > records {
				t.Errorf("last is %d with head %d", last.Seq, head)
			}
		}
	})
	wg.Wait()
	close(stop)
	idle.Wait()
	mustBe(t, j, c.trimmed(records))
}
