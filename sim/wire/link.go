package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// relink makes link point to name in one step, so that the register never finds
// the name missing while it is renewed.
func relink(name, link string) error {
	if err := os.MkdirAll(filepath.Dir(link), 0o750); err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	fresh := link + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link: %w", err)
	}
	if err := os.Symlink(name, fresh); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// unlink removes link if it still is ours.
func unlink(name, link string) error {
	if to, err := os.Readlink(link); err != nil || to != name {
		return nil //nolint:nilerr // gone, or another wire's by now: nothing to remove
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}
