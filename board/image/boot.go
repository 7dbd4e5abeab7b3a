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
	if p.board.Image.Select == board.SelectPi && feedsWatchdog(p.kernel) {
		lines = append(lines, earlyWatchdog)
	}
	for _, s := range []update.Slot{update.A, update.B} {
		lines = append(lines, fmt.Sprintf("[boot_partition=%d]", s.Partition()), fmt.Sprintf("cmdline=cmdline-%s.txt", s))
	}
	return []byte(strings.Join(append(lines, "[all]"), "\n") + "\n")
}

// earlyWatchdog has the firmware start the watchdog before it starts the kernel,
// and tell the kernel to feed it for so many seconds and no longer unless it is
// opened (watchdog.open_timeout on its command line): a kernel that hangs before
// PID 1 opens it, with 14 s of its own, is reset, and the boot after a trial is that
// of the old slot. 15 s are what the hardware can count (20 bits at 65,536 Hz), so
// that nobody has to feed it between firmware and driver; in QEMU's virt PID 1
// opens it 2 s after the kernel's start. No board has been seen to do any of it.
//
// kernel_watchdog_timeout: Raspberry Pi documentation, config.txt, boot options
// (pull request 4144, August 2025); start.elf and start4.elf of July 2025 and later
// (those of the image are of 21 May 2026), on a Pi 5 an EEPROM of then or later. An
// older one passes over it.
const earlyWatchdog = "kernel_watchdog_timeout=15"

// feedsWatchdog says whether a kernel has the driver built in: under one without
// it a watchdog that was started resets the board for ever. The name of its
// parameter is in no other.
func feedsWatchdog(kernel []byte) bool {
	if z, err := gzip.NewReader(bytes.NewReader(kernel)); err == nil {
		if kernel, err = io.ReadAll(io.LimitReader(z, kernelMax)); err != nil {
			return false
		}
	}
	return bytes.Contains(kernel, []byte("bcm2835_wdt.nowayout"))
}

// kernelMax bounds what a packed kernel unpacks to.
const kernelMax = 256 << 20

// commandLine is the kernel's. No USB device is let in by the kernel; a kernel
// that fails resets the board.
func commandLine(p parts, s update.Slot) []byte {
	words := []string{"console=" + p.board.Image.Console + ",115200", "rdinit=/init", "quiet", "panic=5", "usbcore.authorized_default=0"}
	if !p.ownKernel { // which has neither
		words = append(words, noTracer, noSysRq)
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

// noSysRq has the kernel itself take no commands after a break on the console. It
// applies the word right before it starts the first process (do_sysctl_args, Linux
// 5.8), which sets the same again and reports a kernel that refuses. No word is
// taken earlier. Until the kernel opens the console for that process it does not
// listen; between the two, a fifth of a second in QEMU, whoever holds the line can
// reset the board, as by pulling its plug (kernel.rpi allows 0x1f6: no dumps).
const noSysRq = "sysctl.kernel.sysrq=0"

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
