package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"regi/sim/device/scanner"
	"regi/sim/wire"
)

// scannerUsage is what "sim scanner --help" says before the options.
const scannerUsage = `usage: sim scanner --pty PATH [options]

One barcode scanner at the far end of a tty that a register, or any other
program, opens as PATH. Each line of standard input is one code; it may begin
with its symbology identifier ("]E04901234567894"), and "{GS}" is the separator
of GS1 element strings. What the scanner is told and beeps goes to standard
output.

`

// runScanner is one simulated scanner by itself, until its input ends.
func runScanner(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	var set scanner.Settings
	f := flag.NewFlagSet("sim scanner", flag.ContinueOnError)
	f.Usage = func() {
		io.WriteString(f.Output(), scannerUsage) //nolint:errcheck,gosec // the terminal is gone
		f.PrintDefaults()
	}
	pty := f.String("pty", "", "make the tty and this `link` to it")
	f.StringVar(&set.Framing, "framing", "cr", strings.Join(scanner.Framings(), ", "))
	f.StringVar(&set.Prefix, "prefix", "", "sent before each code")
	f.StringVar(&set.IDs, "ids", "", "send the code ids of honeywell or datalogic, not symbology identifiers")
	f.IntVar(&set.Pieces, "pieces", 1, "send each code in so many writes")
	f.Float64Var(&set.Noise.Share, "noise", 0, "`share` of the transmissions that the cable disturbs, 0 to 1")
	f.Uint64Var(&set.Noise.Seed, "seed", 1, "the same seed disturbs the same way")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *pty == "" || f.NArg() > 0 {
		return errors.New("scanner: --pty PATH is needed, and nothing but options: see sim scanner --help")
	}
	lines := &lineWriter{out: out}
	set.Heard = func(what string) { lines.print("  (" + what + ")") }
	tty, err := wire.Open(*pty)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	s, err := scanner.NewSet(tty, set)
	if err != nil {
		return err
	}
	lines.print("* scanner on " + *pty + "; each line typed here is scanned, Ctrl-D ends it")
	g, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error {
		defer cancel()
		return scanLines(ctx, s, in, lines)
	})
	return g.Wait()
}

// scanLines scans what is typed.
func scanLines(ctx context.Context, s *scanner.Scanner, in io.Reader, out *lineWriter) error {
	typed := bufio.NewScanner(in)
	typed.Buffer(nil, scanner.DataMax)
	for typed.Scan() && ctx.Err() == nil {
		code := codeOf(typed.Text())
		if code.Data == "" {
			continue
		}
		o, err := s.Read(ctx, code)
		out.print(outcomeLine(typed.Text(), o, err))
	}
	return typed.Err()
}

// identifierBytes is the length of "]cm" (ISO/IEC 15424).
const identifierBytes = 3

// codeOf reads one typed line.
func codeOf(line string) scanner.Code {
	line = strings.ReplaceAll(strings.TrimRight(line, "\r"), "{GS}", "\x1d")
	if strings.HasPrefix(line, "]") && len(line) > identifierBytes {
		return scanner.Code{AIM: line[:identifierBytes], Data: line[identifierBytes:]}
	}
	return scanner.Code{Data: line}
}

// outcomeLine says what came of a code.
func outcomeLine(typed string, o scanner.Outcome, err error) string {
	said := "sent"
	switch {
	case err != nil:
		said = err.Error()
	case o.Answer != scanner.None:
		said = string(o.Answer)
	}
	if o.Sent > 1 {
		said += fmt.Sprintf(", sent %d times", o.Sent)
	}
	if o.Disturbed > 0 {
		said += fmt.Sprintf(", disturbed %d times", o.Disturbed)
	}
	return fmt.Sprintf("%q: %s", typed, said)
}

// lineWriter prints whole lines of several goroutines.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) print(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintln(w.out, line) //nolint:errcheck // the terminal is gone
}
