package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"regi/sim/device/printer/alone"
)

// standAlone runs a device without the counter around it, if the arguments name
// one, and ends the program.
func standAlone(args []string) {
	if len(args) == 0 || args[0] != "printer" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := alone.Run(ctx, args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sim printer:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
