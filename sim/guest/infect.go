package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"regi/board/image/rom"
)

// Infected is what a machine is started with in place of what its disk holds.
type Infected struct{ Initramfs, CommandLine string }

// intruderPath is where the intruder lies, beside /init.
const intruderPath = "intruder"

// Infect takes the slot that a disk would boot, lays the intruder beside the
// register's binary and has the kernel start that first. Nothing of the slot is
// changed, and nothing on the disk.
func Infect(disk, intruder, to string) (i Infected, err error) {
	f, err := os.OpenFile(disk, os.O_RDWR, 0) //nolint:gosec // named by the caller; a ROM writes to its selector
	if err != nil {
		return i, fmt.Errorf("guest: %w", err)
	}
	slot, err := rom.Select(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return i, fmt.Errorf("guest: %w", err)
	}
	program, err := os.ReadFile(intruder) //nolint:gosec // named by the caller
	if err != nil {
		return i, fmt.Errorf("guest: %w", err)
	}
	i.CommandLine = strings.Replace(slot.CommandLine, "rdinit=/init", "rdinit=/"+intruderPath, 1)
	if i.CommandLine == slot.CommandLine {
		return i, fmt.Errorf("guest: the command line %q starts something else", slot.CommandLine)
	}
	// The kernel unpacks several archives one after the other, each of which may
	// be compressed or not.
	archives := bytes.NewBuffer(slot.Initramfs)
	pad(archives)
	entry(archives, intruderPath, program)
	entry(archives, "TRAILER!!!", nil)
	i.Initramfs = to
	if err := os.WriteFile(to, archives.Bytes(), 0o600); err != nil {
		return i, fmt.Errorf("guest: %w", err)
	}
	return i, nil
}

// entry is a file of a cpio archive of the kind newc, which all may run.
func entry(b *bytes.Buffer, name string, data []byte) {
	const mode = 0o100555
	fmt.Fprintf(b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1<<20, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	b.WriteString(name + "\x00")
	pad(b)
	b.Write(data)
	pad(b)
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
