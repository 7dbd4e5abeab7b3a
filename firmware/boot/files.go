package boot

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// smallMax bounds the files of the data partition that this process keeps for
// itself: a number, a time, a version.
const smallMax = 128

var errNotSmall = errors.New("it is no file of ours")

// openPlain opens a file that is one: no link that leads elsewhere, and no pipe
// that would hold this process.
func openPlain(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) //nolint:gosec // of the data partition
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotSmall
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// readSmall reads a small file. Whoever could write to the data partition must
// not be able to stop the board with one that is endless.
func readSmall(path string) ([]byte, error) {
	f, _, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	b, err := io.ReadAll(io.LimitReader(f, smallMax+1))
	if err == nil && len(b) > smallMax {
		err = errNotSmall
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// writeWhole makes a file that is whole or the one before, whenever it is cut.
// Whatever lies in its way goes: a folder, a pipe or a link would stop it for ever.
func writeWhole(path string, data []byte, mode fs.FileMode) error {
	if err := os.RemoveAll(path + ".new"); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // of the data partition, or in memory
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
