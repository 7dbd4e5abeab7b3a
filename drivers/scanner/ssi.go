package scanner

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"regi/drivers"
)

// Opcodes of Zebra's Simple Serial Interface (programmer's guide 72E-40451,
// chapter "SSI commands").
const (
	ssiRevision = 0xa4 // REPLY_REVISION
	ssiParam    = 0xc6 // PARAM_SEND
	ssiACK      = 0xd0 // CMD_ACK
	ssiNAK      = 0xd1 // CMD_NAK
	ssiStart    = 0xe4 // START_SESSION
	ssiStop     = 0xe5 // STOP_SESSION
	ssiBeep     = 0xe6 // BEEP
	ssiEnable   = 0xe9 // SCAN_ENABLE
	ssiDisable  = 0xea // SCAN_DISABLE
	ssiDecode   = 0xf3 // DECODE_DATA
	ssiEvent    = 0xf6 // EVENT
)

// Parts of a packet: length without checksum, opcode, source, status, data, and
// the two's complement of the sum of all that as two bytes, high byte first.
const (
	ssiHeader      = 4
	ssiChecksum    = 2
	ssiDecoder     = 0      // source of what a scanner sends
	ssiHost        = 4      // source of what we send
	ssiAgain       = 1 << 0 // status: sent once more
	ssiMore        = 1 << 1 // status: more packets of this message follow
	ssiResend      = 1      // CMD_NAK: the checksum was wrong
	ssiBadContext  = 2      // CMD_NAK: no such command here
	ssiThreeLow    = 0x11   // BEEP: three long low tones
	ssiWakeUp      = 0x00   // wakes a decoder in low power
	ssiSendsMax    = 3      // a message is sent at most so often
	ssiReplyWithin = 500 * time.Millisecond
	ssiWakeWithin  = 10 * time.Millisecond // a decoder is up by then
)

// ssiWait is how long a packet may take that was asked for again, or that goes
// on with a message: over the decoder's own time-out for a lost acknowledgement
// (2 s as delivered), after which it sends again.
const ssiWait = 3 * time.Second

// ssiTypes are the bar code types of DECODE_DATA (same guide, table "Bar code
// types"). Of a type that is not here the data may hold an identifier.
//
//nolint:gochecknoglobals // a constant table
var ssiTypes = map[byte]symbol{
	0x01: code39, 0x02: codabar, 0x03: code128, 0x06: itf, 0x07: code93, 0x08: upcA, 0x09: upcE, 0x0a: ean8, 0x0b: ean13,
	0x0f: gs1128, 0x10: upcE, 0x11: pdf417, 0x16: ean13, 0x1b: dataMatrix, 0x1c: qr, 0x2d: aztec,
	0x30: dataBar, 0x31: dataBar, 0x32: dataBar, 0xc1: gs1Matrix, 0xc2: gs1QR,
	0x48: addOn, 0x49: addOn, 0x4b: addOn, 0x50: addOn, 0x88: addOn, 0x89: addOn, 0x8b: addOn, 0x90: addOn,
	// Codes that are none of a shop's, by which nobody is to be misled: Code 11,
	// MSI, Discrete and IATA 2 of 5, MaxiCode, the posts', and EAN-8 with an add-on.
	0x22: {aim: other}, 0x23: {aim: other}, 0x24: {aim: other}, 0x25: {aim: other}, 0x26: {aim: other}, 0x27: {aim: other},
	0x4a: {aim: other}, 0x8a: {aim: other}, 0x04: {aim: other}, 0x05: {aim: other}, 0x0c: {aim: other}, 0x0e: {aim: other},
}

// damage is what is known of a packet that arrived broken since the last good
// one: whether it was being sent for the first time or again.
type damage uint8

const (
	whole damage = iota
	first
	again
	unclear
)

// ssi is the host's side of the Simple Serial Interface, in which the scanner
// sends packet by packet and waits for an acknowledgement of each (multi-packet
// option 1, as delivered). Each packet of a message carries the type of the code.
//
// After a broken packet everything is dropped until the line is quiet, since the
// scanner waits, and is asked for again. A packet sent again because our
// acknowledgement was lost is acknowledged and not delivered twice.
type ssi struct {
	message []byte // of a message that goes on
	more    bool   // it does
	kind    byte   // its type
	long    bool   // it is over FrameMax
	spoiled bool   // a packet may be in it twice

	last    []byte // the last packet that was taken, without length and checksum
	damage  damage // since then
	junk    bool   // dropping until the line is quiet
	waiting bool   // for a packet asked for again
	naks    int    // asked for since the last good one

	order []byte // a command that is not answered yet
	sends int    // how often it was sent
	fate  error  // what became of it, if it was refused
}

func (f *ssi) cut(received []byte) piece {
	if f.junk {
		return piece{used: len(received)}
	}
	if len(received) == 0 {
		return piece{}
	}
	n := int(received[0])
	if n < ssiHeader || len(received) > 2 && received[2] != ssiDecoder {
		f.broken(received)
		return piece{used: len(received)}
	}
	if len(received) < n+ssiChecksum {
		return piece{}
	}
	packet := received[:n+ssiChecksum]
	if binary.BigEndian.Uint16(packet[n:]) != checksum(packet[:n]) {
		f.broken(packet)
		return piece{used: len(received)}
	}
	return f.take(packet[:n])
}

// broken notes a packet that did not arrive as it was sent.
func (f *ssi) broken(received []byte) {
	f.junk = true
	if f.damage == whole { // of several tries the first one tells
		f.damage = damageOf(received)
	}
}

