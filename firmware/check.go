package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"regi/board"
	"regi/drivers"
	"regi/drivers/drawer"
	"regi/drivers/linedisplay"
	"regi/firmware/role"
	"regi/firmware/sale"
	"regi/firmware/uplink"
)

// checkWithin bounds the test of one device.
const checkWithin = 5 * time.Second

var errNone = errors.New("none configured")

// bench is what the checks share. Its processes are confined as those of a
// running register: what these cannot open, it could not open either.
type bench struct {
	*Config
	spawn *role.Spawner
}

// check opens and tests each device, one line each. It must not run beside a
// running register, whose ports are locked.
func check(ctx context.Context, c *Config, out io.Writer) error {
	if err := role.Harden(); err != nil {
		return err
	}
	spawn, err := role.NewSpawner(os.Stderr)
	if err != nil {
		return err
	}
	defer spawn.Close()
	b := &bench{Config: c, spawn: spawn}
	failed := 0
	for _, test := range []struct {
		name string
		run  func(context.Context, *bench) (string, error)
	}{
		{"config", checkFiles},
		{"jail", checkOwnJail}, // every check below is made in it
		{"scanner", checkScanner},
		{"printer", checkPrinter},
		{"drawer", checkDrawer},
		{"card", checkCard},
		{"keypad", checkKeypad},
		{"display", checkDisplay},
		{"console", checkConsole},
		{"cloud", checkCloud},
		{"jail", checkCaptureJail},
		{"jail", checkUplinkJail},
	} {
		ctx, cancel := context.WithTimeout(ctx, checkWithin)
		said, err := test.run(ctx, b)
		cancel()
		line := fmt.Sprintf("ok    %-8s %s", test.name, said)
		switch {
		case errors.Is(err, errNone):
			line = fmt.Sprintf("-     %-8s %v", test.name, err)
		case err != nil:
			failed++
			line = fmt.Sprintf("FAIL  %-8s %v: %s", test.name, err, advice(err))
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}

// advice is the next step for whoever reads the line.
func advice(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "check the cable, and the path in the configuration"
	case errors.Is(err, os.ErrPermission):
		return "this user may not open it"
	case errors.Is(err, errControlOff):
		return "start it as root, from a binary built with CGO_ENABLED=0"
	case errors.Is(err, drivers.ErrBusy):
		return "stop the running register first"
	case errors.Is(err, drivers.ErrPaperOut):
		return "put in a paper roll"
	case errors.Is(err, drivers.ErrCoverOpen):
		return "close the cover"
	case errors.Is(err, drivers.ErrTimeout), errors.Is(err, drivers.ErrUnplugged):
		return "check that it is on, plugged in and set to the configured speed"
	}
	return "see the README, \"When a check fails\""
}

func checkFiles(_ context.Context, b *bench) (string, error) {
	rc, err := registerConfig(b.Config, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("register %s, board %s, prices version %s", rc.ID, b.Register.Board, rc.Prices.Version())
	err = rc.Till.Issuer.Check()
	if errors.Is(err, sale.ErrCorporateDigit) { // right for a sole trader
		return said + ", warning: " + err.Error(), nil
	}
	if err != nil {
		return "", fmt.Errorf("[issuer] no receipt could be printed: %w", err)
	}
	return said, nil
}

// opened runs one test on an open line.
func opened(s Serial, test func(drivers.Port) (string, error)) (string, error) {
	if s.Port == "" {
		return "", errNone
	}
	p, err := openPort(s)
	if err != nil {
		return "", err
	}
	said, err := test(p)
	return said, errors.Join(err, p.Close())
}

func opens(s Serial) (string, error) {
	return opened(s, func(drivers.Port) (string, error) { return fmt.Sprintf("%s opens at %d baud", s.Port, s.Baud), nil })
}

func checkScanner(_ context.Context, b *bench) (string, error) { return opens(b.Scanner.Serial) }
func checkKeypad(_ context.Context, b *bench) (string, error)  { return opens(b.Keypad.Serial) }
func checkConsole(_ context.Context, b *bench) (string, error) { return opens(b.Console.Serial) }

func checkCard(_ context.Context, b *bench) (string, error) {
	if b.Card.Reader == "none" {
		return "", errNone
	}
	if b.Card.Reader == "msr-ttl" && b.Card.Port != "" {
		head, err := board.OpenHead(b.Card.Port)
		if err != nil {
			return "", err
		}
		return b.Card.Port + " are there", head.Close()
	}
	return opens(b.Card.Serial)
}

func checkPrinter(ctx context.Context, b *bench) (string, error) {
	return opened(b.Printer.Serial, func(p drivers.Port) (string, error) {
		printer, err := newPrinter(p, b.Printer.Model)
		if err != nil {
			return "", err
		}
		status, err := printer.Status(ctx)
		if err != nil {
			return "", err
		}
		said := fmt.Sprintf("%s answers, %d columns", b.Printer.Model, printer.Columns())
		if status.PaperNearEnd {
			said += ", paper near end"
		}
		return said, status.Err()
	})
}

// checkDrawer reads the switch; it does not open the drawer.
func checkDrawer(ctx context.Context, b *bench) (string, error) {
	return opened(b.Printer.Serial, func(p drivers.Port) (string, error) {
		printer, err := newPrinter(p, b.Printer.Model)
		if err != nil {
			return "", err
		}
		open, err := drawer.ViaPrinter(printer, b.Drawer.Pin).DrawerOpened(ctx)
		if open {
			return "switch says open", err
		}
		return "switch says closed", err
	})
}

func checkDisplay(ctx context.Context, b *bench) (string, error) {
	return opened(b.Display.Serial, func(p drivers.Port) (string, error) {
		return "takes text (read it: REGI CHECK)", linedisplay.New(p).Show(ctx, "REGI CHECK", time.Now().Format("2006-01-02 15:04"))
	})
}

// checkCloud runs the real uplink until it has a session.
func checkCloud(ctx context.Context, b *bench) (string, error) {
	child, err := b.spawn.Start(role.Uplink, nil)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan int, 1)
	go func() { ended <- child.Wait(ctx) }()
	defer func() { cancel(); <-ended }()
	conn := uplink.NewConn(child.Link)
	err = conn.Send(uplink.Message{Op: "config", Config: uplinkConfig(b.Config)})
	if err != nil {
		return "", err
	}
	deadline, _ := ctx.Deadline()
	if err := child.Link.SetReadDeadline(deadline); err != nil {
		return "", err
	}
	why := "no answer"
	for {
		m, err := conn.Recv()
		if err != nil {
			return "", fmt.Errorf("%s: %s", b.Cloud.URL, why)
		}
		if m.Op == "state" && m.Up {
			return b.Cloud.URL + " answers, session open", nil
		}
		if m.Op == "state" && m.Detail != "" {
			why = m.Detail
		}
	}
}
