package printer

import (
	"slices"
	"time"
)

// The limits of a 24 V drawer coil of 24 Ω (Citizen CT-S601 and iDP-3420
// manuals): at most 510 ms on, at most a fifth of the time on, one coil at once.
const (
	pulseMax = 510 * time.Millisecond
	dutyPart = 5 // a coil is on for one part of so many
	// pulsesMax pulses are kept.
	pulsesMax = 1000
	// dutyPulses earlier pulses are looked at for the duty.
	dutyPulses = 64
)

// Violation is a limit of the drawer's coils that a pulse broke.
type Violation string

// The violations. The printer sends the pulse all the same, as hardware does.
const (
	// TooLong is more than 510 ms on.
	TooLong Violation = "too-long"
	// Duty is more than 20 % on since the beginning of some earlier pulse.
	Duty Violation = "duty"
	// DeclaredDuty is an ESC p whose own times are more than 20 % on.
	DeclaredDuty Violation = "declared-duty"
	// TwoCoils is a pulse while the other coil is on.
	TwoCoils Violation = "two-coils"
	// Overlap is a pulse while the same coil is on.
	Overlap Violation = "overlap"
)

// Pulse is one pulse at the drawer connector.
type Pulse struct {
	At  time.Time     `json:"at"`
	Pin int           `json:"pin"` // 2 or 5
	On  time.Duration `json:"on_ns"`
	Off time.Duration `json:"off_ns"`
	// RealTime: by DLE DC4, which has no off time of its own.
	RealTime   bool        `json:"real_time,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
}

// Pulses are the newest pulses, the oldest first.
func (p *Printer) Pulses() []Pulse {
	p.m.Lock()
	defer p.m.Unlock()
	return slices.Clone(p.pulses)
}

// Violations are the pulses that broke a limit.
func (p *Printer) Violations() []Pulse {
	return slices.DeleteFunc(p.Pulses(), func(q Pulse) bool { return len(q.Violations) == 0 })
}

// kick logs a pulse and passes it on: m 0 is pin 2, 1 is pin 5.
func (p *Printer) kick(m byte, on, off time.Duration, realTime bool) {
	next := Pulse{At: time.Now(), Pin: 2, On: on, Off: off, RealTime: realTime}
	if m == 1 {
		next.Pin = 5
	}
	next.Violations = next.check(p.pulses)
	p.pulses = append(p.pulses, next)
	if len(p.pulses) > pulsesMax {
		p.pulses = slices.Clone(p.pulses[1:])
	}
	p.note(Record{Kind: KindPulse, Row: p.sheet.end(), Pulse: &next})
	if p.opt.DrawerKick != nil {
		p.m.Later(func() { p.opt.DrawerKick(next.Pin, on, off) })
	}
}

// check finds the limits that q breaks after the pulses before it.
func (q Pulse) check(before []Pulse) []Violation {
	var v []Violation
	add := func(broken bool, what Violation) {
		if broken && !slices.Contains(v, what) {
			v = append(v, what)
		}
	}
	add(q.On > pulseMax, TooLong)
	add(!q.RealTime && q.On > 0 && q.On*dutyPart > q.On+q.Off, DeclaredDuty)
	var hot time.Duration // on since the begin of the pulse looked at
	for i := range min(len(before), dutyPulses) {
		b := before[len(before)-1-i]
		since := q.At.Sub(b.At)
		if since < b.On {
			if b.Pin == q.Pin {
				add(true, Overlap)
			} else {
				add(true, TwoCoils)
			}
		}
		hot += b.On
		add(hot*dutyPart > since, Duty)
	}
	return v
}
