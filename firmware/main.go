// Command regi is a shop's register: one static binary that drives the
// counter's devices, encrypts card reads where they are captured, and streams
// every sale to the shop's cloud.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"regi/firmware/boot"
	"regi/firmware/role"
)

// Set by the build.
var (
	version = "dev"
	built   = "0" //nolint:gochecknoglobals // Unix seconds; the linker sets it
)

const usage = `regi is a shop's register.

  regi run --config FILE     run the register
  regi check --config FILE [--open-drawer]
                             open and test each device, one line each
  regi keys --config FILE inject|status|wipe
                             load, look at or destroy the card key
  regi sheet --config FILE   print the keys as bar codes, good until the next Z
  regi setup --config FILE [--console TTY]
                             only the console, to set a register up
  regi version               print the version
  regi init                  the first process of a flashed board, and nothing else

The simulator (make sim) writes a complete FILE to look at.
`

func main() {
	// The role is decided before anything else looks at arguments.
	var err error
	switch role.Of(os.Args[0]) {
	case role.Capture:
		os.Exit(captureMain())
	case role.Keys:
		os.Exit(keysMain())
	case role.Uplink:
		err = uplinkMain()
	case role.Drawer:
		err = drawerMain()
	case role.Spawn:
		err = role.SpawnMain(openLine)
	default:
		if os.Getpid() == 1 {
			boot.Main(bootOptions()) // does not return
		}
		err = command(os.Args[1:], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "regi:", err)
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to do\n\n%s", usage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch args[0] {
	case "run":
		path, _, err := configFlags(args[0], args[1:])
		if err != nil {
			return err
		}
		return runOrSetUp(ctx, path)
	case "setup":
		return setupCommand(ctx, args[1:])
	case "check":
		path, open, err := configFlags(args[0], args[1:])
		if err != nil {
			return err
		}
		config, err := LoadConfig(path)
		if err != nil {
			return err
		}
		return check(ctx, config, open, out)
	case "sheet":
		return sheet(ctx, args[1:], out)
	case "keys":
		return keys(ctx, args[1:], out)
	case "init":
		return errors.New("init is for the kernel of a flashed board, as its first process")
	case "version":
		_, err := fmt.Fprintf(out, "regi %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	case "help", "-h", "--help":
		_, err := io.WriteString(out, usage)
		return err
	}
	return fmt.Errorf("%q is no command\n\n%s", args[0], usage)
}

// configFlags reads the arguments. open: "regi check" opens the drawer, too.
func configFlags(name string, args []string) (path string, open bool, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.StringVar(&path, "config", "", "the register's configuration `FILE`")
	if name == "check" {
		flags.BoolVar(&open, "open-drawer", false, "open the cash drawer, and watch its switch")
	}
	if err := flags.Parse(args); err != nil {
		return "", false, err
	}
	if path == "" || flags.NArg() > 0 {
		return "", false, fmt.Errorf("use: regi %s --config FILE", name)
	}
	return path, open, nil
}
