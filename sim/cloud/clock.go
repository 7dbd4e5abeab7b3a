package cloud

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// clock tells registers what time it is, each in answer to its own nonce, signed
// as acknowledgements are.
type clock struct {
	nc     *nats.Conn
	signer ed25519.PrivateKey
	log    *slog.Logger
}

func newClock(c *Cloud) (*clock, error) {
	k := &clock{signer: c.secrets.signer, log: c.options.Log}
	var err error
	if k.nc, err = c.secrets.connect(c.server.Addr().String(), c.secrets.staff.clock); err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	if _, err = k.nc.Subscribe(timeSubjects, k.answer); err == nil {
		err = k.nc.Flush()
	}
	if err != nil {
		k.nc.Close()
		return nil, fmt.Errorf("clock: %w", err)
	}
	return k, nil
}

func (k *clock) close() { k.nc.Close() }

// answer tells nothing to what is no question.
func (k *clock) answer(m *nats.Msg) {
	id, err := registerOf(m.Subject)
	var n record.Nonce
	if err != nil || len(m.Data) != len(n) {
		return
	}
	copy(n[:], m.Data)
	data, err := json.Marshal(record.SignTime(k.signer, id, n, time.Now()))
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		k.log.Error("clock", "err", err.Error())
	}
}
