package star

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regi/drivers"
)

// Auto is the name of a model that is probed (see Probe) by Init, or else
// before the first document.
const Auto = "auto"

// probeWithin is how long one question of a probe may take; with nothing in the
// buffer, a printer that knows the command answers in a few milliseconds.
const probeWithin = 400 * time.Millisecond

// Answers says whether a printer of Star's make is behind a port: no other
// answers ESC ACK SOH with a status of its form. To others it is nothing.
func Answers(ctx context.Context, p drivers.Port) (bool, error) {
	bound, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	_, err := newLine(p).ask(bound)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() == nil && bound.Err() != nil, noAnswer(err):
		return false, nil
	}
	return false, fmt.Errorf("star: probe: %w", err)
}

// Found is what a probed printer was seen to do.
type Found struct {
	// PrintEnd: it answered ESC GS ETX. Counts: its status has counted an ETB.
	PrintEnd, Counts bool
}

// String is one line for a technician.
func (f Found) String() string {
	yes := map[bool]string{true: "yes", false: "no"}
	return fmt.Sprintf("of Star's make; ESC GS ETX %s, ETB %s", yes[f.PrintEnd], yes[f.Counts])
}

// Advice is which models to choose from for the configuration.
func (f Found) Advice() string {
	if f.PrintEnd {
		return "star-mc-print3, star-tsp143iv or star-tsp654ii, by the name on it"
	}
	return "star-line"
}

// least is what a printer is taken for before it was probed: narrow paper, the
// drawer kicked in its turn, no pictures, as StarPRNT and Line Mode have other
// commands for them.
func least() Model { return Model{Name: Auto, Columns: 32, Dots: 384} }

// dropLine is CAN: what a question left in the line of a printer that took it
// for text is dropped, not printed.
const dropLine = "\x18"

// Probe asks the printer what it can do, whatever its model was said to be.
// Nothing of it prints, cuts, feeds or opens. It wraps the reason where the
// printer has stopped: then it answers nothing in its turn.
func (p *Printer) Probe(ctx context.Context) (Found, error) {
	if err := p.jobs.Take(ctx); err != nil {
		return Found{}, fmt.Errorf("star: probe: %w", err)
	}
	defer p.jobs.Release()
	f, err := p.probe(ctx)
	if err != nil {
		return Found{}, fmt.Errorf("star: probe: %w", err)
	}
	return f, nil
}

// probe is Probe for whoever holds the printer's turn.
func (p *Printer) probe(ctx context.Context) (f Found, err error) {
	if s, err := p.line.ask(ctx); err != nil || s.Err() != nil {
		return f, errors.Join(err, s.Err())
	}
	before := 0
	p.line.Edit(func(a *answers) { before = a.etb })
	id := fenceID(time.Now().UnixMilli())
	p.line.Edit(func(a *answers) { a.Owes = []string{id} })
	if _, err := p.line.send(ctx, []byte(etb+fence(id))); err != nil {
		return f, err
	}
	until := time.Now().Add(probeWithin)
	err = p.line.Await(ctx, until, func(a *answers) bool { return !slices.Contains(a.Owes, id) })
	p.line.Edit(func(a *answers) { a.Owes = nil })
	if f.PrintEnd = err == nil; err != nil && !noAnswer(err) {
		return f, err
	}
	if _, err := p.line.ask(ctx); err != nil {
		return f, err
	}
	p.line.Edit(func(a *answers) { f.Counts = a.etb != before })
	if _, err := p.line.send(ctx, []byte(dropLine+setUp)); err != nil {
		return f, err
	}
	p.learn(f)
	return f, nil
}

// learn makes a model of what was found. A kick at once cannot be tried without
// opening the drawer, nor can the width be seen.
func (p *Printer) learn(f Found) {
	if !p.auto {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.model.PrintEnd, p.model.UserKanji = f.PrintEnd, f.PrintEnd
	p.auto = false
}
