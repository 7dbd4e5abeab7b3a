package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"regi/firmware/boot"
	"regi/firmware/console"
	"regi/firmware/register"
)

// slotsOf is console.Slots over the link to the board's first process, which
// checks and writes every update.
type slotsOf struct {
	link *boot.Link
	reg  *register.Register // nil: there is no way to the cloud yet

	worked string // see tryVersion
}

// lookEvery is how often is looked how far an update is.
const lookEvery = 300 * time.Millisecond

var errNoCloudYet = errors.New("the cloud is not known yet: update usb")

// State is console.Slots's.
func (u slotsOf) State(context.Context) ([]console.Setting, error) {
	s, err := u.link.State()
	if err != nil {
		return nil, err
	}
	n := s.Slot
	slot := n.Slot
	if slot == "" {
		slot = "unknown"
	}
	if n.Trial {
		slot += ", on trial: a reset goes back to the other one"
	}
	rows := []console.Setting{
		{Key: "board", Value: n.Board},
		{Key: "version", Value: n.Version},
		{Key: "slot", Value: slot},
		{Key: "epoch", Value: fmt.Sprintf("%d, at least %d may run here", n.Epoch, n.Floor)},
	}
	if n.Ready {
		rows = append(rows, console.Setting{Key: "other slot", Value: "holds an update: it is tried while no shift is open"})
	}
	for _, more := range []console.Setting{{Key: "update", Value: n.Update}, {Key: "failed", Value: n.Failed}, {Key: "fault", Value: n.Fault}, {Key: "damaged", Value: strings.Join(n.Damaged, "; ")}} {
		if more.Value != "" {
			rows = append(rows, more)
		}
	}
	return rows, nil
}

// Update is console.Slots's: it returns when the other slot is written, and has
// it tried where nobody is kept waiting.
func (u slotsOf) Update(ctx context.Context, source string, say func(string)) error {
	before, err := u.link.State()
	if err != nil {
		return err
	}
	if before.Slot.Slot == "" {
		return errors.New(before.Slot.Fault)
	}
	stick := source == "usb"
	if !stick {
		if u.reg == nil {
			return errNoCloudYet
		}
		say("fetching")
		version, err := u.reg.FetchUpdate(ctx, updatesOf(&before.Slot))
		if err != nil {
			return err
		}
		if version == "" {
			return errors.New("the cloud has no other version for this board than " + before.Slot.Version)
		}
		say(version + " is fetched")
	}
	if err := u.link.Tell(boot.Ask{Op: boot.OpInstall, Stick: stick}); err != nil {
		return err
	}
	return u.follow(ctx, say)
}

// follow says how far it is until it is written or refused.
func (u slotsOf) follow(ctx context.Context, say func(string)) error {
	for said := ""; ; {
		s, err := u.link.State()
		if err != nil {
			return err
		}
		if s.Slot.Update != said && s.Slot.Update != "" {
			said = s.Slot.Update
			say(said)
		}
		if !s.Slot.Busy {
			if !s.Slot.Ready {
				return errors.New("the other slot holds no update")
			}
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
	if u.reg != nil && !u.reg.Closed() {
		say("it is tried once no shift is open (Z)")
		return nil
	}
	say("the board starts it now, once")
	if u.reg == nil {
		return u.link.Tell(boot.Ask{Op: boot.OpTry})
	}
	return tryVersion(ctx, u.link, u.reg, u.worked)
}

// updatesOf is what the cloud is asked for.
func updatesOf(s *boot.SlotState) register.Updates {
	return register.Updates{Board: s.Board, Version: s.Version, Failed: s.Failed, Path: boot.Incoming}
}

// bootBody is what the record of a start says of the board.
func bootBody(s *boot.SlotState) map[string]string {
	body := map[string]string{"slot": s.Slot, "epoch": strconv.FormatUint(s.Epoch, 10), "trial": strconv.FormatBool(s.Trial)}
	if s.Failed != "" {
		body["failed"] = s.Failed // was tried, and did not prove itself
	}
	return body
}
