package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"regi/sim/device/display"
	"regi/sim/wire"
)

// displayUsage is what "sim display --help" says before the options.
const displayUsage = `usage: sim display --pty PATH [options]

One display of two lines at the far end of a tty that a register, or any other
program, opens as PATH. It is drawn here, again each time it shows something
else.

`

// runDisplay is one simulated display by itself, until it is stopped.
func runDisplay(ctx context.Context, args []string, _ io.Reader, out io.Writer) (err error) {
	f := flag.NewFlagSet("sim display", flag.ContinueOnError)
	f.Usage = func() {
		io.WriteString(f.Output(), displayUsage) //nolint:errcheck,gosec // the terminal is gone
		f.PrintDefaults()
	}
	pty := f.String("pty", "", "make the tty and this `link` to it")
	model := f.String("model", "cd5220", strings.Join(display.Models(), " or "))
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *pty == "" || f.NArg() > 0 {
		return errors.New("--pty PATH is needed, and nothing but options: see sim display --help")
	}
	tty, err := wire.Open(*pty)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	changed := make(chan struct{}, 1)
	d, err := display.NewModel(tty, *model, func() {
		select {
		case changed <- struct{}{}:
		default: // one is to be drawn already
		}
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.Run(ctx) })
	g.Go(func() error { return draw(ctx, d, changed, out) })
	return g.Wait()
}

// draw shows the display on a terminal in one place, elsewhere one below the
// other.
func draw(ctx context.Context, d *display.Display, changed <-chan struct{}, out io.Writer) error {
	const height = 4
	again := ""
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			again = fmt.Sprintf("\x1b[%dA", height)
		}
	}
	for first := true; ; first = false {
		if !first {
			if _, err := io.WriteString(out, again); err != nil {
				return err
			}
		}
		lines := d.Lines()
		edge := strings.Repeat("─", displayColumns)
		if _, err := fmt.Fprintf(out, "┌%s┐\n│%s│\n│%s│  %d/4\n└%s┘\n", edge, lines[0], lines[1], d.Brightness(), edge); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// displayColumns is the width of the glass.
const displayColumns = 20
