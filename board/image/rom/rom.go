// Package rom plays the boot ROM of a board for QEMU: it reads the disk as a
// Raspberry Pi's firmware does, by its selector, and gives kernel, initramfs and
// command line of the slot that it chooses.
package rom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// Disk is a disk that is booted from.
type Disk interface {
	io.ReaderAt
	io.WriterAt
}

// Boot is what was chosen.
type Boot struct {
	Slot  update.Slot
	Tried bool // it was asked for once
	// Refused says why a slot that came before was not booted.
	Refused           error
	Kernel, Initramfs []byte
	CommandLine       string
	// Trees are the device trees of the slot, by name.
	Trees func(name string) ([]byte, error)
}

const (
	sectorBytes = 512
	tableAt     = 446
	entryBytes  = 16
	fileMax     = 64 << 20
	textMax     = 4 << 10
)

// partition is a part of the disk, from the table in its first sector.
type partition struct {
	disk        Disk
	begin, size int64
}

func (p partition) ReadAt(b []byte, at int64) (int, error) {
	return io.NewSectionReader(p.disk, p.begin, p.size).ReadAt(b, at)
}

func (p partition) WriteAt(b []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(b)) > p.size {
		return 0, errors.New("rom: beyond the partition")
	}
	return p.disk.WriteAt(b, p.begin+at)
}

// Sync implements update.Partition: a disk that is a file is its own medium.
func (p partition) Sync() error { return nil }

// Partition returns the partition of a number from 1.
func Partition(d Disk, number int) (update.Partition, error) {
	b := make([]byte, sectorBytes)
	if _, err := d.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("rom: %w", err)
	}
	if number < 1 || number > 4 || b[510] != 0x55 || b[511] != 0xAA {
		return nil, fmt.Errorf("rom: no partition %d", number)
	}
	e := b[tableAt+entryBytes*(number-1):]
	p := partition{disk: d, begin: int64(binary.LittleEndian.Uint32(e[8:])) * sectorBytes, size: int64(binary.LittleEndian.Uint32(e[12:])) * sectorBytes}
	if p.size == 0 {
		return nil, fmt.Errorf("rom: no partition %d", number)
	}
	return p, nil
}

// Select is SelectSealed of a board that checks nothing.
func Select(d Disk) (*Boot, error) { return SelectSealed(d, nil) }

// SelectSealed reads the selector. A request for one boot of the other slot is
// cleared before anything of that slot is read; if that one cannot be booted,
// the committed one is. keys are those that are fused into a board: it boots no
// slot that they have not signed to the byte, and the other one if the committed
// one is refused. A board without keys boots what is there.
func SelectSealed(d Disk, keys *update.Keys) (*Boot, error) {
	p, err := Partition(d, update.SelectorPartition)
	if err != nil {
		return nil, err
	}
	fs, err := fat.Open(p)
	if err != nil {
		return nil, fmt.Errorf("rom: selector: %w", err)
	}
	try, err := takeTry(p, fs)
	if err != nil {
		return nil, err
	}
	autoboot, err := read(fs, update.AutobootName, textMax)
	if err != nil {
		return nil, err
	}
	if try {
		if b, err := open(d, settings(string(autoboot), "tryboot")["boot_partition"], keys); err == nil {
			b.Tried = true
			return b, nil
		}
	}
	b, err := open(d, settings(string(autoboot))["boot_partition"], keys)
	if err == nil || keys == nil {
		return b, err
	}
	b, errOther := open(d, settings(string(autoboot), "tryboot")["boot_partition"], keys)
	if errOther != nil {
		return nil, errors.Join(err, errOther)
	}
	b.Refused = err
	return b, nil
}

// takeTry reads and clears the request.
func takeTry(p update.Partition, fs *fat.FS) (bool, error) {
	e, err := fs.Find(update.TryName)
	if errors.Is(err, fat.ErrNoFile) {
		return false, nil // a Raspberry Pi keeps it elsewhere
	}
	if err != nil {
		return false, fmt.Errorf("rom: %w", err)
	}
	at, err := e.Offset()
	if err != nil {
		return false, fmt.Errorf("rom: %w", err)
	}
	text, err := read(fs, update.TryName, textMax)
	if err != nil {
		return false, err
	}
	if _, err := p.WriteAt(update.Try(false), at); err != nil {
		return false, fmt.Errorf("rom: %w", err)
	}
	return bytes.Equal(text, update.Try(true)), nil
}

// open reads a slot as its config.txt says.
func open(d Disk, number string, keys *update.Keys) (*Boot, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("rom: boot_partition=%q", number)
	}
	b := &Boot{Slot: update.A}
	if n == update.B.Partition() {
		b.Slot = update.B
	}
	p, err := Partition(d, n)
	if err != nil {
		return nil, err
	}
	if keys != nil {
		if _, err := update.Check(p, keys); err != nil {
			return nil, fmt.Errorf("rom: slot %s: %w", b.Slot, err)
		}
	}
	fs, err := fat.Open(p)
	if err != nil {
		return nil, fmt.Errorf("rom: slot %s: %w", b.Slot, err)
	}
	config, err := read(fs, "config.txt", textMax)
	if err != nil {
		return nil, err
	}
	set := settings(string(config), "boot_partition="+number)
	initramfs, _, _ := strings.Cut(set["initramfs"], " ")
	line, err := read(fs, set["cmdline"], textMax)
	if err != nil {
		return nil, err
	}
	b.CommandLine = strings.TrimSpace(string(line))
	if b.Kernel, err = read(fs, set["kernel"], fileMax); err != nil {
		return nil, err
	}
	if b.Initramfs, err = read(fs, initramfs, fileMax); err != nil {
		return nil, err
	}
	b.Trees = func(name string) ([]byte, error) { return read(fs, name, fileMax) }
	return b, nil
}

// settings reads a file of the firmware: key=value or "key value" under filters
// of which [all] and those named apply.
func settings(text string, filters ...string) map[string]string {
	set, on := map[string]string{}, true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, filter := strings.CutPrefix(line, "["); filter {
			name = strings.TrimSuffix(name, "]")
			on = name == "all"
			for _, f := range filters {
				on = on || name == f
			}
			continue
		}
		if i := strings.IndexAny(line, "= "); on && i > 0 && line[0] != '#' {
			set[line[:i]] = line[i+1:]
		}
	}
	return set
}

func read(fs *fat.FS, name string, most int64) ([]byte, error) {
	e, err := fs.Find(name)
	if err != nil {
		return nil, fmt.Errorf("rom: %w", err)
	}
	if e.Size > most {
		return nil, fmt.Errorf("rom: %s has %d bytes, at most %d", name, e.Size, most)
	}
	b, err := io.ReadAll(e.Reader())
	if err != nil {
		return nil, fmt.Errorf("rom: %s: %w", name, err)
	}
	return b, nil
}

// Extract writes kernel and initramfs to a folder, for QEMU's -kernel and
// -initrd.
func (b *Boot) Extract(dir string) (kernel, initramfs string, err error) {
	kernel, initramfs = filepath.Join(dir, "kernel"), filepath.Join(dir, "initramfs")
	return kernel, initramfs, errors.Join(os.WriteFile(kernel, b.Kernel, 0o600), os.WriteFile(initramfs, b.Initramfs, 0o600))
}
