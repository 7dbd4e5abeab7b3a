package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regi/sim/counter/stand"
)

// inTime bounds every wait for something that must happen.
const inTime = 30 * time.Second

// TestScannerCommand types two codes into a scanner that waits for answers.
func TestScannerCommand(t *testing.T) {
	pty := filepath.Join(t.TempDir(), "scanner")
	keyboard, typed := io.Pipe()
	var out stand.Log
	ended := make(chan error, 1)
	go func() {
		ended <- runScanner(t.Context(), []string{"--pty", pty, "--framing", "honeywell", "--ids", "honeywell"}, keyboard, &out)
	}()
	register := openedPTY(t, pty)
	for _, c := range []struct{ line, frame, answer string }{
		{"4901234567894", "d4901234567894\r", "\x1b7,"},
		{"]C10104901234567894{GS}10A", "I0104901234567894\x1d10A\r", "\x1b8,"},
	} {
		io.WriteString(typed, c.line+"\n")
		b := make([]byte, len(c.frame))
		if _, err := io.ReadFull(register, b); err != nil || string(b) != c.frame {
			t.Errorf("%s: the register got %q, %v", c.line, b, err)
		}
		io.WriteString(register, c.answer)
	}
	io.WriteString(typed, "\n")
	typed.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, want := range []string{"\"4901234567894\": good\n", "(good scan beep)", "(razz: refused)", ": refused\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed %q, without %q", out.String(), want)
		}
	}
	if _, err := os.Lstat(pty); err == nil {
		t.Error("the link is still there")
	}
}

func TestScannerCommandRefuses(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"--pty", filepath.Join(t.TempDir(), "s"), "--framing", "usb"},
		{"--pty", filepath.Join(t.TempDir(), "s"), "--noise", "2"},
		{"--pty", "x", "y"},
		{"--colour"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), inTime)
		if err := runScanner(ctx, args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
		cancel()
	}
}
