// Package cloud is the office end of the counter: a NATS JetStream server, and
// the receiver that opens every record, keeps it in a database and signs for it.
//
// Everything is in one folder: the CA and the server's certificate, the
// credentials of register and hsm, the key that opens the ledger, the key that
// signs acknowledgements, the stream's files and ledger.db. Nothing but
// 127.0.0.1 is listened on. Between the register and the server stands a line
// that can be cut or slowed.
package cloud

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/nats-io/nats-server/v2/server"

	"regi/firmware/record"
)

// Options are all optional.
type Options struct {
	// Others are registers besides the first one, with credentials of their own.
	Others []record.ID
	// Changed is called after each change of the ledger, the alarms or the link.
	Changed func()
	// Log is told of the receiver's troubles.
	Log *slog.Logger
}

// Cloud is one running office.
type Cloud struct {
	id      record.ID
	secrets *secrets
	server  *server.Server
	link    *link
	ledger  *ledger
	options Options
	stop    context.CancelFunc
	tasks   sync.WaitGroup

	receiver *receiver
	clock    *clock
}

// Files are what the register and the hsm are configured with.
type Files struct {
	CA       string // certificate of the CA, PEM
	Creds    string // the register's NKEY seed
	SealTo   string // public key that records are sealed to
	SignedBy string // public key of acknowledgements
	HSMCreds string // the hsm's NKEY seed
}

// Open starts the office of one register in dir, with what an earlier one left
// there.
func Open(dir string, id record.ID) (*Cloud, error) { return OpenWith(dir, id, Options{}) }

// OpenWith is Open with options.
func OpenWith(dir string, id record.ID, o Options) (_ *Cloud, err error) {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cloud: %w", err)
	}
	c := &Cloud{id: id, options: o}
	defer func() {
		if err != nil {
			err = fmt.Errorf("cloud: %w", errors.Join(err, c.Close()))
		}
	}()
	if c.secrets, err = loadSecrets(dir, id, o.Others); err != nil {
		return nil, err
	}
	if c.ledger, err = openLedger(dir); err != nil {
		return nil, err
	}
	if c.server, err = startServer(dir, c.secrets); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	if c.receiver, err = newReceiver(ctx, c); err != nil {
		return nil, err
	}
	c.tasks.Go(func() { c.receiver.run(ctx) })
	if c.clock, err = newClock(c); err != nil {
		return nil, err
	}
	if c.link, err = openLink(dir, c.server.Addr().String()); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends all tasks. What was acknowledged is on disk.
func (c *Cloud) Close() error {
	var err error
	if c.link != nil {
		err = errors.Join(err, c.link.close())
	}
	if c.stop != nil {
		c.stop()
	}
	c.tasks.Wait()
	if c.receiver != nil {
		c.receiver.close()
	}
	if c.clock != nil {
		c.clock.close()
	}
	if c.server != nil {
		c.server.Shutdown()
		c.server.WaitForShutdown()
	}
	if c.ledger != nil {
		err = errors.Join(err, c.ledger.close())
	}
	return err
}

// URL is where the register finds its cloud: the far end of the line that
// SetLink disturbs. It stays the same over a restart if the port is still free.
func (c *Cloud) URL() string { return "tls://" + c.link.address }

// ServerURL is the server itself, for the hsm.
func (c *Cloud) ServerURL() string { return "tls://" + c.server.Addr().String() }

// Files returns the paths for the first register.
func (c *Cloud) Files() Files { return c.secrets.files }

// Creds returns the path of a register's credentials.
func (c *Cloud) Creds(id record.ID) string { return c.secrets.creds[id] }

// SetLink sets the line between register and server: "up", "down" (what is
// connected is cut, what connects is refused) or "slow" (64 kbit/s and 200 ms in
// each direction).
func (c *Cloud) SetLink(state string) error {
	if err := c.link.set(state); err != nil {
		return fmt.Errorf("cloud: link: %w", err)
	}
	c.options.Changed()
	return nil
}

// Link returns the state of the line.
func (c *Cloud) Link() string { return c.link.now() }

// Enroll makes a register's public key known. Until then its records are not
// accepted; they are asked for again now. Enrolling anew lifts a quarantine.
func (c *Cloud) Enroll(id record.ID, key ed25519.PublicKey) error {
	if err := c.receiver.enroll(id, key); err != nil {
		return fmt.Errorf("cloud: enroll: %w", err)
	}
	c.options.Changed()
	return nil
}

// Ledger returns records of the first register in order, from a sequence on:
// at most limit, and at most LedgerMax.
func (c *Cloud) Ledger(ctx context.Context, from uint64, limit int) ([]Record, error) {
	return c.LedgerOf(ctx, c.id, from, limit)
}

// LedgerOf is Ledger for any register.
func (c *Cloud) LedgerOf(ctx context.Context, id record.ID, from uint64, limit int) ([]Record, error) {
	rs, err := c.ledger.records(ctx, id, from, limit)
	if err != nil {
		return nil, fmt.Errorf("cloud: ledger: %w", err)
	}
	return rs, nil
}

// Alarms returns what the receiver refused, for people to look at.
func (c *Cloud) Alarms(ctx context.Context) ([]Alarm, error) {
	as, err := c.ledger.alarms(ctx)
	if err != nil {
		return nil, fmt.Errorf("cloud: alarms: %w", err)
	}
	return as, nil
}
