// Package link is the wire format between the capture process and its parent:
// one packet a message, every field of a fixed or a limited length, and every
// word but the brand sent as a number.
package link

import (
	"encoding/binary"
	"errors"
)

// PacketMax bounds a packet, in bytes.
const PacketMax = 4096

// Sizes of the fields of a sealed read, in bytes.
const (
	KSNBytes     = 12
	FirstBytes   = 6
	LastBytes    = 4
	ServiceBytes = 3
	MACBytes     = 16
	CipherMax    = 528 // a swipe of 512 bytes and a block of padding
	brandMax     = 16
	controlsMax  = 16
	nameMax      = 32
)

// Suite is how a read is sealed.
type Suite uint8

// The suites.
const (
	CTR Suite = iota
	CBC
	suites
)

// String names the algorithms of a sealed read; the MAC covers the name.
func (s Suite) String() string {
	if s == CBC {
		return "AES128-DUKPT-CBC-CMAC"
	}
	return "AES128-DUKPT-CTR-CMAC"
}

// Wipe is the one command of the parent: destroy the key, on disk as well. Any
// other packet ends the capture process.
const Wipe = 'W'

// The first bytes of a packet: the version of this format, then the kind.
const (
	version    = 2
	kindStatus = 'S'
	kindFailed = 'F'
	kindRead   = 'R'
	kindBits   = 'B' // a Read whose ciphertext is bits
	kindPassed = 'P'
)

// ErrPacket says that the bytes are no packet of this format.
var ErrPacket = errors.New("capture link: malformed packet")

// Reason is why no card can be read.
type Reason uint8

// The reasons.
const (
	None Reason = iota
	NoKey
	KeysUsedUp
	Unplugged
	Internal
	OtherDevice
	Damaged
	NotWritten
	Zeroised
	reasons
)

// Refusals is how many reasons there are, None included.
const Refusals = int(reasons)

// String is the reason in the words an operator sees.
func (r Reason) String() string {
	switch r {
	case None:
		return ""
	case NoKey:
		return "no key"
	case KeysUsedUp:
		return "card keys used up"
	case Unplugged:
		return "reader unplugged"
	case OtherDevice:
		return "key file of another device"
	case Damaged:
		return "key file damaged"
	case NotWritten:
		return "key file cannot be written"
	case Zeroised:
		return "key zeroised"
	case Internal, reasons:
	}
	return "internal fault"
}

// State is whether a hardening measure is in force.
type State uint8

// The states.
const (
	Off    State = iota // although the kernel offers it
	On                  // in force
	Absent              // this kernel does not offer it
	states
)

// String is the state in the words of "regi check".
func (s State) String() string {
	switch s {
	case Off:
		return "off"
	case On:
		return "on"
	case Absent, states:
	}
	return "not in this kernel"
}

// Control is one hardening measure.
type Control struct {
	Name  string
	State State
}

// Status says whether cards can be read, and how well they are guarded.
type Status struct {
	Reason    Reason // None: ready
	Suite     Suite
	SecretMem bool
	SecretDo  bool
	Controls  []Control
}

// Failed is a swipe that was no good read: a fault of package track on a track
// (0: the whole swipe), or the reason why cards are refused.
type Failed struct {
	Track, Fault uint8
	Refused      Reason
}

// Read is one sealed card read. In the capture process its slices point into
// the arena.
type Read struct {
	Bits    bool // Cipher is bits of a head (package track, Stripe), not characters
	Suite   Suite
	KSN     []byte
	First   []byte
	Brand   string
	Service []byte // 0 or 3 digits
	Tracks  uint8  // bit t-1: track t was read well
	Luhn    bool
	Cipher  []byte
	MAC     []byte
	Last    []byte
}

// Sizes of the fields of a read that was passed through, in bytes.
const (
	PassedKSNBytes  = 10
	PassedTrackMax  = 112 // the longest track, 107 characters, in blocks of 8 or 16
	passedTracks    = 3
	passedBlockSize = 8
)

// PassedSuites are the words for how an encrypting reader has sealed, by their
// number in a packet; 0 is none.
//
//nolint:gochecknoglobals // a table of words, never written
var PassedSuites = [...]string{
	1: "IDTECH-TDES-DUKPT-CBC",
	2: "IDTECH-AES-DUKPT-CBC",
	3: "MAGTEK-TDES-DUKPT-CBC",
}

// Passed is a card read that an encrypting reader has sealed; it is passed
// through unopened.
type Passed struct {
	Suite   uint8 // index of PassedSuites
	KSN     []byte
	First   []byte
	Brand   string
	Service []byte               // 0 or 3 digits
	Tracks  uint8                // bit t-1: track t was read well
	Cipher  [passedTracks][]byte // of each track by itself; empty: none
	Last    []byte
}

// Packet is a decoded packet: exactly one field is set.
type Packet struct {
	Status *Status
	Failed *Failed
	Read   *Read
	Passed *Passed
}

// AppendStatus appends s as a packet.
func AppendStatus(b []byte, s *Status) []byte {
	b = append(b, version, kindStatus, byte(s.Reason), byte(s.Suite), bit(s.SecretMem), bit(s.SecretDo), byte(len(s.Controls))) //nolint:gosec // at most controlsMax
	for _, c := range s.Controls {
		b = append(b, byte(c.State), byte(len(c.Name))) //nolint:gosec // at most nameMax
		b = append(b, c.Name...)
	}
	return b
}

// AppendFailed appends f as a packet.
func AppendFailed(b []byte, f Failed) []byte {
	return append(b, version, kindFailed, f.Track, f.Fault, byte(f.Refused))
}

// AppendRead appends r as a packet. The ciphertext stands between the first
// six and the last four digits.
func AppendRead(b []byte, r *Read) []byte {
	kind := byte(kindRead)
	if r.Bits {
		kind = kindBits
	}
	b = append(b, version, kind, byte(r.Suite))
	b = append(b, r.KSN...)
	b = append(b, r.First...)
	b = append(b, byte(len(r.Brand))) //nolint:gosec // at most brandMax
	b = append(b, r.Brand...)
	b = append(b, byte(len(r.Service))) //nolint:gosec // 0 or 3
	b = append(b, r.Service...)
	b = append(b, r.Tracks, bit(r.Luhn))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Cipher))) //nolint:gosec // at most CipherMax
	b = append(b, r.Cipher...)
	b = append(b, r.MAC...)
	return append(b, r.Last...)
}

// AppendPassed appends p as a packet.
func AppendPassed(b []byte, p *Passed) []byte {
	b = append(b, version, kindPassed, p.Suite)
	b = append(b, p.KSN...)
	b = append(b, p.First...)
	b = append(b, byte(len(p.Brand))) //nolint:gosec // at most brandMax
	b = append(b, p.Brand...)
	b = append(b, byte(len(p.Service))) //nolint:gosec // 0 or 3
	b = append(b, p.Service...)
	b = append(b, p.Tracks)
	for _, c := range p.Cipher {
		b = append(b, byte(len(c))) //nolint:gosec // at most PassedTrackMax
		b = append(b, c...)
	}
	return append(b, p.Last...)
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}
