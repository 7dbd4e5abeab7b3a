package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"regi/board/image/rom"
)

// resetsMax bounds the boots of one call.
const resetsMax = 1000

// qemu runs a disk until the machine is switched off: each reset goes through
// the ROM again.
func qemu(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 1 {
		return errors.New("qemu: name the image")
	}
	more := flags.Args()[1:]
	if len(more) > 0 && more[0] == "--" {
		more = more[1:]
	}
	dir, err := os.MkdirTemp("", "regi-qemu")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	disk := flags.Arg(0)
	if strings.HasSuffix(disk, ".zst") {
		if disk, err = unpackTo(disk, filepath.Join(dir, "disk")); err != nil {
			return err
		}
	}
	for range resetsMax {
		off, err := bootOnce(ctx, dir, disk, more, out)
		if err != nil || off {
			return err
		}
	}
	return fmt.Errorf("qemu: %d resets", resetsMax)
}

func unpackTo(path, disk string) (string, error) {
	data, err := os.ReadFile(path) //nolint:gosec // named by the caller
	if err != nil {
		return "", err
	}
	r, err := unpack(data)
	if err != nil {
		return "", err
	}
	f, err := os.Create(disk) //nolint:gosec // in a folder of ours
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, r)
	return disk, errors.Join(err, f.Close())
}

// bootOnce starts QEMU and returns at the next reset, or when it was switched off.
func bootOnce(ctx context.Context, dir, disk string, more []string, out io.Writer) (off bool, err error) {
	f, err := os.OpenFile(disk, os.O_RDWR, 0) //nolint:gosec // named by the caller
	if err != nil {
		return false, err
	}
	b, err := rom.Select(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	kernel, initramfs, err := b.Extract(dir)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "rom: slot %s\r\n", b.Slot) //nolint:errcheck // only words
	// QEMU ends at a reset as it does when switched off; what it was, it says on
	// its monitor's line.
	events := filepath.Join(dir, "events")
	if err := os.WriteFile(events, nil, 0o600); err != nil {
		return false, err
	}
	c := exec.CommandContext(ctx, "qemu-system-aarch64", append(machine(kernel, initramfs, b.CommandLine, disk), //nolint:gosec // words of ours and the caller's
		append([]string{"-trace", "enable=qemu_system_shutdown_request,file=" + events}, more...)...)...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, out, os.Stderr
	if err := c.Run(); err != nil {
		return false, fmt.Errorf("qemu-system-aarch64: %w", err)
	}
	said, err := os.ReadFile(events) //nolint:gosec // in a folder of ours
	if err != nil {
		return false, err
	}
	return !strings.Contains(string(said), guestReset), nil
}

// guestReset is how QEMU writes SHUTDOWN_CAUSE_GUEST_RESET.
const guestReset = "reason=7"

// machine is the board qemu-virt: a PL011, a watchdog, a source of entropy, a
// disk, and xHCI for the devices, which the caller adds.
func machine(kernel, initramfs, line, disk string) []string {
	return []string{
		"-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "512", "-nographic", "-no-reboot",
		"-kernel", kernel, "-initrd", initramfs, "-append", line,
		"-device", "qemu-xhci,addr=2,p2=8,p3=8",
		"-drive", "if=none,id=card,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=card,addr=4",
		"-device", "virtio-rng-pci,addr=5", "-device", "i6300esb,addr=6", "-action", "watchdog=reset",
	}
}
