package main

import (
	"context"
	"os"
	"time"

	"regi/board/port"
	"regi/drivers"
	"regi/firmware/capture/ceremony"
	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/role"
)

// cardKeys is console.Keys.
type cardKeys struct{ t *technician }

func (k cardKeys) ask(ctx context.Context, op string, tty *os.File, heard func(keysWord) error) error {
	start := func() (*role.Child, error) { return k.t.spawn.Start(role.Keys, tty) }
	return askKeys(ctx, start, op, heard)
}

// Status is asked of the hardened process: this one cannot reach the key file.
func (k cardKeys) Status(ctx context.Context) (said string, err error) {
	err = k.ask(ctx, opStatus, nil, func(w keysWord) error {
		said = w.Done
		return nil
	})
	return said, err
}

// Wipe destroys the key as an opened case does.
func (k cardKeys) Wipe(ctx context.Context) error {
	k.t.keeper.wipe(ctx)
	return ctx.Err()
}

// releasedWithin is how long a card process may take to end.
const releasedWithin = 5 * time.Second

// Inject hands the line to the hardened process. The card process is ended for
// so long: it has the key file.
func (k cardKeys) Inject(ctx context.Context, line console.Line) error {
	p, ok := line.(*port.Port)
	if !ok {
		return drivers.ErrUnsupported
	}
	defer k.t.keeper.hold()()
	return p.Lend(func(tty *os.File) error {
		for until := time.Now().Add(releasedWithin); ; pause(ctx, wipeEvery) {
			err := k.inject(ctx, tty)
			if err == nil || err.Error() != ceremony.ErrRunning.Error() || time.Now().After(until) || ctx.Err() != nil {
				return err
			}
		}
	})
}

func (k cardKeys) inject(ctx context.Context, tty *os.File) error {
	note := func(ctx context.Context, body loadedBody) error { return k.t.reg.Note(ctx, record.SecurityEvent, body) }
	return journalled(ctx, note, func(heard func(keysWord) error) error { return k.ask(ctx, opInject, tty, heard) })
}
