package register

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/drivers"
	"regi/firmware/capture/launch"
	"regi/firmware/catalog"
	"regi/firmware/gs1"
	"regi/firmware/receipt"
	"regi/firmware/till"
)

// statusEvery is how often an idle printer is asked.
const statusEvery = 2 * time.Second

// labelMax is how much of an unknown code the operator sees.
const labelMax = 48

// ServeScanner turns frames into goods until the line fails.
func (r *Register) ServeScanner(ctx context.Context, s drivers.Scanner) error {
	for {
		scan, err := s.Read(ctx)
		problem, fatal := scanProblem(err)
		if fatal != nil {
			return fatal
		}
		if r.tapScan(scan, problem, r.config.Prices) {
			continue
		}
		e := till.Scanned{Problem: problem}
		if problem == "" {
			e = identify(scan, r.config.Prices)
		}
		r.post(ctx, e)
	}
}

// scanProblem tells a bad read, after which the next one counts, from a line
// that failed.
func scanProblem(err error) (problem string, fatal error) {
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, drivers.ErrTooLong):
		return "too-long", nil
	case errors.Is(err, drivers.ErrControl):
		return "control", nil
	case errors.Is(err, drivers.ErrFrame):
		return "frame", nil
	}
	return "", err
}

// identify finds the good behind a label.
func identify(scan drivers.Scan, prices *catalog.Catalog) till.Scanned {
	e := till.Scanned{Label: printable(scan.Label)}
	gtin, err := gs1.GTIN14(scan.Label, scan.AIM)
	switch {
	case errors.Is(err, gs1.ErrCheckDigit):
		e.Problem = "check-digit"
		return e
	case err != nil:
		e.Problem = "unknown-code"
		return e
	}
	e.GTIN = gtin
	item, ok := prices.Lookup(gtin)
	if !ok {
		e.Problem = "unknown-code"
		return e
	}
	e.Item = item
	return e
}

// printable keeps what may be shown of bytes from outside.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '.'
		}
		return c
	}, s)
	return s[:min(len(s), labelMax)]
}

// ServeKeypad hands on keys until the line fails.
func (r *Register) ServeKeypad(ctx context.Context, k drivers.Keypad) error {
	for {
		name, err := k.Read(ctx)
		if errors.Is(err, drivers.ErrFrame) {
			continue // a byte that is no key of the table
		}
		if err != nil {
			return err
		}
		r.post(ctx, till.Key{Name: name})
	}
}

// ServeDisplay draws the newest text until the line fails.
func (r *Register) ServeDisplay(ctx context.Context, d drivers.LineDisplay) error {
	for {
		text := r.screen.now()
		if err := d.Show(ctx, text.Upper, text.Lower); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.screen.changed:
		}
	}
}

// ServePrinter prints queued jobs and watches the printer, and does ServeDrawer
// for the drawer on it, if there is one.
func (r *Register) ServePrinter(ctx context.Context, p drivers.POSPrinter, d drivers.CashDrawer) error {
	g, line := errgroup.WithContext(ctx)
	g.Go(func() error { return r.servePaper(ctx, line, p) })
	if d != nil {
		g.Go(func() error { return r.serveDrawer(ctx, line, d) })
	}
	return g.Wait()
}

// servePaper prints one job after the other. line ends with the line, ctx with
// the register.
func (r *Register) servePaper(ctx, line context.Context, p drivers.POSPrinter) error {
	told := "up"
	for {
		jobs := r.jobs
		if r.held != nil {
			jobs = nil // the held one is first
		}
		select {
		case <-line.Done():
			return line.Err()
		case job := <-jobs:
			if err := r.printJob(ctx, line, p, job); err != nil {
				return err
			}
		case test := <-r.paperTests:
			if err := test.run(line, p); err != nil {
				return err
			}
		case <-time.After(statusEvery):
			status, err := p.Status(line)
			if err != nil && !errors.Is(err, drivers.ErrTimeout) {
				return err
			}
			told = r.tellPrinter(ctx, told, status, err)
			if job := r.held; job != nil && err == nil && status.Err() == nil {
				r.held = nil
				r.post(ctx, till.PrintPaused{Job: job.Job}) // it goes on
				if err := r.printJob(ctx, line, p, *job); err != nil {
					return err
				}
			}
		}
	}
}

