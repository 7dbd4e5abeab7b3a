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
)

//nolint:gochecknoglobals // a constant table
var stick = class{classStorage, subclassSCSI, protocolBulkOnly}

const (
	// stickWithin is how long a stick may take to show its partitions.
	stickWithin = 15 * time.Second
	stickPoll   = 200 * time.Millisecond
	// copyWithin is how long it may take to read; a good one takes 10 s.
	copyWithin = 5 * time.Minute
)

var errSlow = errors.New("it took too long: take another stick")

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
	dir := filepath.Join(u.sys, name)
	if err := u.letStick(name); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, authorize(dir, false))
	}()
	// A stick that answers slowly, or never: without it every read of it ends.
	defer time.AfterFunc(copyWithin, func() { authorize(dir, false) }).Stop() //nolint:errcheck,gosec // said at the end
	until := time.Now().Add(copyWithin)
	n.log.caused("update: USB stick %s is read", name)
	for shown := time.Now().Add(stickWithin); time.Now().Before(shown); time.Sleep(stickPoll) {
		for _, path := range stickDevices(u.sys, name, dev) {
			if err := n.copyFrom(path, until); !errors.Is(err, errNoStick) {
				return err
			}
		}
	}
	return errNoStick
}

// letStick lets a stick in, if there is still one at that place.
func (u *usb) letStick(name string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	dir := filepath.Join(u.sys, name)
	descriptors, err := os.ReadFile(filepath.Join(dir, "descriptors")) //nolint:gosec // a file of sysfs
	if err != nil || !onlyStorage(descriptors) {
		return errNoStick
	}
	if err := authorize(dir, true); err != nil {
		return fmt.Errorf("usb: %w", err)
	}
	if why := u.stranger(name, storageDrivers); why != "" {
		u.log.caused("usb: %s: %s", name, why)
		return errors.Join(errNoStick, authorize(dir, false))
	}
	return nil
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

// timely reads until a time.
type timely struct {
	io.Reader
	until time.Time
}

func (t timely) Read(b []byte) (int, error) {
	if time.Now().After(t.until) {
		return 0, errSlow
	}
	return t.Reader.Read(b)
}

// copyFrom copies the update of one file system, or says that there is none.
func (n *slots) copyFrom(path string, until time.Time) error {
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
	to := filepath.Join(n.dir, stickName)
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // of the data partition
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	_, err = io.Copy(out, timely{e.Reader(), until})
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
	all, err := parseDescriptors(descriptors)
	for _, interfaces := range all.configurations {
		if len(interfaces) == 0 || slices.ContainsFunc(interfaces, func(c class) bool { return c != stick }) {
			return false
		}
	}
	return err == nil && len(all.configurations) > 0
}
