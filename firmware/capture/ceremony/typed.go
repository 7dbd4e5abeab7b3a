package ceremony

import (
	"bytes"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/keyblock"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/permit"
)

// Limits of what is typed, in bytes.
const (
	nameMax = 40
	lineMax = keyblock.BlockMax + 64 // a block, and blanks that came with it
	hexMax  = 2 * keyblock.KeyMax
)

// vault is all that is secret here, laid out in the arena; it holds no pointer.
type vault struct {
	char  [1]byte
	line  [lineMax]byte
	parts [2][keyblock.KeyMax]byte
	block keyblock.Room
	key   [keyblock.KeyMax]byte
	keys  dukpt.Registers
	store keystore.Room
}

const vaultBytes = int(unsafe.Sizeof(vault{}))

// Keys that do something in a line.
const (
	ctrlC     = 0x03
	ctrlD     = 0x04
	backspace = 0x08
	rubout    = 0x7F
)

func (s *sitting) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(s.tty, format, args...); err != nil {
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return nil
}

// ask reads a line into the arena and returns it without the blanks around it;
// nil is one that was too long. It is good until the next ask.
func (s *sitting) ask(secret bool, format string, args ...any) ([]byte, error) {
	if err := s.tty.Hide(secret); err != nil {
		return nil, fmt.Errorf("ceremony: terminal: %w", err)
	}
	if err := s.say(format, args...); err != nil {
		return nil, err
	}
	line, err := s.read()
	if err == nil && secret {
		err = s.say("\r\n")
	}
	if err != nil {
		return nil, err
	}
	return line, nil
}

func (s *sitting) read() ([]byte, error) {
	v := s.v
	clear(v.line[:])
	n, long := 0, false
	for {
		if _, err := io.ReadFull(s.tty, v.char[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStopped, err)
		}
		c := v.char[0]
		v.char[0] = 0
		after := s.cr
		s.cr = c == '\r'
		switch {
		case c == '\n' && after: // the second half of a line end
		case c == '\r', c == '\n':
			if long {
				return nil, nil
			}
			return bytes.TrimSpace(v.line[:n]), nil
		case c == ctrlC, c == ctrlD:
			return nil, ErrStopped
		case c == backspace, c == rubout:
			n = max(0, n-1)
			v.line[n] = 0
		case n == len(v.line):
			long = true
		default:
			v.line[n] = c
			n++
		}
	}
}

// permitted shows a challenge and takes the owner's answer to it.
func (s *sitting) permitted() (id string, err error) {
	if err := s.say("This register takes only a key that its owner permits. Read this challenge to the owner, with the key's letter:\r\n%s\r\n", s.challenge); err != nil {
		return "", err
	}
	for range triesMax {
		line, err := s.ask(false, "The owner's permit: ")
		if err != nil {
			return "", err
		}
		p, id, err := permit.Open(string(line), s.o.Owner, s.challenge)
		if err == nil {
			s.permit = &p
			return id, s.say("The owner permits key %X, check value %X, for %d minutes from the challenge on (permit %s).\r\n", p.IKID, p.KCV, p.Minutes, id)
		}
		if err := s.say("Permit refused: %s.\r\n", err); err != nil {
			return "", err
		}
	}
	return "", ErrTries
}

var errNotPermitted = errors.New("it is not the key that the owner permits")

// permits says whether the owner meant this block, with this key.
func (s *sitting) permits(block []byte, h keyblock.Header, key []byte) error {
	if p := s.permit; p != nil && (p.Mark != permit.MarkOf(block) || p.IKID != h.IKID || p.KCV != s.keyKCV(key)) {
		return errNotPermitted
	}
	return nil
}

