package port_test

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"regi/board/port"
)

// TestLend: whoever has the line for a while may set it up as he likes and make
// it blocking; afterwards it is as it was, with its deadlines, and what was left
// of him is not read.
func TestLend(t *testing.T) {
	far, path := newPTY(t)
	p := openPort(t, port.Options{Path: path, Baud: 115200})
	refused := errors.New("refused")
	err := p.Lend(func(tty *os.File) error {
		fd := int(tty.Fd())
		if err := unix.SetNonblock(fd, false); err != nil {
			return err
		}
		mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		mode.Lflag |= unix.ICANON | unix.ECHO
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, mode); err != nil {
			return err
		}
		if _, err := io.WriteString(far, "one\nleft over\n"); err != nil {
			return err
		}
		b := make([]byte, 64)
		if n, err := tty.Read(b); err != nil || string(b[:n]) != "one\n" {
			t.Errorf("the borrower read %q, %v", b[:n], err)
		}
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
	echo := make([]byte, 64)
	if _, err := far.Read(echo); err != nil { // of the borrower's mode
		t.Fatal(err)
	}
	within(t, p, soon)
	b := make([]byte, 64)
	if n, err := p.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %q, %v", b[:n], err)
	}
	within(t, p, patience)
	if _, err := io.WriteString(far, "raw"); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(b); err != nil || string(b[:n]) != "raw" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	if _, err := io.WriteString(p, "back"); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Read(b); err != nil || string(b[:n]) != "back" {
		t.Errorf("the far end read %q, %v", b[:n], err)
	}
	p.Close()
	if err := p.Lend(func(*os.File) error { return nil }); err == nil {
		t.Error("a closed line is lent")
	}
}
