package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"regi/board/image/rom"
	"regi/firmware/update"
)

// resetsMax bounds the boots of one call.
const resetsMax = 1000

// qemu runs a disk until the machine is switched off: each reset goes through
// the ROM again.
func qemu(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	fused := flags.String("keys", "", "the owner's public keys `FILE`, as fused into a board: a slot that they have not signed is not booted")
	if err := flags.Parse(args); err != nil {
		return err
	}
	keys, err := fusedKeys(*fused)
	if err != nil {
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
	return (&bench{dir: dir, disk: disk, keys: keys, more: more, in: os.Stdin, out: out}).run(ctx)
}

// fusedKeys reads what a board has fused in; "" is a board that checks nothing.
func fusedKeys(path string) (*update.Keys, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // named by the caller
	if err != nil {
		return nil, err
	}
	keys, err := update.ParseKeys(text)
	if err != nil {
		return nil, err
	}
	return &keys, nil
}

// bench is a machine on the table: its card, and its console.
type bench struct {
	dir, disk string
	keys      *update.Keys
	more      []string // of QEMU's arguments
	in        *os.File
	out       io.Writer
}

// run boots until the machine was switched off.
func (b *bench) run(ctx context.Context) error {
	for range resetsMax {
		off, err := b.once(ctx)
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

// once starts QEMU and returns at the next reset, or when it was switched off.
func (b *bench) once(ctx context.Context) (off bool, err error) {
	args, err := b.boot()
	if err != nil {
		return false, err
	}
	// QEMU ends at a reset as it does when switched off, but traces only that.
	events := filepath.Join(b.dir, "events")
	if err := os.WriteFile(events, nil, 0o600); err != nil {
		return false, err
	}
	args = append(append(args, "-trace", "enable=qemu_system_shutdown_request", "-D", events), b.more...)
	c := exec.CommandContext(ctx, "qemu-system-aarch64", args...) //nolint:gosec // words of ours and the caller's
	c.Stdin, c.Stdout, c.Stderr = b.in, b.out, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no machine outlives its owner
	if err := c.Run(); err != nil {
		return false, fmt.Errorf("qemu-system-aarch64: %w", errors.Join(err, ctx.Err()))
	}
	said, err := os.ReadFile(events) //nolint:gosec // in a folder of ours
	if err != nil {
		return false, err
	}
	return strings.Contains(string(said), "qemu_system_shutdown_request"), nil
}

// boot is what a ROM does: it returns QEMU's arguments for what is on the disk.
func (b *bench) boot() ([]string, error) {
	f, err := os.OpenFile(b.disk, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // what was written is in the file
	boot, err := rom.SelectSealed(f, b.keys)
	if err != nil {
		return nil, err
	}
	if boot.Refused != nil {
		fmt.Fprintf(b.out, "%v\r\n", boot.Refused) //nolint:errcheck // only words
	}
	args, err := b.machine(boot)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(b.out, "rom: slot %s\r\n", boot.Slot)
	return args, err
}

var errNoMachine = errors.New("QEMU 7.2 has no machine for it: qemu-virt and rpi3 can be run")

// machine is that of the board which the slot is for.
func (b *bench) machine(boot *rom.Boot) ([]string, error) {
	kernel, initramfs, err := boot.Extract(b.dir)
	if err != nil {
		return nil, err
	}
	r, err := releaseIn(bytes.NewReader(boot.Initramfs))
	if err != nil {
		return nil, err
	}
	args := []string{"-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initramfs, "-append", boot.CommandLine}
	switch r.Board {
	case "qemu-virt":
		return append(args, virt(b.disk)...), nil
	case "rpi3":
		tree := filepath.Join(b.dir, "tree")
		text, err := boot.Trees(treeRaspi3b)
		if err := errors.Join(err, os.WriteFile(tree, text, 0o600)); err != nil {
			return nil, err
		}
		args[len(args)-1] += boot3b
		args = append(append(args, raspi3b(b.disk)...), "-dtb", tree)
		if !slices.Contains(b.more, "-serial") {
			args = append(args, "-serial", "mon:stdio")
		}
		return args, nil
	}
	return nil, fmt.Errorf("%s: %w", r.Board, errNoMachine)
}

// virt is the board qemu-virt: a PL011, a watchdog, a source of entropy, a disk,
// and xHCI for the devices, which the caller adds.
func virt(disk string) []string {
	return []string{
		"-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "512",
		"-device", "qemu-xhci,addr=2,p2=8,p3=8",
		"-drive", "if=none,id=card,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=card,addr=4",
		"-device", "virtio-rng-pci,addr=5", "-device", "i6300esb,addr=6", "-action", "watchdog=reset",
	}
}

// Of a Raspberry Pi 3 Model B: the tree that its firmware takes for it, and what
// is added to its command line here, since QEMU's watchdog of it resets the
// board the moment that it is opened.
const (
	treeRaspi3b = "bcm2710-rpi-3-b.dtb"
	boot3b      = " regi.watchdog=off"
)

// raspi3b is that board, as far as QEMU has it: the card, both UARTs, of which
// the second is the console, and a hub where the LAN9514 is, without its Ethernet
// adapter: it has no network.
func raspi3b(disk string) []string {
	return []string{
		"-M", "raspi3b", "-drive", "if=sd,format=raw,file=" + disk,
		"-device", "usb-hub,port=1", "-serial", "null",
	}
}
