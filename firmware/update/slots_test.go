package update_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"regi/board/image/rom"
	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// memory is a disk whose power may be cut: after so many writes the next one is
// torn in the middle of its sectors, and none follows.
type memory struct {
	b      []byte
	left   int // writes until the cut; negative: never
	writes int
}

var errCut = errors.New("no power")

func (m *memory) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(b, m.b[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	m.writes++
	if m.left == 0 {
		return 0, errCut
	}
	if m.left--; m.left == 0 {
		// A sector is written or it is not.
		n := rand.N(len(b)/fat.SectorBytes+1) * fat.SectorBytes
		copy(m.b[at:], b[:n])
		return n, errCut
	}
	return copy(m.b[at:], b), nil
}

// The disk of these tests, in bytes.
const (
	selectorAt = 1 << 20
	slotAAt    = 4 << 20
	slotBAt    = 8 << 20
	diskBytes  = 12 << 20
)

func newDisk(t testing.TB, slotA []byte) *memory {
	t.Helper()
	m := &memory{b: make([]byte, diskBytes), left: -1}
	for i, p := range [][2]uint32{{selectorAt, slotAAt}, {slotAAt, slotBAt}, {slotBAt, diskBytes}} {
		e := m.b[446+16*i:]
		binary.LittleEndian.PutUint32(e[8:], p[0]/fat.SectorBytes)
		binary.LittleEndian.PutUint32(e[12:], (p[1]-p[0])/fat.SectorBytes)
	}
	m.b[510], m.b[511] = 0x55, 0xAA
	selector, err := fat.Build("SEL", slotAAt-selectorAt, []fat.File{
		{Name: update.AutobootName, Data: update.Autoboot(update.A)}, {Name: update.TryName, Data: update.Try(false)},
	})
	if err != nil {
		t.Fatal(err)
	}
	copy(m.b[selectorAt:], selector)
	copy(m.b[slotAAt:], slotA)
	return m
}

// open gives the store of a register that was booted from a slot.
func open(t testing.TB, m *memory, active update.Slot) *update.QEMU {
	t.Helper()
	d := update.Disk{Active: active}
	for number, p := range map[int]*update.Partition{update.SelectorPartition: &d.Selector, update.A.Partition(): &d.A, update.B.Partition(): &d.B} {
		var err error
		if *p, err = rom.Partition(m, number); err != nil {
			t.Fatal(err)
		}
	}
	return update.NewQEMU(d)
}

// reset boots as the ROM does, and returns the version that runs.
func reset(t testing.TB, m *memory) (version string, b *rom.Boot) {
	t.Helper()
	m.left = -1
	b, err := rom.Select(m)
	if err != nil {
		t.Fatal("a brick:", err)
	}
	if want := bytes.Repeat(b.Kernel, 40_000); !bytes.Equal(b.Initramfs, want) || b.CommandLine != "regi.slot="+string(b.Slot) {
		t.Fatalf("slot %s is not whole: %q", b.Slot, b.CommandLine)
	}
	return string(b.Kernel), b
}

func written(t testing.TB, s update.SlotStore, data []byte) error {
	t.Helper()
	o := newOwner(1)
	b, err := update.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Check(&o.public, update.Running{Board: "rpi4", Now: noon}); err != nil {
		t.Fatal(err)
	}
	return s.Write(b, nil)
}

func TestTryAndCommit(t *testing.T) {
	t.Parallel()
	image := bootImage(t, "v2")
	data := bundle(t, newOwner(1), manifest(image), image, 0, 1)
	m := newDisk(t, bootImage(t, "v1"))
	s := open(t, m, update.A)
	if err := s.TryOnce(); !errors.Is(err, update.ErrNotWritten) {
		t.Error("tried what was not written:", err)
	}
	if err := written(t, s, data); err != nil {
		t.Fatal(err)
	}
	if v, _ := reset(t, m); v != "v1" {
		t.Errorf("written only, and %s runs", v)
	}
	if err := s.TryOnce(); err != nil {
		t.Fatal(err)
	}
	v, b := reset(t, m)
	if v != "v2" || !b.Tried {
		t.Fatalf("%s runs, tried %v", v, b.Tried)
	}
	s = open(t, m, b.Slot)
	if trying, err := s.Trying(); !trying || err != nil {
		t.Error("not on trial:", err)
	}
	if err := written(t, s, data); !errors.Is(err, update.ErrTrying) {
		t.Error("what it would fall back to was overwritten:", err)
	}
	if v, _ := reset(t, m); v != "v1" {
		t.Errorf("a reset on trial, and %s runs", v)
	}
	s = open(t, m, update.B)
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if v, b := reset(t, m); v != "v2" || b.Tried {
			t.Errorf("committed, and %s runs, tried %v", v, b.Tried)
		}
	}
	if trying, err := s.Trying(); trying || err != nil {
		t.Error("still on trial:", err)
	}
}

