package machine

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

// outAfterMax bounds N of "out@N".
const outAfterMax = 100_000

// Condition is what a person can change, and what can go wrong.
type Condition struct {
	Roll     Roll
	OutAfter int // lines until the paper is out; 0 is not counted
	Cover    bool
	Jammed   bool
	Off      bool

	Unplugged, Hot, Broken bool
}

// Roll is how much paper there is.
type Roll uint8

// The rolls.
const (
	RollOK Roll = iota
	RollNearEnd
	RollOut
)

func (r Roll) String() string {
	switch r {
	case RollOK:
		return "ok"
	case RollNearEnd:
		return "near-end"
	case RollOut:
		return "out"
	}
	return "roll(" + strconv.Itoa(int(r)) + ")"
}

// Failed says that it is in the error state.
func (m *Machine) Failed() bool { return m.Stuck || m.Hot || m.Broken }

// Online says that it can print. While it cannot, nothing is carried out.
func (m *Machine) Online() bool {
	return !m.Off && !m.Cover && m.Roll != RollOut && !m.Failed()
}

// Set carries out a change, or none of it if a word is unknown. It calls off
// when that is the power's end.
func (m *Machine) Set(c Change, off func()) error {
	m.Lock()
	defer m.Unlock()
	next := m.Condition
	if err := next.apply(c); err != nil {
		return err
	}
	was := m.Condition
	m.Condition = next
	if next.Off && !was.Off {
		off()
	}
	if !next.Jammed {
		m.Stuck = false
	}
	m.Touch()
	return nil
}

func (c *Condition) apply(change Change) error {
	if change.Paper != "" {
		if err := c.load(change.Paper); err != nil {
			return err
		}
	}
	for _, sw := range []struct {
		what, word, yes, no string
		to                  *bool
	}{
		{"cover", change.Cover, "open", "closed", &c.Cover},
		{"cutter", change.Cutter, "jammed", "ok", &c.Jammed},
		{"power", change.Power, "off", "on", &c.Off},
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

func (c *Condition) load(paper string) error {
	if after, counted := strings.CutPrefix(paper, "out@"); counted {
		n, err := strconv.Atoi(after)
		if err != nil || n < 1 || n > outAfterMax {
			return fmt.Errorf("paper %q: lines must be 1 to %d", paper, outAfterMax)
		}
		c.OutAfter = n
		return nil
	}
	for _, r := range []Roll{RollOK, RollNearEnd, RollOut} {
		if r.String() == paper {
			c.Roll, c.OutAfter = r, 0
			return nil
		}
	}
	return fmt.Errorf("paper %q is not ok, near-end, out or out@N", paper)
}

// Count is told of each line, and lets the paper end after the wanted one.
func (m *Machine) Count() {
	m.Lines++
	if m.OutAfter == 0 {
		return
	}
	m.OutAfter--
	if m.OutAfter == 0 {
		m.Roll = RollOut
	}
}

// State is how the printer stands, as far as all makes share it.
func (m *Machine) State() State {
	word := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	head := word(m.Hot, "hot", "ok")
	if m.Broken {
		head = "broken"
	}
	return State{
		Cable:   word(m.Unplugged, "out", "in"),
		Head:    head,
		Paper:   m.Roll.String(),
		Cover:   word(m.Cover, "open", "closed"),
		Cutter:  word(m.Jammed, "jammed", "ok"),
		Power:   word(m.Off, "off", "on"),
		Offline: !m.Online(),
		Lines:   m.Lines,
	}
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
