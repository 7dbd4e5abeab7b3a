package scrape

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// chunkBytes is how much of a file is searched at once.
const chunkBytes = 4 << 20

// File searches a file of any size.
func (w *Wanted) File(path string, f *Found) error {
	file, err := os.Open(path) //nolint:gosec // the caller's own tree
	if err != nil {
		return fmt.Errorf("scrape: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	b := make([]byte, overlapBytes+chunkBytes)
	kept := 0
	for {
		n, err := io.ReadFull(file, b[kept:])
		w.Search(b[:kept+n], f)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("scrape: %w", err)
		}
		kept = copy(b, b[kept+n-overlapBytes:kept+n])
	}
}

// Tree searches every regular file under a folder, its name included, and
// returns how many there were.
func (w *Wanted) Tree(dir string, f *Found) (files int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		w.Search([]byte(path), f)
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		if err := w.File(path, f); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil // it was temporary
	})
	if err != nil {
		return files, fmt.Errorf("scrape: %w", err)
	}
	return files, nil
}
