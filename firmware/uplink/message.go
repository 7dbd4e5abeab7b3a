package uplink

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"regi/firmware/record"
)

// Ops of a Message.
const (
	opConfig    = "config"
	opRecord    = "record"
	opAuthorize = "authorize"
	opWant      = "want"
	opState     = "state"
	opAck       = "ack"
	opReply     = "reply"
	opTime      = "time"
	opClock     = "clock"
	opUpdate    = "update"
	opFetch     = "fetch"
	opChunk     = "chunk"
)

// Results of an authorisation that only the register gives.
const (
	// resultOffline: the question never left the register.
	resultOffline = "offline"
	// resultNoAnswer: nobody knows what became of it.
	resultNoAnswer = "no-answer"
)

// Limits of what a message may hold, in bytes.
const (
	pathMax   = 1024 // a URL or a path
	wordMax   = 128  // an id, a result, a field of a card read
	detailMax = 256  // text for people
)

// Config is what a new uplink process is told first. CA and Creds are paths:
// the certificate that signs the server's, in PEM, and the NKEY seed.
type Config struct {
	ID    record.ID `json:"id"`
	URL   string    `json:"url"` // tls://host:port
	CA    string    `json:"ca"`
	Creds string    `json:"creds"`
}

// Message is one packet of the link. Each Op uses some of the fields:
//
//	config     Config
//	want       Seq of the record to send next
//	record     Seq, Record in its binary form
//	ack        Ack, whose signature nobody has checked yet
//	authorize  Auth
//	reply      Reply; its Result may also be "offline" or "no-answer"
//	state      Up; if not, Detail says why
//	update     Detail: the board whose update is looked for; in the answer its
//	           version and Seq its size, neither if there is none
//	fetch      Seq of the chunk of that update to send next, from 1
//	chunk      Seq, Record: its bytes; without them, Detail says why
//	time       Record: a nonce; what time is it at the cloud?
//	clock      Time, whose signature nobody has checked yet
type Message struct {
	Op     string              `json:"op"`
	Config *Config             `json:"config,omitempty"`
	Seq    uint64              `json:"seq,omitempty"`
	Record []byte              `json:"-"`
	Ack    *record.Ack         `json:"ack,omitempty"`
	Time   *record.Time        `json:"time,omitempty"`
	Auth   *record.AuthRequest `json:"auth,omitempty"`
	Reply  *record.AuthReply   `json:"reply,omitempty"`
	Up     bool                `json:"up,omitempty"`
	Detail string              `json:"detail,omitempty"`
}

// ErrMessage is a message that this package would not write.
var ErrMessage = errors.New("malformed message")

// Fields of a message, as bits.
const (
	hasConfig = 1 << iota
	hasSeq
	hasRecord
	hasAck
	hasTime
	hasAuth
	hasReply
	hasUp
	hasDetail
)

// ops says which fields an op needs and which it may have besides.
var ops = map[string]struct{ needs, may int }{ //nolint:gochecknoglobals // a constant table
	opConfig:    {needs: hasConfig},
	opRecord:    {needs: hasSeq | hasRecord},
	opAuthorize: {needs: hasAuth},
	opWant:      {needs: hasSeq},
	opState:     {may: hasUp | hasDetail},
	opAck:       {needs: hasAck},
	opReply:     {needs: hasReply},
	opTime:      {needs: hasRecord},
	opClock:     {needs: hasTime},
	opUpdate:    {may: hasSeq | hasDetail},
	opFetch:     {needs: hasSeq},
	opChunk:     {needs: hasSeq, may: hasRecord | hasDetail},
}

func (m *Message) fields() (has int) {
	for _, f := range [...]struct {
		set bool
		bit int
	}{
		{m.Config != nil, hasConfig},
		{m.Seq != 0, hasSeq},
		{len(m.Record) != 0, hasRecord},
		{m.Ack != nil, hasAck},
		{m.Time != nil, hasTime},
		{m.Auth != nil, hasAuth},
		{m.Reply != nil, hasReply},
		{m.Up, hasUp},
		{m.Detail != "", hasDetail},
	} {
		if f.set {
			has |= f.bit
		}
	}
	return has
}

// check refuses what no side sends; it runs before sending and after receiving.
func (m *Message) check() error {
	op, known := ops[m.Op]
	has := m.fields()
	switch {
	case !known:
		return fmt.Errorf("op: %w", ErrMessage)
	case has&op.needs != op.needs || has&^(op.needs|op.may) != 0:
		return fmt.Errorf("%s: fields: %w", m.Op, ErrMessage)
	case m.Op == opTime && len(m.Record) != len(record.Nonce{}):
		return fmt.Errorf("%s: nonce of %d bytes: %w", m.Op, len(m.Record), ErrMessage)
	case len(m.Record) > record.SealedMax:
		return fmt.Errorf("%s: record of %d bytes: %w", m.Op, len(m.Record), ErrMessage)
	case !printable(m.Detail, detailMax):
		return fmt.Errorf("%s: detail: %w", m.Op, ErrMessage)
	case m.Config != nil && !m.Config.valid():
		return fmt.Errorf("%s: config: %w", m.Op, ErrMessage)
	case m.Auth != nil && !validRequest(m.Auth):
		return fmt.Errorf("%s: request: %w", m.Op, ErrMessage)
	case m.Reply != nil && !validReply(m.Reply):
		return fmt.Errorf("%s: reply: %w", m.Op, ErrMessage)
	}
	return nil
}

func (c *Config) valid() bool {
	return c.URL != "" && printable(c.URL, pathMax) && printable(c.CA, pathMax) && printable(c.Creds, pathMax)
}

func validRequest(q *record.AuthRequest) bool {
	for _, word := range [...]string{
		q.ID, q.Currency, q.Card.Suite, q.Card.KSN, q.Card.Source, q.Card.BIN, q.Card.Last4,
		q.Card.Brand, q.Card.ServiceCode, q.Card.Tracks, q.Card.Entry,
	} {
		if !printable(word, wordMax) {
			return false
		}
	}
	return q.ID != "" && q.Amount > 0
}

func validReply(r *record.AuthReply) bool {
	switch r.Result {
	case record.Approved, record.Declined, record.InsufficientFunds, record.AuthError, resultOffline, resultNoAnswer:
	default:
		return false
	}
	return r.ID != "" && printable(r.ID, wordMax) && printable(r.Approval, wordMax) && printable(r.Reason, detailMax)
}

// printable is text that may stand on a display or in a log.
func printable(s string, most int) bool {
	if len(s) > most || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}
