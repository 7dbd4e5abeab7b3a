// Package order is what a test and the intruder inside of a guest say to each
// other: through a disk of their own, which each reads over and over, as the
// board has no line to spare.
package order

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"regi/sim/drill/reach"
	"regi/sim/drill/scrape"
)

// Serial is the disk's serial number, by which the intruder finds it.
const Serial = "order"

// What may be ordered.
const (
	Processes = "processes" // who runs
	Sockets   = "sockets"   // what listens
	Counters  = "counters"  // of the firewall
	Devices   = "devices"   // what the kernel has made of what is plugged in
	Send      = "send"      // packets, as User, to Targets
	FromRole  = "from-role" // the same by the threads of PID, with their rights
	Route     = "route"     // by default to the first of Targets
	Listen    = "listen"    // on Port, for TCP and UDP
	Tear      = "tear"      // the firewall down, over and over for For
	Hunt      = "hunt"      // for Cards in the memory of all processes, until Hunted
	Passes    = "passes"    // how often so far
	Hunted    = "hunted"    // what was found so far; ends the hunt
	Peek      = "peek"      // at PID, as User
	PeekRole  = "peek-role" // at PID, by the threads of From
	Signal    = "signal"    // PID
	Run       = "run"       // programs that are not the register's, as User
	Search    = "search"    // for Cards in all that is written on the board
)

// Order is one thing to do.
type Order struct {
	Do        string
	PID, From int
	User      uint32
	Number    int // of a signal
	Port      uint16
	Targets   []Target
	For       time.Duration
	Cards     []scrape.Card
}

// Target is where a packet is sent to.
type Target struct {
	Kind    string // tcp, udp, icmp
	Address string // host:port, or host
}

// Answer is what came of it.
type Answer struct {
	Err       string
	Processes []Process
	Sockets   []string
	Counters  map[string]uint64
	Devices   []Device
	Nodes     []string
	Attempts  []reach.Attempt
	Threads   int
	Torn      int
	Hunt      Result
	Files     int
}

// Process is one of the guest's.
type Process struct {
	PID  int
	User uint32
	Name string // argv[0]
}

// Device is on a USB socket.
type Device struct {
	Name, ID, Authorized string
	Drivers              []string // of its interfaces
}

// Result is what a hunt gave.
type Result struct {
	Passes  map[string]int // by the process's name
	Pages   int
	Refused int // pages that not even root is given
	Found   scrape.Count
}

// Disk is what both reach: a file here, a block device there.
type Disk interface {
	io.ReaderAt
	io.WriterAt
}

// Sizes of the disk. The bytes of an order lie at its beginning, those of an
// answer in its middle; each has a head of number, length and checksum.
const (
	DiskBytes  = 1 << 20
	answerAt   = DiskBytes / 2
	headBytes  = 12
	BlockBytes = 4096
	// MessageMax bounds a message with its head.
	MessageMax = 256 << 10
)

// Every is how often either side looks.
const Every = 20 * time.Millisecond

var errTooLong = errors.New("order: too long")

// Side is one of the two. Buffer is what goes to and comes from the disk, as
// long as the longest message; a block device wants it aligned.
type Side struct {
	Disk   Disk
	Buffer []byte
	// Asks is the side that orders.
	Asks bool

	mine, theirs uint32 // numbers of the newest messages
}

// Say writes the next message.
func (s *Side) Say(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("order: %w", err)
	}
	if headBytes+len(body) > MessageMax {
		return errTooLong
	}
	s.mine++
	binary.LittleEndian.PutUint32(s.Buffer, s.mine)
	binary.LittleEndian.PutUint32(s.Buffer[4:], uint32(len(body))) //nolint:gosec // below MessageMax
	binary.LittleEndian.PutUint32(s.Buffer[8:], crc32.ChecksumIEEE(body))
	n := headBytes + copy(s.Buffer[headBytes:], body)
	whole := (n + BlockBytes - 1) / BlockBytes * BlockBytes
	clear(s.Buffer[n:whole])
	at := int64(answerAt)
	if s.Asks {
		at = 0
	}
	_, err = s.Disk.WriteAt(s.Buffer[:whole], at)
	if clear(s.Buffer[:whole]); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	return nil
}

// Hear reads the next message of the other side, if there is one. One that is
// half written has another checksum.
func (s *Side) Hear(v any) (heard bool, err error) {
	at := int64(0)
	if s.Asks {
		at = answerAt
	}
	if _, err := s.Disk.ReadAt(s.Buffer[:BlockBytes], at); err != nil {
		return false, fmt.Errorf("order: %w", err)
	}
	number, size := binary.LittleEndian.Uint32(s.Buffer), int(binary.LittleEndian.Uint32(s.Buffer[4:]))
	if number != s.theirs+1 || size > MessageMax-headBytes {
		return false, nil
	}
	whole := (headBytes + size + BlockBytes - 1) / BlockBytes * BlockBytes
	defer clear(s.Buffer[:whole])
	if _, err := s.Disk.ReadAt(s.Buffer[:whole], at); err != nil {
		return false, fmt.Errorf("order: %w", err)
	}
	body := s.Buffer[headBytes : headBytes+size]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(s.Buffer[8:]) {
		return false, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return false, fmt.Errorf("order: %w", err)
	}
	s.theirs = number
	return true, nil
}
