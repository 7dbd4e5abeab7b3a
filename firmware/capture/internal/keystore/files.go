package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Names in the register's state folder. Both files are for their owner only.
const (
	KeysName   = "card.keys"
	DeviceName = "card.device"
)

// Files are the two files of a state folder, open for synced writing and
// locked: two processes must not use one key.
type Files struct {
	Keys, Device *os.File
}

// Open opens the files of a state folder, and makes them the first time. A
// process that is confined afterwards keeps them.
func Open(dir string) (*Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	defer root.Close() //nolint:errcheck // only looked into
	keys, err := open(root, KeysName, func() ([]byte, error) {
		slot := empty()
		return append(slot[:], slot[:]...), nil
	})
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(keys.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keystore: lock: %w", err), keys.Close())
	}
	device, err := open(root, DeviceName, func() ([]byte, error) {
		key := make([]byte, deviceBytes)
		_, err := rand.Read(key)
		return key, err
	})
	if err != nil {
		return nil, errors.Join(err, keys.Close())
	}
	return &Files{Keys: keys, Device: device}, nil
}

// Close gives the files and the lock back.
func (f *Files) Close() error { return errors.Join(f.Keys.Close(), f.Device.Close()) }

// open opens a file for writing that is on the disk when WriteAt returns.
func open(root *os.Root, name string, first func() ([]byte, error)) (*os.File, error) {
	f, err := reopen(root, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	content, err := first()
	defer clear(content)
	if err == nil {
		err = create(root, name, content)
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: first use: %w", err)
	}
	return reopen(root, name)
}

func reopen(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|unix.O_DSYNC, 0)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return f, nil
}

// create makes a file that is whole or absent after a power cut.
func create(root *os.Root, name string, content []byte) error {
	temporary := name + ".new"
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	if err := root.Rename(temporary, name); err != nil {
		return err
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Inspect says what is in a state folder without opening the sealed part: for
// a technician, also while the register runs. A folder without a key file is
// Empty.
func Inspect(dir string) (Info, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{State: Empty}, nil
	}
	if err != nil {
		return Info{}, fmt.Errorf("keystore: %w", err)
	}
	defer root.Close() //nolint:errcheck // only looked into
	keys, err := root.Open(KeysName)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{State: Empty}, nil
	}
	if err != nil {
		return Info{}, fmt.Errorf("keystore: %w", err)
	}
	defer keys.Close() //nolint:errcheck // only read
	s := &Store{keys: keys, r: new(Room)}
	defer func() { *s.r = Room{} }()
	device, err := root.Open(DeviceName)
	if err == nil {
		_, err = device.ReadAt(s.r.device[:], 0)
		err = errors.Join(err, device.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, io.EOF) {
		return Info{}, fmt.Errorf("keystore: device key: %w", err)
	}
	if err := s.read(); err != nil {
		return Info{}, err
	}
	return s.info, nil
}
