package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// StickFile is the name of an update in the folder at the top of a stick.
const StickFile = "regi.upd"

// Interface of a USB stick (USB Mass Storage Class overview, 1.4).
const (
	classStorage     = 0x08
	subclassSCSI     = 0x06
	protocolBulkOnly = 0x50
	protocolAt       = 7
)

const (
	// stickWithin is how long a stick may take to show its partitions.
	stickWithin = 15 * time.Second
	stickPoll   = 200 * time.Millisecond
)

var errNoStick = errors.New("no USB stick with a FAT file system and " + StickFile + " at its top is plugged in")

// fromStick copies the update of a USB stick to the data partition. Storage is
// let in for this moment only, and nothing is mounted: its file system is read
// by this process, as bytes.
func (n *slots) fromStick(u *usb, dev string) error {
	for _, name := range u.sticks() {
		err := n.fromOne(u, name, dev)
		if !errors.Is(err, errNoStick) {
			return err
		}
	}
	return errNoStick
}

func (n *slots) fromOne(u *usb, name, dev string) (err error) {
	authorized := filepath.Join(u.sys, name, "authorized")
	if err := os.WriteFile(authorized, []byte("1"), 0); err != nil {
		return fmt.Errorf("usb: %w", err)
	}
	defer func() {
		err = errors.Join(err, os.WriteFile(authorized, []byte("0"), 0))
	}()
	n.log.say("update: USB stick %s is read", name)
	for until := time.Now().Add(stickWithin); time.Now().Before(until); time.Sleep(stickPoll) {
		for _, path := range stickDevices(u.sys, name, dev) {
			if err := n.copyFrom(path); !errors.Is(err, errNoStick) {
				return err
			}
		}
	}
	return errNoStick
}

// stickDevices are the disk of a stick and its partitions, as far as they are
// there by now.
func stickDevices(sys, name, dev string) (paths []string) {
	for _, pattern := range []string{"*", "*/sd*"} {
		found, err := filepath.Glob(filepath.Join(sys, name, name+":*", "host*", "target*", "*:*", "block", pattern))
		if err != nil {
			return nil
		}
		for _, f := range found {
			paths = append(paths, filepath.Join(dev, filepath.Base(f)))
		}
	}
	return paths
}

// copyFrom copies the update of one file system, or says that there is none.
func (n *slots) copyFrom(path string) error {
	f, err := os.Open(path) //nolint:gosec // a disk that was just let in
	if err != nil {
		return errNoStick
	}
	defer f.Close() //nolint:errcheck // only read from
	fs, err := fat.Open(f)
	if err != nil {
		return errNoStick
	}
	e, err := fs.Find(StickFile)
	if err != nil {
		return errNoStick
	}
	if e.Size > update.BundleMax {
		return update.ErrTooLarge
	}
	to := filepath.Join(n.dir, incomingName)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	// Removed first: who wrote the one before may still have it open.
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("data: %w", err)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // of the data partition
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	_, err = io.Copy(out, e.Reader())
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("the stick cannot be read, or the data partition is full: %w", errors.Join(err, os.Remove(to)))
	}
	return nil
}

// sticks are devices that were refused and are nothing but storage.
func (u *usb) sticks() (names []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name := range u.refused {
		descriptors, err := os.ReadFile(filepath.Join(u.sys, name, "descriptors")) //nolint:gosec // a file of sysfs
		if err == nil && onlyStorage(descriptors) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// onlyStorage says that every interface is that of a stick: one that is a
// keyboard as well is none.
func onlyStorage(descriptors []byte) bool {
	interfaces := 0
	for rest := descriptors; len(rest) > 0; {
		size := int(rest[0])
		if size < 2 || size > len(rest) {
			return false
		}
		if d := rest[:size]; d[1] == typeInterface {
			if size < interfaceBytes || d[classAt] != classStorage || d[subclassAt] != subclassSCSI || d[protocolAt] != protocolBulkOnly {
				return false
			}
			interfaces++
		}
		rest = rest[size:]
	}
	return interfaces > 0
}
