package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"regi/drivers"
	"regi/firmware/capture"
	"regi/firmware/role"
	"regi/firmware/uplink"
)

// Exit codes of the capture process: all that it says about a failure.
const (
	exitLink     = 10 + iota // not started by a register
	exitNoPort               // the reader's line does not exist
	exitBusy                 // another process holds it
	exitPort                 // it cannot be opened
	exitGone                 // the reader was unplugged
	exitCapture              // anything else; no text leaves that process
	exitKeys                 // the key file cannot be opened
	exitKeysBusy             // another process has it
)

// exitReasons are the words for them.
var exitReasons = map[int]string{ //nolint:gochecknoglobals // a constant table
	exitLink:    "not started by a register",
	exitNoPort:  "no such port: check the cable and card.port",
	exitBusy:    "port in use by another process",
	exitPort:    "port cannot be opened: check card.port and its rights",
	exitGone:    "reader unplugged",
	exitCapture: "card process failed; it is started again",

	role.Violation: "card process killed: it made a system call that it has no use for; report this",

	exitKeys:     "card key file cannot be opened: check the disk and register.state",
	exitKeysBusy: "card key file in use: end \"regi keys\" first",
}

// wireMax bounds the packet that names the reader's line.
const wireMax = 8192

// wire is what a new capture process is told.
type wire struct {
	Serial
	Reader string // card.reader
	State  string // the folder with the key file
	CBC    bool
}

// sendWire tells a new capture process which line is the card reader's, and
// where its keys are.
func sendWire(link *os.File, w wire) error {
	packet, err := json.Marshal(w)
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
	hardened := role.Born()
	link, err := role.Link(role.LinkFD)
	if err != nil || hardened != nil {
		return exitLink
	}
	packet := make([]byte, wireMax)
	n, err := link.Read(packet)
	if err != nil {
		return exitLink
	}
	var w wire
	if json.Unmarshal(packet[:n], &w) != nil {
		return exitLink
	}
	var keys *capture.Keys
	if w.State != "" { // "regi check" only asks how the process is confined
		keys, err = capture.OpenKeys(w.State)
		if errors.Is(err, capture.ErrKeysBusy) {
			return exitKeysBusy
		}
		if err != nil {
			return exitKeys
		}
	}
	o := capture.Options{Link: link, Keys: keys, CBC: w.CBC}
	read, err := openReader(w, &o)
	if err != nil {
		return openExit(err)
	}
	if key, err := role.Link(role.KeyFD); err == nil {
		o.Key = key
	}
	runErr := read(context.Background(), o)
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
	if err := role.Born(); err != nil {
		return err
	}
	link, err := role.Link(role.LinkFD)
	if err != nil {
		return err
	}
	return uplink.Main(context.Background(), link, confineUplink)
}
