package printer

import (
	"fmt"

	"regi/sim/device/printer/machine"
)

// Change is what somebody does to the printer; an empty field leaves things as
// they are.
type Change = machine.Change

// State is how the printer stands.
type State = machine.State

// Set carries out a change, or none of it if a word is unknown.
func (p *Printer) Set(c Change) error {
	if err := p.m.Set(c, p.powerOff); err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	return nil
}

// State tells how the printer stands.
func (p *Printer) State() State {
	p.m.Lock()
	defer p.m.Unlock()
	s := p.m.State()
	s.Cuts, s.NVBytes, s.Buffered = p.cuts, p.nv.used(), len(p.in.buf)
	return s
}

// lose forgets what was received and not yet printed.
func (p *Printer) lose() {
	p.in.clear()
	p.jobs = nil
	p.m.Epoch++
}
