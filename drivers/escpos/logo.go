package escpos

import (
	"context"
	"crypto/sha256"
	"strings"

	"regi/drivers/raster"
)

// logo is a picture that the printer keeps in its non-volatile memory, under a
// key that is made of its hash: the same picture is stored once, whatever
// becomes of the register.
type logo struct {
	dots raster.Dots
	key  logoKey
}

// logoKey is kc1 kc2 of the graphics commands: 32 to 126 each.
type logoKey [2]byte

const (
	keyFirst, keySpan = 0x20, 95

	logoSide = 1 // times its size, both ways
	mono     = 0x31
)

func newLogo(d raster.Dots) logo {
	b := append([]byte{byte(d.Stride)}, d.Bits...) //nolint:gosec // the width of paper in bytes
	sum := sha256.Sum256(b)
	return logo{dots: d, key: logoKey{keyFirst + sum[0]%keySpan, keyFirst + sum[1]%keySpan}}
}

// print is GS ( L fn 69: print the NV graphics data of a key.
func (l logo) print() string {
	return string([]byte{gs, '(', 'L', 6, 0, '0', 69, l.key[0], l.key[1], logoSide, logoSide})
}

// store is GS 8 L fn 67: define NV graphics data, raster format, one colour.
// GS ( L would do for less than 64 KiB, but its length could look like a
// real-time command.
func (l logo) store() []byte {
	d := l.dots
	width := 8 * d.Stride
	n := len(d.Bits) + 11
	if n&0xFF == dle { // a blank row more: no length is a command
		d.Height++
		d.Bits = append(d.Bits[:len(d.Bits):len(d.Bits)], make([]byte, d.Stride)...)
		n += d.Stride
	}
	head := []byte{
		gs, '8', 'L', byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), //nolint:gosec // little endian
		'0', 67, '0', l.key[0], l.key[1], 1,
		byte(width), byte(width >> 8), byte(d.Height), byte(d.Height >> 8), mono, //nolint:gosec // little endian
	}
	b := append(make([]byte, 0, len(head)+len(d.Bits)), head...)
	b = append(b, d.Bits...)
	scrub(b[len(head):])
	return b
}

// GS ( L fn 64: transmit the key codes of what is kept. The answer is 37h 72h,
// 40h (the last) or 41h (more), keys, NUL; after one with more the printer waits
// for ACK, or CAN to stop.
const (
	askLogos  = "\x1d(L\x04\x00\x30\x40KC"
	logosHead = "\x37\x72"
	moreLogos = 0x41
	ack       = "\x06"
	// logoBlocksMax bounds how many blocks of keys are read, of 40 each.
	logoBlocksMax = 64
)

// asker sends a command and returns the block data that answers it, which has
// the given beginning, without its NUL.
type asker func(ctx context.Context, command, beginning string) (string, error)

// listLogos returns the keys that the printer has.
func listLogos(ctx context.Context, ask asker) (map[logoKey]bool, error) {
	keys := map[logoKey]bool{}
	command := askLogos
	for range logoBlocksMax {
		block, err := ask(ctx, command, logosHead)
		if err != nil {
			return nil, err
		}
		said := strings.TrimPrefix(block, logosHead)
		if said == "" {
			return keys, nil
		}
		for rest := said[1:]; len(rest) >= 2; rest = rest[2:] {
			keys[logoKey{rest[0], rest[1]}] = true
		}
		if said[0] != moreLogos {
			return keys, nil
		}
		command = ack
	}
	return keys, nil
}

// shelf is what is known of the pictures that a printer keeps. The zero value
// knows nothing, and asks.
type shelf struct{ keys map[logoKey]bool }

// forget is for when the printer may be another: it is asked again.
func (s *shelf) forget() { s.keys = nil }

// keep makes sure that the printer has the logos, and stores those that it has
// not. It is false if the printer does not say that it has them in the end;
// then they must be printed dot by dot.
func (s *shelf) keep(ctx context.Context, logos []logo, ask asker, send func(context.Context, []byte) error) (bool, error) {
	if s.keys == nil {
		keys, err := listLogos(ctx, ask)
		if err != nil {
			return false, err
		}
		s.keys = keys
	}
	stored := false
	for _, l := range logos {
		if s.keys[l.key] {
			continue
		}
		if err := send(ctx, l.store()); err != nil {
			return false, err
		}
		s.keys[l.key], stored = true, true
	}
	if !stored {
		return true, nil
	}
	// Full, or a model that knows no fn 67: believe what it lists.
	keys, err := listLogos(ctx, ask)
	if err != nil {
		s.forget()
		return false, err
	}
	s.keys = keys
	for _, l := range logos {
		if !keys[l.key] {
			return false, nil
		}
	}
	return true, nil
}
