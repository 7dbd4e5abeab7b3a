package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is the one directory whose files the journal or a checkpoint changes.
// Every change goes through it, one step at a time, so that a step can be
// recorded, and replayed half done, by the power-cut tests.
type disk struct {
	root *os.Root
	dir  *os.File // for fsync and flock
	// tap sees each step before it is carried out. An error replaces the step,
	// of which keep bytes (of a write) are done nevertheless. Nil outside tests.
	tap func(step) (keep int, err error)
}

// step is one change of the directory.
type step struct {
	op   string // "write" (synced on return unless name is temporary), "sync", "rename", "remove", "syncdir"
	name string
	to   string // rename
	off  int64
	data []byte // write; valid during the call
}

const temporary = ".tmp" // suffix of files that are not in use yet

func openDisk(dir string, tap func(step) (int, error)) (*disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &disk{root: root, dir: f, tap: tap}, nil
}

// makeDir creates dir, and the directories above it, so that they survive a
// power cut.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	above := filepath.Dir(filepath.Clean(dir))
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	parent, err := os.Open(above) //nolint:gosec // a directory, to sync it
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// lock refuses a second process. The lock goes with the descriptor.
func (d *disk) lock() error {
	err := unix.Flock(int(d.dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrBusy
	}
	return err
}

func (d *disk) close() error { return errors.Join(d.dir.Close(), d.root.Close()) }

// open opens a file for synced writing. What an earlier process wrote but did
// not live to sync is synced first, and the page cache is dropped: after a
// failed write it may hold what the disk does not.
func (d *disk) open(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|unix.O_DSYNC, 0)
	if err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return nil, errors.Join(fmt.Errorf("fadvise %s: %w", name, err), f.Close())
	}
	return f, nil
}

// write is one pwrite; on a file of open it is durable on return.
func (d *disk) write(f *os.File, name string, b []byte, off int64) error {
	if keep, err := d.step(step{op: "write", name: name, off: off, data: b}); err != nil {
		if keep > 0 {
			_, werr := f.WriteAt(b[:keep], off)
			return errors.Join(err, werr)
		}
		return err
	}
	n, err := f.WriteAt(b, off)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// put makes or replaces a file that holds chunk a number of times: written
// under another name, synced, renamed, directory synced.
func (d *disk) put(name string, chunk []byte, times int) error {
	tmp := name + temporary
	f, err := d.root.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for i := 0; i < times && err == nil; i++ {
		err = d.write(f, tmp, chunk, int64(i)*int64(len(chunk)))
	}
	if err == nil {
		_, err = d.step(step{op: "sync", name: tmp})
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.rename(tmp, name)
	}
	if err != nil {
		// Not in use under this name; if this fails too, Open does it.
		return errors.Join(err, ignoreMissing(d.root.Remove(tmp)))
	}
	return d.syncDir()
}

func (d *disk) rename(from, to string) error {
	if _, err := d.step(step{op: "rename", name: from, to: to}); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

func (d *disk) remove(name string) error {
	if _, err := d.step(step{op: "remove", name: name}); err != nil {
		return err
	}
	return ignoreMissing(d.root.Remove(name))
}

func (d *disk) syncDir() error {
	if _, err := d.step(step{op: "syncdir"}); err != nil {
		return err
	}
	return d.dir.Sync()
}

func (d *disk) step(s step) (int, error) {
	if d.tap == nil {
		return 0, nil
	}
	return d.tap(s)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
