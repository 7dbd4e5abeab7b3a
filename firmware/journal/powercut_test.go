package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regi/firmware/journal"
)

// imagesDefault is the short form of the campaign; REGI_JOURNAL_IMAGES sets
// another number, REGI_JOURNAL_SEED the first seed.
const imagesDefault = 5000

// TestPowerCut cuts the power at every moment of a journal's life, recovers
// what the disk may then hold, and looks whether a record was lost, changed or
// made up, and whether the journal can go on.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, imageCount(t))
	c.run()
	for _, v := range c.violations {
		t.Error(v)
	}
	t.Logf("%d unique images of %d lives, cut during %v", len(c.seen), c.lives, c.during)
	for _, op := range []string{"append", "mark", "wipe", "rename", "remove", "syncdir", "sync"} {
		if c.during[op] == 0 {
			t.Errorf("no image was cut during %s", op)
		}
	}
}

// TestPowerCutFindsBugs runs the same campaign on journals with a bug each;
// every one must be found. The bugs are in the disk's record of what the
// journal did, so the journal itself needs no switch for them.
func TestPowerCutFindsBugs(t *testing.T) {
	bugs := map[string]func(*campaign){
		"checksum not checked":           func(c *campaign) { c.spoil = mendChecksums },
		"written without waiting":        func(c *campaign) { c.lazy = true },
		"directory not synced":           func(c *campaign) { c.bug = without(func(s journal.Step) bool { return s.Op == "syncdir" }) },
		"segment renamed before synced":  func(c *campaign) { c.bug = without(func(s journal.Step) bool { return s.Op == "sync" }) },
		"torn tail left as it was":       func(c *campaign) { c.bug = without(isWipe) },
		"segments removed before marked": func(c *campaign) { c.bug = markLate },
		"acknowledgement not kept": func(c *campaign) {
			c.bug = without(func(s journal.Step) bool { return s.Op == "write" && s.Name == "mark" })
		},
	}
	for name, plant := range bugs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCampaign(t, 20_000)
			plant(c)
			c.run()
			if len(c.violations) == 0 {
				t.Errorf("not found in %d images", len(c.seen))
			} else {
				t.Logf("found after %d images: %s", len(c.seen), c.violations[0])
			}
		})
	}
}

// campaign makes and tries images.
type campaign struct {
	tb    testing.TB
	o     journal.Options
	seed  uint64
	lives int
	want  int // images

	dirs       [2]string // of the lives, by depth
	tryDir     string
	hash       maphash.Seed
	seen       map[uint64]struct{}
	during     map[string]int
	violations []string
	full       bool // all subsets of one small write were tried

	// Planted bugs.
	spoil func(image)
	lazy  bool
	bug   func([]moment) []moment
}

// moment is a step of the disk, and what the journal may hold if the power is
// cut during it: one thing, or during a call the thing before and after.
type moment struct {
	journal.Step
	may []chain
}

func imageCount(tb testing.TB) int {
	tb.Helper()
	if raced {
		return setting(tb, "REGI_JOURNAL_IMAGES", imagesDefault/3)
	}
	return setting(tb, "REGI_JOURNAL_IMAGES", imagesDefault)
}

