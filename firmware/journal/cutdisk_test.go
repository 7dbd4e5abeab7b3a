package journal_test

import (
	"bytes"
	"errors"
	"hash/maphash"
	"maps"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regi/firmware/journal"
)

const sector = 512

// image is what a directory's files hold after a power cut.
type image map[string][]byte

func snapshot(tb testing.TB, dir string) image {
	tb.Helper()
	im := image{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if im[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil { //nolint:gosec // the test's own
			tb.Fatal(err)
		}
	}
	return im
}

func (im image) equal(other image) bool { return maps.EqualFunc(im, other, bytes.Equal) }

// write makes dir hold the image and nothing else.
func (im image) write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := im[e.Name()]; !ok {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for name, b := range im {
		if err := put(filepath.Join(dir, name), b); err != nil {
			return err
		}
	}
	return nil
}

// put is os.WriteFile without giving the old file's memory back first: twice
// as fast.
func put(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600) //nolint:gosec // the test's own
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return errors.Join(err, f.Truncate(int64(len(b))), f.Close())
}

func (im image) sum(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, name := range slices.Sorted(maps.Keys(im)) {
		_, _ = h.WriteString(name)
		_ = h.WriteByte(0)
		_, _ = h.Write(im[name])
	}
	return h.Sum64()
}

// cutDisk is a disk whose power can be cut: it is told each step and knows what
// it may hold at any moment.
type cutDisk struct {
	now map[string]*cutFile
	// was holds, for each name that changed since the directory was synced,
	// every file it named since then; nil: none.
	was map[string][]*cutFile
	// lazy names writes that do not wait for the disk, though they should.
	lazy bool
}

// cutFile is a file: what is safe of it, and what is written but not yet
// synced, or nil.
type cutFile struct{ safe, unsynced []byte }

func newCutDisk(im image) *cutDisk {
	d := &cutDisk{now: map[string]*cutFile{}, was: map[string][]*cutFile{}}
	for name, b := range im {
		d.now[name] = &cutFile{safe: bytes.Clone(b)}
	}
	return d
}

// synced reports whether a write is durable when it returns.
func (d *cutDisk) synced(name string) bool { return !d.lazy && !strings.HasSuffix(name, ".tmp") }

// apply carries out a step.
func (d *cutDisk) apply(s journal.Step) {
	switch s.Op {
	case "write":
		if s.Off == 0 && strings.HasSuffix(s.Name, ".tmp") {
			d.entry(s.Name, &cutFile{})
		}
		f := d.now[s.Name]
		if d.synced(s.Name) {
			overwrite(&f.safe, s.Data, s.Off)
			if f.unsynced != nil {
				overwrite(&f.unsynced, s.Data, s.Off)
			}
			return
		}
		if f.unsynced == nil {
			f.unsynced = bytes.Clone(f.safe)
		}
		overwrite(&f.unsynced, s.Data, s.Off)
	case "sync":
		if f := d.now[s.Name]; f.unsynced != nil {
			f.safe, f.unsynced = f.unsynced, nil
		}
	case "rename":
		d.entry(s.To, d.now[s.Name])
		d.entry(s.Name, nil)
	case "remove":
		d.entry(s.Name, nil)
	case "syncdir":
		d.was = map[string][]*cutFile{}
	}
}

func (d *cutDisk) entry(name string, f *cutFile) {
	if d.was[name] == nil {
		d.was[name] = []*cutFile{d.now[name]}
	}
	d.was[name] = append(d.was[name], f)
	if d.now[name] = f; f == nil {
		delete(d.now, name)
	}
}

func overwrite(b *[]byte, data []byte, off int64) {
	if need := int(off) + len(data); need > len(*b) {
		*b = append(*b, make([]byte, need-len(*b))...)
	}
	copy((*b)[off:], data)
}

