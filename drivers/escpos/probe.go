package escpos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Found is what a probed printer said of itself, which is a hint, and what it
// was seen to do, which is a fact.
type Found struct {
	// Maker and Name are its answers to GS I, or "": clones claim to be others.
	Maker, Name string
	// CutterClaimed: the answer to GS I 2 says that it has one.
	CutterClaimed bool
	// ReadFence and PrintFence: it answered GS r, GS ( H. AutoStatus: what it
	// sent after GS a has the form of an automatic status and says the same as
	// DLE EOT.
	ReadFence, PrintFence, AutoStatus bool
	// Model is the documented model that it is as far as can be seen, or "".
	Model string
}

// String is one line for a technician.
func (f Found) String() string {
	said := "says nothing of itself"
	if f.Name != "" {
		said = fmt.Sprintf("says %q of %q", f.Name, f.Maker)
	}
	yes := map[bool]string{true: "yes", false: "no"}
	return fmt.Sprintf("%s; GS ( H %s, GS r %s, automatic status %s", said, yes[f.PrintFence], yes[f.ReadFence], yes[f.AutoStatus])
}

// Advice is which models to choose from for the configuration.
func (f Found) Advice() string {
	if f.Model != "" {
		return f.Model
	}
	return "generic-80 or generic-58, by the width of its paper"
}

// probeWithin is how long one question of a probe may take; with nothing in the
// buffer, a printer that knows the command answers in a few milliseconds.
const probeWithin = 400 * time.Millisecond

// dropLine is ESC @: what a question left in the line of a printer that took it
// for text is dropped, not printed.
const dropLine = "\x1b@"

// least is what a printer is taken for before it was probed: narrow paper, no
// cutter, the drawer kicked in its turn.
func least() Model {
	m := models[slices.IndexFunc(models[:], func(m Model) bool { return m.Name == "generic-58" })]
	m.Name, m.Basis = Auto, Probed
	return m
}

// Probe asks the printer what it is, whatever its model was said to be. Nothing
// of it prints, cuts, feeds or opens; and never is it sent DLE ENQ or DLE DC4,
// which recover, switch off and clear. It wraps the reason where the printer
// has stopped: then it answers nothing in its turn.
func (p *Printer) Probe(ctx context.Context) (Found, error) {
	if err := p.jobs.Take(ctx); err != nil {
		return Found{}, fmt.Errorf("escpos: probe: %w", err)
	}
	defer p.jobs.Release()
	f, err := p.probe(ctx)
	if err != nil {
		return Found{}, fmt.Errorf("escpos: probe: %w", err)
	}
	return f, nil
}

// probe is Probe for whoever holds the printer's turn.
func (p *Printer) probe(ctx context.Context) (f Found, err error) {
	if s, err := p.Status(ctx); err != nil || s.Err() != nil {
		return f, errors.Join(err, s.Err())
	}
	if _, err := p.line.send(ctx, []byte(dropLine)); err != nil {
		return f, err
	}
	for _, ask := range []func(context.Context, *Found) error{p.probeFences, p.probeName, p.probeAuto} {
		if err := ask(ctx, &f); err != nil {
			return f, err
		}
		if _, err := p.line.send(ctx, []byte(dropLine)); err != nil {
			return f, err
		}
	}
	p.jobs.Unprepare() // ESC @ has undone it
	m := learned(&f)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = f
	if p.auto {
		p.model, p.auto = m, false
	}
	return f, nil
}

// Found is what a probe has found; the zero value where there was none.
func (p *Printer) Found() Found {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

func (p *Printer) probeFences(ctx context.Context, f *Found) error {
	// GS r 1.
	_, err := p.line.askByte(ctx, fence, probeWithin)
	if f.ReadFence = err == nil; err != nil && !noAnswer(err) {
		return err
	}
	id := processID(time.Now().UnixMilli())
	_, err = p.line.askBlock(ctx, printFence+id, processHead+id, probeWithin)
	if f.PrintFence = err == nil; err != nil && !noAnswer(err) {
		return err
	}
	return nil
}

// GS I n: transmit printer ID.
const (
	askType  = "\x1dI\x02"
	askMaker = "\x1dIB"
	askName  = "\x1dIC"

	idHead = "\x5f"

	typeCutter = 0x02
)

func (p *Printer) probeName(ctx context.Context, f *Found) error {
	for _, q := range []struct {
		ask string
		to  *string
	}{{askMaker, &f.Maker}, {askName, &f.Name}} {
		said, err := p.line.askBlock(ctx, q.ask, idHead, probeWithin)
		if err != nil && !noAnswer(err) {
			return err
		}
		*q.to = printable(strings.TrimPrefix(said, idHead))
	}
	kind, err := p.line.askByte(ctx, askType, probeWithin)
	f.CutterClaimed = err == nil && kind&typeCutter != 0
	if err != nil && !noAnswer(err) {
		return err
	}
	return nil
}

// probeAuto compares the automatic status with what DLE EOT says.
func (p *Printer) probeAuto(ctx context.Context, f *Found) error {
	if err := p.listen(ctx); err != nil {
		return err
	}
	s, err := p.Status(ctx)
	if err != nil {
		return err
	}
	p.line.Edit(func(a *answers) { f.AutoStatus = a.auto != nil && !a.deaf && *a.auto == s })
	return nil
}

// learned is the model that was found. Its width cannot be seen, so the name
// counts, but only of a printer that does what that model does: a clone is
// given narrow lines, which are right on wide paper, too.
func learned(f *Found) Model {
	m := least()
	m.PrintComplete, m.Cutter = f.PrintFence, f.CutterClaimed
	name := strings.ToLower(strings.ReplaceAll(f.Name, " ", ""))
	for _, known := range models {
		if known.Name == name && known.PrintComplete == f.PrintFence && f.ReadFence && f.AutoStatus {
			f.Model = known.Name
			m = known
			m.Name, m.Basis = Auto, Probed
		}
	}
	// A kick in real time cannot be tried without opening the drawer.
	m.RealTimeKick = false
	return m
}

// printable keeps what a terminal may show.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c > unicode.MaxASCII || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}
