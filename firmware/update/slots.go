package update

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"regi/firmware/update/fat"
)

// Slot is one of the two partitions that hold a version.
type Slot string

// The slots, and their partitions on the disk.
const (
	A Slot = "a"
	B Slot = "b"

	// SelectorPartition says which slot is booted; DataPartition outlives both.
	SelectorPartition = 1
	DataPartition     = 4
)

// Partition is the slot's on the disk.
func (s Slot) Partition() int {
	if s == B {
		return 3
	}
	return 2
}

// Other is the other slot.
func (s Slot) Other() Slot {
	if s == B {
		return A
	}
	return B
}

// SlotStore is where versions are kept.
type SlotStore interface {
	// Active is the slot that runs, Inactive the other one.
	Active() Slot
	Inactive() Slot
	// Trying says that a reset boots the other slot: this one was not committed.
	Trying() (bool, error)
	// Write writes a checked bundle to the inactive slot and reads it back.
	Write(b *Bundle, progress func(done int64)) error
	// TryOnce has the next boot, and only that one, be of the inactive slot.
	TryOnce() error
	// Sealed returns nil if a slot is, to the byte, what two of the owner's keys
	// have signed.
	Sealed(s Slot, k *Keys) error
	// Commit has the slot that runs be booted from now on.
	Commit() error
}

// Errors of slots.
var (
	ErrTrying     = errors.New("the version that runs is on trial: the other slot is what it would fall back to")
	ErrNotWritten = errors.New("no update was written since this register was started")
	ErrSelector   = errors.New("the boot selector is not as it was made: flash the card anew")
	ErrReadBack   = errors.New("the card does not hold what was written to it: replace the card")
)

// Sealed returns nil if a slot is, to the byte, what was signed.
func (p *pair) Sealed(s Slot, k *Keys) error {
	_, err := Check(p.disk.partition(s), k)
	return err
}

// Partition is one of a disk's.
type Partition interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when what was written is on the medium, and forgets what is
	// in memory of it: what is read next is read from the medium.
	Sync() error
}

// Disk is what a board boots from.
type Disk struct {
	Selector, A, B Partition
	Active         Slot
}

// partition is the slot's.
func (d *Disk) partition(s Slot) Partition {
	if s == B {
		return d.B
	}
	return d.A
}

// pair is what all stores share: two slots, and a selector that names one. The
// selector's autoboot.txt is one sector that is overwritten in place, so that it
// is the one text or the other whatever happens.
type pair struct {
	disk    Disk
	written bool
}

func (p *pair) Active() Slot   { return p.disk.Active }
func (p *pair) Inactive() Slot { return p.disk.Active.Other() }

// AutobootName is the file of the selector by which a ROM chooses a slot.
const AutobootName = "autoboot.txt"

// Autoboot is its text when a slot is committed: a sector.
func Autoboot(committed Slot) []byte {
	text := fmt.Sprintf("[all]\ntryboot_a_b=1\nboot_partition=%d\n[tryboot]\nboot_partition=%d\n", committed.Partition(), committed.Other().Partition())
	return sector(text)
}

// sector pads a text with empty lines.
func sector(text string) []byte {
	return []byte(text + strings.Repeat("\n", fat.SectorBytes-len(text)))
}

// Trying compares what runs with what a reset would boot.
func (p *pair) Trying() (bool, error) {
	committed, err := p.committed()
	return committed != p.disk.Active, err
}

func (p *pair) committed() (Slot, error) {
	text, _, err := p.selector(AutobootName)
	if err != nil {
		return "", err
	}
	for _, s := range [...]Slot{A, B} {
		if bytes.Equal(text, Autoboot(s)) {
			return s, nil
		}
	}
	return "", fmt.Errorf("update: %s: %w", AutobootName, ErrSelector)
}

// selector reads a file of the selector that is one sector, and says where it is.
func (p *pair) selector(name string) (text []byte, at int64, err error) {
	fs, err := fat.Open(p.disk.Selector)
	if err != nil {
		return nil, 0, fmt.Errorf("update: %w: %w", ErrSelector, err)
	}
	e, err := fs.Find(name)
	if err != nil {
		return nil, 0, fmt.Errorf("update: %w: %w", ErrSelector, err)
	}
	at, err = e.Offset()
	if err != nil || e.Size != fat.SectorBytes || at%fat.SectorBytes != 0 {
		return nil, 0, fmt.Errorf("update: selector: %s: %w", name, ErrSelector)
	}
	text = make([]byte, fat.SectorBytes)
	if _, err := p.disk.Selector.ReadAt(text, at); err != nil {
		return nil, 0, fmt.Errorf("update: selector: %w", err)
	}
	return text, at, nil
}

