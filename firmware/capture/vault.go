package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"unsafe"

	"regi/drivers"
	"regi/drivers/msr"
	"regi/drivers/msr/ttl"
	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/cmac"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/iin"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
)

const (
	keyBytes   = dukpt.IKIDBytes + aeskey.BlockBytes
	keyMax     = dukpt.IKIDBytes + dukpt.KeyMax
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
	stripe   track.Stripe         // of a head without a decoder, in place of swipe
	bit      ttl.Bit              // the one bit between its lines and the XOR
	stream   [link.CipherMax]byte // keystream, turned into ciphertext
	cbc      cbc                  // of the second suite only
	keys     dukpt.Registers
	ahead    dukpt.Registers // while they go into the key file
	store    keystore.Room
	data     aeskey.Room // keyed only while the keystream is laid down; CBC: until the swipe ends
	mac      aeskey.Room // keyed from before the swipe until after its MAC
	sum      cmac.State
	tag      [cmac.Bytes]byte
	ksn      [dukpt.KSNBytes]byte
	laid     int              // keystream bytes in stream; 0: no card can be read
	injected [keyMax + 1]byte // one more, so that a longer packet is noticed
	packet   [link.PacketMax]byte
}

// lay puts everything in its place in the vault.
func (p *process) lay(v *vault) error {
	p.v = v
	var err error
	if p.device, err = dukpt.New(&p.v.keys); err != nil {
		return err
	}
	if p.ahead, err = dukpt.New(&p.v.ahead); err != nil {
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
	if p.status.Reason == link.NotWritten && !p.device.Loaded() {
		p.acquire() // the key could not be kept: another one may be
	}
	if err := p.reserve(); err != nil {
		p.refuse(link.NotWritten)
		return
	}
	if p.status.Reason == link.NotWritten && p.device.Loaded() {
		p.refuse(link.None)
	}
	_, err := p.device.Next(p.data, p.mac, v.ksn[:0])
	if err != nil {
		if p.status.Reason == link.None || errors.Is(err, dukpt.ErrExhausted) {
			p.refuse(reasonOf(err))
		}
		return
	}
	if p.status.Suite == link.CTR {
		p.layStream()
	}
	v.sum.Start(p.mac)
	v.laid = track.BytesMax
}

// layStream is AES-CTR with a zero initial counter block: block n is the
// encrypted n.
func (p *process) layStream() {
	stream := p.v.stream[:track.BytesMax]
	clear(stream)
	for n := 0; n < len(stream); n += aeskey.BlockBytes {
		block := stream[n : n+aeskey.BlockBytes]
		binary.BigEndian.PutUint64(block[8:], uint64(n/aeskey.BlockBytes))
		p.data.Encrypt(block, block)
	}
	p.data.Wipe()
}

func reasonOf(err error) link.Reason {
	if errors.Is(err, dukpt.ErrExhausted) {
		return link.KeysUsedUp
	}
	if errors.Is(err, dukpt.ErrNoKey) {
		return link.NoKey
	}
	return link.Internal
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
			p.take(kept)
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

// take seals the byte that was read, the at-th of the swipe.
func (p *process) take(at int) {
	v := p.v
	if p.status.Suite == link.CBC {
		v.cbc.add(p.data, v.stream[:], v.char[0])
		return
	}
	v.stream[at] ^= v.char[0]
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
	n := v.swipe.Len()
	if p.status.Suite == link.CBC {
		n = v.cbc.finish(p.data, v.stream[:], n)
		p.data.Wipe()
	}
	r := link.Read{
		Suite: p.status.Suite, KSN: v.ksn[:], First: v.swipe.First(), Last: v.swipe.Last(),
		Brand: iin.Brand(v.swipe.First()), Service: v.swipe.Service(),
		Luhn: v.swipe.Luhn(), Cipher: v.stream[:n],
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
	sum, suite := &p.v.sum, r.Suite.String()
	sum.Write(p.mac, byte(len(suite))) //nolint:gosec // a short word
	for i := range len(suite) {
		sum.Write(p.mac, suite[i])
	}
	for _, field := range [...][]byte{r.KSN, r.First, r.Last} {
		sum.Write(p.mac, byte(len(field))) //nolint:gosec // at most 12
		sum.Write(p.mac, field...)
	}
	n := len(r.Cipher)
	sum.Write(p.mac, byte(n>>8), byte(n)) //nolint:gosec // at most CipherMax
	sum.Write(p.mac, r.Cipher...)
	sum.Sum(p.mac, &p.v.tag)
	p.mac.Wipe()
}

// wipe erases the swipe and what its keys have left.
func (p *process) wipe() {
	v := p.v
	v.swipe.Reset()
	v.stripe.Reset()
	clear(v.char[:])
	v.bit = 0
	clear(v.stream[:])
	v.cbc = cbc{}
	v.laid = 0
	p.data.Wipe()
	p.mac.Wipe()
	v.sum = cmac.State{}
	clear(v.tag[:])
	clear(v.ksn[:])
	clear(v.packet[:])
}
