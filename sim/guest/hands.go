package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// say says a line to QEMU's own monitor and returns what it answers.
func (g *Guest) say(line string) (said string, err error) {
	err = g.hear("human-monitor-command", map[string]any{"command-line": line}, &said)
	return strings.TrimSpace(said), err
}

// levels0 is GPLEV0, the levels of GPIO0 to GPIO31 (BCM2837 ARM Peripherals, 6.1).
const levels0 = 0x3F20_0034

// Pins are the levels of a Raspberry Pi's GPIO0 to GPIO31, a bit each.
func (g *Guest) Pins() (uint32, error) {
	said, err := g.say(fmt.Sprintf("xp /1wx %#x", levels0))
	if err != nil {
		return 0, err
	}
	_, word, _ := strings.Cut(said, ": ")
	levels, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(word), "0x"), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("guest: pins: %q: %w", said, err)
	}
	return uint32(levels), nil
}

// Again waits for a machine to be reset and takes the monitor of what comes
// then, which is a new QEMU.
func (g *Guest) Again(ctx context.Context) error {
	if err := g.lastWords(ctx); err != nil {
		return err
	}
	for until := time.Now().Add(monitorWithin); ; time.Sleep(100 * time.Millisecond) {
		// The one before may still take a connection and not answer.
		err := g.connect(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
	}
}

// lastWords listens until QEMU has ended.
func (g *Guest) lastWords(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer context.AfterFunc(ctx, func() { g.monitor.Close() })() //nolint:errcheck,gosec // ends the wait
	if err := g.monitor.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	if err := g.listen("the last words", nil); !errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() != nil {
		return fmt.Errorf("guest: it was not reset: %w", errors.Join(err, ctx.Err()))
	}
	return g.monitor.Close()
}

// Events are what QEMU told of until the last question: WATCHDOG, RESET.
func (g *Guest) Events() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.events)
}

// Cable pulls out the network's cable, or puts it back.
func (g *Guest) Cable(in bool) error {
	return g.Ask("set_link", map[string]any{"name": "ethernet", "up": in})
}

// Break holds a line down for longer than a character, as a terminal's break key
// does: to a kernel that listens it says that the next character is a command.
func (g *Guest) Break(line string) error {
	return g.Ask("chardev-send-break", map[string]any{"id": line})
}

// PullCard takes the card out of the board, which may not be put back while it
// runs: from now on nothing can be read or written.
func (g *Guest) PullCard() error {
	said, err := g.say("drive_del card")
	if err == nil && said != "" {
		return fmt.Errorf("guest: card: %s", said)
	}
	return err
}
