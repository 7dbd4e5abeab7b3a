package main

import (
	"context"
	"sync"
	"time"

	"regi/firmware/boot"
	"regi/firmware/register"
)

// tryEvery is how often is looked whether an update can be tried.
const tryEvery = 10 * time.Second

// keepVersion commits this version once it has proven itself, fetches the next
// one, and has it tried while no shift is open.
func keepVersion(ctx context.Context, link *boot.Link, reg *register.Register) {
	tell := func(op string) {
		link.Tell(boot.Ask{Op: op}) //nolint:errcheck,gosec // the board that is gone ends this process, too
	}
	state, err := link.State()
	if err != nil {
		return
	}
	var pulling sync.WaitGroup
	defer pulling.Wait()
	pulling.Go(func() {
		u := updatesOf(&state.Slot)
		u.Arrived = func(string) { tell(boot.OpInstall) }
		reg.PullUpdates(ctx, u)
	})
	proven := reg.Proven()
	look := time.NewTicker(tryEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-proven:
			tell(boot.OpCommit)
			proven = nil
		case <-look.C:
			if state, err := link.State(); err == nil && state.Slot.Ready && reg.Closed() {
				tell(boot.OpTry)
			}
		}
	}
}
