package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"regi/board/port"
	"regi/drivers"
	"regi/firmware/capture"
	"regi/firmware/role"
	"regi/firmware/uplink"
)

// Exit codes of the capture process: all that it says about a failure.
const (
	exitLink    = 10 + iota // not started by a register
	exitNoPort              // the reader's line does not exist
	exitBusy                // another process holds it
	exitPort                // it cannot be opened
	exitGone                // the reader was unplugged
	exitCapture             // anything else; no text leaves that process
)

// exitReasons are the words for them.
var exitReasons = map[int]string{ //nolint:gochecknoglobals // a constant table
	exitLink:    "not started by a register",
	exitNoPort:  "no such port: check the cable and card.port",
	exitBusy:    "port in use by another process",
	exitPort:    "port cannot be opened: check card.port and its rights",
	exitGone:    "reader unplugged",
	exitCapture: "card process failed; it is started again",
}

// wireMax bounds the packet that names the reader's line.
const wireMax = 4096

// sendWire tells a new capture process which line is the card reader's.
func sendWire(link *os.File, s Serial) error {
	packet, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	if _, err := link.Write(packet); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// captureMain is the card reader's process. It prints nothing, whatever
// happens: its exit code is the message.
func captureMain() int {
	// No core file and no look from the same user, before anything is read.
	hardened := errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		role.Confine(),
	)
	link, err := role.Link(role.LinkFD)
	if err != nil || hardened != nil {
		return exitLink
	}
	packet := make([]byte, wireMax)
	n, err := link.Read(packet)
	if err != nil {
		return exitLink
	}
	var wire Serial
	if json.Unmarshal(packet[:n], &wire) != nil {
		return exitLink
	}
	p, err := port.Open(port.Options{Path: wire.Port, Baud: wire.Baud, Opener: wire.Opener, LineEnd: '\r'})
	if err != nil {
		return openExit(err)
	}
	var runErr error
	if key, err := role.Link(role.KeyFD); err == nil {
		runErr = capture.Main(context.Background(), p, link, key)
	} else {
		runErr = capture.Main(context.Background(), p, link, nil)
	}
	if errors.Is(runErr, drivers.ErrUnplugged) {
		return exitGone
	}
	return exitCapture
}

func openExit(err error) int {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return exitNoPort
	case errors.Is(err, drivers.ErrBusy):
		return exitBusy
	}
	return exitPort
}

// uplinkMain is the process with the register's only network socket.
func uplinkMain() error {
	if err := role.Confine(); err != nil {
		return err
	}
	link, err := role.Link(role.LinkFD)
	if err != nil {
		return err
	}
	return uplink.Main(context.Background(), link)
}
