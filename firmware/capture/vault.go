package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"unsafe"

	"regi/drivers"
	"regi/drivers/msr"
	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/cmac"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
)

const (
	keyBytes   = dukpt.IKIDBytes + aeskey.BlockBytes
	vaultBytes = int(unsafe.Sizeof(vault{}))
	// swipeMax bounds how much of a line is dropped as one overlong swipe: all
	// that the kernel holds of one.
	swipeMax = 4096
)

// vault is all that is secret, laid out in the arena; it holds no pointer. What
// is kept of a card stands apart: the first six digits and the last four in
// the machine, with padding between them, and between them in the packet the
// ciphertext.
type vault struct {
	swipe    track.Machine
	char     [1]byte              // the one byte between the port and the XOR
	stream   [track.BytesMax]byte // keystream, turned into ciphertext
	keys     dukpt.Registers
	data     aeskey.Room // keyed only while the keystream is laid down
	mac      aeskey.Room // keyed from before the swipe until after its MAC
	sum      cmac.State
	tag      [cmac.Bytes]byte
	ksn      [dukpt.KSNBytes]byte
	laid     int                // keystream bytes in stream; 0: no card can be read
	injected [keyBytes + 1]byte // one more, so that a longer packet is noticed
	packet   [link.PacketMax]byte
}

// lay places the vault in the arena.
func (p *process) lay() error {
	var err error
	if p.v, err = arena.Place[vault](p.arena); err != nil {
		return err
	}
	if p.device, err = dukpt.New(&p.v.keys); err != nil {
		return err
	}
	if p.data, err = aeskey.New(&p.v.data); err != nil {
		return err
	}
	p.mac, err = aeskey.New(&p.v.mac)
	return err
}

// prepare makes ready for the next swipe: it takes the next key, lays down the
// keystream, wipes the data key and starts the MAC.
func (p *process) prepare() {
	v := p.v
	_, err := p.device.Next(p.data, p.mac, v.ksn[:0])
	if err != nil {
		if p.status.Reason == link.None || errors.Is(err, dukpt.ErrExhausted) {
			p.refuse(reasonOf(err))
		}
		return
	}
	// AES-CTR with a zero initial counter block: block n is the encrypted n.
	clear(v.stream[:])
	for n := 0; n < len(v.stream); n += aeskey.BlockBytes {
		block := v.stream[n : n+aeskey.BlockBytes]
		binary.BigEndian.PutUint64(block[8:], uint64(n/aeskey.BlockBytes))
		p.data.Encrypt(block, block)
	}
	p.data.Wipe()
	v.sum.Start(p.mac)
	v.laid = len(v.stream)
}

func reasonOf(err error) link.Reason {
	if errors.Is(err, dukpt.ErrExhausted) {
		return link.KeysUsedUp
	}
	return link.NoKey
}

// swipe waits for a swipe, takes it in and sends what it was. Whatever it was,
// its key is used up.
func (p *process) swipe(ctx context.Context) error {
	v := p.v
	defer p.wipe()
	read, kept := 0, 0
	var end error
	for read < swipeMax {
		if end = p.reader.Read(ctx, v.char[:]); end != nil {
			break
		}
		// Never without a keystream: that would store the card in the clear.
		if read++; v.laid > 0 && v.swipe.Byte(v.char[0]) && kept < v.laid {
			v.stream[kept] ^= v.char[0]
			kept++
		}
		v.char[0] = 0
	}
	over := end == nil || errors.Is(end, msr.ErrEnd) || errors.Is(end, drivers.ErrTimeout)
	if read > 0 {
		if err := p.conclude(errors.Is(end, msr.ErrEnd)); err != nil {
			return err
		}
	}
	if over {
		return nil
	}
	return end
}

// conclude sends the swipe that was taken in; whole says that its end came.
func (p *process) conclude(whole bool) error {
	v := p.v
	if v.laid == 0 {
		return p.send(link.AppendFailed(v.packet[:0], link.Failed{Refused: p.status.Reason}))
	}
	if fault, where := v.swipe.End(!whole); fault != track.None {
		return p.send(link.AppendFailed(v.packet[:0], link.Failed{Track: where, Fault: uint8(fault)}))
	}
	return p.send(p.seal())
}

// seal authenticates the swipe and returns it as a packet, in the arena.
func (p *process) seal() []byte {
	v := p.v
	r := link.Read{
		KSN: v.ksn[:], First: v.swipe.First(), Last: v.swipe.Last(),
		Brand: iin.Brand(v.swipe.First()), Service: v.swipe.Service(),
		Luhn: v.swipe.Luhn(), Cipher: v.stream[:v.swipe.Len()],
	}
	for t := uint8(1); t <= track.Count; t++ {
		if v.swipe.Good(t) {
			r.Tracks |= 1 << (t - 1)
		}
	}
	p.authenticate(&r)
	r.MAC = v.tag[:]
	return link.AppendRead(v.packet[:0], &r)
}

// authenticate puts the MAC of r into the tag: over suite, KSN, first six, last
// four, each after its length in one byte, and the ciphertext after its length
// in two, big endian.
func (p *process) authenticate(r *link.Read) {
	sum := &p.v.sum
	sum.Write(p.mac, byte(len(link.Suite)))
	for i := range len(link.Suite) {
		sum.Write(p.mac, link.Suite[i])
	}
	for _, field := range [...][]byte{r.KSN, r.First, r.Last} {
		sum.Write(p.mac, byte(len(field))) //nolint:gosec // at most 12
		sum.Write(p.mac, field...)
	}
	n := len(r.Cipher)
	sum.Write(p.mac, byte(n>>8), byte(n)) //nolint:gosec // at most BytesMax
	sum.Write(p.mac, r.Cipher...)
	sum.Sum(p.mac, &p.v.tag)
	p.mac.Wipe()
}

// wipe erases the swipe and what its keys have left.
func (p *process) wipe() {
	v := p.v
	v.swipe.Reset()
	clear(v.char[:])
	clear(v.stream[:])
	v.laid = 0
	p.mac.Wipe()
	v.sum = cmac.State{}
	clear(v.tag[:])
	clear(v.ksn[:])
	clear(v.packet[:])
}
