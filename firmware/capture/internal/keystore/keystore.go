// Package keystore keeps the card key on the disk: a DUKPT device's registers,
// sealed under a key of this device, always as they will be after the counters
// that may be used now.
//
// What is on the disk is the device at the mark: every counter below it is
// used or given up, none from it on ever was. Before a key of a window of
// WindowCounters is used, the device at that window's end is written and
// synced; after a power cut the device goes on at the mark. So
//
//   - no counter is used twice, whatever was cut off;
//   - the disk never holds what a key already used could be derived from: both
//     slots are brought to the new mark, the newer one first, before the first
//     key of the window.
//
// A write is torn in one slot at a time; the other one is whole, with the mark
// before, under which nothing of the new window was used. Each slot has a
// checksum, which tells a torn slot from one that another device sealed.
//
// Not promised. Flash moves what is overwritten: a chip taken off the board may
// still hold older slots for as long as the wear levelling leaves them; they
// are sealed, but the device key lies on the same disk. Without a TPM or fuses
// a thief of the whole disk has both, and with them the keys of swipes to come,
// not of those past. A copy of the folder put back later (a backup, a clone)
// makes counters come twice; only the other end, which remembers them, sees
// that. State folders are not backed up.
package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"regi/firmware/capture/internal/dukpt"
)

// WindowCounters is how many counters are reserved at once. A start gives up
// at most as many.
const WindowCounters = 64

// KCVBytes is the length of a key check value.
const KCVBytes = 3

// State is what a key file holds.
type State uint8

// The states. Their numbers are on disk.
const (
	Empty    State = 1 + iota // never had a key
	Keyed                     //
	Zeroised                  // the key was wiped: only a ceremony ends that
	Damaged                   // neither slot is whole
	Foreign                   // sealed under the key of another device
)

// Errors that say why there is no key, and that a disk does not take a
// reservation.
var (
	ErrBusy     = errors.New("keystore: in use by another process")
	ErrEmpty    = errors.New("keystore: no key")
	ErrZeroised = errors.New("keystore: key was wiped")
	ErrDamaged  = errors.New("keystore: key file is damaged")
	ErrForeign  = errors.New("keystore: key file of another device")
	ErrAgain    = errors.New("keystore: key was loaded before")
	ErrWrite    = errors.New("keystore: key file cannot be written")
)

// Info is what may be shown of a key file.
type Info struct {
	State State
	IKID  [dukpt.IKIDBytes]byte
	KCV   [KCVBytes]byte // of the initial key
	Mark  uint32         // every counter below it is used or given up; 0: all
	At    time.Time      // when the key was loaded or wiped
}

// Room is all that is secret here. It holds no pointer and is meant to lie in
// an arena; a Store's methods are called where what they leave behind in heap
// and stack is erased.
type Room struct {
	device [deviceBytes]byte
	state  [dukpt.StateMax]byte
	image  slot
}

// File is a file whose WriteAt returns when the bytes are on the disk.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// Store is the key file of one device.
type Store struct {
	keys, device File
	r            *Room
	head         header
	info         Info
	good         int64 // the slot that head was read from or written to
}

