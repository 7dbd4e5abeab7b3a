package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"regi/drivers"
	"regi/firmware/journal"
	"regi/firmware/register"
)

// sheet is the command "regi sheet": it prints the command sheet that is good
// until the next Z. While a register runs it has the printer and the journal, and
// prints the sheet itself: 5 ENTER on whatever keys it has.
func sheet(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("sheet", flag.ContinueOnError)
	path := flags.String("config", "", "the register's configuration `FILE`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" || flags.NArg() > 0 {
		return errors.New("use: regi sheet --config FILE")
	}
	c, err := LoadConfig(*path)
	if err != nil {
		return err
	}
	if c.Printer.Port == "" {
		return errors.New("printer.port is needed: a sheet is printed")
	}
	rc, err := registerConfig(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	p, err := openPort(c.Printer.Serial)
	if err != nil {
		return sheetBusy(err)
	}
	defer p.Close() //nolint:errcheck // printed by then, or not
	printer, err := newPrinter(ctx, p, c.Printer.Model)
	if err != nil {
		return err
	}
	doc, err := register.Sheet(rc, printer.Columns()) //nolint:contextcheck // a write to the journal is never cut off
	if err != nil {
		return sheetBusy(err)
	}
	if err := printer.Init(ctx); err != nil {
		return err
	}
	paused := func(cause error) {
		if cause != nil {
			fmt.Fprintln(out, "the printer waits:", cause) //nolint:errcheck // the terminal is gone
		}
	}
	if err := printer.Print(ctx, doc, paused); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "printed; good until the next Z")
	return err
}

// sheetBusy says what to do while a register runs.
func sheetBusy(err error) error {
	if errors.Is(err, journal.ErrBusy) || errors.Is(err, drivers.ErrBusy) {
		return fmt.Errorf("%w: a register runs here: press 5 ENTER on it, and it prints the sheet", err)
	}
	return err
}
