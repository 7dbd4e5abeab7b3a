package main

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"regi/firmware/record"
	"regi/sim/cloud"
	"regi/sim/drill/scrape"
)

// The keys that the register has used: the drill derives them from the hsm's
// base key (ANSI X9.24-3:2017), and shows that they are the right ones by
// opening what they sealed.

type key = [16]byte

// Key usages of X9.24-3 table 2.
const (
	useMAC     = 0x2000
	useData    = 0x3000
	useDerive  = 0x8000
	useInitial = 0x8001
)

const (
	ksnBytes  = 12
	ikidBytes = 8
	bdkID     = 4
	// counterMax bounds the counters of one device in one drill.
	counterMax = 1 << 16
)

func encrypt(k key, in key) (out key) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("drill: internal error: 16 bytes are no AES key")
	}
	block.Encrypt(out[:], in[:])
	return out
}

func derive(k key, use uint16, right []byte) key {
	in := key{0: 1, 1: 1, 5: 2, 7: 128} // version 1, block 1, AES-128, 128 bits
	binary.BigEndian.PutUint16(in[2:], use)
	copy(in[8:], right)
	return encrypt(k, in)
}

// initial is the initial key of a device.
func initial(bdk key, ikid []byte) key { return derive(bdk, useInitial, ikid) }

// keysOf are what one transaction leaves to be found: its derivation key, its
// data and MAC key, and the first block of its keystream.
func keysOf(ik key, ikid []byte, counter uint32) (transaction, data, mac, stream key) {
	at := func(c uint32) []byte { return binary.BigEndian.AppendUint32(bytes.Clone(ikid[4:]), c) }
	transaction = ik
	done := uint32(0)
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if counter&bit != 0 {
			done |= bit
			transaction = derive(transaction, useDerive, at(done))
		}
	}
	data = derive(transaction, useData, at(counter))
	return transaction, data, derive(transaction, useMAC, at(counter)), encrypt(data, key{})
}

// readBDK reads the hsm's base key: a line that names the format, the key's
// number, the key.
func readBDK(path string) (k key, err error) {
	b, err := os.ReadFile(path) //nolint:gosec // in the drill's own folder
	if err != nil {
		return k, fmt.Errorf("base key: %w", err)
	}
	_, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok || !bytes.HasPrefix(b, []byte("REGI-BDK-1")) || len(rest) < bdkID+len(k) {
		return k, errors.New("base key: not in the format that this drill knows")
	}
	return key(rest[bdkID:]), nil
}

// used is what the ledger tells of the keys.
type used struct {
	reads  int               // sealed card reads
	opened int               // of them, those whose number the drill found with its keys
	upTo   map[string]uint32 // highest counter by IKID
}

// usedKeys adds to w every key that the devices of these reads have used; of
// tells a device's initial key.
func usedKeys(w *scrape.Wanted, reads []record.CardRead, issued map[string]bool, of func(ikid string) (key, bool)) (used, error) {
	u := used{upTo: map[string]uint32{}}
	for _, r := range reads {
		ksn, err := hex.DecodeString(r.KSN)
		if err != nil || len(ksn) != ksnBytes {
			return u, errors.New("keys: a card read without a key serial number")
		}
		ikid, counter := ksn[:ikidBytes], binary.BigEndian.Uint32(ksn[ikidBytes:])
		u.upTo[string(ikid)] = max(u.upTo[string(ikid)], counter)
		u.reads++
		if ik, ok := of(string(ikid)); ok && issued[openRead(ik, ikid, counter, &r)] {
			u.opened++
		}
	}
	for ikid, last := range u.upTo {
		if last > counterMax {
			return u, fmt.Errorf("keys: counter %d, at most %d", last, counterMax)
		}
		ik, ok := of(ikid)
		if !ok {
			return u, errors.New("keys: a card read of a device that was given no key")
		}
		w.AddKey(ik)
		for counter := uint32(1); counter <= last; counter++ {
			transaction, data, mac, stream := keysOf(ik, []byte(ikid), counter)
			for _, k := range []key{transaction, data, mac, stream} {
				w.AddKey(k)
			}
		}
	}
	return u, nil
}

// openRead is the card number in a sealed read, "" if the keys are wrong.
func openRead(ik key, ikid []byte, counter uint32, r *record.CardRead) string {
	_, data, _, _ := keysOf(ik, ikid, counter)
	block, err := aes.NewCipher(data[:])
	if err != nil {
		panic("drill: internal error: 16 bytes are no AES key")
	}
	plain := make([]byte, len(r.CT))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(plain, r.CT) //nolint:gosec // the suite's: a new key each time
	_, rest, _ := bytes.Cut(plain, []byte(";"))
	number, _, _ := bytes.Cut(rest, []byte("="))
	return string(number)
}

// ledgerPage is how many records are read at once.
const ledgerPage = 500

// sealedReads are the card reads in the cloud's ledger.
func sealedReads(ctx context.Context, office *cloud.Cloud) (reads []record.CardRead, records int, err error) {
	for from := uint64(1); ; {
		page, err := office.Ledger(ctx, from, ledgerPage)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range page {
			from, records = r.Seq+1, records+1
			if r.Kind != record.CardIntent.String() {
				continue
			}
			var body struct{ record.AuthRequest }
			if err := json.Unmarshal(r.Body, &body); err != nil {
				return nil, 0, fmt.Errorf("ledger: record %d: %w", r.Seq, err)
			}
			reads = append(reads, body.Card)
		}
		if len(page) == 0 {
			return reads, records, nil
		}
	}
}
