package hsm

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"regi/sim/hsm/internal/cmac"
	"regi/sim/hsm/internal/dukpt"
)

// The key file: magic ‖ BDK id (4) ‖ BDK (16) ‖ check value, which is the first
// bytes of the CMAC over a zero block (X9.24-1:2017 annex A).
const (
	bdkName   = "bdk"      // of the capture processes: AES
	tdesName  = "bdk-tdes" // of encrypting readers
	bdkMagic  = "REGI-BDK-1\n"
	bdkIDSize = 4
	kcvSize   = 5
	bdkSize   = len(bdkMagic) + bdkIDSize + len(dukpt.Key{}) + kcvSize
)

// bdk is the base derivation key: whoever has it can open every card read.
type bdk struct {
	id  [bdkIDSize]byte
	key dukpt.Key
}

// openBDK reads a key of a folder, or makes it the first time. A damaged key
// is an error: a new one would make every device's key void.
func openBDK(dir, name string) (*bdk, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeBDK(dir, name)
	}
	if err != nil {
		return nil, fmt.Errorf("hsm: base key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("hsm: base key: others may read %s: chmod 600", path)
	}
	if info.Size() != int64(bdkSize) {
		return nil, fmt.Errorf("hsm: base key: %s is damaged", path)
	}
	file, err := os.ReadFile(path) //nolint:gosec // the configuration names the folder
	if err != nil {
		return nil, fmt.Errorf("hsm: base key: %w", err)
	}
	defer clear(file)
	rest, ok := bytes.CutPrefix(file, []byte(bdkMagic))
	if !ok || len(file) != bdkSize {
		return nil, fmt.Errorf("hsm: base key: %s is damaged", path)
	}
	b := &bdk{id: [bdkIDSize]byte(rest), key: dukpt.Key(rest[bdkIDSize:])}
	if kcv := b.check(); !bytes.Equal(rest[bdkIDSize+len(b.key):], kcv[:]) {
		clear(b.key[:])
		return nil, fmt.Errorf("hsm: base key: %s is damaged", path)
	}
	return b, nil
}

// makeBDK makes a key and has it on disk before anything is derived from it.
func makeBDK(dir, name string) (*bdk, error) {
	b := &bdk{}
	rand.Read(b.id[:])
	// So that no key number reads like a card number, it has letters as hex.
	b.id[0] |= 0xF0
	b.id[bdkIDSize-1] |= 0x0F
	rand.Read(b.key[:])
	kcv := b.check()
	file := make([]byte, 0, bdkSize)
	file = append(file, bdkMagic...)
	file = append(file, b.id[:]...)
	file = append(file, b.key[:]...)
	file = append(file, kcv[:]...)
	defer clear(file)
	if err := replaceFile(dir, name, file); err != nil {
		return nil, fmt.Errorf("hsm: base key: %w", err)
	}
	return b, nil
}

func (b *bdk) check() (kcv [kcvSize]byte) {
	mac := cmac.Sum((*[16]byte)(&b.key), make([]byte, cmac.Size))
	copy(kcv[:], mac[:])
	return kcv
}

// replaceFile has a file with these bytes under name, whole or not at all.
func replaceFile(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the configuration names the folder
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	d, err := os.Open(dir) //nolint:gosec // the configuration names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDir makes this process the only one that uses the folder: two of them
// would hand out the same initial keys. The lock ends with the process.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("hsm: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the configuration names the folder
	if err != nil {
		return nil, fmt.Errorf("hsm: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("hsm: %s is in use by another hsm: %w", dir, err), f.Close())
	}
	return f, nil
}
