package hsm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"regi/sim/dukpt"
	"regi/sim/hsm/internal/cmac"
	aesdukpt "regi/sim/hsm/internal/dukpt"
	"regi/sim/hsm/internal/track"
)

// suite is one way of sealing a card read.
type suite struct {
	ksn    int    // bytes of the KSN
	mac    int    // bytes of the MAC; 0: none
	ctMax  int    // bytes of the ciphertext
	source string // the only source, if there is one
	// open returns the swipe as a reader sends it, in room. It erases its keys.
	open func(p *processor, r *request, room *room) ([]byte, verdict)
}

// room is where a card is in the clear. It is erased when the card was judged.
type room struct {
	plain [ctMax]byte
	swipe [2 * track.SwipeMax]byte
}

// ctMax bounds a ciphertext, in bytes: a swipe and one block.
const ctMax = track.SwipeMax + aes.BlockSize

// sourceBits is the source whose plaintext is bits instead of characters.
const sourceBits = "msr-ttl"

// suiteOf is the suite with that name.
func suiteOf(name string) (suite, bool) {
	reader := suite{ksn: len(dukpt.KSN{}), ctMax: 3 * (2 + sealedTrackMax), source: "encrypting-reader"}
	switch name {
	case "AES128-DUKPT-CTR-CMAC":
		return suite{ksn: len(aesdukpt.KSN{}), mac: cmac.Size, ctMax: track.SwipeMax, open: openCTR}, true
	case "AES128-DUKPT-CBC-CMAC":
		return suite{ksn: len(aesdukpt.KSN{}), mac: cmac.Size, ctMax: ctMax, open: openCBC}, true
	case "IDTECH-TDES-DUKPT-CBC", "IDTECH-AES-DUKPT-CBC", "MAGTEK-TDES-DUKPT-CBC":
		reader.open = openReader
		return reader, true
	}
	return suite{}, false
}

// key is the number of the initial key that a KSN belongs to; 0 is none.
func (p *processor) key(r *request) uint32 {
	if r.suite.ksn == len(aesdukpt.KSN{}) {
		if !bytes.HasPrefix(r.ksn, p.bdk.id[:]) {
			return 0
		}
		if key := binary.BigEndian.Uint32(r.ksn[bdkIDSize:]); key < readerKeys {
			return key
		}
		return 0
	}
	if r.ksn[0] != readerKSN || !bytes.HasPrefix(r.ksn[1:], p.tdes.id[:]) {
		return 0
	}
	return readerKeys | (uint32(r.ksn[5])<<16|uint32(r.ksn[6])<<8|uint32(r.ksn[7]))>>5
}

// readerKSN is the first byte of a reader's KSN; the id of the base key, the
// number of the reader (19 bits) and the counter (21) follow.
const (
	readerKSN  = 0xFF
	readersMax = 1<<19 - 1
)

func (p *processor) readerKSN(reader uint32) (ksn dukpt.KSN) {
	ksn[0] = readerKSN
	copy(ksn[1:], p.tdes.id[:])
	ksn[5], ksn[6], ksn[7] = byte(reader>>11), byte(reader>>3), byte(reader<<5) //nolint:gosec // 19 bits, byte by byte
	return ksn
}

// counter is the number of the transaction within its initial key.
func (r *request) counter() uint32 {
	if r.suite.ksn == len(aesdukpt.KSN{}) {
		return aesdukpt.KSN(r.ksn).Counter()
	}
	return dukpt.KSN(r.ksn).Counter()
}

// tag tells two reads under one KSN apart.
func (r *request) tag() []byte {
	if r.suite.mac > 0 {
		return r.Card.MAC[:tagSize]
	}
	sum := sha256.Sum256(r.Card.CT)
	return sum[:tagSize]
}

// aesKeys derives the keys of a read and checks its MAC.
func (p *processor) aesKeys(r *request, data *aesdukpt.Key) verdict {
	var ik, transaction, mac aesdukpt.Key
	defer func() {
		for _, key := range [...]*aesdukpt.Key{&ik, &transaction, &mac} {
			clear(key[:])
		}
	}()
	ksn := aesdukpt.KSN(r.ksn)
	aesdukpt.Initial(&p.bdk.key, ksn.IKID(), &ik)
	if aesdukpt.Transaction(&ik, ksn, &transaction) != nil {
		return wrongKey
	}
	aesdukpt.Working(&transaction, ksn, aesdukpt.MACGenerate, &mac)
	if sum := cmac.Sum((*[16]byte)(&mac), r.sealed()); subtle.ConstantTimeCompare(sum[:], r.Card.MAC) != 1 {
		return wrongMAC
	}
	aesdukpt.Working(&transaction, ksn, aesdukpt.DataEncrypt, data)
	return approved
}

