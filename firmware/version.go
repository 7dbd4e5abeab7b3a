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
	for err != nil { // a board that is busy answers later
		select {
		case <-ctx.Done():
			return
		case <-time.After(tryEvery):
		}
		state, err = link.State()
	}
	var pulling sync.WaitGroup
	defer pulling.Wait()
	pulling.Go(func() {
		reg.PullUpdates(ctx, register.Updates{
			Board: state.Slot.Board, Version: state.Slot.Version, Failed: state.Slot.Failed, Path: boot.Incoming,
			Arrived: func(string) { tell(boot.OpInstall) },
		})
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
