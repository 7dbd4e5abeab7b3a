package till

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"regi/firmware/catalog"
	"regi/firmware/record"
)

// EventBytesMax bounds an encoded event; the largest is a sealed card read.
const EventBytesMax = 12 << 10

// Event is something that happened at the counter. The types below are all of
// them.
type Event interface{ event() }

// Problem of a scan that gave no article.
const (
	ProblemUnknownCode = "unknown-code"
	ProblemRefused     = "refused" // listed, but so that it cannot be sold
	ProblemCheckDigit  = "check-digit"
	ProblemTooLong     = "too-long"
	ProblemControl     = "control"
	ProblemFrame       = "frame"
	// Of a code that was read well.
	ProblemCarrier   = "carrier"    // a kind of bar code that is on no goods
	ProblemNoArticle = "no-article" // it holds no number of goods
	ProblemUnknownAI = "unknown-ai" // an Application Identifier nobody knows
	ProblemMalformed = "malformed"  // it breaks the rules of GS1
	ProblemMoney     = "money"      // a price in another currency
	ProblemAddOn     = "add-on"     // number and add-on of a magazine are needed together
	ProblemUpperRow  = "upper-row"  // of a book: it is needed, too
	ProblemLowerRow  = "lower-row"
	ProblemBookDone  = "book-done" // the lower row of a book that was just sold
	// ProblemSymbology: a command that was not read off a Code 128.
	ProblemSymbology = "symbology"
)

// Faults of a keypad.
const (
	FaultUnknown  = "unknown"  // a key that is in no table
	FaultStuck    = "stuck"    // held without end; the others work
	FaultTogether = "together" // several at once: none counts
	FaultBounces  = "bounces"  // a worn contact: what it said does not count
	FaultLost     = "lost"     // keys came faster than they were read
)

type (
	// Scanned is one read of the barcode scanner.
	Scanned struct {
		Label   string        `json:"label"` // without control characters, at most 48 bytes
		GTIN    string        `json:"gtin"`  // 14 digits or ""
		Item    *catalog.Item `json:"item,omitempty"`
		Said    catalog.Said  `json:"said,omitzero"`     // by the label, of this piece
		Book    bool          `json:"book,omitempty"`    // both rows of one
		Problem string        `json:"problem,omitempty"` // "" or a Problem constant
	}
	// Key is one key press, by the key's name ("0".."9", "CASH", ...).
	Key struct {
		Name string `json:"name"`
		// Source is what it was pressed on, in the words of package drivers. Keys of
		// a command sheet come as Scanned: the till itself checks them.
		Source string `json:"source,omitempty"`
	}
	// KeyFault is what a keypad says instead of a key.
	KeyFault struct {
		Fault string `json:"fault"`         // one of the Fault constants
		Key   string `json:"key,omitempty"` // which, if it is known
	}
	// CardRead is a swipe, sealed by the capture process.
	CardRead struct {
		Read record.CardRead `json:"read"`
	}
	// CardFailed is a swipe that could not be read.
	CardFailed struct {
		Reason string `json:"reason"`
	}
	// Authorized is the answer to an Authorize effect. Result is "approved",
	// "declined", "insufficient-funds", "error", "offline" (it never left the
	// register) or "no-answer" (nobody knows what became of it).
	Authorized struct {
		Reply record.AuthReply `json:"reply"`
	}
	// DrawerOpened and DrawerClosed are edges of the drawer's switch, and what it
	// says after a start.
	DrawerOpened struct{}
	// DrawerTested says that a technician has opened the drawer: the console has
	// that on record.
	DrawerTested struct{}
	// DrawerClosed see DrawerOpened.
	DrawerClosed struct{}
	// DrawerLeftOpen says that the drawer stands open for too long, and again
	// while it does.
	DrawerLeftOpen struct{}
	// DrawerFailed answers a Kick that did not open the drawer.
	DrawerFailed struct {
		Reason string `json:"reason"`
	}
	// Printed says that the job's last dot is on paper.
	Printed struct {
		Job uint64 `json:"job"`
	}
	// PrintFailed says that the job is not, or that nobody knows (Unknown), or
	// that it was not begun for so long that the operator should be asked (Late).
	PrintFailed struct {
		Job     uint64 `json:"job"`
		Cause   string `json:"cause"`
		Unknown bool   `json:"unknown,omitempty"`
		Late    bool   `json:"late,omitempty"`
	}
	// PrintPaused says that the printer waits for paper, cover or cutter; an
	// empty Cause that it goes on.
	PrintPaused struct {
		Job   uint64 `json:"job"`
		Cause string `json:"cause"`
	}
	// Device says that a device came or went.
	Device struct {
		Name   string `json:"name"` // "printer", "scanner", "card", "keypad", "display"
		Up     bool   `json:"up"`
		Detail string `json:"detail,omitempty"`
	}
	// Cloud says that the way to the cloud came or went.
	Cloud struct {
		Up     bool   `json:"up"`
		Detail string `json:"detail,omitempty"`
	}
	// Tampered says that the case was opened; the card key is being destroyed.
	Tampered struct {
		Line string `json:"line"` // the GPIO line that said so
	}
	// PowerResumed is the first event after a start, with State restored.
	PowerResumed struct{}
)