func openCTR(p *processor, r *request, room *room) ([]byte, verdict) {
	var data aesdukpt.Key
	defer clear(data[:])
	if v := p.aesKeys(r, &data); v != approved {
		return nil, v
	}
	var zero [aes.BlockSize]byte // safe: each key is used once
	plain := room.plain[:len(r.Card.CT)]
	cipher.NewCTR(aesBlock(data[:]), zero[:]).XORKeyStream(plain, r.Card.CT)
	if r.Card.Source == sourceBits {
		return bitsToSwipe(plain, room)
	}
	return plain, approved
}

// openCBC has a zero IV, which is safe as each key is used once, and padding of
// 80 and zeros (ISO/IEC 7816-4), always at least one byte.
func openCBC(p *processor, r *request, room *room) ([]byte, verdict) {
	var data aesdukpt.Key
	defer clear(data[:])
	if v := p.aesKeys(r, &data); v != approved {
		return nil, v
	}
	if len(r.Card.CT)%aes.BlockSize != 0 {
		return nil, wrongTracks
	}
	plain := room.plain[:len(r.Card.CT)]
	decryptCBC(aesBlock(data[:]), plain, r.Card.CT)
	end := len(bytes.TrimRight(plain, "\x00")) - 1
	if end < len(plain)-aes.BlockSize || end < 0 || plain[end] != 0x80 {
		return nil, wrongTracks
	}
	if r.Card.Source == sourceBits {
		return bitsToSwipe(plain[:end], room)
	}
	return plain[:end], approved
}

func bitsToSwipe(plain []byte, room *room) ([]byte, verdict) {
	swipe, err := track.FromBits(room.swipe[:0], plain)
	if err != nil {
		return nil, wrongTracks
	}
	return swipe, approved
}

func aesBlock(key []byte) cipher.Block {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("hsm: internal error: 16 bytes are no AES key")
	}
	return block
}

func decryptCBC(block cipher.Block, plain, ct []byte) {
	var zero [aes.BlockSize]byte
	cipher.NewCBCDecrypter(block, zero[:block.BlockSize()]).CryptBlocks(plain, ct)
}

// sealedTrackMax is the longest track that a reader encrypts, in bytes.
const sealedTrackMax = 112

// openReader opens what an encrypting reader has sealed. It has no MAC: that
// the tracks make sense and show the shown digits is all there is to see. A
// reader may be set to either variant of the key; the maker's own goes first.
func openReader(p *processor, r *request, room *room) ([]byte, verdict) {
	var initial, transaction, key dukpt.Key
	defer func() {
		for _, k := range [...]*dukpt.Key{&initial, &transaction, &key} {
			clear(k[:])
		}
	}()
	ksn := dukpt.KSN(r.ksn)
	dukpt.Initial((*dukpt.Key)(&p.tdes.key), ksn, &initial)
	if dukpt.Transaction(&initial, ksn, &transaction) != nil {
		return nil, wrongKey
	}
	variants := [...]func(*dukpt.Key, *dukpt.Key){dukpt.Data, dukpt.PIN}
	if r.Card.Suite == "MAGTEK-TDES-DUKPT-CBC" {
		variants[0], variants[1] = variants[1], variants[0]
	}
	for _, variant := range variants {
		variant(&transaction, &key)
		block := dukpt.Block(&key)
		if r.Card.Suite == "IDTECH-AES-DUKPT-CBC" {
			block = aesBlock(key[:])
		}
		swipe, ok := joinTracks(block, r.Card.CT, room)
		if !ok {
			break
		}
		if _, err := track.Number(swipe); err == nil {
			return swipe, approved
		}
	}
	return nil, wrongTracks
}

// joinTracks decrypts tracks 1 and 2, each after its length in two bytes, into
// one swipe; false: lengths that do not fit. Track 3 has no card number; it
// stays closed.
func joinTracks(block cipher.Block, ct []byte, room *room) ([]byte, bool) {
	swipe, rest := room.swipe[:0], ct
	for t := range 3 {
		if len(rest) < 2 {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(rest))
		if rest = rest[2:]; n > len(rest) || n > sealedTrackMax || n%block.BlockSize() != 0 {
			return nil, false
		}
		if t < 2 && n > 0 {
			plain := room.plain[:n]
			decryptCBC(block, plain, rest[:n])
			text, whole := track.Cut(t, bytes.TrimRight(plain, "\x00"))
			if !whole {
				return nil, true // the other variant's, or forged
			}
			swipe = append(swipe, text...)
		}
		rest = rest[n:]
	}
	return swipe, len(rest) == 0
}
