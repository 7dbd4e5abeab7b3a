// Command naive reads cards as most registers do: a buffered reader, strings, a
// regular expression, the library's AES. It is what package drill shows its
// scraper on, and is part of no register.
package main

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"regi/firmware/record"
)

// Descriptors it is born with, as the real reader's process is.
const (
	linkFD = 3 // to the parent: one JSON object a swipe
	keyFD  = 4 // gives the initial key
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: naive TTY")
		os.Exit(2)
	}
	err := run(os.Args[1], os.NewFile(linkFD, "link"), os.NewFile(keyFD, "key"))
	fmt.Fprintln(os.Stderr, "naive:", err)
	os.Exit(1)
}

// said is what the parent hears of a swipe.
type said struct {
	Ready  bool             `json:"ready,omitempty"`
	Read   *record.CardRead `json:"read,omitempty"`
	Failed string           `json:"failed,omitempty"`
}

var track2 = regexp.MustCompile(`;(\d{12,19})=(\d{4})(\d{3})(\d*)\?`)

// sale is what such a program keeps about a payment.
type sale struct {
	PAN, Expiry, Service, Name string
	Sealed                     *record.CardRead
}

// run reads cards until something fails; somebody else ends it otherwise.
func run(tty string, link, keys *os.File) error {
	d, err := load(keys)
	if err != nil {
		return err
	}
	line, err := os.Open(tty) //nolint:gosec // the parent names it
	if err != nil {
		return err
	}
	out := json.NewEncoder(link)
	if err := out.Encode(said{Ready: true}); err != nil {
		return err
	}
	for r := bufio.NewReader(line); ; {
		swipe, err := r.ReadString('\r')
		if err != nil {
			return err
		}
		s, err := read(d, strings.TrimSpace(swipe))
		answer := said{}
		if err != nil {
			answer.Failed = err.Error()
		} else {
			answer.Read = s.Sealed
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func read(d *device, swipe string) (*sale, error) {
	m := track2.FindStringSubmatch(swipe)
	if m == nil {
		return nil, errors.New("track 2: not readable")
	}
	s := &sale{PAN: m[1], Expiry: m[2], Service: m[3]}
	if parts := strings.Split(swipe, "^"); len(parts) > 2 {
		s.Name = parts[1]
	}
	ksn, data := d.next()
	block, err := aes.NewCipher(data)
	if err != nil {
		return nil, err
	}
	ct := []byte(swipe)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(ct, ct) //nolint:gosec // as the suite says: a new key each time
	s.Sealed = &record.CardRead{
		Suite: "AES128-DUKPT-CTR", KSN: hex.EncodeToString(ksn), Source: "msr", BIN: s.PAN[:6], Last4: s.PAN[len(s.PAN)-4:],
		ServiceCode: s.Service, Tracks: "12", Luhn: true, Entry: "swipe", CT: ct,
	}
	return s, nil
}

// device derives each key from the initial one, and so keeps that.
type device struct {
	ikid, initial []byte
	counter       uint32
}

func load(keys *os.File) (*device, error) {
	if _, err := io.WriteString(keys, "K"); err != nil {
		return nil, err
	}
	packet := make([]byte, 25)
	n, err := keys.Read(packet)
	if err != nil {
		return nil, err
	}
	if n != 24 {
		return nil, errors.New("no key")
	}
	return &device{ikid: packet[:8], initial: packet[8:24]}, nil
}

// next is the key serial number and the data key of the next transaction
// (X9.24-3:2017).
func (d *device) next() (ksn, data []byte) {
	d.counter++
	key, done := d.initial, uint32(0)
	for bit := uint32(1 << 31); bit != 0; bit >>= 1 {
		if d.counter&bit != 0 {
			done |= bit
			key = d.derive(key, 0x8000, done)
		}
	}
	return binary.BigEndian.AppendUint32(append([]byte{}, d.ikid...), d.counter), d.derive(key, 0x3000, d.counter)
}

func (d *device) derive(key []byte, use uint16, counter uint32) []byte {
	in := []byte{1, 1, byte(use >> 8), byte(use), 0, 2, 0, 128, d.ikid[4], d.ikid[5], d.ikid[6], d.ikid[7], 0, 0, 0, 0} //nolint:gosec // its two bytes
	binary.BigEndian.PutUint32(in[12:], counter)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("naive: internal error: 16 bytes are no AES key")
	}
	out := make([]byte, aes.BlockSize)
	block.Encrypt(out, in)
	return out
}