func newCampaign(tb testing.TB, images int) *campaign {
	tb.Helper()
	dir := memDir(tb)
	c := &campaign{
		tb: tb, o: journal.Options{SegmentSlots: 6, BytesMax: 5 * 6 * journal.SlotSize},
		seed: uint64(setting(tb, "REGI_JOURNAL_SEED", 1)), //nolint:gosec // not negative
		want: images, dirs: [2]string{filepath.Join(dir, "life"), filepath.Join(dir, "after")}, tryDir: filepath.Join(dir, "try"),
		hash: maphash.MakeSeed(), seen: map[uint64]struct{}{}, during: map[string]int{},
	}
	for _, d := range append(c.dirs[:], c.tryDir) {
		if err := os.Mkdir(d, 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	return c
}

// run lives one life after another, each of its own seed, until there are
// enough images or something is wrong.
func (c *campaign) run() {
	for ; !c.done(); c.seed++ {
		c.life(c.seed, image{}, []chain{{}}, 0)
	}
}

func (c *campaign) done() bool { return len(c.seen) >= c.want || len(c.violations) > 0 }

func (c *campaign) violation(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf("REGI_JOURNAL_SEED=%d REGI_JOURNAL_IMAGES=%d: ", c.seed, c.want)+fmt.Sprintf(format, args...))
}

// life opens a journal on an image, works with it, and then tries what each
// step of all that may have left behind, the steps of the recovery included.
// Each step has random numbers of its own, so that a life depends on nothing
// but its seed and its image.
func (c *campaign) life(seed uint64, start image, may []chain, depth int) {
	c.lives++
	dir := c.dirs[depth]
	if err := start.write(dir); err != nil {
		c.tb.Fatal(err)
	}
	w := &work{dir: dir, o: c.o, r: numbers(seed, 0), content: source(seed), may: may}
	if err := w.live([...]int{30, 6}[depth]); err != nil {
		c.violation("life at depth %d: %v", depth, err)
		return
	}
	moments := w.moments
	if c.bug != nil {
		moments = c.bug(moments)
	}
	disk := newCutDisk(start)
	disk.lazy = c.lazy
	for i, m := range moments {
		r := numbers(seed, uint64(i)+1) //nolint:gosec // an index
		what := nameOf(m.Step)
		full := !c.full && depth == 0 && what == "append" && len(m.Data) == journal.SlotSize
		c.full = c.full || full
		n := max(3, max(10, c.want/120)>>(4*depth))
		if what == "make" {
			n = 1 // of no interest: it is removed unread
		}
		goOn := disk.cut(m.Step, n, full, r, func(im image) bool {
			where := func() string { return fmt.Sprintf("depth %d, step %d of %d, %s", depth, i, len(moments), what) }
			inner, dive := r.Uint64(), depth == 0 && r.IntN(25) == 0
			if c.try(inner, im, m.may, where, what) && dive {
				c.life(inner, im, m.may, 1)
			}
			return !c.done()
		})
		if !goOn {
			return
		}
	}
}

// numbers is a sequence by seed.
func numbers(seed, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, n)) //nolint:gosec // must be repeatable
}

// try recovers an image and uses the journal. It reports whether the image was
// a new one.
func (c *campaign) try(seed uint64, im image, may []chain, where func() string, op string) bool {
	sum := im.sum(c.hash)
	if _, old := c.seen[sum]; old {
		return false
	}
	c.seen[sum] = struct{}{}
	c.during[op]++
	if c.spoil != nil {
		c.spoil(im)
	}
	if err := im.write(c.tryDir); err != nil {
		c.tb.Fatal(err)
	}
	if err := c.recovers(numbers(seed, 0), may); err != nil {
		c.violation("image %d (%s): %v", len(c.seen), where(), err)
	}
	return true
}

func (c *campaign) recovers(r *rand.Rand, may []chain) error {
	j, err := journal.Open(c.tryDir, c.o)
	if err != nil {
		return err
	}
	m, err := match(j, may)
	if err != nil {
		return errors.Join(err, j.Crash())
	}
	es := m.next(source(r.Uint64()), size{1 + r.IntN(5000), r.IntN(100)})
	err = j.Append(c.tb.Context(), es...)
	if errors.Is(err, journal.ErrFull) {
		seq, hash := m.head()
		m.acked = seq
		err = errors.Join(j.Trim(seq, hash), j.Append(c.tb.Context(), es...))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("append after recovery: %w", err), j.Crash())
	}
	if err := j.Crash(); err != nil {
		return err
	}
	if j, err = journal.Open(c.tryDir, c.o); err != nil {
		return fmt.Errorf("second recovery: %w", err)
	}
	if r := j.Recovery(); r.Torn {
		err = errors.New("second recovery: torn")
	}
	return errors.Join(err, m.with(es...).check(j), j.Crash())
}

// match finds out which of the possible chains a journal holds.
func match(j *journal.Journal, may []chain) (chain, error) {
	head, _ := j.Head()
	if r := j.Recovery(); r.Torn && r.TornAfter != head {
		return chain{}, fmt.Errorf("torn after %d with head %d", r.TornAfter, head)
	}
	var problems []error
	for _, m := range may {
		err := m.check(j)
		if err == nil {
			return m, nil
		}
		problems = append(problems, err)
	}
	return chain{}, errors.Join(problems...)
}

// work is one use of a journal, with what the disk was told.
type work struct {
	dir     string
	o       journal.Options
	r       *rand.Rand
	content *rand.ChaCha8
	may     []chain
	moments []moment
	j       *journal.Journal
	held    chain
	// fail, if set, may replace a step; see faults_test.go.
	fail Fault
}

// Fault decides about one step.
type Fault func(n int, s journal.Step) (keep int, err error)

func (w *work) tap(s journal.Step) (int, error) {
	n := len(w.moments)
	s.Data = bytes.Clone(s.Data)
	w.moments = append(w.moments, moment{s, w.may})
	if w.fail != nil {
		return w.fail(n, s)
	}
	return 0, nil
}

