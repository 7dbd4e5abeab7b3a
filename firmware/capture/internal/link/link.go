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
	CipherMax    = 512
	brandMax     = 16
	controlsMax  = 16
	nameMax      = 32
)

// Suite names the algorithms of a sealed read; it is covered by the MAC.
const Suite = "AES128-DUKPT-CTR-CMAC"

// The first bytes of a packet: the version of this format, then the kind.
const (
	version    = 1
	kindStatus = 'S'
	kindFailed = 'F'
	kindRead   = 'R'
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
	reasons
)

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
	case Internal, reasons:
	}
	return "internal fault"
}

// Control is one hardening measure.
type Control struct {
	Name string
	On   bool
}

// Status says whether cards can be read, and how well they are guarded.
type Status struct {
	Reason    Reason // None: ready
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

// Packet is a decoded packet: exactly one field is set.
type Packet struct {
	Status *Status
	Failed *Failed
	Read   *Read
}

// AppendStatus appends s as a packet.
func AppendStatus(b []byte, s *Status) []byte {
	b = append(b, version, kindStatus, byte(s.Reason), bit(s.SecretMem), bit(s.SecretDo), byte(len(s.Controls))) //nolint:gosec // at most controlsMax
	for _, c := range s.Controls {
		b = append(b, bit(c.On), byte(len(c.Name))) //nolint:gosec // at most nameMax
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
	b = append(b, version, kindRead)
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

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}
