package console

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"time"

	"regi/firmware/record"
)

// Host is what the register lends the technician. Board, Slots and Owner are
// nil where there are none.
type Host struct {
	ID      record.ID
	Version string
	// Language is what is spoken first: "ja" or "en".
	Language string
	// Zone is the shop's, in which every time is shown; nil: UTC.
	Zone *time.Location
	// Setup says why the register does not sell, "" where it does. Then the
	// console is all there is of it.
	Setup string
	// Prices takes the first catalogue; nil where there is one.
	Prices func(text []byte) error
	// Owner signs grants and credentials.
	Owner ed25519.PublicKey
	// Note makes a record: on return it is on the disk. ErrNoRoom: the journal
	// is full.
	Note func(ctx context.Context, kind record.Kind, body any) error
	// Notice waits for the next thing the operator is told.
	Notice func(context.Context) (string, error)
	// Log returns the newest n lines of the log.
	Log func(n int) []string

	Memory   Memory
	Counter  Counter
	Keys     Keys
	Settings Settings
	Identity Identity
	Board    Board
	Slots    Slots
}

// Errors of a host.
var (
	// ErrNoRoom: the journal is full.
	ErrNoRoom = errors.New("the journal is full")
	// ErrSale: a sale is open, and the counter must not be disturbed.
	ErrSale = errors.New("a sale is open")
	// ErrAway: the device is not in use.
	ErrAway = errors.New("the device is away")
)

// Memory keeps the console's own file over a restart; Load returns nothing if
// there is none.
type Memory interface {
	Load() ([]byte, error)
	Save([]byte) error
}

// Counter is the running counter. Its tests go through the tasks that own the
// devices, and fail with ErrSale while a sale is open.
type Counter interface {
	State(context.Context) (State, error)
	// Scan waits for one label, which is then not sold.
	Scan(ctx context.Context, ready func()) (Scan, error)
	// Card waits for one swipe, which is then not charged.
	Card(ctx context.Context, ready func()) (Card, error)
	// Print prints lines and QR codes, numbered if there are several.
	Print(ctx context.Context, lines []string, codes ...string) error
	OpenDrawer(context.Context) error
	// Show writes to the display until ctx ends.
	Show(ctx context.Context, upper, lower string) error
}

// State is the counter at a moment.
type State struct {
	Now  time.Time
	Up   time.Duration // of this process
	Till string        // the till's phase
	Sale bool          // one is open
	// Devices in the counter's order; those without a port are left out.
	Devices []Device
	Cloud   Cloud
	Ledger  Ledger
}

// Device is one line of the counter.
type Device struct {
	Name, Port string
	Up         bool
	Says       string // why not, or a warning
}

// Cloud is the way to it.
type Cloud struct {
	URL  string
	Up   bool
	Says string
}

// Ledger is the journal.
type Ledger struct {
	Head  uint64 // the newest record
	Hash  string // its hash, hex
	Acked uint64 // the newest one that the cloud has signed for
	Depth uint64 // records that wait
	Room  int64  // bytes
}

// Scan is a label as it was read.
type Scan struct{ Label, AIM, Problem string }

// Card is what may be shown of a swipe.
type Card struct {
	Brand, Last4, Tracks string
	Luhn                 bool
	Problem              string
}

// Keys is the card key.
type Keys interface {
	Status(context.Context) (string, error)
	// Wipe destroys it in memory and on disk.
	Wipe(context.Context) error
	// Inject conducts the ceremony on line, which nobody else reads meanwhile.
	Inject(ctx context.Context, line Line) error
}

// Settings is the configuration.
type Settings interface {
	// List is every setting of the file in its order.
	List() []Setting
	// Set notes a change if the file would be right with it, and whoever is here
	// may make it: by says whether the owner has granted more than the register's
	// own settings.
	Set(key, value string, by Warrant) error
	// Replace notes another file in place of the whole one.
	Replace(text string, by Warrant) error
	Changed() []Setting
	Discard()
	// Apply has the register end and start again with the changes, for good only
	// if every device that is up now is up then, too.
	Apply(ctx context.Context, who string, by Warrant) error
}

// Setting is a line of the configuration.
type Setting struct{ Key, Value string }

// Secret settings are a number that somebody knows: of them is shown and kept
// on record only that there is one.
func Secret(key string) bool { return strings.EqualFold(key, "register.supervisor") }

// Shown is what may be seen of a setting.
func (s Setting) Shown() string {
	if s.Value != "" && Secret(s.Key) {
		return "set"
	}
	return s.Value
}

// Identity is who this register is to its cloud.
type Identity interface {
	// Request is the device's public key: its fingerprint and a PKCS #10
	// certificate request in PEM.
	Request() (fingerprint, request string, err error)
	// Accept takes credentials as Settings.Apply takes changes. It checks them
	// again, where the technician's side of the register cannot reach. owner is
	// Host.Owner or, where there was none, whom the technician has named.
	Accept(ctx context.Context, who string, packet []byte, shown Challenge, owner ed25519.PublicKey) error
}

// Board is a flashed board.
type Board interface {
	// State is what it says of itself, in lines of a name and a text.
	State() ([]Setting, error)
	Reboot() error
	PowerOff() error
}

// Slots are the two versions of a flashed board.
type Slots interface {
	State(context.Context) ([]Setting, error)
	// Update takes a signed bundle from source, "cloud" or "usb", and says how
	// far it is.
	Update(ctx context.Context, source string, say func(string)) error
}