// Whenever the power is cut, what ran runs again, whole; the new version runs
// only after it was written whole and asked for.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	image := bootImage(t, "v2")
	data := bundle(t, newOwner(1), manifest(image), image, 0, 1)
	v1 := bootImage(t, "v1")
	committed := false
	for cut := 1; !committed; cut++ {
		m := newDisk(t, v1)
		copy(m.b[slotBAt:], bootImage(t, "v0"))
		m.left = cut
		s := open(t, m, update.A)
		asked := written(t, s, data) == nil && s.TryOnce() == nil
		// Even if the ROM were asked for the other slot: what it finds is whole.
		forced := &memory{b: bytes.Clone(m.b), left: -1}
		request := bytes.Index(forced.b, []byte("tryboot=0"))
		if request < 0 {
			request = bytes.Index(forced.b, []byte("tryboot=1"))
		}
		copy(forced.b[request:], update.Try(true))
		if v, b := reset(t, forced); v != "v1" && !b.Tried {
			t.Fatalf("cut at write %d: %s by force", cut, v)
		}
		v, b := reset(t, m)
		if v == "v2" && !b.Tried {
			t.Fatalf("cut at write %d: v2 runs and was not asked for", cut)
		}
		if v == "v1" && asked {
			t.Fatalf("cut at write %d: v2 was asked for", cut)
		}
		if v, _ := reset(t, m); v != "v1" {
			t.Fatalf("cut at write %d: %s after a trial", cut, v)
		}
		if !asked {
			continue
		}
		// The same for the commit, which is one write.
		for left := range 2 {
			m.left = left + 1
			err := open(t, m, update.B).Commit()
			v, _ := reset(t, m)
			if err == nil && v != "v2" || v != "v1" && v != "v2" {
				t.Fatalf("commit cut at %d: %s, %v", left, v, err)
			}
		}
		committed = true
		t.Logf("%d writes were cut", cut-1)
		if cut < 10 {
			t.Error("the cuts did not reach the writes")
		}
	}
}

// A card that does not keep what was written is noticed before anything is tried.
func TestReadBack(t *testing.T) {
	t.Parallel()
	image := bootImage(t, "v2")
	data := bundle(t, newOwner(1), manifest(image), image, 0, 1)
	m := newDisk(t, bootImage(t, "v1"))
	d := update.Disk{Active: update.A}
	for number, p := range map[int]*update.Partition{update.SelectorPartition: &d.Selector, update.A.Partition(): &d.A, update.B.Partition(): &d.B} {
		var err error
		if *p, err = rom.Partition(m, number); err != nil {
			t.Fatal(err)
		}
	}
	d.B = &worn{d.B}
	s := update.NewQEMU(d)
	if err := written(t, s, data); !errors.Is(err, update.ErrReadBack) {
		t.Error(err)
	}
	if err := s.TryOnce(); !errors.Is(err, update.ErrNotWritten) {
		t.Error(err)
	}
	if v, _ := reset(t, m); v != "v1" {
		t.Error(v)
	}
}

// worn turns a bit of what is written at one place.
type worn struct{ update.Partition }

func (w *worn) WriteAt(b []byte, at int64) (int, error) {
	const bad = 1_000_000
	if at <= bad && bad < at+int64(len(b)) {
		b = bytes.Clone(b)
		b[bad-at] ^= 0x10
	}
	return w.Partition.WriteAt(b, at)
}

func TestSelectorIsNotGuessed(t *testing.T) {
	t.Parallel()
	m := newDisk(t, bootImage(t, "v1"))
	at := bytes.Index(m.b, update.Autoboot(update.A))
	m.b[at] = '#'
	s := open(t, m, update.A)
	if _, err := s.Trying(); !errors.Is(err, update.ErrSelector) {
		t.Error(err)
	}
}

// A Raspberry Pi's firmware is asked by its own way.
func TestPi(t *testing.T) {
	t.Parallel()
	image := bootImage(t, "v2")
	data := bundle(t, newOwner(1), manifest(image), image, 0, 1)
	m := newDisk(t, bootImage(t, "v1"))
	d := update.Disk{Active: update.A}
	for number, p := range map[int]*update.Partition{update.SelectorPartition: &d.Selector, update.A.Partition(): &d.A, update.B.Partition(): &d.B} {
		var err error
		if *p, err = rom.Partition(m, number); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	s := update.NewPi(d, func() error { asked++; return nil })
	if err := s.TryOnce(); !errors.Is(err, update.ErrNotWritten) || asked != 0 {
		t.Error(err)
	}
	if err := written(t, s, data); err != nil {
		t.Fatal(err)
	}
	if err := s.TryOnce(); err != nil || asked != 1 {
		t.Error(err, asked)
	}
	if s.Inactive() != update.B {
		t.Error(s.Inactive())
	}
	text := string(update.Autoboot(update.B))
	if len(text) != fat.SectorBytes || text[:65] != "[all]\ntryboot_a_b=1\nboot_partition=3\n[tryboot]\nboot_partition=2\n\n\n"[:65] {
		t.Errorf("%q", text)
	}
}
