package printer

import (
	"fmt"
	"strconv"
	"strings"
)

// Change is what somebody does to the printer; an empty field leaves things as
// they are.
type Change struct {
	// Paper is "ok", "near-end", "out", or "out@N": out after N more lines.
	Paper string `json:"paper,omitempty"`
	// Cover is "closed" or "open".
	Cover string `json:"cover,omitempty"`
	// Cutter is "ok", or "jammed": the next cut fails and stops the printer
	// until it is "ok".
	Cutter string `json:"cutter,omitempty"`
	// Power is "on" or "off". Off loses the buffers and every setting.
	Power string `json:"power,omitempty"`
}

// State is how the printer stands.
type State struct {
	Paper   string `json:"paper"` // ok, near-end, out
	Cover   string `json:"cover"` // closed, open
	Cutter  string `json:"cutter"`
	Power   string `json:"power"`
	Cable   string `json:"cable"` // in, out
	Head    string `json:"head"`  // ok, hot, broken
	Offline bool   `json:"offline"`
	// Lines were printed or fed since the printer was made.
	Lines int `json:"lines"`
	// Cuts that went through paper.
	Cuts int `json:"cuts"`
	// NVBytes are used of the memory for pictures.
	NVBytes int `json:"nv_bytes"`
	// Buffered bytes wait in the receive buffer.
	Buffered int `json:"buffered"`
}

// outAfterMax bounds N of "out@N".
const outAfterMax = 100_000

// condition is what a person can change.
type condition struct {
	roll     roll
	outAfter int // lines until the paper is out; 0 is not counted
	cover    bool
	jammed   bool
	off      bool

	unplugged, hot, broken bool
}

type roll uint8

const (
	rollOK roll = iota
	rollNearEnd
	rollOut
)

func healthy() condition { return condition{} }

func (r roll) String() string {
	switch r {
	case rollOK:
		return "ok"
	case rollNearEnd:
		return "near-end"
	case rollOut:
		return "out"
	}
	return "roll(" + strconv.Itoa(int(r)) + ")"
}

// Set carries out a change, or none of it if a word is unknown.
func (p *Printer) Set(c Change) error {
	p.mu.Lock()
	defer p.unlock()
	next := p.set
	if err := next.apply(c); err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	was := p.set
	p.set = next
	if next.off && !was.off {
		p.powerOff()
	}
	if !next.jammed {
		p.stuck = false
	}
	p.touch()
	return nil
}

func (c *condition) apply(change Change) error {
	if change.Paper != "" {
		if err := c.load(change.Paper); err != nil {
			return err
		}
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

func (c *condition) load(paper string) error {
	after, counted := strings.CutPrefix(paper, "out@")
	if counted {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 || n > outAfterMax {
			return fmt.Errorf("paper %q: lines must be 0 to %d", paper, outAfterMax)
		}
		c.outAfter = n
		if n > 0 {
			return nil
		}
		paper = "out"
	}
	for _, r := range []roll{rollOK, rollNearEnd, rollOut} {
		if r.String() == paper {
			c.roll, c.outAfter = r, 0
			return nil
		}
	}
	return fmt.Errorf("paper %q is not ok, near-end, out or out@N", paper)
}

// State tells how the printer stands.
func (p *Printer) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	head := word(p.set.hot, "hot", "ok")
	if p.set.broken {
		head = "broken"
	}
	return State{
		Cable:    word(p.set.unplugged, "out", "in"),
		Head:     head,
		Cuts:     p.cuts,
		NVBytes:  p.nv.used(),
		Paper:    p.set.roll.String(),
		Cover:    word(p.set.cover, "open", "closed"),
		Cutter:   word(p.set.jammed, "jammed", "ok"),
		Power:    word(p.set.off, "off", "on"),
		Offline:  !p.online(),
		Lines:    p.lines,
		Buffered: len(p.in.buf),
	}
}

// online: able to print. While it is not, nothing is parsed nor printed.
func (p *Printer) online() bool {
	return !p.set.off && !p.set.cover && p.set.roll != rollOut && !p.failed()
}

// failed: in the error state.
func (p *Printer) failed() bool { return p.stuck || p.set.hot || p.set.broken }

// lose forgets what was received and not yet printed.
func (p *Printer) lose() {
	p.in.clear()
	p.jobs = nil
	p.epoch++
}
