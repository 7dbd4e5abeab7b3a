package capture

import (
	"context"
	"errors"

	"regi/drivers/msr/ttl"
	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
)

// pullMax bounds how many bits are taken as one swipe: all three tracks with
// what is before and after them are under 2,000.
const pullMax = 8192

// pull is swipe for a head that gives bits. Each bit is XORed into the
// keystream as it comes, in the order in which it comes: what the bits mean is
// for the host to find out. Package track says what is kept meanwhile.
func (p *process) pull(ctx context.Context) error {
	v := p.v
	defer p.wipe()
	var end error
	taken := 0
	for ; taken < pullMax; taken++ {
		if end = p.head.Read(ctx, &v.bit); end != nil {
			break
		}
		p.takeBit()
		v.bit = 0
	}
	over := end == nil || errors.Is(end, ttl.ErrEnd)
	if taken > 0 || over {
		if err := p.concludeHead(); err != nil {
			return err
		}
	}
	if over {
		return nil
	}
	return end
}

// takeBit seals the bit that was read. Never without a keystream: that would
// store the card in the clear.
func (p *process) takeBit() {
	v := p.v
	switch t := v.bit.Track(); {
	case v.laid == 0:
	case v.bit.Lost():
		v.stripe.Lose(t)
	default:
		if place, keep := v.stripe.Bit(t, v.bit.One()); keep && v.bit.One() {
			v.stream[place/8] ^= 0x80 >> (place % 8)
		}
	}
}

// concludeHead sends the swipe that was taken in.
func (p *process) concludeHead() error {
	v := p.v
	if v.laid == 0 {
		return p.send(link.AppendFailed(v.packet[:0], link.Failed{Refused: p.status.Reason}))
	}
	if fault, where := v.stripe.End(); fault != track.None {
		return p.send(link.AppendFailed(v.packet[:0], link.Failed{Track: where, Fault: uint8(fault)}))
	}
	r := link.Read{
		Bits: true, KSN: v.ksn[:], First: v.stripe.First(), Last: v.stripe.Last(),
		Brand: iin.Brand(v.stripe.First()), Service: v.stripe.Service(),
		Luhn: v.stripe.Luhn(), Cipher: v.stream[:track.StripeBytes],
	}
	for t := uint8(1); t <= track.Count; t++ {
		if v.stripe.Good(t) {
			r.Tracks |= 1 << (t - 1)
		}
	}
	p.authenticate(&r)
	r.MAC = v.tag[:]
	return p.send(link.AppendRead(v.packet[:0], &r))
}