// live opens the journal and does ops things with it; the journal is let go
// without a Close.
func (w *work) live(ops int) error {
	if err := w.open(); err != nil {
		return err
	}
	for range ops {
		if err := w.op(); err != nil {
			return err
		}
	}
	w.moments = append(w.moments, moment{journal.Step{Op: "end"}, w.may})
	return w.j.Crash()
}

func (w *work) open() (err error) {
	if w.j, err = journal.OpenTapped(w.dir, w.o, w.tap); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if w.held, err = match(w.j, w.may); err != nil {
		return err
	}
	w.may = []chain{w.held}
	return nil
}

func (w *work) op() error {
	head, _ := w.held.head()
	switch n := w.r.IntN(20); {
	case n < 12:
		return w.append(w.sizes())
	case n < 15 && head > w.held.acked:
		return w.trim(w.held.acked + 1 + w.r.Uint64N(head-w.held.acked))
	case n < 18:
		if err := w.j.Prepare(); err != nil && !errors.Is(err, journal.ErrFull) {
			return err
		}
		return nil
	default:
		j := w.j
		w.j = nil
		if err := j.Close(); err != nil {
			return err
		}
		return w.open()
	}
}

func (w *work) append(sizes []size) error {
	es := w.held.next(w.content, sizes...)
	after := w.held.with(es...)
	w.may = []chain{w.held, after}
	err := w.j.Append(context.Background(), es...)
	switch {
	case errors.Is(err, journal.ErrFull) && len(w.held.es) > int(w.held.acked): //nolint:gosec // small
		w.may = []chain{w.held}
		seq, _ := w.held.head()
		return w.trim(seq)
	case err != nil:
		return err
	}
	w.held, w.may = after, []chain{after}
	return nil
}

func (w *work) trim(seq uint64) error {
	after := w.held.trimmed(seq)
	w.may = []chain{w.held, after}
	if err := w.j.Trim(w.held.at(seq)); err != nil {
		return err
	}
	w.held, w.may = after, []chain{after}
	return nil
}

// sizes draws a batch that fits a segment.
func (w *work) sizes() []size {
	for {
		var sizes []size
		slots := 0
		for range 1 + w.r.IntN(4)*w.r.IntN(2) {
			s := size{1 + w.r.IntN(600), w.r.IntN(2) * w.r.IntN(300)}
			switch w.r.IntN(8) {
			case 0:
				s.payload = journal.SlotSize - journal.FrameHead - s.aux + w.r.IntN(2) // to the last byte, or one more
			case 1:
				s.payload = 1 + w.r.IntN(5*journal.SlotSize)
			}
			sizes = append(sizes, s)
			slots += (journal.FrameHead + s.payload + s.aux + journal.SlotSize - 1) / journal.SlotSize
		}
		if slots <= w.o.SegmentSlots {
			return sizes
		}
	}
}

// nameOf says what a step is for.
func nameOf(s journal.Step) string {
	switch {
	case s.Op == "write" && strings.HasSuffix(s.Name, ".tmp"):
		return "make"
	case s.Op == "write" && s.Name == "mark":
		return "mark"
	case isWipe(s):
		return "wipe"
	case s.Op == "write":
		return "append"
	}
	return s.Op
}

// isWipe: a recovery zeroes a torn tail. An append always begins with a frame.
func isWipe(s journal.Step) bool {
	return s.Op == "write" && strings.HasSuffix(s.Name, ".seg") && s.Data[0] == 0
}

// without plants the bug that a step is never carried out.
func without(drop func(journal.Step) bool) func([]moment) []moment {
	return func(ms []moment) []moment {
		return slices.DeleteFunc(slices.Clone(ms), func(m moment) bool { return drop(m.Step) })
	}
}

// markLate plants the bug that a trim removes segments first and says so in the
// mark later.
func markLate(ms []moment) []moment {
	ms = slices.Clone(ms)
	for i := 2; i < len(ms); i++ {
		for k := i; k >= 1 && ms[k].Op == "remove" && ms[k-1].Name == "mark" && ms[k-1].Op == "write"; k-- {
			ms[k], ms[k-1] = ms[k-1], ms[k]
		}
	}
	return ms
}

// mendChecksums makes every frame's checksum right: what Open then reads is
// what it would have read if it did not check.
func mendChecksums(im image) {
	for name, b := range im {
		if !strings.HasSuffix(name, ".seg") {
			continue
		}
		b = bytes.Clone(b)
		for at := 0; at+journal.SlotSize <= len(b); at += journal.SlotSize {
			if n, ok := journal.FrameSlots(b[at:]); ok && at+n*journal.SlotSize <= len(b) {
				f := b[at : at+n*journal.SlotSize]
				binary.BigEndian.PutUint32(f[8:], journal.Checksum(f))
			}
		}
		im[name] = b
	}
}
