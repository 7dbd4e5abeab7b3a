package starprinter

import (
	"fmt"

	"regi/sim/device/printer"
	"regi/sim/device/printer/machine"
)

// Set carries out a change, or none of it if a word is unknown.
func (p *Printer) Set(c printer.Change) error {
	if err := p.m.Set(c, p.powerOff); err != nil {
		return fmt.Errorf("starprinter: %w", err)
	}
	return nil
}

// powerOff loses all but the paper.
func (p *Printer) powerOff() {
	p.queue, p.buffered, p.lexer = nil, 0, lexer{}
	p.m.Epoch++
	p.m.Stuck, p.m.Held = false, false
	p.m.Unsay()
	p.power()
}

// State tells how the printer stands.
func (p *Printer) State() printer.State {
	p.m.Lock()
	defer p.m.Unlock()
	s := p.m.State()
	s.Buffered = p.buffered
	s.Cable, s.Head = "", "" // nobody can break them here
	return s
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
	add(!p.m.Online(), 2, printerOffline)
	add(p.m.Cover, 2, printerCover)
	add(p.m.Stuck, 3, errorCutter)
	add(p.m.Roll != machine.RollOK, 5, paperNearInner)
	add(p.m.Roll == machine.RollOut, 5, paperEnd)
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
	p.m.Send(p.status()...)
}

// condition is a status without the mark of ETB, which is told once.
func (p *Printer) condition() string {
	marked := p.etbDone
	p.etbDone = false
	s := string(p.status())
	p.etbDone = marked
	return s
}
