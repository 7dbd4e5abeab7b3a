package register

import (
	"errors"
	"fmt"
	"time"

	"regi/drivers"
	"regi/firmware/receipt"
	"regi/firmware/record"
	"regi/firmware/till"
)

// ErrNoSheet says that the configuration wants no command sheets.
var ErrNoSheet = errors.New(`keypad.sheet = "off"`)

// Sheet is the command sheet that is good until the next Z, while no register
// runs: otherwise it fails with an error that wraps journal.ErrBusy. That it was
// printed is on record before it is.
func Sheet(c Config, columns int) (doc drivers.Document, err error) {
	l, t, err := openLedger(c)
	if err != nil {
		return doc, fmt.Errorf("register: %w", err)
	}
	defer func() { err = errors.Join(err, l.close()) }()
	keys := t.Sheet()
	if keys == nil {
		return doc, fmt.Errorf("register: sheet: %w", ErrNoSheet)
	}
	on := receipt.Paper{Columns: columns}
	if doc, err = receipt.New(c.Till.Locale, nil).Sheet(sheetKeys(keys), c.ID.String(), on); err != nil {
		return doc, fmt.Errorf("register: %w", err)
	}
	if err := l.note(time.Now(), record.SecurityEvent, till.SecurityBody{Event: "command-sheet"}); err != nil {
		return drivers.Document{}, fmt.Errorf("register: %w", err)
	}
	return doc, nil
}
