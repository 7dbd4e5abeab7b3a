// Package till is the register's sale as a pure state machine: an event goes
// in, effects come out, and time is an argument.
package till

import (
	"compress/flate"
	"maps"
	"slices"
	"time"

	"regi/firmware/record"
	"regi/firmware/sale"
)

// Config is what a till must know of its shop.
type Config struct {
	Store, Register string
	Currency        string // ISO 4217, "JPY"
	Locale          string // one of sale.Locales: language, numerals, what a receipt needs
	Profile         string // "retail"
	TaxRounding     string // "floor" (also for ""), "half-up", "ceil"
	Prices          string // "inclusive" (also for "") or "exclusive" of tax
	Issuer          sale.Issuer
	// Rates are the shop's tax rates by name; none: those of its country.
	Rates []sale.Named
	// Zone is the shop's; nil: Japan's for Japan, else UTC.
	Zone *time.Location
	// Supervisor is the number that allows refunds and training; "": anybody may.
	Supervisor string
	// RefundMax is the most that one return gives back; 0: no limit.
	RefundMax sale.Money
	// CodeKey signs the codes on receipts; nil: receipts bear none, and without
	// one nothing is taken back.
	CodeKey []byte
	// SheetOff refuses command sheets; SheetAfterZ prints a new one after each Z,
	// for a register without a keypad.
	SheetOff, SheetAfterZ bool
}

// Till is one register's sale. It is not safe for concurrent use.
type Till struct {
	config   Config
	rounding sale.Rounding
	included bool // prices include tax
	english  bool
	country  sale.Country
	rates    []sale.Named
	zone     *time.Location
	state    State
	deflate  *flate.Writer // of keep

	// The Handle under way: ledger time, the clock, and what it has decided so far.
	now     time.Time
	clock   time.Time
	records []Effect
	effects []Effect
}

// New continues from a State; the zero State is a register never opened. A
// setting it does not know is taken as its default.
func New(c Config, s State) *Till {
	rounding, err := sale.ParseRounding(c.TaxRounding)
	if err != nil {
		rounding = sale.Floor
	}
	t := &Till{config: c, rounding: rounding, included: c.Prices != "exclusive", country: sale.CountryOf(c.Locale), rates: c.Rates, zone: c.Zone}
	t.english = t.country.Locale != "ja-JP"
	if t.rates == nil {
		t.rates = t.country.Rates
	}
	switch {
	case t.zone != nil:
	case t.country.Scheme == sale.Japanese:
		// Japan has had no summer time since 1951: no zone table is needed.
		t.zone = time.FixedZone("JST", 9*60*60)
	default:
		t.zone = time.UTC
	}
	t.state = s.clone()
	return t
}

// State is a copy of what the till knows.
func (t *Till) State() State { return t.state.clone() }

// Phase is the state's.
func (t *Till) Phase() string { return t.state.Phase() }

// Handle takes one event and says what must be done, records first. It is
// deterministic, and total: any event may come in any state.
func (t *Till) Handle(now time.Time, e Event) []Effect {
	t.now, t.clock = t.ledgerTime(now)
	t.records, t.effects = nil, nil
	switch e := bounded(e).(type) {
	case Key:
		t.key(e)
	case KeyFault:
		t.keyFault(e)
	case Scanned:
		t.scanned(e)
	case CardRead:
		t.cardRead(e.Read)
	case CardFailed:
		t.cardFailed(e.Reason)
	case Authorized:
		t.authorized(e.Reply)
	case DrawerOpened:
		t.drawerOpened()
	case DrawerTested:
		t.drawerTested()
	case DrawerClosed:
		t.drawerClosed()
	case DrawerLeftOpen:
		t.drawerLeftOpen()
	case DrawerFailed:
		t.drawerFailed(e.Reason)
	case Printed:
		t.printed(e.Job)
	case PrintFailed:
		t.printFailed(e)
	case PrintPaused:
		t.printPaused(e)
	case Device:
		t.device(e)
	case Cloud:
		t.cloud(e)
	case Tampered:
		t.tampered(e.Line)
	case PowerResumed:
		t.powerResumed()
	}
	return append(t.records, t.effects...)
}

// Years a clock may say; JSON cannot write every time.Time.
const yearMin, yearMax = 1970, 2199

// ledgerTime never stands still or goes back, whatever the clock does, which is
// the second of the two as far as it can be.
func (t *Till) ledgerTime(now time.Time) (ledger, clock time.Time) {
	now = now.UTC().Truncate(time.Millisecond)
	next := t.state.Time.Add(time.Millisecond)
	if y := now.Year(); y < yearMin || y > yearMax {
		now = next
	}
	ledger, clock = now, now.UTC()
	if now.Before(next) {
		ledger = next
	}
	return ledger.In(t.zone), clock
}

func (t *Till) record(kind record.Kind, body any) {
	t.records = append(t.records, Record{Kind: kind, Body: body})
	t.state.Time = t.now
}

func (t *Till) do(e Effect) { t.effects = append(t.effects, e) }

func (s State) clone() State {
	if s.Shift != nil {
		shift := *s.Shift
		s.Shift = &shift
	}
	if s.Sale != nil {
		open := *s.Sale
		open.Receipt.LineItem = slices.Clone(open.Receipt.LineItem)
		open.Receipt.Tender = slices.Clone(open.Receipt.Tender)
		s.Sale = &open
	}
	s.Prints = slices.Clone(s.Prints)
	s.Kept = slices.Clone(s.Kept)
	for i := range s.Kept {
		s.Kept[i].Returned = maps.Clone(s.Kept[i].Returned)
	}
	s.Returned = slices.Clone(s.Returned)
	s.Doubts = slices.Clone(s.Doubts)
	s.Flags.Down = maps.Clone(s.Flags.Down)
	return s // tax tables, and what Last, the jobs and Pending point to, never change
}
