package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"regi/firmware/update"
)

// The disk: one of 512 MiB, which any card holds, and QEMU takes as a card.
const (
	sectorBytes = 512
	diskBytes   = 512 << 20
	firstByte   = 1 << 20
	slotABytes  = firstByte + selectorBytes
	slotBBytes  = slotABytes + update.ImageMax
	dataAtBytes = slotBBytes + update.ImageMax
	dataBytes   = diskBytes - dataAtBytes
)

// Types of partitions.
const (
	typeFAT16LBA = 0x0E
	typeLinux    = 0x83
)

// partitions are those of the table, in order.
//
//nolint:gochecknoglobals // a constant table
var partitions = []struct {
	kind       byte
	begin, len int64
}{
	{typeFAT16LBA, firstByte, selectorBytes},
	{typeFAT16LBA, slotABytes, update.ImageMax},
	{typeFAT16LBA, slotBBytes, update.ImageMax},
	{typeLinux, dataAtBytes, dataBytes},
}

// diskID is the disk's signature, the same for each: nothing goes by it.
const diskID = 0x52454749

// masterBoot is the first sector: a table and no code.
func masterBoot() []byte {
	b := make([]byte, sectorBytes)
	binary.LittleEndian.PutUint32(b[440:], diskID)
	for i, p := range partitions {
		e := b[446+16*i:]
		copy(e[1:], []byte{0xFE, 0xFF, 0xFF}) // beyond what cylinders can say
		e[4] = p.kind
		copy(e[5:], []byte{0xFE, 0xFF, 0xFF})
		binary.LittleEndian.PutUint32(e[8:], uint32(p.begin/sectorBytes)) //nolint:gosec // under 512 MiB
		binary.LittleEndian.PutUint32(e[12:], uint32(p.len/sectorBytes))  //nolint:gosec // under 512 MiB
	}
	b[510], b[511] = 0x55, 0xAA
	return b
}

// writeDisk makes the file of a disk, with slot A and an empty slot B.
func writeDisk(ctx context.Context, path string, selector, slot []byte, epoch string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644) //nolint:gosec // it holds no secret
	if err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	defer f.Close() //nolint:errcheck // closed below where it matters
	if err := f.Truncate(diskBytes); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	for at, data := range map[int64][]byte{0: masterBoot(), firstByte: selector, slotABytes: slot} {
		if _, err := f.WriteAt(data, at); err != nil {
			return fmt.Errorf("disk: %w", err)
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return makeData(ctx, path, epoch)
}

// dataUUID is the data partition's, the same for each: it is found by its label.
const dataUUID = "52454749-0000-4000-8000-000000000001"

// makeData makes the file system of the data partition, without being root.
func makeData(ctx context.Context, path, epoch string) error {
	mke2fs, err := tool("mke2fs", "e2fsprogs")
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, mke2fs, "-q", "-F", "-t", "ext4", "-m", "1", "-L", dataLabel, "-U", dataUUID, //nolint:gosec // words of ours
		"-E", "offset="+strconv.Itoa(dataAtBytes)+",hash_seed="+dataUUID+",root_owner=0:0,lazy_itable_init=0,nodiscard",
		path, strconv.Itoa(dataBytes>>10)+"k")
	c.Env = append(os.Environ(), "E2FSPROGS_FAKE_TIME="+epoch)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs: %w\n%s", err, out)
	}
	return nil
}

// dataLabel is what the first process looks for.
const dataLabel = "regi-data"

// tool finds a program; on Debian some are where only root looks.
func tool(name, pkg string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name, nil
		}
	}
	return "", fmt.Errorf("%s is missing (apt install %s)", name, pkg)
}

// checkFAT has another reader look at a file system; none is no fault.
func checkFAT(ctx context.Context, dir string, image []byte) (checked bool, err error) {
	fsck, err := tool("fsck.vfat", "dosfstools")
	if err != nil {
		return false, nil //nolint:nilerr // the caller says so
	}
	f, err := os.CreateTemp(dir, "fat")
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // in a folder of ours
	defer f.Close()           //nolint:errcheck // read from from now on
	if _, err := f.Write(image); err != nil {
		return false, err
	}
	if out, err := exec.CommandContext(ctx, fsck, "-n", f.Name()).CombinedOutput(); err != nil { //nolint:gosec // a path of ours
		return false, fmt.Errorf("fsck.vfat: %w\n%s", err, out)
	}
	return true, nil
}