// put overwrites such a file and looks whether the medium has it.
func (p *pair) put(name string, text []byte) error {
	_, at, err := p.selector(name)
	if err != nil {
		return err
	}
	if _, err := p.disk.Selector.WriteAt(text, at); err != nil {
		return fmt.Errorf("update: selector: %w", err)
	}
	if err := p.disk.Selector.Sync(); err != nil {
		return fmt.Errorf("update: selector: %w", err)
	}
	again, _, err := p.selector(name)
	if err == nil && !bytes.Equal(again, text) {
		err = fmt.Errorf("update: selector: %w", ErrReadBack)
	}
	return err
}

// Commit makes the slot that runs the one that is booted.
func (p *pair) Commit() error { return p.put(AutobootName, Autoboot(p.disk.Active)) }

// Write writes boot.img to the inactive slot. Its first sector comes last, once
// all others were read back: until then there is no file system in the slot that
// a ROM would boot, and the selector names the other one throughout.
func (p *pair) Write(b *Bundle, progress func(done int64)) error {
	p.written = false
	if trying, err := p.Trying(); err != nil {
		return err
	} else if trying {
		return fmt.Errorf("update: write: %w", ErrTrying)
	}
	slot := p.disk.partition(p.Inactive())
	if _, err := slot.WriteAt(make([]byte, fat.SectorBytes), 0); err != nil {
		return fmt.Errorf("update: write: %w", err)
	}
	if err := slot.Sync(); err != nil {
		return fmt.Errorf("update: write: %w", err)
	}
	first := make([]byte, fat.SectorBytes)
	err := b.Image(func(at int64, chunk []byte) error {
		if at == 0 {
			chunk = chunk[copy(first, chunk):]
			at = fat.SectorBytes
		}
		if _, err := slot.WriteAt(chunk, at); err != nil {
			return fmt.Errorf("update: write: %w", err)
		}
		if progress != nil {
			progress(at + int64(len(chunk)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := readBack(slot, first, b.Manifest); err != nil {
		return err
	}
	seal, at, err := Seal(b.Manifest, b.signatures)
	if err != nil {
		return err
	}
	if _, err := slot.WriteAt(seal, at); err != nil {
		return fmt.Errorf("update: write: %w", err)
	}
	if _, err := slot.WriteAt(first, 0); err != nil {
		return fmt.Errorf("update: write: %w", err)
	}
	if err := readBack(slot, nil, b.Manifest); err != nil {
		return err
	}
	p.written = true
	return nil
}

// readBack compares a slot with what was to be written. first stands for the
// first sector where that is not there yet.
func readBack(slot Partition, first []byte, m Manifest) error {
	if err := slot.Sync(); err != nil {
		return fmt.Errorf("update: write: %w", err)
	}
	hash := sha256.New()
	hash.Write(first)
	skip := int64(len(first))
	if _, err := io.Copy(hash, io.NewSectionReader(slot, skip, m.Size-skip)); err != nil {
		return fmt.Errorf("update: read back: %w", err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != m.SHA256 {
		return fmt.Errorf("update: %w", ErrReadBack)
	}
	return nil
}

// mayTry says whether there is something to try.
func (p *pair) mayTry() error {
	if !p.written {
		return fmt.Errorf("update: try: %w", ErrNotWritten)
	}
	return nil
}

// Pi is the store of a Raspberry Pi: its firmware reads autoboot.txt, and takes
// the other slot once after `reboot "0 tryboot"`.
type Pi struct {
	pair
	tryboot func() error
}

// NewPi returns the store; tryboot has the next reboot be one of that kind.
func NewPi(d Disk, tryboot func() error) *Pi { return &Pi{pair: pair{disk: d}, tryboot: tryboot} }

// TryOnce asks the firmware for it.
func (p *Pi) TryOnce() error {
	if err := p.mayTry(); err != nil {
		return err
	}
	return p.tryboot()
}

// QEMU is the store of a machine whose ROM keeps the request in a file of the
// selector, which it clears before it boots.
type QEMU struct{ pair }

// NewQEMU returns the store.
func NewQEMU(d Disk) *QEMU { return &QEMU{pair{disk: d}} }

// TryName is the file of the request.
const TryName = "try.txt"

// Try is its text: a sector.
func Try(once bool) []byte {
	if once {
		return sector("tryboot=1\n")
	}
	return sector("tryboot=0\n")
}

// TryOnce writes the request.
func (q *QEMU) TryOnce() error {
	if err := q.mayTry(); err != nil {
		return err
	}
	return q.put(TryName, Try(true))
}

// Device is a partition of this machine.
type Device struct{ *os.File }

// OpenDevice opens one.
func OpenDevice(path string) (Device, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // a partition of this machine
	if err != nil {
		return Device{}, fmt.Errorf("update: %w", err)
	}
	return Device{f}, nil
}

// blkFlushBuffers is BLKFLSBUF of linux/fs.h.
const blkFlushBuffers = 0x1261

// Sync implements Partition.
func (d Device) Sync() error {
	if err := d.File.Sync(); err != nil {
		return err
	}
	err := unix.IoctlSetInt(int(d.Fd()), blkFlushBuffers, 0)
	if errors.Is(err, unix.ENOTTY) {
		return nil // a file of a test: its memory is its medium
	}
	return err
}
