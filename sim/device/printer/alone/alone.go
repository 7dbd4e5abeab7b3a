// Package alone is the printer on a bench by itself, for anybody's point-of-sale
// software: on a TCP port or a tty, with its paper in files and its faults at a
// prompt.
package alone

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"regi/sim/device/drawer"
	"regi/sim/device/printer"
	"regi/sim/device/printer/lan"
	"regi/sim/wire"
)

// options are the command line.
type options struct {
	tcp, pty, model, out string
	speed, buffer        int
	xonxoff, quiet       bool
}

const usage = `A receipt printer (ESC/POS) by itself, for testing any point-of-sale software.
What is printed appears here as text, and after each cut in DIR as a picture,
as text and as one JSON object for each thing that was printed.

  sim printer --tcp 127.0.0.1:9100 --out paper
  sim printer --pty /tmp/printer --model 58mm --speed 150 --buffer 512 --xonxoff
  printf 'Hello\n\n\n\n\n\x1dV\x00' | nc -N 127.0.0.1 9100

`

// Run runs the printer until the context ends. Commands are read from in, text
// goes to out, everything else to notes.
func Run(ctx context.Context, args []string, in io.Reader, out, notes io.Writer) error {
	o, err := parse(args, notes)
	if err != nil {
		return err
	}
	b := &bench{options: o, out: out, notes: notes, changed: make(chan struct{}, 1)}
	w, where, run, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer w.Close() //nolint:errcheck // the end
	if err := b.furnish(w); err != nil {
		return err
	}
	b.note("printer %s on %s; \"help\" lists the commands", o.model, where)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return run(ctx) })
	g.Go(func() error { return b.printer.Run(ctx) })
	g.Go(func() error { return b.show(ctx) })
	go b.listen(in) // a terminal's read cannot be ended: not waited for
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err //nolint:wrapcheck // names what it was
	}
	return nil
}

func parse(args []string, notes io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("sim printer", flag.ContinueOnError)
	f.SetOutput(notes)
	f.StringVar(&o.tcp, "tcp", "", "listen on this `address`, such as 127.0.0.1:9100 (port 0 for any)")
	f.StringVar(&o.pty, "pty", "", "make a tty and a link of this `name` to it")
	f.StringVar(&o.model, "model", "tm-t88v", "the `model`: "+strings.Join(printer.ModelNames(), ", "))
	f.IntVar(&o.speed, "speed", 0, "of the paper in `mm/s`; 0 prints at once, a TM-T88V makes 300")
	f.IntVar(&o.buffer, "buffer", printer.DefaultBufferBytes, "size of the receive buffer in `bytes`")
	f.BoolVar(&o.xonxoff, "xonxoff", false, "send XOFF when the buffer is nearly full")
	f.StringVar(&o.out, "out", "", "write paper.png, paper.txt and paper.jsonl into this `folder` after each cut")
	f.BoolVar(&o.quiet, "quiet", false, "do not show the text as it is printed")
	f.Usage = func() {
		fmt.Fprint(notes, usage) //nolint:errcheck // the terminal is gone
		f.PrintDefaults()
		fmt.Fprint(notes, "\nCommands while it runs:\n", commandHelp) //nolint:errcheck // the terminal is gone
	}
	if err := f.Parse(args); err != nil {
		return o, err //nolint:wrapcheck // flag has said it
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q is no option: see --help", f.Arg(0))
	case (o.tcp == "") == (o.pty == ""):
		return o, errors.New("one of --tcp and --pty is needed: see --help")
	case o.speed < 0 || o.buffer < 1:
		return o, errors.New("--speed and --buffer are not negative, and a buffer has a byte")
	}
	return o, nil
}

// line is what a printer needs of its wire, and its end.
type line interface {
	printer.Wire
	io.Closer
}

