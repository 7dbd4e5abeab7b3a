// Package launch is the register's side of the capture process: what comes
// from there is checked byte by byte before anything else sees it.
package launch

import (
	"encoding/hex"

	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
	"regi/firmware/record"
)

// PacketMax bounds a packet of the link, in bytes.
const PacketMax = link.PacketMax

// ErrPacket says that the bytes are no packet of the capture process.
var ErrPacket = link.ErrPacket

// Control is one hardening measure of the capture process.
type Control struct {
	Name string
	On   bool
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
	}
	return read(p.Read)
}

func status(s *link.Status) *Status {
	out := &Status{
		Ready: s.Reason == link.None, Reason: s.Reason.String(),
		SecretMem: s.SecretMem, SecretDo: s.SecretDo, Suite: link.Suite,
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
	var tracks []byte
	for t := range byte(track.Count) {
		if r.Tracks&(1<<t) != 0 {
			tracks = append(tracks, '1'+t)
		}
	}
	return Event{Read: &record.CardRead{
		Suite:       link.Suite,
		KSN:         hex.EncodeToString(r.KSN),
		Source:      "msr",
		BIN:         string(r.First),
		Last4:       string(r.Last),
		Brand:       r.Brand,
		ServiceCode: string(r.Service),
		Tracks:      string(tracks),
		Luhn:        r.Luhn,
		Entry:       "swipe",
		CT:          append(record.HexBytes(nil), r.Cipher...), // not the caller's buffer
		MAC:         append(record.HexBytes(nil), r.MAC...),
	}}, nil
}