// damageOf reads the status of a broken packet. If another status would make the
// checksum right, it may be the status that was broken.
func damageOf(received []byte) damage {
	if len(received) <= ssiHeader || received[1] != ssiDecode || received[2] != ssiDecoder {
		return unclear
	}
	status := received[3]
	if n := int(received[0]); len(received) == n+ssiChecksum {
		off := checksum(received[:n]) - binary.BigEndian.Uint16(received[n:])
		if right := uint16(status) + off; right <= ssiAgain|ssiMore && byte(right)&ssiAgain != status&ssiAgain {
			return unclear
		}
	}
	if status&ssiAgain != 0 {
		return again
	}
	return first
}

func (f *ssi) patience(rest int) time.Duration {
	switch {
	case f.junk || rest > 0:
		return Idle
	case f.waiting || f.more:
		return ssiWait
	}
	return 0
}

// expire asks for a broken packet again, or gives up waiting for it.
func (f *ssi) expire(rest []byte) piece {
	if f.junk || len(rest) > 0 {
		if !f.junk {
			f.broken(rest)
		}
		f.junk = false
		if f.naks++; f.naks < ssiSendsMax {
			f.waiting = true
			return piece{reply: ssiPacket(ssiNAK, 0, ssiResend)}
		}
	}
	return f.lose()
}

// lose gives up a message.
func (f *ssi) lose() piece {
	p := piece{err: fmt.Errorf("scanner: a packet did not arrive whole: %w", drivers.ErrFrame)}
	if f.long {
		p.err = errTooLong()
	}
	f.reset()
	return p
}

func (f *ssi) reset() {
	f.message, f.more, f.long, f.spoiled = nil, false, false, false
	f.junk, f.waiting, f.naks = false, false, 0
}

// take handles a packet that arrived whole.
func (f *ssi) take(packet []byte) piece {
	used := len(packet) + ssiChecksum
	switch packet[1] {
	case ssiACK:
		f.order = nil
		return piece{used: used}
	case ssiNAK:
		return piece{used: used, reply: f.refused(packet[ssiHeader:])}
	case ssiDecode:
		return f.decoded(packet)
	case ssiEvent, ssiRevision, ssiParam:
		return piece{used: used, reply: ssiPacket(ssiACK, 0)}
	}
	return piece{used: used, reply: ssiPacket(ssiNAK, 0, ssiBadContext)}
}

// refused is what to send for a command that the scanner did not take.
func (f *ssi) refused(cause []byte) []byte {
	if f.order == nil {
		return nil
	}
	if len(cause) == 1 && cause[0] == ssiResend && f.sends < ssiSendsMax {
		return f.resent()
	}
	f.order, f.fate = nil, fmt.Errorf("scanner: command refused: %w", drivers.ErrUnsupported)
	return nil
}

// resent is the command once more.
func (f *ssi) resent() []byte {
	f.sends++
	return ssiPacket(f.order[1], ssiAgain, f.order[ssiHeader:len(f.order)-ssiChecksum]...)
}

// decoded handles a packet of DECODE_DATA.
func (f *ssi) decoded(packet []byte) piece {
	done := piece{used: len(packet) + ssiChecksum, reply: ssiPacket(ssiACK, 0)}
	if len(packet) == ssiHeader {
		return done // not even a type
	}
	resent := packet[3]&ssiAgain != 0
	if f.waiting && !resent || f.more && packet[ssiHeader] != f.kind {
		return f.lose() // it gave up, too: this is another message
	}
	if resent && equalPackets(packet, f.last) && f.damage != first {
		// Ours was lost, not theirs.
		doubtful := f.damage == unclear
		f.damage, f.waiting, f.naks = whole, false, 0
		if doubtful && f.more {
			f.spoiled = true
		} else if doubtful {
			done.err = fmt.Errorf("scanner: perhaps a scan already delivered: %w", drivers.ErrFrame)
		}
		return done
	}
	f.last = append(f.last[:0], packet[1:]...)
	f.damage, f.waiting, f.naks = whole, false, 0
	return f.join(packet, done)
}

// join puts a packet to its message, and ends it.
func (f *ssi) join(packet []byte, done piece) piece {
	data := packet[ssiHeader+1:]
	f.kind = packet[ssiHeader]
	f.long = f.long || len(f.message)+len(data) > FrameMax
	if packet[3]&ssiMore != 0 {
		f.more = true
		if !f.long {
			f.message = append(f.message, data...)
		}
		return done
	}
	if f.more && !f.long {
		data = append(f.message, data...)
	}
	switch {
	case f.long:
		done.err = errTooLong()
	case f.spoiled:
		done.err = fmt.Errorf("scanner: a packet may be in the message twice: %w", drivers.ErrFrame)
	case len(data) > 0:
		done.frame, done.symbol = data, ssiTypes[f.kind]
	}
	f.reset()
	return done
}

// equalPackets compares a packet with the last one but for ssiAgain.
func equalPackets(packet, last []byte) bool {
	return len(packet) == len(last)+1 && packet[1] == last[0] && packet[3]&ssiMore == last[2]&ssiMore &&
		bytes.Equal(packet[ssiHeader:], last[ssiHeader-1:])
}

// ssiPacket is a packet from us.
func ssiPacket(opcode, status byte, data ...byte) []byte {
	b := make([]byte, 0, ssiHeader+len(data)+ssiChecksum)
	b = append(b, byte(ssiHeader+len(data)), opcode, ssiHost, status) //nolint:gosec // a few bytes
	b = append(b, data...)
	return binary.BigEndian.AppendUint16(b, checksum(b))
}

func checksum(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return -sum
}