// tellPrinter reports a change of what the printer says of itself.
func (r *Register) tellPrinter(ctx context.Context, told string, s drivers.PrinterStatus, err error) string {
	if err == nil {
		err = s.Err()
	}
	detail := "up"
	switch {
	case err != nil:
		detail = reason(err)
	case s.PaperNearEnd:
		detail = drivers.ErrPaperNearEnd.Error()
	}
	if detail != told {
		up := err == nil
		r.mu.Lock()
		r.devices["printer"] = detail
		r.mu.Unlock()
		shown := detail
		if shown == "up" {
			shown = ""
		}
		r.post(ctx, till.Device{Name: "printer", Up: up, Detail: shown})
	}
	return detail
}

// printJob prints one document and posts what became of it. A document of which
// nothing was sent, because the printer is off or away, is held until it is
// back. Its error is one of the line.
func (r *Register) printJob(ctx, line context.Context, p drivers.POSPrinter, job till.Print) error {
	doc, err := layout(job, p.Columns())
	if err != nil {
		r.post(ctx, till.PrintFailed{Job: job.Job, Cause: err.Error()})
		return nil
	}
	paused := func(cause error) {
		e := till.PrintPaused{Job: job.Job}
		if cause != nil {
			e.Cause = reason(cause)
		}
		r.post(ctx, e)
	}
	err = p.Print(line, doc, paused)
	switch {
	case err == nil:
		r.post(ctx, till.Printed{Job: job.Job})
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // the end of the register: the till asks after the restart
	case errors.Is(err, drivers.ErrUnknownOutcome):
		r.post(ctx, till.PrintFailed{Job: job.Job, Cause: reason(err), Unknown: true})
	default:
		r.held = &job
		paused(err)
	}
	if line.Err() != nil || isLine(err) {
		return err
	}
	return nil
}

func layout(job till.Print, columns int) (drivers.Document, error) {
	switch {
	case job.Receipt != nil:
		return receipt.Layout(job.Receipt, columns, job.Reprint)
	case job.Report != nil:
		return receipt.Report(job.Report, columns, job.Reprint), nil
	}
	return drivers.Document{}, errors.New("nothing to print")
}

// isLine tells an error of the wire from one of the device on it.
func isLine(err error) bool {
	return errors.Is(err, drivers.ErrUnplugged) || errors.Is(err, drivers.ErrClosed) ||
		errors.Is(err, context.Canceled)
}

// packetMax bounds what the capture process may say at once.
const packetMax = 4096

// ServeCapture turns the capture process's packets into events until its link
// ends. What cannot be decoded ends the process: it would be an attack.
func (r *Register) ServeCapture(ctx context.Context, link io.Reader) {
	packet := make([]byte, packetMax+1)
	for {
		n, err := link.Read(packet)
		if err != nil || n == 0 {
			return
		}
		e, err := launch.Decode(packet[:n])
		if err != nil {
			r.log.Error("capture link", "err", err.Error())
			return
		}
		switch {
		case e.Read != nil:
			if !tap(r, &r.taps.card, CardTest{Read: *e.Read}) {
				r.post(ctx, till.CardRead{Read: *e.Read})
			}
		case e.Failed != "":
			if !tap(r, &r.taps.card, CardTest{Failed: e.Failed}) {
				r.post(ctx, till.CardFailed{Reason: e.Failed})
			}
		case e.Status != nil:
			r.DeviceState(ctx, "card", e.Status.Ready, errors.New(e.Status.Reason))
		}
	}
}
