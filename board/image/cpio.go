package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Modes and device numbers of an entry, as stat(2) has them.
const (
	modeFolder = 0o040755
	modeFile   = 0o100444
	modeExec   = 0o100555
	modeChar   = 0o020600

	consoleMajor, consoleMinor = 5, 1
)

// entry is one of an initramfs.
type entry struct {
	name         string
	mode         uint32
	major, minor uint32 // of a device
	data         []byte
}

// archive writes entries as a cpio of the "newc" kind (the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst): owned by root,
// without times, the same for the same entries.
func archive(entries []entry) []byte {
	var b bytes.Buffer
	for i, e := range append(entries, entry{name: "TRAILER!!!"}) {
		links, ino := 1, i+1
		if e.name == "TRAILER!!!" {
			ino = 0
		}
		// magic, inode, mode, uid, gid, links, mtime, size, device, the node's
		// device, the length of the name with its zero, checksum.
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
			ino, e.mode, 0, 0, links, 0, len(e.data), 0, 0, e.major, e.minor, len(e.name)+1, 0)
		b.WriteString(e.name + "\x00")
		align(&b)
		b.Write(e.data)
		align(&b)
	}
	return b.Bytes()
}

func align(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}

// headBytes is what of an archive is looked through for a file: what says what a
// slot is comes before the binary.
const headBytes = 64 << 10

var errArchive = errors.New("the initramfs does not say what it is")

// find returns a file from the first entries of what archive wrote.
func find(r io.Reader, name string) ([]byte, error) {
	const header, sizeAt, nameAt = 110, 54, 94
	b, err := io.ReadAll(io.LimitReader(r, headBytes))
	if err != nil {
		return nil, err
	}
	for len(b) >= header && bytes.HasPrefix(b, []byte("070701")) {
		size, errSize := strconv.ParseUint(string(b[sizeAt:sizeAt+8]), 16, 31)
		length, errName := strconv.ParseUint(string(b[nameAt:nameAt+8]), 16, 12)
		dataAt := (header + length + 3) &^ 3
		next := (dataAt + size + 3) &^ 3
		if errSize != nil || errName != nil || next > uint64(len(b)) {
			break
		}
		if string(b[header:header+length]) == name+"\x00" {
			return b[dataAt : dataAt+size], nil
		}
		b = b[next:]
	}
	return nil, errArchive
}

// compress is gzip without a name or a time.
func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