// cut shows what the disk may hold if the power is cut during step s, at most
// n images, and then carries out the step. full asks for every subset of the
// sectors of a small write, whatever n is.
func (d *cutDisk) cut(s journal.Step, n int, full bool, r *rand.Rand, show func(image) bool) bool {
	inFlight := s.Op == "write" && d.synced(s.Name)
	if !inFlight && s.Op != "sync" && s.Op != "syncdir" {
		d.apply(s) // done or not: both are among what the directory may name
		return d.cutNames(n, r, show)
	}
	defer d.apply(s)
	if inFlight {
		return d.cutWrite(s, n, full, r, show)
	}
	return d.cutNames(n, r, show)
}

// cutWrite shows the images of a synced write that has not returned.
func (d *cutDisk) cutWrite(s journal.Step, n int, full bool, r *rand.Rand, show func(image) bool) bool {
	count := (len(s.Data) + sector - 1) / sector
	cuts := sectorCuts(count, n, full, r)
	for _, c := range cuts {
		im := d.names(r)
		if _, ok := im[s.Name]; !ok {
			continue // its name is not on the disk yet
		}
		b := bytes.Clone(im[s.Name])
		old := bytes.Clone(b)
		overwrite(&b, s.Data, s.Off)
		overwrite(&old, nil, int64(len(b)))
		for i := range count {
			at := int(s.Off) + i*sector
			end := min(at+sector, int(s.Off)+len(s.Data))
			c.spoil(i, b[at:end], old[at:end], r)
		}
		im[s.Name] = b
		if !show(im) {
			return false
		}
	}
	return true
}

// cutNames shows the images in which no synced write is under way.
func (d *cutDisk) cutNames(n int, r *rand.Rand, show func(image) bool) bool {
	combinations := 1
	for _, fs := range d.was {
		combinations *= len(fs)
	}
	for range min(n, 4*combinations+2) { // drawn with repetition; repeats are not counted
		if !show(d.names(r)) {
			return false
		}
	}
	return true
}

