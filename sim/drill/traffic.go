package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"regi/sim/device/card"
)

// Published test numbers with an answer of their own.
const (
	numberDeclined = "4000000000000002"
	numberNoFunds  = "4000000000009995"
)

// Codes of what the till tells the operator.
const (
	toldFirst    = "C01" // press CARD first
	toldUnread   = "C02"
	toldDeclined = "C04"
	toldNoFunds  = "C05"
)

// The mix of the traffic: every so many swipes.
const (
	everyKill   = 50 // the capture process is killed in mid-swipe
	everySlow   = 20 // the swipe comes at the line's true speed
	everyCash   = 25 // a cash sale between
	everyRefuse = 20 // a card that is declined first
	everyEarly  = 5  // swiped before CARD was pressed
	everyBad    = 4  // damaged
)

// swipesMin has one of each kind.
const swipesMin = 2 * everyKill

// baudByte is one byte at 9600 baud.
const baudByte = 10 * time.Second / 9600

// traffic is a shift of card sales.
type traffic struct {
	*counter
	numbers  []string
	inFlight atomic.Int64 // bytes of the swipe under way; 0: none
	passes   func() int   // the attacker's so far

	sold, bad, early, refused, cash, kills int
}

// run swipes every number once and checks what became of it: no swipe may be
// lost, whatever the attacker does. After each, the attacker has a look at least
// once.
func (t *traffic) run(ctx context.Context) error {
	for i, number := range t.numbers {
		if err := t.one(ctx, i, number); err != nil {
			return fmt.Errorf("swipe %d of %d: %w", i+1, len(t.numbers), err)
		}
		seen := t.passes()
		if err := await(ctx, "a pass", func() bool { return t.passes() > seen }); err != nil {
			return err
		}
	}
	return nil
}

func (t *traffic) one(ctx context.Context, i int, number string) error {
	last := i == len(t.numbers)-1
	switch {
	case i%everyCash == 1:
		if err := t.sellCash(ctx); err != nil {
			return err
		}
	case i%everyRefuse == 2:
		if err := t.refuse(ctx, i); err != nil {
			return err
		}
	}
	switch {
	case last: // so that the last key used stands in the ledger
		return t.sell(ctx, number, false)
	case i%everyKill == everyKill/2:
		return t.killed(ctx, i, number)
	case i%everyEarly == 3 && t.log.now().Till != "CARD":
		t.early++
		return t.told(ctx, toldFirst, func() error { return t.swipe(ctx, tracks(number), false) })
	case i%everyBad == 1:
		return t.unread(ctx, i, number)
	}
	return t.sell(ctx, number, i%everySlow == 0)
}

// sell sells one article to a card.
func (t *traffic) sell(ctx context.Context, number string, slow bool) error {
	if err := t.ask(ctx); err != nil {
		return err
	}
	if err := t.swipe(ctx, tracks(number), slow); err != nil {
		return err
	}
	t.sold++
	return t.awaitTill(ctx, "IDLE")
}

// ask rings up an article, if need be, and presses CARD.
func (t *traffic) ask(ctx context.Context) error {
	if t.log.now().Till == "IDLE" {
		if err := t.scanner.Scan(ctx, article, ""); err != nil {
			return err
		}
		if err := t.awaitTill(ctx, "SALE"); err != nil {
			return err
		}
	}
	if t.log.now().Till == "CARD" {
		return nil
	}
	if err := t.keypad.Press(ctx, "CARD"); err != nil {
		return err
	}
	return t.awaitTill(ctx, "CARD")
}

// unread is a damaged card: the till asks for it again.
func (t *traffic) unread(ctx context.Context, i int, number string) error {
	if err := t.ask(ctx); err != nil {
		return err
	}
	t.bad++
	return t.told(ctx, toldUnread, func() error { return t.swipe(ctx, damaged(number, i/everyBad), false) })
}

// refuse is a card that the processor declines.
func (t *traffic) refuse(ctx context.Context, i int) error {
	number, code := numberDeclined, toldDeclined
	if i/everyRefuse%2 == 1 {
		number, code = numberNoFunds, toldNoFunds
	}
	if err := t.ask(ctx); err != nil {
		return err
	}
	t.refused++
	return t.told(ctx, code, func() error { return t.swipe(ctx, tracks(number), false) })
}

func (t *traffic) sellCash(ctx context.Context) error {
	if t.log.now().Till != "IDLE" {
		return nil // a card sale is under way
	}
	if err := t.scanner.Scan(ctx, article, ""); err != nil {
		return err
	}
	if err := t.awaitTill(ctx, "SALE"); err != nil {
		return err
	}
	if err := t.keypad.Press(ctx, "CASH"); err != nil {
		return err
	}
	t.cash++
	if err := t.awaitTill(ctx, "IDLE"); err != nil {
		return err
	}
	if err := await(ctx, "the drawer", t.drawer.Open); err != nil {
		return err
	}
	return t.drawer.Set("closed")
}

// killed kills the capture process while it reads a swipe: half of the time
// before the line end is there, half of the time in mid-read.
func (t *traffic) killed(ctx context.Context, i int, number string) error {
	return t.inMidSwipe(ctx, number, i/everyKill%2 == 0, syscall.SIGKILL)
}

// inMidSwipe sends a signal to the capture process in mid-swipe and waits until
// another one reads cards.
func (t *traffic) inMidSwipe(ctx context.Context, number string, half bool, s syscall.Signal) error {
	pid := t.roles()["capture"]
	if pid == 0 {
		return fmt.Errorf("there is no capture process: %+v", t.power.State())
	}
	b := bytesOf(tracks(number))
	if half {
		b = b[:len(b)/2]
	}
	t.inFlight.Store(int64(len(b)))
	defer t.inFlight.Store(0)
	if _, err := t.wires["card"].Write(b); err != nil {
		return err
	}
	const about = 300 * time.Microsecond // what it takes to read a swipe
	pause, err := random(int64(about))
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(pause))
	if err := syscall.Kill(pid, s); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	t.kills++
	err = await(ctx, "another capture process", func() bool { now := t.roles()["capture"]; return now != 0 && now != pid })
	if err != nil {
		return err
	}
	if err := t.awaitReader(ctx); err != nil {
		return err
	}
	// It may have read the card before the signal came.
	return await(ctx, "the end of an authorisation", func() bool { return t.log.now().Till != "AUTH" })
}

// swipe moves a card through the reader and waits until it was read.
func (t *traffic) swipe(ctx context.Context, c card.Tracks, slow bool) error {
	b := bytesOf(c)
	t.inFlight.Store(int64(len(b)))
	defer t.inFlight.Store(0)
	w := t.wires["card"]
	if slow {
		tick := time.NewTicker(baudByte)
		defer tick.Stop()
		for ; len(b) > 1; b = b[1:] {
			if _, err := w.Write(b[:1]); err != nil {
				return err
			}
			<-tick.C
		}
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.WaitRead(ctx)
}

// told waits until the operator is told something once more.
func (t *traffic) told(ctx context.Context, code string, do func() error) error {
	before := t.log.told(code)
	if err := do(); err != nil {
		return err
	}
	return await(ctx, "the message "+code, func() bool { return t.log.told(code) > before })
}

func (t *traffic) awaitTill(ctx context.Context, phase string) error {
	err := await(ctx, "till "+phase, func() bool { return t.log.now().Till == phase })
	if err != nil {
		return fmt.Errorf("%w; it is %s", err, t.log.now().Till)
	}
	return nil
}
