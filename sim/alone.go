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

	"regi/sim/device/printer/alone"
)

// devices run without the counter around them, for anybody's software.
//
//nolint:gochecknoglobals // a constant table
var devices = map[string]func(ctx context.Context, args []string, in io.Reader, out io.Writer) error{
	"printer": func(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
		return alone.Run(ctx, args, in, out, os.Stderr)
	},
	"scanner": runScanner,
}

// standAlone runs a device by itself, if the arguments name one, and ends the
// program.
func standAlone(args []string) {
	if len(args) == 0 || devices[args[0]] == nil {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := devices[args[0]](ctx, args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "sim %s: %v\n", args[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}