// names draws, for each name, one of the files that it may stand for, and
// returns what is in them.
func (d *cutDisk) names(r *rand.Rand) image {
	im := image{}
	for _, name := range slices.Sorted(maps.Keys(d.now)) {
		if d.was[name] == nil {
			im[name] = d.now[name].draw(r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.was)) {
		if f := d.was[name][r.IntN(len(d.was[name]))]; f != nil {
			im[name] = f.draw(r)
		}
	}
	return im
}

// draw returns what a file may hold: of what is not synced, any sectors and
// any length.
func (f *cutFile) draw(r *rand.Rand) []byte {
	if f.unsynced == nil {
		return f.safe
	}
	b := bytes.Clone(f.unsynced)
	old := bytes.Clone(f.safe)
	overwrite(&old, nil, int64(len(b)))
	c := sectorCut{fill: fillMixed, keep: r.Float64()}
	for at := 0; at < len(b); at += sector {
		end := min(at+sector, len(b))
		c.spoil(-1, b[at:end], old[at:end], r)
	}
	if r.IntN(2) == 0 {
		b = b[:max(len(f.safe), r.IntN(len(b)+1))]
	}
	return b
}

// What is in a sector that was not kept.
const (
	fillOld = iota
	fillZero
	fillGarbage
	fillMixed // any of them, each sector for itself
)

// sectorCut says which sectors of a write are kept: those of the mask, or with
// a probability.
type sectorCut struct {
	mask, known uint64 // of the first 64 sectors, where mask is known
	keep        float64
	fill        int
}

// spoil makes new, sector i of a write, what the cut leaves of it.
func (c sectorCut) spoil(i int, b, old []byte, r *rand.Rand) {
	if i >= 0 && i < 64 && c.known>>i&1 == 1 {
		if c.mask>>i&1 == 1 {
			return
		}
	} else if r.Float64() < c.keep {
		return
	}
	fill := c.fill
	if fill == fillMixed {
		fill = r.IntN(fillMixed)
	}
	switch fill {
	case fillOld:
		copy(b, old)
	case fillZero:
		clear(b)
	case fillGarbage:
		for k := range b {
			b[k] = byte(r.Uint32())
		}
	}
}

// sectorCuts is what to try for a write of count sectors: every subset with
// every fill if that is at most n (or full), else n of them, the edges first.
func sectorCuts(count, n int, full bool, r *rand.Rand) []sectorCut {
	var cuts []sectorCut
	if count <= 8 {
		all := uint64(1)<<count - 1
		for mask := range all + 1 {
			for fill := range fillMixed {
				cuts = append(cuts, sectorCut{mask: mask, known: all, fill: fill})
			}
		}
		if full {
			return cuts
		}
	} else {
		all := uint64(1)<<min(count, 64) - 1
		for i := range min(count, 64) {
			for fill := range fillMixed {
				one := uint64(1) << i
				cuts = append(cuts,
					sectorCut{mask: one, known: one, keep: 0, fill: fill},              // only this one
					sectorCut{mask: 0, known: one, keep: 1, fill: fill},                // all but this one
					sectorCut{mask: one - 1, known: all, keep: 0, fill: fill},          // those before
					sectorCut{mask: all &^ (one - 1), known: all, keep: 1, fill: fill}, // those after
				)
			}
		}
		for range max(0, n-len(cuts)) {
			cuts = append(cuts, sectorCut{keep: r.Float64(), fill: r.IntN(fillMixed + 1)})
		}
	}
	r.Shuffle(len(cuts), func(i, k int) { cuts[i], cuts[k] = cuts[k], cuts[i] })
	if len(cuts) > n {
		cuts = cuts[:n]
	}
	// Nothing and everything of the write are always among them.
	all := uint64(1)<<min(count, 64) - 1
	return append(cuts, sectorCut{mask: 0, known: all}, sectorCut{mask: all, known: all, keep: 1})
}

// TestCutDisk checks the images of a known write by hand: the campaign is only
// as good as its disk.
func TestCutDisk(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a test
	d := newCutDisk(image{"a": bytes.Repeat([]byte{1}, 2*sector), "gone": {9}})
	write := journal.Step{Op: "write", Name: "a", Data: bytes.Repeat([]byte{2}, 2*sector)}
	seen := map[[2]byte]bool{}
	d.cut(write, 0, true, r, func(im image) bool {
		a := im["a"]
		for _, s := range [][]byte{a[:sector], a[sector:]} {
			if s[0] == s[1] && bits.OnesCount8(s[0]) <= 1 && !bytes.Equal(s, bytes.Repeat(s[:1], sector)) {
				t.Errorf("a sector is neither whole nor garbage")
			}
		}
		seen[[2]byte{a[0], a[sector]}] = true
		return true
	})
	for _, want := range [][2]byte{{1, 1}, {1, 2}, {2, 1}, {2, 2}, {0, 0}, {0, 2}, {2, 0}} {
		if !seen[want] {
			t.Errorf("no image with sectors %v", want)
		}
	}
	d.cut(journal.Step{Op: "remove", Name: "gone"}, 0, false, r, func(image) bool { return true })
	d.cut(journal.Step{Op: "write", Name: "b.tmp", Data: []byte{3}}, 0, false, r, func(image) bool { return true })
	d.cut(journal.Step{Op: "sync", Name: "b.tmp"}, 0, false, r, func(image) bool { return true })
	names := map[string]bool{}
	d.cut(journal.Step{Op: "rename", Name: "b.tmp", To: "b"}, 200, false, r, func(im image) bool {
		if im["a"][0] != 2 || im["a"][2*sector-1] != 2 {
			t.Error("a synced write was lost")
		}
		if b, ok := im["b"]; ok && !bytes.Equal(b, []byte{3}) {
			t.Error("synced content was lost")
		}
		names[strings.Join(slices.Sorted(maps.Keys(im)), " ")] = true
		return true
	})
	if len(names) != 8 { // gone or not, b.tmp or not, b or not
		t.Errorf("%d directories, want 8: %v", len(names), names)
	}
	d.apply(journal.Step{Op: "syncdir"})
	if im := d.names(r); len(im) != 2 || im["b"] == nil {
		t.Errorf("after the directory's sync: %d files", len(im))
	}
}
