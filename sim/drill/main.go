// Command drill attacks the register as robbers of card data do, and says
// whether it got anything: a scraper as root over every process of the real
// binary while cards are swiped, a look from other users, crashes in mid-swipe,
// and a search of everything that was written. The same attack on a reader that
// does what most registers do shows that it would find.
//
// The drills are D1 to D4 of the project's list of attacks. It needs root, and
// at run time nothing but the binaries it is given.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"regi/sim/hsm"
)

// options are the command line.
type options struct {
	regi, naive string
	dir         string
	swipes      int
	short       bool
}

// swipesMax keeps the list of numbers far from the size where eight digits are
// found by chance everywhere.
const swipesMax = 10_000

func main() {
	// The role is decided before anything else looks at arguments.
	switch {
	case hsm.Role(os.Args[0]):
		os.Exit(hsm.Main())
	case os.Args[0] == peekRole:
		os.Exit(peekMain(os.Args[1:], os.Stdout))
	case os.Args[0] == domainRole:
		os.Exit(domainMain(os.Args[1:], os.Stdout))
	}
	ok, err := command(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) (ok bool, err error) {
	var o options
	f := flag.NewFlagSet("drill", flag.ContinueOnError)
	f.StringVar(&o.regi, "regi", "", "the register's `binary`")
	f.StringVar(&o.naive, "naive", "", "the `binary` of ./sim/drill/naive")
	f.StringVar(&o.dir, "dir", "", "keep everything in this `folder` (default: a temporary one, removed at the end)")
	f.IntVar(&o.swipes, "swipes", 2000, "how many cards are swiped")
	f.BoolVar(&o.short, "short", false, "each signal once, and only the process that reads cards into the debugger")
	if err := f.Parse(args); err != nil {
		return false, err
	}
	if o.regi == "" || o.naive == "" || f.NArg() > 0 {
		return false, errors.New("use: drill --regi FILE --naive FILE")
	}
	if o.swipes < swipesMin || o.swipes > swipesMax {
		return false, fmt.Errorf("--swipes: %d to %d", swipesMin, swipesMax)
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(out, "drills: skipped: they need root, as their attacker does") //nolint:errcheck // the terminal is gone
		return true, nil
	}
	for _, path := range []*string{&o.regi, &o.naive} {
		if *path, err = filepath.Abs(*path); err != nil {
			return false, err
		}
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "regi-drill-"); err != nil {
			return false, err
		}
		defer os.RemoveAll(o.dir) //nolint:errcheck // a leftover in the temporary folder
	} else if o.dir, err = filepath.Abs(o.dir); err != nil {
		return false, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	report, err := run(ctx, o)
	if err != nil {
		return false, err
	}
	report.print(out)
	return report.passed(), nil
}

// run is the whole drill: first the register, then the same cards' worth of
// attack on the naive reader.
func run(ctx context.Context, o options) (*report, error) {
	if err := allowCores(o.dir); err != nil {
		return nil, err
	}
	r := &report{}
	var err error
	if r.regi, err = attackRegister(ctx, o); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if r.naive, err = attackNaive(ctx, o); err != nil {
		return nil, fmt.Errorf("naive reader: %w", err)
	}
	return r, nil
}

// allowCores lets core files be written where they are searched: whether there
// is one is then the attacked process's doing.
func allowCores(dir string) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return fmt.Errorf("core limit: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &limit); err != nil {
		return fmt.Errorf("core limit: %w", err)
	}
	if err := os.Chdir(dir); err != nil {
		return fmt.Errorf("core files: %w", err)
	}
	return nil
}
