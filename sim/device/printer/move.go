package printer

import (
	"context"
	"strconv"
	"time"
)

// job is one thing for the mechanism to do, in the order of the commands.
type job struct {
	strip *dots // what is printed; nil is a feed
	feed  int   // dot rows the paper moves, at least the strip's height
	lines int   // of text, empty ones too

	cut    cut
	pulse  func()
	answer []byte // "everything before this is on paper"
	wait   time.Duration

	// records are noted when it is done; their rows count from its first one.
	records []Record
}

type cut uint8

const (
	noCut cut = iota
	fullCut
	partialCut
)

func (c cut) String() string {
	switch c {
	case noCut:
		return "none"
	case fullCut:
		return "full"
	case partialCut:
		return "partial"
	}
	return "cut(" + strconv.Itoa(int(c)) + ")"
}

// move is the mechanism: it prints, feeds, cuts and kicks at the paper's speed,
// and stands still while the printer is offline.
func (p *Printer) move(ctx context.Context) error {
	p.m.Lock()
	defer p.m.Unlock()
	for {
		for len(p.jobs) == 0 || !p.m.Online() {
			if len(p.jobs) == 0 && p.parsed {
				p.printed = true
				p.m.Wake()
				return nil
			}
			if err := p.m.Wait(ctx); err != nil {
				return err
			}
		}
		epoch, next := p.m.Epoch, p.jobs[0]
		if d := p.travel(next); d > 0 {
			err := p.m.Rest(ctx, d)
			if err != nil {
				return err
			}
			if p.m.Epoch != epoch || !p.m.Online() {
				continue // the line is lost, or printed again from its first dot
			}
		}
		p.perform(next)
		p.m.Breathe() // hooks see each line
	}
}

// travel is how long the paper moves.
func (p *Printer) travel(j job) time.Duration {
	if p.opt.MillimetresPerSecond <= 0 {
		return 0 // all at once
	}
	if j.wait > 0 {
		return j.wait
	}
	const umPerInch = 25_400
	um := j.feed * umPerInch / p.model.DPI
	return time.Duration(um) * time.Millisecond / time.Duration(p.opt.MillimetresPerSecond)
}

// perform does the first job. A cut that fails stays the first.
func (p *Printer) perform(j job) {
	if j.cut != noCut && p.m.Jammed {
		p.m.Stuck = true
		p.m.Touch()
		return
	}
	p.jobs = p.jobs[1:]
	row := p.sheet.end()
	for _, r := range j.records {
		r.Row += row
		p.note(r)
	}
	switch {
	case j.cut != noCut:
		if p.sheet.cut(j.cut, p.model.CutterDots) {
			p.note(Record{Kind: KindCut, Row: row - p.model.CutterDots, Cut: j.cut.String()})
			p.cuts++
		}
		p.m.Touch()
	case j.pulse != nil:
		j.pulse()
		p.m.Wake()
	case j.answer != nil:
		p.m.Send(j.answer...)
	default:
		p.sheet.add(j)
		for range j.lines {
			p.count()
		}
		p.m.Touch()
	}
}

// count is told of each line, and lets the paper end after the wanted one.
func (p *Printer) count() {
	p.due(lineLeft)
	p.m.Count()
}