// open makes the printer's end of the line, tells where the other end is, and
// what must run beside it.
func (o options) open(ctx context.Context) (w line, where string, run func(context.Context) error, err error) {
	if o.tcp != "" {
		host, _, err := net.SplitHostPort(o.tcp)
		if err != nil {
			return nil, "", nil, fmt.Errorf("--tcp: %w", err)
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return nil, "", nil, fmt.Errorf("--tcp %s: the simulator serves this machine only: use 127.0.0.1:PORT", o.tcp)
		}
		l, err := lan.Listen(ctx, o.tcp)
		if err != nil {
			return nil, "", nil, err //nolint:wrapcheck // names the address
		}
		return l, "tcp " + l.Addr().String(), l.Run, nil
	}
	if i, err := os.Lstat(o.pty); err == nil && i.Mode()&fs.ModeSymlink == 0 {
		return nil, "", nil, fmt.Errorf("--pty %s: there is something of that name already", o.pty)
	}
	tty, err := wire.Open(o.pty)
	if err != nil {
		return nil, "", nil, err //nolint:wrapcheck // names the wire
	}
	return tty, o.pty, func(context.Context) error { return nil }, nil
}

// bench is the printer with its drawer.
type bench struct {
	writing sync.Mutex
	options
	out, notes io.Writer
	printer    *printer.Printer
	drawer     *drawer.Drawer
	changed    chan struct{} // holds one: look again
}

func (b *bench) furnish(w printer.Wire) error {
	model, err := printer.ModelNamed(b.model)
	if err != nil {
		return err //nolint:wrapcheck // names the model
	}
	b.drawer = drawer.New(func() { b.printer.Refresh() })
	b.printer = printer.New(w, printer.Options{
		Model: model, BufferBytes: b.buffer, MillimetresPerSecond: b.speed, XonXoff: b.xonxoff,
		DrawerKick: func(pin int, on, _ time.Duration) { b.drawer.Pulse(pin, on) },
		DrawerOpen: b.drawer.Open,
		Changed: func() {
			select {
			case b.changed <- struct{}{}:
			default: // somebody is told already
			}
		},
	})
	if b.options.out == "" {
		return nil
	}
	if err := os.MkdirAll(b.options.out, 0o750); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.notes, "* "+format+"\n", args...) //nolint:errcheck // the terminal is gone
}

// show writes what is new on the paper, and the files after a cut.
func (b *bench) show(ctx context.Context) error {
	for seen := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-b.changed:
		}
		cut := false
		for _, r := range b.printer.Records(seen) {
			seen = r.N
			b.tell(r)
			cut = cut || r.Kind == printer.KindCut
		}
		if cut && b.options.out != "" {
			if err := b.write(b.options.out); err != nil {
				return err
			}
		}
	}
}

// tell shows one record: text as it is, anything else as a note.
func (b *bench) tell(r printer.Record) {
	switch r.Kind {
	case printer.KindText:
		if !b.quiet {
			fmt.Fprintln(b.out, r.Text) //nolint:errcheck // the terminal is gone
		}
	case printer.KindCut:
		if !b.quiet {
			fmt.Fprintln(b.out, printer.CutMark) //nolint:errcheck // the terminal is gone
		}
	case printer.KindCode:
		b.note("%s %dx%d dots: %s%s", r.Code.Symbology, r.Code.Width, r.Code.Height, r.Code.Data, r.Code.Hex)
	case printer.KindPicture:
		b.note("picture %dx%d dots", r.Picture.Width, r.Picture.Height)
	case printer.KindNV:
		b.note("picture %dx%d dots stored under %s", r.Picture.Width, r.Picture.Height, r.Picture.Key)
	case printer.KindRefused:
		b.note("NOT printed: %s", r.Why)
	case printer.KindPulse:
		b.note("drawer: pin %d, %v on, %v off %s", r.Pulse.Pin, r.Pulse.On, r.Pulse.Off, broken(r.Pulse.Violations))
	}
}

func broken(v []printer.Violation) string {
	if len(v) == 0 {
		return ""
	}
	return fmt.Sprintf("BREAKS the coil's limits: %v", v)
}

// listen carries out commands until in ends.
func (b *bench) listen(in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 0 {
			if err := b.command(fields); err != nil {
				b.note("%v", err)
			}
		}
	}
}
