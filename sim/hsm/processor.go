package hsm

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync"

	"regi/firmware/record"
	tdes "regi/sim/dukpt"
	"regi/sim/hsm/internal/dukpt"
	"regi/sim/hsm/internal/track"
)

// Reasons of an AuthError and of a Declined.
const (
	reasonMalformed = "malformed" // the request, or what was sealed
	reasonKey       = "key"       // a KSN that nobody can have
	reasonMAC       = "mac"       // not sealed by that key, or changed since
	reasonReplay    = "replay"    // the KSN was used before
	reasonCloned    = "cloned"    // two devices under one initial key
	reasonReused    = "id-reused" // another request under an ID that was answered
	reasonShown     = "shown"     // the shown digits are another card's
	reasonNumber    = "number"    // declined: no such card number
	reasonInternal  = "internal"
)

// Published test numbers with an answer of their own.
const (
	numberDeclined = "4000000000000002"
	numberNoFunds  = "4000000000009995"
	numberSilent   = "4000000000000119"
)

// processor authorises cards: the only place where a sealed read is opened.
type processor struct {
	log    *slog.Logger
	mu     sync.Mutex
	bdk    *bdk // of the capture processes
	tdes   *bdk // of encrypting readers
	memory *memory
}

var errUsedUp = errors.New("hsm: no initial key is left")

// newKey gives out an initial key that no device has had: IKID (8) ‖ IK (16).
// The caller clears it.
func (p *processor) newKey() (packet [24]byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.memory.issued + 1
	if next == 0 {
		return packet, errUsedUp
	}
	if err := p.memory.remember(entry{Issued: next}); err != nil {
		return packet, err
	}
	id := p.ikid(next)
	copy(packet[:], id[:])
	secretly(func() { dukpt.Initial(&p.bdk.key, id, (*dukpt.Key)(packet[len(id):])) })
	p.log.Info("initial key given out", "ikid", hex.EncodeToString(id[:]))
	return packet, nil
}

// newReaderKey gives out the initial key of an encrypting reader: KSN (10) ‖
// key (16). The caller clears it.
func (p *processor) newReaderKey() (packet [26]byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.memory.readers + 1
	if next > readersMax {
		return packet, errUsedUp
	}
	if err := p.memory.remember(entry{Readers: next}); err != nil {
		return packet, err
	}
	ksn := p.readerKSN(next)
	copy(packet[:], ksn[:])
	secretly(func() { tdes.Initial((*tdes.Key)(&p.tdes.key), ksn, (*tdes.Key)(packet[len(ksn):])) })
	p.log.Info("reader key given out", "ksn", hex.EncodeToString(ksn[:]))
	return packet, nil
}

func (p *processor) ikid(key uint32) (id dukpt.IKID) {
	copy(id[:], p.bdk.id[:])
	binary.BigEndian.PutUint32(id[bdkIDSize:], key)
	return id
}

// authorize answers one message; nil: no answer at all.
func (p *processor) authorize(register record.ID, data []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, err := decodeRequest(register, data)
	if err != nil {
		p.log.Warn("refused", "register", register.String(), "err", err.Error())
		return encodeReply(&record.AuthReply{Result: record.AuthError, Reason: reasonMalformed})
	}
	reply := p.reply(r)
	log := p.log.With("register", register.String(), "id", loggable(r.ID), "ksn", r.Card.KSN)
	switch {
	case reply == nil:
		log.Info("no answer")
		return nil
	case reply.Reason == reasonReplay || reply.Reason == reasonCloned || reply.Reason == reasonReused:
		log.Error("alarm", "result", reply.Result, "reason", reply.Reason)
	default:
		log.Info("answer", "result", reply.Result, "reason", reply.Reason)
	}
	return encodeReply(reply)
}

func encodeReply(reply *record.AuthReply) []byte {
	b, err := json.Marshal(reply)
	if err != nil {
		panic("hsm: internal error: a reply does not encode")
	}
	return b
}

