package scanner

import (
	"context"
	"fmt"
	"time"
)

// The decoder's side of Zebra's Simple Serial Interface (programmer's guide
// 72E-40451). A packet is its length without the checksum, an opcode, 0 for the
// decoder or 4 for the host, a status, data, and a checksum that makes the sum
// of all bytes before it and itself, as 16 bits, zero.
const (
	packetMin     = 8
	packetMax     = 255
	packetAround  = 5 // length, opcode, source, status, type
	opDecodeData  = 0xf3
	opACK         = 0xd0
	opNAK         = 0xd1
	opRevision    = 0xa3
	opReply       = 0xa4
	statusAgain   = 1
	statusMore    = 2
	causeResend   = 1
	causeContext  = 2
	triesMax      = 3 // once, and twice again
	replyWithin   = 2 * time.Second
	transmitError = "transmit error: LO LO LO LO"
)

// packets are a code as DECODE_DATA messages.
func (s *Scanner) packets(c Code) [][]byte {
	kind, known := ssiTypes[family(c)]
	data := s.set.Prefix + c.Data
	if !known || s.set.IDs != "" {
		data = s.set.Prefix + s.labelled(c)
	}
	if s.set.IDs != "" {
		kind = 0
	}
	var all [][]byte
	for {
		n := min(len(data), s.set.PacketMax-packetAround)
		status := byte(0)
		if n < len(data) {
			status = statusMore
		}
		all = append(all, packet(opDecodeData, status, append([]byte{kind}, data[:n]...)))
		if data = data[n:]; data == "" {
			return all
		}
	}
}

// packet is one from the decoder.
func packet(opcode, status byte, data []byte) []byte {
	b := append([]byte{byte(4 + len(data)), opcode, 0, status}, data...) //nolint:gosec // at most packetMax
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	sum = 0x10000 - sum&0xffff
	return append(b, byte(sum>>8), byte(sum)) //nolint:gosec // both halves of it
}

// again is a packet as it is sent once more.
func again(b []byte) []byte {
	return packet(b[1], b[3]|statusAgain, b[4:len(b)-2])
}

// converse sends a code packet by packet, each until it is acknowledged or was
// sent three times.
func (s *Scanner) converse(ctx context.Context, c Code) (Outcome, error) {
	var all Outcome
	all.Whole = true
	packets := s.packets(c)
	for i, p := range packets {
		o, err := s.deliver(ctx, p)
		all.Sent, all.Answer, all.Disturbed = o.Sent, o.Answer, all.Disturbed+o.Disturbed
		all.Whole = all.Whole && o.Whole && (o.Answer == Good || i == len(packets)-1)
		if err != nil {
			return all, err
		}
		if o.Answer != Good {
			s.heard(transmitError)
			return all, pause(ctx, 2*replyWithin) // a person shakes their head
		}
	}
	s.heard("acknowledged")
	return all, nil
}

// deliver sends one packet until the register has it.
func (s *Scanner) deliver(ctx context.Context, p []byte) (o Outcome, err error) {
	for o.Sent < triesMax {
		s.forget()
		sent, whole, quiet := s.noise.disturb(p)
		o.Sent++
		o.Whole = o.Whole || whole
		if !quiet {
			o.Disturbed++
		}
		if err := s.send(ctx, sent); err != nil {
			return o, err
		}
		o.Answer, err = s.answer(ctx, replyWithin)
		if err != nil || o.Answer == Good {
			return o, err
		}
		p = again(p)
	}
	return o, nil
}

// answer waits for the register's word; a bad cable may lose it.
func (s *Scanner) answer(ctx context.Context, within time.Duration) (Answer, error) {
	lost := s.noise.strikes()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return NoAnswer, fmt.Errorf("scanner: no answer: %w", ctx.Err())
		case <-timer.C:
			return NoAnswer, nil
		case a := <-s.says:
			if !lost || s.set.Framing != "ssi" {
				return a, nil
			}
		}
	}
}

// forget drops answers to what was sent before.
func (s *Scanner) forget() {
	for {
		select {
		case <-s.says:
		default:
			return
		}
	}
}

// hearPacket takes one packet of the register off b, and says how long it was; 0
// is not a whole one yet.
func (s *Scanner) hearPacket(b []byte) int {
	n := int(b[0])
	if n < 4 {
		return 1 // WAKEUP, or noise
	}
	if len(b) < n+2 {
		return 0
	}
	sum := int(b[n])<<8 + int(b[n+1])
	for _, c := range b[:n] {
		sum += int(c)
	}
	if sum&0xffff != 0 || b[2] != 4 {
		s.heard("a broken command")
		s.back(packet(opNAK, 0, []byte{causeResend}))
		return len(b)
	}
	s.obey(b[1], b[4:n])
	return n + 2
}

// obey carries out a command of the register.
func (s *Scanner) obey(opcode byte, data []byte) {
	switch opcode {
	case opACK:
		s.said(Good)
		return
	case opNAK:
		s.heard("asked to send again")
		s.said(Refused)
		return
	case opRevision:
		s.back(packet(opReply, 0, []byte("SIMULATED 1.0")))
		return
	case 0xe4, 0xe5:
		s.setTrigger(opcode == 0xe4)
	case 0xe6:
		s.heard(fmt.Sprintf("beep %x", data))
	case 0xe7, 0xe8:
		s.heard(map[byte]string{0xe7: "LED on", 0xe8: "LED off"}[opcode])
	case 0xe9, 0xea:
		s.setOff(opcode == 0xea)
	case 0xc6, 0xc7, 0xd2: // parameters, flush: nothing to see
	default:
		s.back(packet(opNAK, 0, []byte{causeContext}))
		return
	}
	s.back(packet(opACK, 0, nil))
}

// back answers a command.
func (s *Scanner) back(b []byte) {
	if _, err := s.wire.Write(b); err != nil {
		s.heard("an answer was lost with the cable")
	}
}

// said hands an answer to whoever waits for it.
func (s *Scanner) said(a Answer) {
	select {
	case s.says <- a:
	default: // nobody has waited for a long time
	}
}
