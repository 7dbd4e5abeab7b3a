package keypad_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"regi/sim/device/keypad"
	"regi/sim/wire"
)

// counter is a keypad on a wire, and the register's end of it.
func counter(t *testing.T) (*keypad.Keypad, *wire.TTY, *os.File) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "keypad")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		register.Close() //nolint:errcheck,gosec // the test is over
		tty.Close()      //nolint:errcheck,gosec // the test is over
	})
	return keypad.New(tty), tty, register
}

func press(t *testing.T, k *keypad.Keypad, register io.Reader, n int, names ...string) string {
	t.Helper()
	got := make(chan string, 1)
	go func() {
		b := make([]byte, n)
		n, _ := io.ReadFull(register, b) //nolint:errcheck // what came is compared
		got <- string(b[:n])
	}()
	if err := k.Press(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
	return <-got
}

// TestKeysOfTheDesign: the names are DESIGN.md's, section 4, each is one byte,
// and no two share one.
func TestKeysOfTheDesign(t *testing.T) {
	k, _, register := counter(t)
	names := strings.Fields("0 1 2 3 4 5 6 7 8 9 00 DOT CLEAR QTY VOID SUBTOTAL CASH CARD POINTS NOSALE DISCOUNT REFUND X Z OPEN ENTER FN")
	if sent := press(t, k, register, len(names), names...); sent != "0123456789d.cxvs$kpn%rXZo\rf" {
		t.Errorf("sent %q", sent)
	}
	slices.Sort(names)
	if !slices.Equal(keypad.Names(), names) {
		t.Errorf("keys %v", keypad.Names())
	}
}

func TestMistakesSendNothing(t *testing.T) {
	k, _, register := counter(t)
	err := k.Press(t.Context(), "1", "cash")
	if err == nil || !strings.Contains(err.Error(), `"cash"`) || !strings.Contains(err.Error(), "CASH") {
		t.Errorf("unknown key: %v", err)
	}
	if err := k.Press(t.Context(), slices.Repeat([]string{"1"}, keypad.KeysMax+1)...); err == nil {
		t.Error("too many keys were taken")
	}
	if sent := press(t, k, register, 1, "2"); sent != "2" {
		t.Errorf("%q was sent before", sent)
	}
}

func TestErrorsSayWhy(t *testing.T) {
	k, tty, _ := counter(t)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := k.Press(short, "1"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not read") {
		t.Errorf("unread: %v", err)
	}
	if err := tty.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := k.Press(t.Context(), "1"); !errors.Is(err, wire.ErrUnplugged) {
		t.Errorf("pulled: %v", err)
	}
}