// New reads the files. What is wrong with them is said by Resume; an error
// here means that they cannot be read at all.
func New(keys, device File, r *Room) (*Store, error) {
	s := &Store{keys: keys, device: device, r: r}
	n, err := device.ReadAt(r.device[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("keystore: device key: %w", err)
	}
	if n != deviceBytes || r.device == [deviceBytes]byte{} {
		// Torn or emptied: what was sealed under it is lost, and says so.
		if err := s.renewDevice(); err != nil {
			return nil, err
		}
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// read finds the newest slot.
func (s *Store) read() error {
	found := false
	for i := range int64(2) {
		n, err := s.keys.ReadAt(s.r.image[:], i*SlotBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("keystore: %w", err)
		}
		if n != SlotBytes {
			continue
		}
		if h, ok := parse(&s.r.image); ok && (!found || h.generation > s.head.generation) {
			s.head, s.good, found = h, i, true
		}
	}
	if !found {
		s.head = header{state: Damaged}
	}
	s.tell()
	if s.head.state == Keyed && s.head.device != deviceID(&s.r.device) {
		s.info.State = Foreign
	}
	return nil
}

func (s *Store) tell() {
	h := &s.head
	s.info = Info{State: h.state, IKID: h.ikid, KCV: h.kcv, Mark: h.mark, At: time.Unix(h.at, 0)}
}

// Info says what the file holds.
func (s *Store) Info() Info { return s.info }

// Resume makes d the device at the mark. None of its counters is reserved: d's
// limit is where it stands.
func (s *Store) Resume(d *dukpt.Device) error {
	d.Wipe()
	switch s.info.State {
	case Empty:
		return ErrEmpty
	case Zeroised:
		return errors.Join(ErrZeroised, s.finishWipe())
	case Foreign:
		return ErrForeign
	case Keyed:
		return s.unseal(d)
	case Damaged:
	}
	return ErrDamaged
}

func (s *Store) unseal(d *dukpt.Device) error {
	image := &s.r.image
	if _, err := s.keys.ReadAt(image[:], s.good*SlotBytes); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	state, err := s.aead().Open(s.r.state[:0], image[atNonce:atSealed], image[atSealed:atSealed+s.head.sealed], image[:atSealed])
	if err != nil {
		s.info.State = Damaged
		return ErrDamaged // the checksum was right: somebody changed it
	}
	defer clear(s.r.state[:])
	if err := d.Restore(&s.head.ikid, state); err != nil {
		s.info.State = Damaged
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d.Limit(d.Counter()) // nothing is reserved yet
	return nil
}

// Put keeps a new key: next is its device, already advanced to the end of the
// first window, and kcv the initial key's check value. The key that is, or was
// until it was wiped, in the file is refused: its counters would come again.
func (s *Store) Put(next *dukpt.Device, kcv [KCVBytes]byte) error {
	if s.head.state != Empty && s.head.state != Damaged && next.IKID() == s.head.ikid {
		return ErrAgain
	}
	h := header{
		state: Keyed, generation: s.head.generation, at: time.Now().Unix(),
		device: deviceID(&s.r.device), ikid: next.IKID(), kcv: kcv,
	}
	return s.write(h, next)
}

// Reserve gives the counters below those of next to the caller: next is the
// device advanced to the end of the window. When it fails, none is given, and
// it may be called again.
func (s *Store) Reserve(next *dukpt.Device) error {
	if s.info.State != Keyed || next.IKID() != s.head.ikid {
		return ErrEmpty
	}
	return s.write(s.head, next)
}

// WindowEnd is where the window of a counter ends.
func WindowEnd(counter uint32) uint32 { return counter&^(WindowCounters-1) + WindowCounters }

func (s *Store) write(h header, next *dukpt.Device) error {
	h.generation++
	h.mark = next.Counter()
	state := next.AppendState(s.r.state[:0])
	defer clear(s.r.state[:])
	h.sealed = len(state) + tagBytes
	image := &s.r.image
	*image = slot{}
	h.put(image)
	if _, err := rand.Read(image[atNonce:atSealed]); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	s.aead().Seal(image[atSealed:atSealed], image[atNonce:atSealed], state, image[:atSealed])
	closeSlot(image)
	return s.writeBoth(h)
}

// writeBoth writes the image into both slots, first into the one that is not
// the newest whole one.
func (s *Store) writeBoth(h header) error {
	s.head.generation = h.generation // a failed write may have left it on the disk
	first := 1 - s.good
	if err := s.writeSlot(first); err != nil {
		return err
	}
	s.head, s.good = h, first
	s.tell()
	return s.writeSlot(1 - first)
}

func (s *Store) writeSlot(i int64) error {
	if _, err := s.keys.WriteAt(s.r.image[:], i*SlotBytes); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}

// Wipe destroys the key on the disk: first the device key, in one write after
// which nothing sealed can be opened, then both slots, which become
// tombstones. It tries all of it whatever fails, and may be called again. The
// caller wipes the devices.
func (s *Store) Wipe() error {
	err := s.renewDevice()
	h := header{state: Zeroised, generation: s.head.generation + 1, at: time.Now().Unix(), ikid: s.head.ikid, kcv: s.head.kcv}
	return errors.Join(err, s.entomb(h))
}

// entomb writes a tombstone into both slots.
func (s *Store) entomb(h header) error {
	s.head = h
	s.tell()
	clear(s.r.state[:])
	s.r.image = slot{}
	h.put(&s.r.image)
	closeSlot(&s.r.image)
	first := 1 - s.good
	return errors.Join(s.writeSlot(first), s.writeSlot(1-first))
}

// finishWipe makes the other slot a tombstone, too, where a wipe was cut off.
func (s *Store) finishWipe() error {
	if _, err := s.keys.ReadAt(s.r.image[:], (1-s.good)*SlotBytes); err == nil {
		if h, ok := parse(&s.r.image); ok && h.state == Zeroised {
			return nil
		}
	}
	h := s.head
	h.generation++
	return s.entomb(h)
}

// renewDevice replaces the device key by a fresh one.
func (s *Store) renewDevice() error {
	if _, err := rand.Read(s.r.device[:]); err != nil {
		return fmt.Errorf("%w: device key: %w", ErrWrite, err)
	}
	if _, err := s.device.WriteAt(s.r.device[:], 0); err != nil {
		return fmt.Errorf("%w: device key: %w", ErrWrite, err)
	}
	return nil
}

func (s *Store) aead() cipher.AEAD {
	block, err := aes.NewCipher(s.r.device[:])
	if err == nil {
		var a cipher.AEAD
		if a, err = cipher.NewGCM(block); err == nil {
			return a
		}
	}
	panic("keystore: internal error: AES refused its key")
}
