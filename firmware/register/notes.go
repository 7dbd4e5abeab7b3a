package register

import (
	"fmt"
	"time"

	"regi/firmware/record"
)

// Notes writes records of the shell itself while no register runs, and keeps
// one from being started.
type Notes struct{ ledger *ledger }

// OpenNotes opens the ledger as New does. It fails with an error that wraps
// journal.ErrBusy while a register runs.
func OpenNotes(c Config) (*Notes, error) {
	l, _, err := openLedger(c)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	return &Notes{l}, nil
}

// Note appends a record: on return it is on the disk.
func (n *Notes) Note(kind record.Kind, body any) error {
	if err := n.ledger.note(time.Now(), kind, body); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

// Close lets a register start.
func (n *Notes) Close() error { return n.ledger.close() }
