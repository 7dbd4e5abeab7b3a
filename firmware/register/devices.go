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
	"regi/firmware/receipt"
	"regi/firmware/till"
)

// statusEvery is how often an idle printer is asked.
const statusEvery = 2 * time.Second

// labelMax is how much of an unknown code the operator sees.
const labelMax = 48

// answered is a scanner that is told what became of a scan: one scans nothing
// until then, another beeps at a refusal.
type answered interface {
	WantsAnswer() bool
	Answer(ctx context.Context, sold bool) error
}

// ServeScanner turns frames into goods until the line fails.
func (r *Register) ServeScanner(ctx context.Context, s drivers.Scanner) error {
	asks, ok := s.(answered)
	ok = ok && asks.WantsAnswer()
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
		if !ok {
			r.post(ctx, e)
			continue
		}
		// A scanner that did not take it is no reason to give up the line.
		if err := asks.Answer(ctx, r.ask(ctx, e)); err != nil && !errors.Is(err, drivers.ErrTimeout) {
			return err
		}
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
	if strings.HasPrefix(scan.Label, till.SheetPrefix) {
		// A key of a command sheet, or what looks like one: never a good. It was
		// printed as Code 128, in whose name nothing else may speak.
		e := till.Scanned{Label: printable(scan.Label)}
		if scan.AIM != "" && !strings.HasPrefix(scan.AIM, "]C") {
			e.Problem = till.ProblemSymbology
		}
		return e
	}
	read, err := prices.Read(time.Now(), scan.AIM, scan.Label)
	return till.Scanned{Label: printable(scan.Label), GTIN: read.GTIN, Item: read.Item, Said: read.Said, Problem: labelProblem(err)}
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

// keyFaults are a keypad's faults in the till's words.
//
//nolint:gochecknoglobals // a constant table
var keyFaults = []struct {
	is   error
	word string
}{
	{drivers.ErrKeyUnknown, till.FaultUnknown},
	{drivers.ErrKeyStuck, till.FaultStuck},
	{drivers.ErrKeysTogether, till.FaultTogether},
	{drivers.ErrKeyBounces, till.FaultBounces},
	{drivers.ErrKeysLost, till.FaultLost},
}

// ServeKeypad hands on keys until the line fails.
func (r *Register) ServeKeypad(ctx context.Context, k drivers.Keypad) error {
	for {
		e, err := k.Read(ctx)
		if err == nil {
			r.post(ctx, till.Key{Name: e.Name, Source: string(e.Source)})
			continue
		}
		fault := till.KeyFault{}
		for _, f := range keyFaults {
			if errors.Is(err, f.is) {
				fault.Fault = f.word
			}
		}
		if fault.Fault == "" {
			return err
		}
		if about, ok := errors.AsType[*drivers.KeyError](err); ok {
			fault.Key = about.Key
		}
		r.post(ctx, fault)
	}
}

// watcher is a printer that says by itself that something has changed. Changed
// returns nil when it has; then ask.
type watcher interface {
	Changed(ctx context.Context) error
}

// recoverer is a printer that can be told to go on, or to forget what it has.
type recoverer interface {
	Recover(ctx context.Context, clear bool) error
}

// ServePrinter prints queued jobs and watches the printer, and does ServeDrawer
// for the drawer on it, if there is one.
func (r *Register) ServePrinter(ctx context.Context, p drivers.POSPrinter, d drivers.CashDrawer) error {
	g, line := errgroup.WithContext(ctx)
	g.Go(func() error { return r.servePaper(ctx, line, p) })
	if d != nil {
		g.Go(func() error { return r.serveDrawer(ctx, line, d) })
	}
	if w, ok := p.(watcher); ok {
		g.Go(func() error { return r.watch(line, w) })
	}
	if f, ok := p.(recoverer); ok {
		g.Go(func() error { return r.serveRecovery(line, f) })
	}
	return g.Wait()
}

// watch rings for those who would otherwise ask only now and then.
func (r *Register) watch(line context.Context, w watcher) error {
	for {
		err := w.Changed(line)
		switch {
		case err == nil:
			ring(r.paperBell)
			ring(r.drawerBell)
		case line.Err() != nil || isLine(err):
			return err
		default: // it is off, and is asked again after a while
			if err := wait(line, statusEvery); err != nil {
				return err
			}
		}
	}
}

// serveRecovery lets the printer go on when the operator has said so.
func (r *Register) serveRecovery(line context.Context, f recoverer) error {
	for {
		select {
		case <-line.Done():
			return line.Err()
		case <-r.recovers:
			if err := f.Recover(line, false); isLine(err) {
				return err
			}
			ring(r.paperBell)
		}
	}
}

// ring asks for a look; one that is due already is enough.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
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
			continue
		case test := <-r.paperTests:
			if err := test.run(line, p); err != nil {
				return err
			}
			continue
		case <-r.paperBell:
		case <-time.After(statusEvery):
		}
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
// back; one that waits for too long is not printed without being asked for. Its
// error is one of the line.
func (r *Register) printJob(ctx, line context.Context, p drivers.POSPrinter, job till.Print) error {
	if job.Lines != nil {
		return r.printLines(ctx, line, p, job)
	}
	doc, err := r.layout(job, p.Columns(), false)
	if err != nil {
		r.post(ctx, till.PrintFailed{Job: job.Job, Cause: err.Error()})
		return nil
	}
	// Before the first copy after a restart the paper may hold half a receipt.
	doc.CutFirst = r.uncut || job.Reprint && !r.begun
	r.begun = true
	if !job.At.IsZero() {
		doc.BeginBy = job.At.Add(till.StaleAfter)
	}
	paused := func(cause error) {
		e := till.PrintPaused{Job: job.Job}
		if cause != nil {
			e.Cause = reason(cause)
		}
		r.post(ctx, e)
	}
	err = p.Print(line, doc, paused)
	if errors.Is(err, drivers.ErrUnsupported) { // before anything was sent: text it can
		if plain, no := r.layout(job, p.Columns(), true); no == nil {
			doc.Items = plain.Items
			err = p.Print(line, doc, paused)
		}
	}
	switch {
	case err == nil:
		r.uncut = false
		r.post(ctx, till.Printed{Job: job.Job})
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // the end of the register: the till asks after the restart
	case errors.Is(err, drivers.ErrLate):
		r.post(ctx, till.PrintFailed{Job: job.Job, Cause: reason(err), Late: true})
		return nil
	case errors.Is(err, drivers.ErrUnknownOutcome):
		r.uncut = true
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

// layout is the job on paper; plain is without codes and pictures.
func (r *Register) layout(job till.Print, columns int, plain bool) (drivers.Document, error) {
	on := receipt.Paper{Columns: columns, Reprint: job.Reprint, Code: job.Code, Plain: plain}
	switch {
	case job.Report != nil:
		return r.layouts.Report(job.Report, on)
	case job.Form == till.FormSheet:
		return r.layouts.Sheet(sheetKeys(job.Sheet), r.config.ID.String(), on)
	case job.Receipt == nil:
	case job.Form == till.FormOrder:
		return r.layouts.Order(job.Receipt, on)
	case job.Form == till.FormAddressed:
		return r.layouts.Addressed(job.Receipt, on)
	default:
		return r.layouts.Receipt(job.Receipt, on)
	}
	return drivers.Document{}, errors.New("nothing to print")
}

func sheetKeys(from []till.SheetKey) []receipt.SheetKey {
	keys := make([]receipt.SheetKey, 0, len(from))
	for _, k := range from {
		keys = append(keys, receipt.SheetKey{Name: k.Name, Code: k.Code})
	}
	return keys
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
