package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"regi/drivers"
	"regi/firmware/capture"
	"regi/firmware/record"
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

// charter is what the processes that hold card keys go by. They have it from the
// spawner, which has it from a register that had read nothing yet: one that was
// taken over since can neither show them another reader or another key file, nor
// name itself the owner.
type charter struct {
	Register string // "store/register"
	State    string // the folder with the key file
	Card     wire
	VersionB bool
	// Owned: a card key is loaded with the owner's permit alone. Owner is nil then
	// if the owner's key cannot be read.
	Owned bool
	Owner ed25519.PublicKey
}

// wire is the card reader's line.
type wire struct {
	Serial
	Reader string // card.reader
	CBC    bool
}

func (c *Config) charter() (string, error) {
	told := charter{
		Register: c.Register.Store + "/" + c.Register.ID, State: c.Register.State, VersionB: c.Card.KeyblockB, Owned: c.Console.Owner != "",
		Card: wire{Serial: c.Card.Serial, Reader: c.Card.Reader, CBC: c.Card.Suite == "cbc"},
	}
	if told.Owned {
		told.Owner, _ = keyFile("console.owner", c.Console.Owner, record.ParseSignPublic) //nolint:errcheck // see charter.Owner
	}
	text, err := json.Marshal(told)
	if err != nil {
		return "", fmt.Errorf("config: %w", err)
	}
	return string(text), nil
}

// chartered is what this process was told.
func chartered() (c charter, err error) {
	return c, json.Unmarshal([]byte(role.Told()), &c)
}

// What the register asks of a new capture process: to read cards, or, for "regi
// check", only to say how it is confined.
const (
	captureCards = "C"
	captureJail  = "J"
)

func askCapture(link *os.File, what string) error {
	if _, err := io.WriteString(link, what); err != nil {
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
	told, err := chartered()
	if err != nil {
		return exitLink
	}
	asked := make([]byte, len(captureCards)+1)
	n, err := link.Read(asked)
	if err != nil {
		return exitLink
	}
	var keys *capture.Keys
	switch string(asked[:n]) {
	default:
		return exitLink
	case captureJail:
	case captureCards:
		keys, err = capture.OpenKeys(told.State)
		if errors.Is(err, capture.ErrKeysBusy) {
			return exitKeysBusy
		}
		if err != nil {
			return exitKeys
		}
	}
	o := capture.Options{Link: link, Keys: keys, CBC: told.Card.CBC}
	read, err := openReader(told.Card, &o)
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