func (Scanned) event()        {}
func (Key) event()            {}
func (KeyFault) event()       {}
func (CardRead) event()       {}
func (CardFailed) event()     {}
func (Authorized) event()     {}
func (DrawerOpened) event()   {}
func (DrawerTested) event()   {}
func (DrawerClosed) event()   {}
func (DrawerLeftOpen) event() {}
func (DrawerFailed) event()   {}
func (Printed) event()        {}
func (PrintFailed) event()    {}
func (PrintPaused) event()    {}
func (Device) event()         {}
func (Cloud) event()          {}
func (Tampered) event()       {}
func (PowerResumed) event()   {}

// envelope is an event on disk: its name and its fields.
type envelope struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// errEvent: the bytes are no event.
var errEvent = errors.New("not an event")

// MarshalEvent encodes an event for UnmarshalEvent, with its free texts cut to
// what Handle looks at.
func MarshalEvent(e Event) ([]byte, error) {
	e = bounded(e)
	name := nameOf(e)
	if name == "" {
		return nil, fmt.Errorf("till: marshal event: %w", errEvent)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("till: marshal event: %w", err)
	}
	b, err := json.Marshal(envelope{Type: name, Data: data})
	if err != nil {
		return nil, fmt.Errorf("till: marshal event: %w", err)
	}
	if len(b) > EventBytesMax {
		return nil, fmt.Errorf("till: marshal event: %d bytes, at most %d", len(b), EventBytesMax)
	}
	return b, nil
}

func nameOf(e Event) string {
	switch e.(type) {
	case Scanned:
		return "scanned"
	case Key:
		return "key"
	case KeyFault:
		return "key-fault"
	case CardRead:
		return "card-read"
	case CardFailed:
		return "card-failed"
	case Authorized:
		return "authorized"
	case DrawerOpened:
		return "drawer-opened"
	case DrawerTested:
		return "drawer-tested"
	case DrawerClosed:
		return "drawer-closed"
	case DrawerLeftOpen:
		return "drawer-left-open"
	case DrawerFailed:
		return "drawer-failed"
	case Printed:
		return "printed"
	case PrintFailed:
		return "print-failed"
	case PrintPaused:
		return "print-paused"
	case Device:
		return "device"
	case Cloud:
		return "cloud"
	case Tampered:
		return "tampered"
	case PowerResumed:
		return "power-resumed"
	}
	return ""
}

// UnmarshalEvent decodes what MarshalEvent wrote; it refuses unknown fields,
// trailing bytes and more than EventBytesMax.
func UnmarshalEvent(b []byte) (Event, error) {
	if len(b) > EventBytesMax {
		return nil, fmt.Errorf("till: unmarshal event: %d bytes, at most %d", len(b), EventBytesMax)
	}
	var env envelope
	if err := strict(b, &env); err != nil {
		return nil, fmt.Errorf("till: unmarshal event: %w", err)
	}
	decode := decoders[env.Type]
	if decode == nil {
		return nil, fmt.Errorf("till: unmarshal event: type %.32q: %w", env.Type, errEvent)
	}
	e, err := decode(env.Data)
	if err != nil {
		return nil, fmt.Errorf("till: unmarshal event: %w", err)
	}
	return e, nil
}

//nolint:gochecknoglobals // a constant table
var decoders = map[string]func([]byte) (Event, error){
	"scanned":          decodeAs[Scanned],
	"key":              decodeAs[Key],
	"key-fault":        decodeAs[KeyFault],
	"card-read":        decodeAs[CardRead],
	"card-failed":      decodeAs[CardFailed],
	"authorized":       decodeAs[Authorized],
	"drawer-opened":    decodeAs[DrawerOpened],
	"drawer-tested":    decodeAs[DrawerTested],
	"drawer-closed":    decodeAs[DrawerClosed],
	"drawer-failed":    decodeAs[DrawerFailed],
	"drawer-left-open": decodeAs[DrawerLeftOpen],
	"printed":          decodeAs[Printed],
	"print-failed":     decodeAs[PrintFailed],
	"print-paused":     decodeAs[PrintPaused],
	"device":           decodeAs[Device],
	"cloud":            decodeAs[Cloud],
	"tampered":         decodeAs[Tampered],
	"power-resumed":    decodeAs[PowerResumed],
}

func decodeAs[E Event](b []byte) (Event, error) {
	var e E
	if err := strict(b, &e); err != nil {
		return nil, err
	}
	return e, nil
}

// strict decodes exactly one JSON value without unknown fields.
func strict(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errEvent
	}
	return nil
}
