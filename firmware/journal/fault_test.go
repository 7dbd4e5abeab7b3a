package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"regi/firmware/journal"
)

// TestDiskFaults lets each single step of a journal's work fail, in each way,
// once or from then on. Nothing that was acknowledged may be lost; the error
// must say what it was; a journal that does not know its disk any more must
// say so until it is opened again.
func TestDiskFaults(t *testing.T) {
	faults := map[string]struct {
		err  error
		keep func(journal.Step) int // of a write, bytes that are done nevertheless
	}{
		"EIO":          {unix.EIO, func(journal.Step) int { return 0 }},
		"EIO after":    {unix.EIO, func(s journal.Step) int { return len(s.Data) }},
		"ENOSPC":       {unix.ENOSPC, func(journal.Step) int { return 0 }},
		"ENOSPC torn":  {unix.ENOSPC, func(s journal.Step) int { return len(s.Data) / 2 }},
		"EROFS":        {unix.EROFS, func(journal.Step) int { return 0 }},
		"short write":  {io.ErrShortWrite, func(s journal.Step) int { return len(s.Data) * 2 / 3 }},
		"short by one": {io.ErrShortWrite, func(s journal.Step) int { return max(0, len(s.Data)-1) }},
	}
	for name, f := range faults {
		for _, sticky := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " from then on"}[sticky], func(t *testing.T) {
				t.Parallel()
				dir := memDir(t)
				every := 1
				if sticky || raced {
					every = 7 // what comes after the first failure matters less
				}
				for at := 0; ; at += every {
					hit := false
					fail := func(n int, s journal.Step) (int, error) {
						if n == at || sticky && n > at {
							hit = true
							return f.keep(s), f.err
						}
						return 0, nil
					}
					if err := faulty(dir, fail, f.err); err != nil {
						t.Fatalf("step %d: %v", at, err)
					}
					if !hit {
						t.Logf("%d steps", at)
						break
					}
				}
			})
		}
	}
}

// faulty works with a new journal whose disk fails, and then opens it on a
// disk that does not.
func faulty(dir string, fail Fault, want error) error {
	if err := (image{}).write(dir); err != nil {
		return err
	}
	w := &work{
		dir: dir, o: journal.Options{SegmentSlots: 6, BytesMax: 5 * 6 * journal.SlotSize},
		r: numbers(40, 0), content: source(40), may: []chain{{}}, fail: fail,
	}
	var failed error
	for n := 0; n < 25 && failed == nil; n++ {
		if w.j == nil {
			failed = w.open()
		} else {
			failed = w.op()
		}
	}
	if failed != nil {
		if err := poisoned(w, failed, want); err != nil {
			return err
		}
	}
	if w.j != nil {
		if err := w.j.Crash(); err != nil {
			return err
		}
	}
	may := w.may
	w = &work{dir: dir, o: w.o, r: w.r, content: w.content, may: may}
	if err := w.live(3); err != nil {
		return err
	}
	if w.j, failed = journal.Open(dir, w.o); failed != nil {
		return failed
	}
	return errors.Join(w.held.check(w.j), w.j.Close())
}

// poisoned looks at a journal after its first error.
func poisoned(w *work, failed, want error) error {
	if !errors.Is(failed, want) {
		return failed
	}
	if w.j == nil {
		return nil // it was never open, or is closed
	}
	if last := w.moments[len(w.moments)-1]; (nameOf(last.Step) == "append" || nameOf(last.Step) == "mark") && !errors.Is(failed, journal.ErrPoisoned) {
		return fmt.Errorf("not poisoned by a failed %s: %w", nameOf(last.Step), failed)
	}
	es := w.held.next(w.content, size{10, 0})
	err := w.j.Append(context.Background(), es...)
	if errors.Is(failed, journal.ErrPoisoned) {
		seq, hash := w.held.head()
		trim := w.j.Trim(seq, hash)
		for _, e := range []error{err, trim, w.j.Prepare()} {
			if !errors.Is(e, journal.ErrPoisoned) || !errors.Is(e, want) {
				return errors.Join(errors.New("not poisoned after an error"), failed, e)
			}
		}
		// What was acknowledged to the caller can still be sent to the cloud.
		for i := w.may[len(w.may)-1].acked; i < seq; i++ {
			e, err := w.j.Read(i + 1)
			if err != nil {
				return err
			}
			if err := same(e, w.held.es[i]); err != nil {
				return err
			}
		}
		return nil
	}
	// Making a segment failed before anything was touched. It may fail again.
	w.may = []chain{w.held}
	if err == nil {
		w.held = w.held.with(es...)
		w.may = []chain{w.held}
	} else {
		w.may = append(w.may, w.held.with(es...))
	}
	return nil
}
