package record

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/json"
	"fmt"
	"time"
)

const (
	sealInfo = "regi ledger v1"
	// encSize is the length of an encapsulated MLKEM768-X25519 key.
	encSize = 1120
	// tagSize is what ChaCha20-Poly1305 adds.
	tagSize = 16
	// jsonMax bounds the clear JSON so that the sealed body fits BodyMax.
	jsonMax = BodyMax - encSize - tagSize
)

// Sealer makes the records of one register. It is safe for concurrent use; the
// order of sequences is the caller's.
type Sealer struct {
	id    ID
	key   ed25519.PrivateKey
	to    hpke.PublicKey
	ahead chan encapsulation
}

// encapsulation is half of a seal, the slow one: a fresh key, encapsulated. It
// does not depend on what is sealed, and seals one record.
type encapsulation struct {
	enc    []byte
	sender *hpke.Sender
}

// aheadMax is the most records of one event that nobody should wait for.
const aheadMax = 4

// NewSealer returns a Sealer that signs with key and seals to the ledger key.
// Wrong keys or a malformed id are reported by each Seal.
func NewSealer(id ID, key ed25519.PrivateKey, to hpke.PublicKey) *Sealer {
	return &Sealer{id: id, key: key, to: to, ahead: make(chan encapsulation, aheadMax)}
}

// Seal encodes body as JSON, seals it and signs the header. prev is the Hash of
// record seq-1, zero if seq is 1. The JSON is at most 60,304
// bytes.
func (s *Sealer) Seal(kind Kind, seq uint64, t time.Time, prev Hash, body any) (Sealed, error) {
	if !s.keyed() {
		return Sealed{}, fmt.Errorf("record: seal: %w", ErrKey)
	}
	r := Sealed{Header: Header{Kind: kind, Seq: seq, Time: t.UnixMilli(), Prev: prev, ID: s.id}}
	if err := r.Header.check(); err != nil {
		return Sealed{}, err
	}
	clear, err := encodeBody(body)
	if err != nil {
		return Sealed{}, err
	}
	e, err := s.encapsulation()
	if err != nil {
		return Sealed{}, err
	}
	ct, err := e.sender.Seal(r.AAD(), clear)
	if err != nil {
		return Sealed{}, fmt.Errorf("record: seal: %w", err)
	}
	r.Body = append(e.enc, ct...)
	r.Header.Body = bodyHash(r.Body)
	r.Sig = ed25519.Sign(s.key, r.Append(nil))
	return r, nil
}

func (s *Sealer) keyed() bool {
	return len(s.key) == ed25519.PrivateKeySize && s.to != nil && s.to.KEM().ID() == hpke.MLKEM768X25519().ID()
}

// Ahead does the slow half of the next few Seals while nobody waits. It is
// optional, and without a word about wrong keys: Seal has it.
func (s *Sealer) Ahead() {
	for s.keyed() && len(s.ahead) < cap(s.ahead) {
		e, err := s.encapsulate()
		if err != nil {
			return
		}
		select {
		case s.ahead <- e:
		default: // another Ahead was faster
		}
	}
}

func (s *Sealer) encapsulation() (encapsulation, error) {
	select {
	case e := <-s.ahead:
		return e, nil
	default:
		return s.encapsulate()
	}
}

func (s *Sealer) encapsulate() (encapsulation, error) {
	enc, sender, err := hpke.NewSender(s.to, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(sealInfo))
	if err != nil {
		return encapsulation{}, fmt.Errorf("record: seal: %w", err)
	}
	return encapsulation{enc, sender}, nil
}

// encodeBody writes JSON without the escaping that only web pages need.
func encodeBody(body any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, fmt.Errorf("record: body: %w", err)
	}
	clear := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(clear) > jsonMax {
		return nil, fmt.Errorf("record: body: %w", ErrTooLong)
	}
	return clear, nil
}

// Opener reads what was sealed to one ledger key. It is the cloud's side: a
// register has none.
type Opener struct{ key hpke.PrivateKey }

// NewOpener returns an Opener for the ledger's private key.
func NewOpener(k hpke.PrivateKey) *Opener { return &Opener{key: k} }

// Open returns the JSON of the body. It fails if one bit of body, kind,
// sequence, time, previous hash or id is not what was sealed; who sealed it,
// only [Verify] tells.
func (o *Opener) Open(s Sealed) ([]byte, error) {
	if o.key == nil || o.key.KEM().ID() != hpke.MLKEM768X25519().ID() {
		return nil, fmt.Errorf("record: open: %w", ErrKey)
	}
	if err := s.Header.check(); err != nil {
		return nil, err
	}
	if len(s.Body) < encSize+tagSize || len(s.Body) > BodyMax {
		return nil, fmt.Errorf("record: open: %w", ErrBody)
	}
	r, err := hpke.NewRecipient(s.Body[:encSize], o.key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(sealInfo))
	if err != nil {
		return nil, fmt.Errorf("record: open: %w: %w", ErrBody, err)
	}
	clear, err := r.Open(s.AAD(), s.Body[encSize:])
	if err != nil {
		return nil, fmt.Errorf("record: open: %w: %w", ErrBody, err)
	}
	return clear, nil
}
