package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"regi/firmware/boot"
	"regi/firmware/record"
	"regi/firmware/register"
	"regi/firmware/till"
)

// tryEvery is how often is looked whether an update can be tried.
const tryEvery = 10 * time.Second

// keepVersion commits this version once it has proven itself, fetches the next
// one, and has it tried while no shift is open.
func keepVersion(ctx context.Context, link *boot.Link, reg *register.Register, c *Config, log *slog.Logger) {
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
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() {
		u := updatesOf(&state.Slot)
		u.Arrived = func(string) { tell(boot.OpInstall) }
		reg.PullUpdates(ctx, u)
	})
	beside.Go(func() {
		if prove(ctx, &state.Slot, reg, worked(c), log) {
			tell(boot.OpCommit)
		}
	})
	look := time.NewTicker(tryEvery)
	defer look.Stop()
	told := false // of a damaged slot
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			state, err := link.State()
			if err == nil && len(state.Slot.Damaged) > 0 && !told {
				told = tellDamage(ctx, reg, state.Slot.Damaged)
			}
			if err == nil && state.Slot.Ready && reg.Closed() {
				if err := tryVersion(ctx, link, reg, worked(c)); err != nil {
					log.Warn("update", "err", err.Error())
				}
			}
		}
	}
}

// worked is the file with the devices that worked before a version was tried.
func worked(c *Config) string { return filepath.Join(consoleFolder(c), "worked.json") }

// tryVersion boots the other slot once, which then must have every device that
// works now.
func tryVersion(ctx context.Context, link *boot.Link, reg *register.Register, file string) error {
	s, err := reg.Summary(ctx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(up(&s))
	if err == nil {
		err = replaceDurably(file, data)
	}
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return link.Tell(boot.Ask{Op: boot.OpTry})
}

// up are the devices that work, and the cloud.
func up(s *register.Summary) (names []string) {
	for _, name := range append(counterOrder[:], cloudName) {
		if works(s, name) {
			names = append(names, name)
		}
	}
	return names
}

// summaries is a register that can be asked how it is.
type summaries interface {
	Summary(ctx context.Context) (register.Summary, error)
	Proven() <-chan struct{}
}

// prove waits until this version has proven itself: its start is signed for by
// the cloud and, where it is on trial, every device that worked before it has
// worked with it. One that is switched off then may be so. If it never happens,
// the board goes back by itself.
func prove(ctx context.Context, slot *boot.SlotState, reg summaries, file string, log *slog.Logger) bool {
	select {
	case <-ctx.Done():
		return false
	case <-reg.Proven():
	}
	if !slot.Trial {
		return os.RemoveAll(file) == nil
	}
	missing := readWorked(file)
	every := time.NewTicker(trialEvery)
	defer every.Stop()
	for said := 0; len(missing) > 0; {
		if s, err := reg.Summary(ctx); err == nil {
			missing = slices.DeleteFunc(missing, func(name string) bool { return works(&s, name) })
		}
		if len(missing) != said && len(missing) > 0 {
			said = len(missing)
			log.Warn("the version on trial waits for what worked before", "missing", strings.Join(missing, ", "))
		}
		select {
		case <-ctx.Done():
			return false
		case <-every.C:
		}
	}
	return ctx.Err() == nil && os.RemoveAll(file) == nil
}

// readWorked reads the names; a file that is damaged or not there asks for
// nothing, as that of a version that did not write one.
func readWorked(file string) (names []string) {
	data, err := readPlain(file, keyFileMax)
	if err != nil || json.Unmarshal(data, &names) != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name != cloudName && !slices.Contains(counterOrder[:], name)
	})
}

// tellDamage tells the operator and the cloud that a slot is not what was signed.
func tellDamage(ctx context.Context, reg *register.Register, slots []string) bool {
	what := strings.Join(slots, "; ")
	reg.Announce("U10", "起動用の記憶が壊れています。サービスへ連絡 / "+what)
	return reg.Note(ctx, record.SecurityEvent, till.SecurityBody{Event: "slot-damaged", Detail: what}) == nil
}
