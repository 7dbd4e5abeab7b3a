package card

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the format's own
	"fmt"
	"sync"

	"regi/sim/dukpt"
)

// Make is the maker, and with it the format, of an encrypting reader.
type Make string

// The makes.
const (
	IDTech    Make = "idtech"     // enhanced format, triple DES
	IDTechAES Make = "idtech-aes" // the same with AES
	MagTek    Make = "magtek"     // MagneSafe V5 report
)

// Sealing is a card reader that encrypts in its head. Its methods are safe from
// any goroutine.
type Sealing struct {
	reader  *Reader
	make    Make
	mu      sync.Mutex
	initial dukpt.Key
	ksn     dukpt.KSN
}

// NewSealing returns a reader with the key that was injected into it.
func NewSealing(w Wire, m Make, ksn dukpt.KSN, initial dukpt.Key) *Sealing {
	return &Sealing{reader: New(w), make: m, initial: initial, ksn: ksn.At(0)}
}

// Swipe sends the frame of a card and waits until the register has read it, at
// most 2 s.
func (s *Sealing) Swipe(ctx context.Context, t Tracks) error {
	frame, err := s.Frame(t)
	if err != nil {
		return err
	}
	return s.reader.send(ctx, frame)
}

// Frame is what the reader sends for a card; it uses up a key. A track is given
// as a reader without encryption would send it, "%E?" if it cannot be read.
func (s *Sealing) Frame(t Tracks) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := [3]string{t.Track1, t.Track2, t.Track3}
	for i, text := range texts {
		if len(text) > stripe[i].charsMost {
			return nil, fmt.Errorf("card: track %d has %d bytes, at most %d", i+1, len(text), stripe[i].charsMost)
		}
	}
	counter, err := dukpt.Next(s.ksn.Counter())
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	s.ksn = s.ksn.At(counter)
	var transaction, key dukpt.Key
	if err := dukpt.Transaction(&s.initial, s.ksn, &transaction); err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	if s.make == MagTek {
		dukpt.PIN(&transaction, &key)
		return s.magtek(texts, dukpt.Block(&key)), nil
	}
	dukpt.Data(&transaction, &key)
	block := dukpt.Block(&key)
	if s.make == IDTechAES {
		if block, err = aes.NewCipher(key[:]); err != nil {
			return nil, fmt.Errorf("card: %w", err)
		}
	}
	return s.idtech(texts, block), nil
}

func failed(text string) bool { return len(text) == 3 && text[1:] == "E?" }

// seal is CBC with a zero IV; the last block is filled with zeros.
func seal(block cipher.Block, text string) []byte {
	n := block.BlockSize()
	out := make([]byte, (len(text)+n-1)/n*n)
	copy(out, text)
	cipher.NewCBCEncrypter(block, make([]byte, n)).CryptBlocks(out, out) //nolint:gosec // the format's own: each key is used once
	return out
}

// lrc is the character that a reader sends after a track.
func lrc(track int, text string) string {
	r := &stripe[track]
	sum := r.start
	for i := 1; i < len(text); i++ {
		sum ^= text[i] - r.base
	}
	return string(r.base + sum)
}

// masked shows the first six digits of the number and its last four, the
// separators, the sentinels and the name.
func masked(text string, code byte) string {
	b := []byte(text)
	digits, separator := 1, byte('=')
	if text[0] == '%' {
		digits, separator = 2, '^'
		b[1] = code
	}
	number := bytes.IndexByte(b, separator) - digits
	if number < 13 { // no card number: all but the sentinels
		number, separator = 0, 0
	}
	names := 0
	for i := 1; i < len(b)-1; i++ {
		at := i - digits
		switch {
		case b[i] == separator && separator != 0:
			names++
		case at >= 0 && at < number && (at < 6 || at >= number-4):
		case text[0] == '%' && (i == 1 || names == 1):
		default:
			b[i] = '*'
		}
	}
	return string(b)
}

// idtech is the enhanced format (SREDKey 2 integration manual p. 31).
func (s *Sealing) idtech(texts [3]string, block cipher.Block) []byte {
	var shown, sealed, hashes []byte
	var lengths [3]byte
	status, present := byte(0), byte(0)
	for i, text := range texts {
		bit := byte(1) << i
		length := 0
		switch {
		case text == "":
		case failed(text):
			status |= bit << 3
		default:
			status |= bit | bit<<3
			present |= bit
			check := lrc(i, text)
			length = len(text) + 1
			shown = append(append(shown, masked(text, '*')...), '*')
			sealed = append(sealed, seal(block, text+check)...)
			sum := sha1.Sum([]byte(text)) //nolint:gosec // the format's own
			hashes = append(hashes, sum[:]...)
		}
		lengths[i] = byte(length)
	}
	how := present | 0x80 // with a serial number
	if block.BlockSize() == aes.BlockSize {
		how |= 0x10
	}
	data := append([]byte{0x80, status}, lengths[:]...)
	data = append(data, how, present|present<<3|0x80)
	data = append(append(append(data, shown...), sealed...), hashes...)
	data = append(data, "0123456789"...)
	data = append(data, s.ksn[:]...)
	var x, sum byte
	for _, c := range data {
		x ^= c
		sum += c
	}
	frame := append([]byte{0x02, byte(len(data)), byte(len(data) >> 8)}, data...) //nolint:gosec // the low byte, then the high one
	return append(frame, x, sum, 0x03)
}

// magtek is a MagneSafe V5 report (manual 99875475 p. 98).
func (s *Sealing) magtek(texts [3]string, block cipher.Block) []byte {
	b := make([]byte, 856)
	for i, text := range texts {
		switch {
		case text == "":
		case failed(text):
			b[i] = 1
		default:
			ct := seal(block, text)
			b[3+i] = byte(len(ct)) //nolint:gosec // at most 112
			copy(b[7+112*i:], ct)
			b[505+i] = byte(len(text)) //nolint:gosec // at most 107
			copy(b[508+112*i:], masked(text, 'B'))
			b[852+i] = byte(len(text)) //nolint:gosec // at most 107
		}
	}
	copy(b[477:], "B01234567890123")
	b[494] = 0x06 // keys injected, encryption on
	copy(b[495:], s.ksn[:])
	return b
}
