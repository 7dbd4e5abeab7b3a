package arena

import (
	"bytes"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readBack reads this process's own memory the way another process would.
func readBack(b []byte) ([]byte, error) {
	out := make([]byte, len(b))
	local := []unix.Iovec{{Base: &out[0]}}
	local[0].SetLen(len(out))
	remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: len(b)}} //nolint:gosec // an address, for the kernel
	_, err := unix.ProcessVMReadv(os.Getpid(), local, remote, 0)
	return out, err
}

func TestMap(t *testing.T) {
	a, err := Map(5000)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if len(a.memory) < 5000 || !bytes.Equal(a.memory, make([]byte, len(a.memory))) {
		t.Errorf("%d bytes", len(a.memory))
	}
	p, err := Place[[5000]byte](a)
	if err != nil {
		t.Fatal(err)
	}
	p[4999] = 7
	if a.memory[4999] != 7 {
		t.Error("placed elsewhere")
	}
	if _, err := Place[[1 << 20]byte](a); err == nil {
		t.Error("placed what does not fit")
	}
	if !a.Secret() {
		t.Skipf("this kernel gives no memfd_secret memory: %v", secretError())
	}
	if _, err := readBack(a.memory); err == nil {
		t.Error("secret memory was read through the kernel")
	}
}

func secretError() error {
	_, err := mapSecret(os.Getpagesize())
	return err
}

// The fall-back works as well, only that root can read it.
func TestMapLocked(t *testing.T) {
	a, err := mapLocked(8192)
	if err != nil {
		t.Fatal(err)
	}
	if a.Secret() || !a.Locked() {
		t.Errorf("secret %v, locked %v", a.Secret(), a.Locked())
	}
	copy(a.memory, "canary")
	if b, err := readBack(a.memory); err != nil || string(b[:6]) != "canary" {
		t.Errorf("%q, %v: the control of TestMap fails", b[:6], err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestMapRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, bytesMax + 1} {
		if _, err := Map(n); err == nil {
			t.Errorf("a mapping of %d bytes", n)
		}
	}
}

func TestDo(t *testing.T) {
	ran := false
	Do(func() { ran = true })
	if !ran {
		t.Error("not run")
	}
	t.Logf("erases: %v", Erases())
}
