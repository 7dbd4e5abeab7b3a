package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"regi/sim/counter/stand"
)

// openedPTY opens what a command makes, as a register does.
func openedPTY(t *testing.T, path string) *os.File {
	t.Helper()
	for until := time.Now().Add(inTime); ; time.Sleep(time.Millisecond) {
		f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { f.Close() })
			return f
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

// TestKeypadCommand types keys into a keypad by itself, one that gets stuck, and
// what is no key.
func TestKeypadCommand(t *testing.T) {
	pty := filepath.Join(t.TempDir(), "keypad")
	keyboard, typed := io.Pipe()
	var out stand.Log
	ended := make(chan error, 1)
	go func() { ended <- runKeypad(t.Context(), []string{"--pty", pty}, keyboard, &out) }()
	register := openedPTY(t, pty)
	sees := func(want string) {
		t.Helper()
		b := make([]byte, len(want))
		if _, err := io.ReadFull(register, b); err != nil || string(b) != want {
			t.Errorf("the register got %q, %v; want %q", b, err, want)
		}
	}
	io.WriteString(typed, "1 0 00 CASH\n")
	sees("10d$")
	io.WriteString(typed, "hold 7\n")
	sees("7777")
	io.WriteString(typed, "MONEY\n")
	io.WriteString(typed, "raw 0d FF\n")
	for b := make([]byte, 1); b[0] != 0x0d; { // what was still repeated before
		if _, err := io.ReadFull(register, b); err != nil || b[0] != '7' && b[0] != 0x0d {
			t.Fatalf("%q, %v", b, err)
		}
	}
	sees("\xff")
	io.WriteString(typed, "raw x\n")
	typed.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, want := range []string{`"MONEY" is no key`, "raw: bytes are two hexadecimal digits"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed %q, without %q", out.String(), want)
		}
	}
}

// TestDisplayCommand: what a register shows is drawn.
func TestDisplayCommand(t *testing.T) {
	for model, show := range map[string]string{
		"cd5220": "\x1bfJ\x1bcJ\x1b*\x02\x1bQAMILK           1x198\r\x1bQB\xba\xde\xb3\xb9\xb2\r",
		"escpos": "\x1bR\x08\x1bt\x01\x1fX\x02\x1f$\x01\x01MILK           1x198\x1f$\x01\x02\xba\xde\xb3\xb9\xb2",
	} {
		pty := filepath.Join(t.TempDir(), "display")
		var out stand.Log
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- runDisplay(ctx, []string{"--pty", pty, "--model", model}, nil, &out) }()
		register := openedPTY(t, pty)
		io.WriteString(register, show)
		want := "│MILK           1x198│\n│ｺﾞｳｹｲ               │  2/4\n"
		for until := time.Now().Add(inTime); !strings.Contains(out.String(), want); time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s: drawn\n%s", model, out.String())
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestHandsCommandsRefuse(t *testing.T) {
	pty := filepath.Join(t.TempDir(), "x")
	for _, args := range [][]string{{}, {"--pty", pty, "more"}, {"--speed", "1"}, {"--pty", "/no/such\x00folder"}} {
		if err := runKeypad(t.Context(), args, nil, io.Discard); err == nil {
			t.Errorf("keypad %q was taken", args)
		}
		if err := runDisplay(t.Context(), args, nil, io.Discard); err == nil {
			t.Errorf("display %q was taken", args)
		}
	}
	if err := runDisplay(t.Context(), []string{"--pty", pty, "--model", "vt100"}, nil, io.Discard); err == nil {
		t.Error("a display of an unknown model was taken")
	}
}
