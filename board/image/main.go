// Command image makes what a board is flashed with and updated by, and runs it
// in QEMU: go run ./board/image build|keygen|bundle|sign|verify|qemu.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `go run ./board/image COMMAND

  build -board rpi3|rpi4|rpi5|qemu-virt [-out out] [-keys DIR] [-kernel FILE] [-epoch N] [-version V]
                    make the image of a board: regi-BOARD-VERSION.img.zst
  keygen DIR        make the owner's three update keys
  bundle -boot FILE.boot.img -board B -version V [-epoch N] [-not-before T] FILE.bundle
                    make an update of a boot.img, which nobody has signed yet
  sign -key FILE.key FILE.bundle|FILE.img.zst
                    add the signature of one key; two of three are needed
  verify -keys update.pub [-board B] [-floor N] FILE.bundle|FILE.img.zst
                    say whether a register would take it
  qemu [-keys update.pub] FILE.img.zst|DISK [-- QEMU ARGUMENTS]
                    run an image of qemu-virt or rpi3; an unpacked DISK keeps what it writes
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to do\n\n%s", usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	run, known := map[string]func(context.Context, *flag.FlagSet, []string, io.Writer) error{
		"build": build, "keygen": keygen, "bundle": makeBundle, "sign": sign, "verify": verify, "qemu": qemu,
	}[args[0]]
	if !known {
		return fmt.Errorf("%q is no command\n\n%s", args[0], usage)
	}
	err := run(ctx, flags, args[1:], out)
	if errors.Is(err, flag.ErrHelp) { // it was answered
		return nil
	}
	return err
}

// parse reads flags, and returns the one argument that follows.
func parse(flags *flag.FlagSet, args []string, what string) (string, error) {
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	if flags.NArg() != 1 {
		return "", fmt.Errorf("%s: name %s", flags.Name(), what)
	}
	return flags.Arg(0), nil
}

// named says that a flag that names a file was forgotten.
func named(flags *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if f := flags.Lookup(name); f.Value.String() == "" {
			what, usage := flag.UnquoteUsage(f)
			return fmt.Errorf("%s: -%s %s is needed: %s", flags.Name(), name, what, usage)
		}
	}
	return nil
}
