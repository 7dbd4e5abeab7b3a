package record

import (
	"fmt"
	"strings"
)

// partMax bounds each half of an ID, in bytes.
const partMax = 32

// ID names one register of one store. Each half is 1 to 32 of A-Z a-z 0-9 "-":
// it becomes a token of a NATS subject and part of a file name, so nothing that
// means something there is allowed.
type ID struct{ Store, Register string }

// ParseID reads "store/register".
func ParseID(s string) (ID, error) {
	store, register, _ := strings.Cut(s, "/")
	id := ID{Store: store, Register: register}
	if err := id.check(); err != nil {
		return ID{}, err
	}
	return id, nil
}

// String returns "store/register", as it stands in header and signatures.
func (id ID) String() string { return id.Store + "/" + id.Register }

// Subject returns the NATS subject of one leaf, "regi.v1.0001.01.ledger".
func (id ID) Subject(leaf string) string {
	return "regi.v1." + id.Store + "." + id.Register + "." + leaf
}

// MarshalText returns String, or an error if the ID is not well formed.
func (id ID) MarshalText() ([]byte, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	return []byte(id.String()), nil
}

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) > 2*partMax+1 {
		return fmt.Errorf("record: id: %w", ErrTooLong)
	}
	v, err := ParseID(string(text))
	if err == nil {
		*id = v
	}
	return err
}

func (id ID) check() error {
	for _, part := range [...]string{id.Store, id.Register} {
		if part == "" || len(part) > partMax || strings.Trim(part, idBytes) != "" {
			return fmt.Errorf("record: id: %w", ErrFormat)
		}
	}
	return nil
}

const idBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
