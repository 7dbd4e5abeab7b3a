package boot

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// DataLabel is the label of the data partition's file system.
const DataLabel = "regi-data"

// Of an ext4 superblock (kernel.org, ext4 data structures).
const (
	superAt    = 1024
	superBytes = 1024
	magicAt    = 0x38
	magic      = 0xEF53
	stateAt    = 0x3A
	stateError = 0x02
	labelAt    = 0x78
	labelBytes = 16
)

var (
	errNoData = errors.New("no data partition is there: check the card")
	// errDamaged: the kernel found a fault in an earlier boot.
	errDamaged = errors.New("the data partition is damaged: its records can be read, call a technician")
)

// dataWithin is how long a card may take to appear.
const dataWithin = 10 * time.Second

// mountData finds the data partition by its label and mounts it. ext4 replays
// its own journal; one that says that it is damaged is mounted read-only, so
// that nothing gets worse and its records can still be sent.
func mountData(ctx context.Context, l *log) error {
	device, damaged, err := awaitData(ctx)
	if err != nil {
		return err
	}
	if err := unix.Mount(device, Data, "ext4", dataFlags(damaged), "errors=remount-ro"); err != nil {
		return fmt.Errorf("mount %s: %w", device, err)
	}
	l.say("data: %s", device)
	if damaged {
		return errDamaged
	}
	return nil
}

// dataFlags: no link on it leads anywhere, whoever planted it.
func dataFlags(damaged bool) uintptr {
	flags := uintptr(noExec | unix.MS_NOATIME | unix.MS_NOSYMFOLLOW)
	if damaged {
		flags |= unix.MS_RDONLY
	}
	return flags
}

func awaitData(ctx context.Context) (device string, damaged bool, err error) {
	for until := time.Now().Add(dataWithin); ; {
		device, damaged, err = findData("/sys/class/block", "/dev")
		if err == nil || time.Now().After(until) || ctx.Err() != nil {
			return device, damaged, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func findData(sys, dev string) (device string, damaged bool, err error) {
	entries, err := os.ReadDir(sys)
	if err != nil {
		return "", false, fmt.Errorf("block devices: %w", err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(sys, e.Name(), "partition")); err != nil {
			continue // a whole disk, or none
		}
		path := filepath.Join(dev, e.Name())
		label, bad, err := super(path)
		if err == nil && label == DataLabel {
			return path, bad, nil
		}
	}
	return "", false, errNoData
}

// super reads the label and the state of an ext4 file system.
func super(path string) (label string, damaged bool, err error) {
	f, err := os.Open(path) //nolint:gosec // a partition of this machine
	if err != nil {
		return "", false, err
	}
	defer f.Close() //nolint:errcheck // only read
	b := make([]byte, superBytes)
	if _, err := f.ReadAt(b, superAt); err != nil {
		return "", false, err
	}
	if binary.LittleEndian.Uint16(b[magicAt:]) != magic {
		return "", false, errNoData
	}
	name, _, _ := bytes.Cut(b[labelAt:labelAt+labelBytes], []byte{0})
	return string(name), binary.LittleEndian.Uint16(b[stateAt:])&stateError != 0, nil
}
