package starprinter

import (
	"fmt"
	"strconv"
	"strings"

	"regi/sim/device/printer"
)

// condition is what a person can change.
type condition struct {
	paper    string
	outAfter int // lines until the paper is out; 0 is not counted
	cover    bool
	jammed   bool
	off      bool
}

// The words of a roll.
const (
	paperOK   = "ok"
	paperNear = "near-end"
	paperOut  = "out"
)

// outAfterMax bounds N of "out@N".
const outAfterMax = 100_000

// Set carries out a change, or none of it if a word is unknown.
func (p *Printer) Set(c printer.Change) error {
	p.mu.Lock()
	defer p.unlock()
	next := p.set
	if err := next.apply(c); err != nil {
		return fmt.Errorf("starprinter: %w", err)
	}
	was := p.set
	p.set = next
	if next.off && !was.off {
		p.queue, p.buffered, p.lexer = nil, 0, lexer{}
		p.epoch++
		p.stuck, p.held, p.answers = false, false, nil
		p.power()
	}
	if !next.jammed {
		p.stuck = false
	}
	p.touch()
	return nil
}

func (c *condition) apply(change printer.Change) error {
	if after, counted := strings.CutPrefix(change.Paper, "out@"); counted {
		n, err := strconv.Atoi(after)
		if err != nil || n < 1 || n > outAfterMax {
			return fmt.Errorf("paper %q: lines must be 1 to %d", change.Paper, outAfterMax)
		}
		c.outAfter = n
		change.Paper = ""
	}
	switch change.Paper {
	case "":
	case paperOK, paperNear, paperOut:
		c.paper, c.outAfter = change.Paper, 0
	default:
		return fmt.Errorf("paper %q is not ok, near-end, out or out@N", change.Paper)
	}
	for _, sw := range []struct {
		what, word, yes, no string
		to                  *bool
	}{
		{"cover", change.Cover, "open", "closed", &c.cover},
		{"cutter", change.Cutter, "jammed", "ok", &c.jammed},
		{"power", change.Power, "off", "on", &c.off},
	} {
		switch sw.word {
		case "":
		case sw.yes:
			*sw.to = true
		case sw.no:
			*sw.to = false
		default:
			return fmt.Errorf("%s %q is neither %q nor %q", sw.what, sw.word, sw.no, sw.yes)
		}
	}
	return nil
}

// State tells how the printer stands.
func (p *Printer) State() printer.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	return printer.State{
		Paper:    word(p.set.paper == "", paperOK, p.set.paper),
		Cover:    word(p.set.cover, "open", "closed"),
		Cutter:   word(p.set.jammed, "jammed", "ok"),
		Power:    word(p.set.off, "off", "on"),
		Offline:  !p.online(),
		Lines:    p.paper.fed,
		Buffered: p.buffered,
	}
}

// online: able to print. While it is not, nothing is carried out.
func (p *Printer) online() bool {
	return !p.set.off && !p.set.cover && p.set.paper != paperOut && !p.stuck
}

// The status (Line Mode 5.2.3): nine bytes, of version 3.
const (
	header1, header2 = 0x23, 0x06

	printerETB     = 1 << 1
	printerSwitch  = 1 << 2
	printerOffline = 1 << 3
	printerCover   = 1 << 5
	errorCutter    = 1 << 3
	paperNearInner = 1 << 2
	paperEnd       = 1 << 3
)

func (p *Printer) status() []byte {
	s := []byte{header1, header2, 0, 0, 0, 0, 0, p.etb&0x07<<1 | p.etb&0x18<<2, 0}
	add := func(is bool, i int, bit byte) {
		if is {
			s[i] |= bit
		}
	}
	add(p.etbDone, 2, printerETB)
	p.etbDone = false // told once
	add(p.opt.DrawerOpen != nil && p.opt.DrawerOpen(), 2, printerSwitch)
	add(!p.online(), 2, printerOffline)
	add(p.set.cover, 2, printerCover)
	add(p.stuck, 3, errorCutter)
	add(p.set.paper == paperNear || p.set.paper == paperOut, 5, paperNearInner)
	add(p.set.paper == paperOut, 5, paperEnd)
	return s
}

// report sends an automatic status when something changed.
func (p *Printer) report() {
	if p.auto && p.condition() != p.reported {
		p.tell()
	}
}

// tell sends a status.
func (p *Printer) tell() {
	p.reported = p.condition()
	p.send(p.status()...)
}

// condition is a status without the mark of ETB, which is told once.
func (p *Printer) condition() string {
	marked := p.etbDone
	p.etbDone = false
	s := string(p.status())
	p.etbDone = marked
	return s
}