// reply is the answer to a request; nil: the processor stays silent.
func (p *processor) reply(r *request) *record.AuthReply {
	if a, ok := p.memory.answers[attempt{r.register, r.ID}]; ok {
		if a.Request != r.sum {
			return r.refuse(reasonReused)
		}
		return a.Reply
	}
	key := p.key(r)
	if !p.memory.good(key) {
		return r.refuse(reasonKey)
	}
	var v verdict
	secretly(func() { v = p.open(r) })
	// Only what the key's owner sealed may use a counter up; anybody could
	// block a register otherwise. Without a MAC, only the tracks tell.
	if v == wrongKey || v == wrongMAC || r.suite.mac == 0 && (v == wrongTracks || v == wrongShown) {
		return r.refuse(v.String())
	}
	if reason := p.memory.seen(key, r); reason != "" {
		return r.refuse(reason)
	}
	reply := r.answer(v)
	u := &use{Key: key, Counter: r.counter(), Register: r.register, Tag: r.tag()}
	a := &answer{Register: r.register, ID: r.ID, Request: r.sum, Reply: reply}
	if err := p.memory.remember(entry{Used: u, Answer: a}); err != nil {
		p.log.Error("memory", "err", err.Error())
		return r.refuse(reasonInternal)
	}
	return reply
}

func (r *request) refuse(reason string) *record.AuthReply {
	return &record.AuthReply{ID: r.ID, Result: record.AuthError, Reason: reason}
}

// seen says why a KSN may not be used; "": it may.
func (m *memory) seen(key uint32, r *request) string {
	w, counter := m.windows[key], r.counter()
	switch {
	case w == nil:
		return ""
	case w.register != r.register:
		return reasonCloned
	case w.highest >= windowSize && counter <= w.highest-windowSize:
		return reasonReplay
	}
	slot := &w.ring[counter%windowSize]
	switch {
	case slot.counter != counter:
		return ""
	case bytes.Equal(slot.tag[:], r.tag()):
		return reasonReplay
	}
	return reasonCloned // the same key, two different swipes
}

// verdict is all that is known of a card once its number is erased.
type verdict uint8

const (
	approved verdict = iota
	declined
	noFunds
	silent
	noNumber    // the check digit does not fit
	wrongKey    // a counter that no device uses
	wrongMAC    // not sealed by this key
	wrongTracks // what was sealed is no swipe
	wrongShown  // the shown digits are another card's
)

// String is the reason that goes with a verdict.
func (v verdict) String() string {
	return [...]string{"", "", "", "", reasonNumber, reasonKey, reasonMAC, reasonMalformed, reasonShown}[v]
}

// open opens the read and judges the card. It erases the keys and the number
// before it returns.
func (p *processor) open(r *request) verdict {
	var card room
	defer func() { card = room{} }()
	swipe, v := r.suite.open(p, r, &card)
	if v != approved {
		return v
	}
	number, err := track.Number(swipe)
	if err != nil {
		return wrongTracks
	}
	return judge(number, r.Card.BIN, r.Card.Last4)
}

func judge(number []byte, bin, last4 string) verdict {
	switch {
	case string(number[:6]) != bin || string(number[len(number)-4:]) != last4:
		return wrongShown
	case !track.Luhn(number):
		return noNumber
	}
	switch string(number) { // compares in place
	case numberDeclined:
		return declined
	case numberNoFunds:
		return noFunds
	case numberSilent:
		return silent
	}
	return approved
}

// approvals is how many approval codes there are: six digits.
const approvals = 1_000_000

// answer is the reply to a genuine read; nil for a silent processor.
func (r *request) answer(v verdict) *record.AuthReply {
	reply := &record.AuthReply{ID: r.ID, Reason: v.String()}
	switch v {
	case approved:
		code, err := rand.Int(rand.Reader, big.NewInt(approvals))
		if err != nil {
			panic("hsm: internal error: no randomness")
		}
		reply.Result, reply.Approval = record.Approved, fmt.Sprintf("%06d", code)
	case declined, noNumber:
		reply.Result = record.Declined
	case noFunds:
		reply.Result = record.InsufficientFunds
	case silent:
		return nil
	case wrongKey, wrongMAC, wrongTracks, wrongShown:
		reply.Result = record.AuthError
	}
	return reply
}
