package update

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// Bundle is one that is being read: its head was, boot.img was not yet.
type Bundle struct {
	Manifest
	encoded    []byte
	signatures []Signature
	image      io.Reader
}

// Write writes a bundle.
func Write(w io.Writer, m Manifest, signatures []Signature, image []byte) error {
	encoded, err := m.Encode()
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(image); int64(len(image)) != m.Size || hex.EncodeToString(sum[:]) != m.SHA256 {
		return errors.New("update: the manifest is of another boot.img")
	}
	if len(signatures) > KeysMax {
		return fmt.Errorf("update: %d signatures, at most %d", len(signatures), KeysMax)
	}
	if _, err := w.Write(head(encoded, signatures)); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if _, err := w.Write(image); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

// head is all of a bundle but its boot.img.
func head(encoded []byte, signatures []Signature) []byte {
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(encoded))) //nolint:gosec // bounded by its words
	b = append(append(b, encoded...), byte(len(signatures)))                //nolint:gosec // at most KeysMax
	for _, s := range signatures {
		b = append(append(b, byte(s.Key)), s.Bytes...) //nolint:gosec // under KeysMax
	}
	return b
}

// Read reads the head of a bundle. What it says is worth nothing before Check.
func Read(r io.Reader) (*Bundle, error) {
	b, err := read(r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends early: %w", ErrCorrupted)
	}
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	return b, nil
}

func read(r io.Reader) (*Bundle, error) {
	head := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[len(magic):])
	if string(head[:len(magic)]) != magic || size > manifestMax {
		return nil, fmt.Errorf("it is no update: %w", ErrCorrupted)
	}
	b := &Bundle{encoded: make([]byte, size)}
	if _, err := io.ReadFull(r, b.encoded); err != nil {
		return nil, err
	}
	var err error
	if b.Manifest, err = parseManifest(b.encoded); err != nil {
		return nil, err
	}
	var count [1]byte
	if _, err := io.ReadFull(r, count[:]); err != nil {
		return nil, err
	}
	if count[0] > KeysMax {
		return nil, fmt.Errorf("%d signatures: %w", count[0], ErrCorrupted)
	}
	for range count[0] {
		s := make([]byte, 1+ed25519.SignatureSize)
		if _, err := io.ReadFull(r, s); err != nil {
			return nil, err
		}
		b.signatures = append(b.signatures, Signature{Key: int(s[0]), Bytes: s[1:]})
	}
	b.image = r
	return b, nil
}

// Running is what a bundle is checked against.
type Running struct {
	Board string
	// Floor is the lowest epoch that may run here.
	Floor uint64
	Now   time.Time
	// Version runs, and was made at Built; Failed was tried and did not prove
	// itself. Where they are empty, any version may be gone back to.
	Version, Failed string
	Built           time.Time
}

// Check returns nil if the bundle may be written to a slot of this register;
// only its boot.img is then still to be checked, see Image. Who signed it comes
// first: nothing is said about a bundle of strangers.
func (b *Bundle) Check(k *Keys, r Running) error {
	if err := k.Verify(Domain, b.encoded, b.signatures); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	switch {
	case b.Board != r.Board:
		return fmt.Errorf("update: it is for %s, this is %s: %w", b.Board, r.Board, ErrBoard)
	case b.Epoch < r.Floor:
		return fmt.Errorf("update: %s has epoch %d, at least %d is needed: %w", b.Version, b.Epoch, r.Floor, ErrOlder)
	case b.Version == r.Version:
		return fmt.Errorf("update: %s: %w", b.Version, ErrRuns)
	case b.Version == r.Failed:
		return fmt.Errorf("update: %s: %w", b.Version, ErrFailed)
	case b.Built.Before(r.Built):
		return fmt.Errorf("update: %s was made on %s, the version that runs on %s: %w",
			b.Version, b.Built.Format(time.RFC3339), r.Built.UTC().Format(time.RFC3339), ErrOlder)
	case r.Now.Before(b.NotBefore):
		return fmt.Errorf("update: %s may be used from %s, it is %s here: %w",
			b.Version, b.NotBefore.Format(time.RFC3339), r.Now.UTC().Format(time.RFC3339), ErrNotYet)
	}
	return nil
}

// chunkBytes is what is in memory of a boot.img at a time.
const chunkBytes = 64 << 10

// Image passes boot.img on, chunk by chunk, and returns nil at its end if it was
// the one that was signed.
func (b *Bundle) Image(take func(at int64, chunk []byte) error) error {
	hash := sha256.New()
	chunk := make([]byte, chunkBytes)
	for at := int64(0); at < b.Size; {
		n := min(b.Size-at, chunkBytes)
		if _, err := io.ReadFull(b.image, chunk[:n]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("it ends early: %w", ErrCorrupted)
			}
			return fmt.Errorf("update: %w", err)
		}
		hash.Write(chunk[:n])
		if err := take(at, chunk[:n]); err != nil {
			return err
		}
		at += n
	}
	if n, err := b.image.Read(chunk[:1]); n != 0 || err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("update: something follows: %w", ErrCorrupted)
	}
	if hex.EncodeToString(hash.Sum(nil)) != b.SHA256 {
		return fmt.Errorf("update: %w", ErrCorrupted)
	}
	return nil
}

// Signatures are those that it came with, good or not.
func (b *Bundle) Signatures() []Signature { return b.signatures }
