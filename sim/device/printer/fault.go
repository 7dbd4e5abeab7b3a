package printer

import (
	"errors"
	"fmt"
	"slices"

	"regi/sim/device/printer/machine"
)

// Fault is something that goes wrong.
type Fault string

// The faults. Each but FaultNearEnd and FaultCable stops the printer.
const (
	FaultNearEnd Fault = "near-end" // paper is short
	FaultPaper   Fault = "paper"    // paper is out
	FaultCover   Fault = "cover"    // the cover is open
	FaultCutter  Fault = "cutter"   // the next cut fails
	FaultPower   Fault = "power"    // off: buffers and settings are lost
	FaultCable   Fault = "cable"    // out: bytes and answers are lost
	FaultHot     Fault = "hot"      // the head is too hot, which mends itself on hardware
	FaultBroken  Fault = "broken"   // an error that needs service
)

// FaultAt is a fault in the future: after so many more bytes have come by the
// wire, or so many more lines are printed; at once if both are 0.
type FaultAt struct {
	Kind Fault
	Byte int
	Line int
}

// planMax bounds the faults that wait.
const planMax = 1000

// Plan lets faults happen. It refuses all of them if one is unknown.
func (p *Printer) Plan(faults ...FaultAt) error {
	p.m.Lock()
	defer p.m.Unlock()
	var try machine.Condition
	for _, f := range faults {
		switch {
		case !suffer(&try, f.Kind, true):
			return fmt.Errorf("printer: no fault %q", f.Kind)
		case f.Byte < 0 || f.Line < 0 || f.Byte > 0 && f.Line > 0:
			return errors.New("printer: a fault is at a byte or at a line")
		case len(p.plan)+len(faults) > planMax:
			return fmt.Errorf("printer: more than %d faults", planMax)
		}
	}
	for _, f := range faults {
		if f.Byte == 0 && f.Line == 0 {
			p.inflict(f.Kind)
		} else {
			p.plan = append(p.plan, f)
		}
	}
	return nil
}

// Mend ends a fault.
func (p *Printer) Mend(kind Fault) error {
	p.m.Lock()
	defer p.m.Unlock()
	if !suffer(&p.m.Condition, kind, false) {
		return fmt.Errorf("printer: no fault %q", kind)
	}
	if kind == FaultCutter {
		p.m.Stuck = false
	}
	p.m.Touch()
	return nil
}

// suffer begins or ends a fault.
func suffer(c *machine.Condition, kind Fault, on bool) bool {
	switch kind {
	case FaultNearEnd, FaultPaper:
		c.Roll, c.OutAfter = machine.RollOK, 0
		if on && kind == FaultPaper {
			c.Roll = machine.RollOut
		} else if on {
			c.Roll = machine.RollNearEnd
		}
	case FaultCover:
		c.Cover = on
	case FaultCutter:
		c.Jammed = on
	case FaultPower:
		c.Off = on
	case FaultCable:
		c.Unplugged = on
	case FaultHot:
		c.Hot = on
	case FaultBroken:
		c.Broken = on
	default:
		return false
	}
	return true
}

// inflict begins a fault now.
func (p *Printer) inflict(kind Fault) {
	wasOff := p.m.Off
	suffer(&p.m.Condition, kind, true)
	switch {
	case p.m.Off && !wasOff:
		p.powerOff()
	case kind == FaultCable:
		p.m.Unsay()
	}
	p.m.Touch()
}

// powerOff loses all but the paper and the NV memory.
func (p *Printer) powerOff() {
	p.lose()
	p.cold, p.m.Stuck, p.asb = true, false, 0
	p.m.Unsay()
}

// due counts one byte or line, and lets what is due happen.
func (p *Printer) due(left func(*FaultAt) *int) {
	var now []Fault
	p.plan = slices.DeleteFunc(p.plan, func(f FaultAt) bool {
		n := left(&f)
		if *n == 1 {
			now = append(now, f.Kind)
		}
		return *n == 1
	})
	for i := range p.plan {
		if n := left(&p.plan[i]); *n > 0 {
			*n--
		}
	}
	for _, kind := range now {
		p.inflict(kind)
	}
}

func byteLeft(f *FaultAt) *int { return &f.Byte }
func lineLeft(f *FaultAt) *int { return &f.Line }
