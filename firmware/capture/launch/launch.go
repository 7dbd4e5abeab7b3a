// Package launch is the register's side of the capture process: what comes
// from there is checked byte by byte before anything else sees it.
package launch

import (
	"encoding/binary"
	"encoding/hex"

	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
	"regi/firmware/record"
)

// PacketMax bounds a packet of the link, in bytes.
const PacketMax = link.PacketMax

// Wipe is the packet that makes the capture process destroy its key. It
// answers with a Status whose reason is Zeroised.
func Wipe() []byte { return []byte{link.Wipe} }

// Zeroised is the Reason of a key that was wiped.
func Zeroised() string { return link.Zeroised.String() }

// Reasons are all that a Status or a failed swipe may give for refusing cards.
func Reasons() []string {
	var words []string
	for r := range link.Refusals {
		if word := link.Reason(r).String(); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// ErrPacket says that the bytes are no packet of the capture process.
var ErrPacket = link.ErrPacket

// State is whether a hardening measure is in force.
type State = link.State

// The states.
const (
	Off    = link.Off    // although the kernel offers it
	On     = link.On     // in force
	Absent = link.Absent // this kernel does not offer it
)

// Control is one hardening measure of the capture process.
type Control struct {
	Name  string
	State State
}

// Status says whether cards can be read and how well they are guarded.
type Status struct {
	Ready  bool
	Reason string // why not, in the operator's words
	// SecretMem: the arena is memfd_secret memory. SecretDo: used keys are
	// erased from registers, stacks and heap.
	SecretMem, SecretDo bool
	Suite               string
	Controls            []Control
}

// Event is what happened at the card reader; exactly one field is set.
type Event struct {
	Read   *record.CardRead
	Failed string // why a swipe was no good read: "track 2: parity/LRC"
	Status *Status
}

// Decode reads one packet of the capture process. It refuses with ErrPacket
// whatever that process does not write.
func Decode(packet []byte) (Event, error) {
	p, err := link.Decode(packet)
	if err != nil {
		return Event{}, err
	}
	switch {
	case p.Status != nil:
		return Event{Status: status(p.Status)}, nil
	case p.Failed != nil:
		return failed(p.Failed)
	case p.Passed != nil:
		return passed(p.Passed)
	}
	return read(p.Read)
}

func status(s *link.Status) *Status {
	out := &Status{
		Ready: s.Reason == link.None, Reason: s.Reason.String(),
		SecretMem: s.SecretMem, SecretDo: s.SecretDo, Suite: s.Suite.String(),
	}
	for _, c := range s.Controls {
		out.Controls = append(out.Controls, Control(c))
	}
	return out
}

func failed(f *link.Failed) (Event, error) {
	if f.Refused != link.None {
		return Event{Failed: f.Refused.String()}, nil
	}
	fault := track.Fault(f.Fault)
	if !fault.Known() {
		return Event{}, ErrPacket
	}
	return Event{Failed: fault.On(f.Track)}, nil
}

func read(r *link.Read) (Event, error) {
	if !iin.Known(r.Brand) || iin.Brand(r.First) != r.Brand {
		return Event{}, ErrPacket
	}
	source := "msr"
	if r.Bits {
		source = "msr-ttl"
	}
	return Event{Read: &record.CardRead{
		Suite:       r.Suite.String(),
		KSN:         hex.EncodeToString(r.KSN),
		Source:      source,
		BIN:         string(r.First),
		Last4:       string(r.Last),
		Brand:       r.Brand,
		ServiceCode: string(r.Service),
		Tracks:      tracks(r.Tracks),
		Luhn:        r.Luhn,
		Entry:       "swipe",
		CT:          append(record.HexBytes(nil), r.Cipher...), // not the caller's buffer
		MAC:         append(record.HexBytes(nil), r.MAC...),
	}}, nil
}

// tracks names the tracks of a set of bits: "13".
func tracks(set uint8) string {
	var names []byte
	for t := range byte(track.Count) {
		if set&(1<<t) != 0 {
			names = append(names, '1'+t)
		}
	}
	return string(names)
}

// passed is a read that an encrypting reader has sealed. Its CT is, for each of
// the three tracks, the ciphertext after its length in two bytes, big endian;
// it has no MAC, and whether the check digit fits only the host can tell.
func passed(p *link.Passed) (Event, error) {
	if !iin.Known(p.Brand) || iin.Brand(p.First) != p.Brand {
		return Event{}, ErrPacket
	}
	var ct record.HexBytes
	for _, c := range p.Cipher {
		ct = append(binary.BigEndian.AppendUint16(ct, uint16(len(c))), c...) //nolint:gosec // at most 112
	}
	return Event{Read: &record.CardRead{
		Suite:       link.PassedSuites[p.Suite],
		KSN:         hex.EncodeToString(p.KSN),
		Source:      "encrypting-reader",
		BIN:         string(p.First),
		Last4:       string(p.Last),
		Brand:       p.Brand,
		ServiceCode: string(p.Service),
		Tracks:      tracks(p.Tracks),
		Luhn:        true,
		Entry:       "swipe",
		CT:          ct,
	}}, nil
}
