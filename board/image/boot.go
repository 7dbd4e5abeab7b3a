package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"regi/board"
	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// Files of a slot. A ROM finds kernel and initramfs by config.txt.
const (
	kernelFile    = "kernel.img"
	initramfsFile = "initramfs.gz"
	configFile    = "config.txt"
)

// parts are what a boot.img is made of.
type parts struct {
	board    board.Board
	release  update.Release
	keys     []byte // the owner's public keys, empty if there are none
	binary   []byte
	kernel   []byte
	dtbs     []fat.File
	firmware []fat.File
	selector []fat.File // beside autoboot.txt
	// ownKernel is not the Raspberry Pi tree's: device trees have other names.
	ownKernel bool
}

// slotRoom is kept free in a slot, so that the file system is no larger than its
// files need.
const (
	slotRoom = 1 << 20
	slotMin  = 4 << 20 // no FAT16 is smaller
)

// bootImage makes a slot: the same for the same parts.
func bootImage(p parts) ([]byte, error) {
	initramfs, err := compress(archive([]entry{
		{name: "dev", mode: modeFolder},
		// Before anything is mounted: the descriptors of the first process.
		{name: "dev/console", mode: modeChar, major: consoleMajor, minor: consoleMinor},
		{name: "etc", mode: modeFolder},
		{name: "etc/regi", mode: modeFolder},
		{name: strings.TrimPrefix(update.ReleasePath, "/"), mode: modeFile, data: p.release.Encode()},
		{name: strings.TrimPrefix(update.KeysPath, "/"), mode: modeFile, data: p.keys},
		{name: "init", mode: modeExec, data: p.binary},
	}))
	if err != nil {
		return nil, fmt.Errorf("initramfs: %w", err)
	}
	kernel := p.kernel
	if !bytes.HasPrefix(kernel, []byte{0x1F, 0x8B}) {
		// The firmware of a Raspberry Pi and QEMU unpack it faster than a card reads.
		if kernel, err = compress(kernel); err != nil {
			return nil, fmt.Errorf("kernel: %w", err)
		}
	}
	files := []fat.File{
		{Name: configFile, Data: configText(p)},
		{Name: "cmdline.txt", Data: commandLine(p, "")},
		{Name: "cmdline-a.txt", Data: commandLine(p, update.A)},
		{Name: "cmdline-b.txt", Data: commandLine(p, update.B)},
		{Name: kernelFile, Data: kernel},
		{Name: initramfsFile, Data: initramfs},
	}
	files = append(append(files, p.dtbs...), p.firmware...)
	size := slotRoom
	for _, f := range files {
		size += len(f.Data)
	}
	size += size / 100 // tables, and the last cluster of each file
	size = max((size+slotRoom-1)/slotRoom*slotRoom, slotMin)
	if size >= update.ImageMax { // there is room for the seal
		return nil, fmt.Errorf("boot.img: %d bytes: %w", size, update.ErrTooLarge)
	}
	return fat.Build("REGI", size, files)
}

// configText is config.txt of a slot. It is the same in both slots: which one
// was booted the kernel's command line says, by the filter of the firmware
// (bootloader of November 2024 and later).
func configText(p parts) []byte {
	lines := []string{
		"# Regi. This partition is a slot: it is written as a whole.",
		"arm_64bit=1",
		"kernel=" + kernelFile,
		"initramfs " + initramfsFile + " followkernel",
		"disable_splash=1",
		"boot_delay=0",
	}
	lines = append(lines, p.board.Image.Config...)
	if p.ownKernel {
		lines = append(lines, "upstream_kernel=1")
	}
	for _, s := range []update.Slot{update.A, update.B} {
		lines = append(lines, fmt.Sprintf("[boot_partition=%d]", s.Partition()), fmt.Sprintf("cmdline=cmdline-%s.txt", s))
	}
	return []byte(strings.Join(append(lines, "[all]"), "\n") + "\n")
}

// commandLine is the kernel's. No USB device is let in by the kernel; a kernel
// that fails resets the board.
func commandLine(p parts, s update.Slot) []byte {
	words := []string{"console=" + p.board.Image.Console + ",115200", "rdinit=/init", "quiet", "panic=5", "usbcore.authorized_default=0"}
	if !p.ownKernel {
		words = append(words, noTracer)
	}
	if s != "" {
		words = append(words, update.SlotArgument+string(s))
	}
	return []byte(strings.Join(words, " ") + "\n")
}

// noTracer leaves the tables of a tracer out of a kernel that has one: nobody
// traces a register, whoever has taken it over least of all, and making them
// takes a fifth of the start (0.85 s of QEMU's processor time).
const noTracer = "initcall_blacklist=trace_eval_init,tracer_init_tracefs"

// selectorBytes is the size of the first partition.
const selectorBytes = 8 << 20

// selector makes the first partition: what a ROM reads to find the slot.
func selector(b board.Board, firmware []fat.File) ([]byte, error) {
	files := []fat.File{
		// In this order, each a cluster of a sector: it is overwritten in place.
		{Name: update.AutobootName, Data: update.Autoboot(update.A)},
		// By this file firmware knows a partition that boots.
		{Name: configFile, Data: []byte("# The slots are partitions 2 and 3; see autoboot.txt.\n")},
	}
	if b.Image.Select == board.SelectQEMU {
		files = append(files, fat.File{Name: update.TryName, Data: update.Try(false)})
	}
	return fat.Build("REGI-SEL", selectorBytes, append(files, firmware...))
}

// releaseOf is what a slot says of itself.
func releaseOf(image []byte) (r update.Release, err error) {
	fs, err := fat.Open(bytes.NewReader(image))
	if err != nil {
		return r, fmt.Errorf("boot.img: %w", err)
	}
	e, err := fs.Find(initramfsFile)
	if err != nil {
		return r, fmt.Errorf("boot.img: %w", err)
	}
	return releaseIn(e.Reader())
}

// releaseIn is what an initramfs says of itself.
func releaseIn(initramfs io.Reader) (r update.Release, err error) {
	z, err := gzip.NewReader(initramfs)
	if err != nil {
		return r, fmt.Errorf("initramfs: %w", err)
	}
	text, err := find(z, strings.TrimPrefix(update.ReleasePath, "/"))
	if err != nil {
		return r, fmt.Errorf("initramfs: %w", err)
	}
	return update.ParseRelease(text)
}