// officer asks for the name of one of the two.
func (s *sitting) officer(i int, other string) (string, error) {
	for range triesMax {
		line, err := s.ask(false, "Officer %d, your name: ", i+1)
		if err != nil {
			return "", err
		}
		name := string(line)
		switch {
		case !validName(name):
			err = s.say("A name has 1 to %d letters.\r\n", nameMax)
		case strings.EqualFold(name, other):
			err = s.say("Two different officers are needed.\r\n")
		default:
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", ErrTries
}

func validName(name string) bool {
	return name != "" && len(name) <= nameMax && utf8.ValidString(name) && strings.IndexFunc(name, func(c rune) bool {
		return !unicode.IsPrint(c)
	}) < 0
}

// component asks for one component and its check value; both have size bytes,
// 0: what the first one has.
func (s *sitting) component(i, size int) (int, error) {
	for range triesMax {
		line, err := s.ask(true, "Officer %d, component (not shown): ", i+1)
		if err != nil {
			return 0, err
		}
		n, problem := unhex(&s.v.parts[i], line)
		switch {
		case problem != "":
		case n != 16 && n != 24 && n != 32:
			problem = "A component has 32, 48 or 64 digits."
		case size != 0 && n != size:
			problem = fmt.Sprintf("The first component has %d digits, and so has this one.", 2*size)
		}
		if problem != "" {
			if err := s.say("%s\r\n", problem); err != nil {
				return 0, err
			}
			continue
		}
		line, err = s.ask(false, "Its check value: ")
		if err != nil {
			return 0, err
		}
		if s.fits(line, s.v.parts[i][:n]) {
			return n, s.say("Component %d is complete.\r\n", i+1)
		}
		if err := s.say("The check value does not fit the component: one of them is mistyped.\r\n"); err != nil {
			return 0, err
		}
	}
	return 0, ErrTries
}

// unhex fills part from hex digits, with blanks between them or none.
func unhex(part *[keyblock.KeyMax]byte, line []byte) (n int, problem string) {
	*part = [keyblock.KeyMax]byte{}
	digits := 0
	for _, c := range line {
		var d byte
		switch {
		case c == ' ':
			continue
		case c >= '0' && c <= '9':
			d = c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = c | 0x20 - 'a' + 10
		default:
			return 0, "A component has the digits 0 to 9 and A to F only."
		}
		if digits == hexMax {
			return 0, "A component has 32, 48 or 64 digits."
		}
		part[digits/2] |= d << (4 * (1 - digits%2))
		digits++
	}
	if digits%2 != 0 || line == nil {
		return 0, "A component has 32, 48 or 64 digits."
	}
	return digits / 2, ""
}

// fits compares a typed check value with that of a key: of AES, or, where
// blocks of version B are taken, of TDES.
func (s *sitting) fits(typed, key []byte) bool {
	var kcv [keystore.KCVBytes]byte
	if len(typed) != 2*len(kcv) {
		return false
	}
	if _, err := hex.Decode(kcv[:], typed); err != nil {
		return false
	}
	want := s.keyKCV(key)
	fits := subtle.ConstantTimeCompare(kcv[:], want[:]) == 1
	if s.o.VersionB && len(key) <= 24 {
		want = s.opener.KCVTDES(key)
		fits = fits || subtle.ConstantTimeCompare(kcv[:], want[:]) == 1
	}
	return fits
}

// keyKCV is that of an AES key; key may lie in the opener's room.
func (s *sitting) keyKCV(key []byte) [keystore.KCVBytes]byte { return s.opener.KCV(key) }

// combine makes the protection key of the two components.
func (s *sitting) combine(size int) ([]byte, error) {
	v := s.v
	kbpk := v.key[:size]
	subtle.XORBytes(kbpk, v.parts[0][:size], v.parts[1][:size])
	clear(v.parts[0][:])
	clear(v.parts[1][:])
	if subtle.ConstantTimeCompare(kbpk, make([]byte, size)) == 1 {
		return nil, errors.New("the two components are the same, no key was loaded")
	}
	text := fmt.Sprintf("%X", s.keyKCV(kbpk))
	if s.o.VersionB && size <= 24 {
		text += fmt.Sprintf(" (as a TDES key %X)", s.opener.KCVTDES(kbpk))
	}
	return kbpk, s.say("Protection key, check value %s.\r\n", text)
}

// keyBlock asks for the block and opens it.
func (s *sitting) keyBlock(kbpk []byte) (h keyblock.Header, key []byte, err error) {
	defer clear(kbpk)
	for range triesMax {
		line, err := s.ask(true, "Key block (not shown): ")
		if err != nil {
			return h, nil, err
		}
		h, key, err = s.opener.Open(kbpk, line, s.o.VersionB)
		if err == nil {
			err = h.CheckInitial()
		}
		if err == nil && len(key) != 16 && len(key) != dukpt.KeyMax {
			err = dukpt.ErrKeySize
		}
		if err == nil {
			err = s.permits(line, h, key)
		}
		if err == nil {
			return h, key, nil
		}
		s.opener.Wipe()
		if err := s.say("Key block refused: %s.\r\n", err); err != nil {
			return h, nil, err
		}
	}
	return keyblock.Header{}, nil, ErrTries
}

func (s *sitting) confirm(l Loaded, size int) error {
	line, err := s.ask(false, "Initial key %s, AES-%d, check value %s. Type yes to load it: ", l.IKID, 8*size, l.KCV)
	if err != nil {
		return err
	}
	if !bytes.EqualFold(line, []byte("yes")) {
		return ErrStopped
	}
	return nil
}
