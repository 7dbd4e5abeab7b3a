package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"regi/board"
	"regi/board/port"
	"regi/drivers"
	"regi/drivers/escpos"
	"regi/firmware/catalog"
	"regi/firmware/console"
	"regi/firmware/record"
	"regi/firmware/role"
	"regi/firmware/sale"
	"regi/firmware/uplink"
)

// checkWithin bounds the test of one device.
const checkWithin = 5 * time.Second

var (
	errNone = errors.New("none configured")
	// errUnread is of what a failed check of the configuration would have read.
	errUnread = errors.New("not read: see config")
	// errRefused: there are items that are not sold.
	errRefused = errors.New("are refused, the others are sold")
)

// bench is what the checks share. Its processes are confined as those of a
// running register: what these cannot open, it could not open either.
type bench struct {
	*Config
	spawn *role.Spawner
	open  bool // the drawer
	// The matrix's lines are taken before the jail, as a running register takes
	// them.
	matrix   *board.Matrix
	noMatrix error
	// prices are what checkFiles has read, nil before and if it could not.
	prices *catalog.Catalog
}

// check opens and tests each device, one line each. It must not run beside a
// running register, whose ports are locked.
func check(ctx context.Context, c *Config, open bool, out io.Writer) error {
	if err := role.Harden(); err != nil {
		return err
	}
	spawn, err := startSpawner(c)
	if err != nil {
		return err
	}
	defer spawn.Close()
	b := &bench{Config: c, spawn: spawn, open: open}
	b.matrix, b.noMatrix = openMatrix(c)
	failed := 0
	for _, test := range []struct {
		name string
		run  func(context.Context, *bench) (string, error)
	}{
		{"config", checkFiles},
		{"card", checkCard}, // by the card process, which the register's jail keeps apart
		{"owner", checkOwner},
		{"tamper", checkTamper},
		{"catalog", checkCatalog},
		{"jail", checkOwnJail}, // every check below is made in it
		{"scanner", checkScanner},
		{"printer", checkPrinter},
		{"drawer", checkDrawer},
		{"keypad", checkKeypad},
		{"display", checkDisplay},
		{"console", checkConsole},
		{"cloud", checkCloud},
		{"jail", checkSpawnerJail},
		{"jail", checkCaptureJail},
		{"jail", checkUplinkJail},
		{"jail", checkDrawerJail},
	} {
		ctx, cancel := context.WithTimeout(ctx, checkWithin)
		said, err := test.run(ctx, b)
		cancel()
		line := fmt.Sprintf("ok    %-8s %s", test.name, said)
		switch {
		case errors.Is(err, errNone), errors.Is(err, errUnread):
			line = fmt.Sprintf("-     %-8s %v", test.name, err)
		case err != nil:
			failed++
			line = fmt.Sprintf("FAIL  %-8s %v: %s%s", test.name, err, advice(test.name, err), said)
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
func advice(of string, err error) string {
	switch {
	case errors.Is(err, drivers.ErrDidNotOpen):
		return "open it with its key: if it is not locked, check its cable and drawer.pin or drawer.kick; if it stood open, drawer.sense_open"
	case errors.Is(err, drivers.ErrDuty):
		return "wait ten seconds"
	case errors.Is(err, errDrawerLines):
		return "compare drawer.kick and drawer.sense with what gpioinfo lists, and stop the running register first"
	case errors.Is(err, errRefused):
		return "correct these rows of the catalogue"
	case errors.Is(err, os.ErrNotExist) && (of == "config" || of == "owner"):
		return "there is no such file: check its path in the configuration"
	case errors.Is(err, os.ErrNotExist):
		return "check the cable, and the path in the configuration"
	case errors.Is(err, os.ErrPermission):
		return "this user may not open it"
	case errors.Is(err, errControlOff):
		return "start it as root, from a binary built with CGO_ENABLED=0"
	case errors.Is(err, drivers.ErrBusy):
		return "stop the running register first"
	case errors.Is(err, board.ErrNoLine):
		return "check the line's name in the configuration, and that this board has it (gpioinfo)"
	case errors.Is(err, errCaseOpen):
		return "close it and check the switch before the register is started"
	case errors.Is(err, drivers.ErrPaperOut):
		return "put in a paper roll"
	case errors.Is(err, drivers.ErrCoverOpen):
		return "close the cover"
	case errors.Is(err, drivers.ErrCutter):
		return "remove the paper in the cutter, then switch the printer off and on"
	case errors.Is(err, drivers.ErrHeadHot):
		return "let the print head cool for a minute"
	case errors.Is(err, drivers.ErrMechanical):
		return "look for jammed paper, then switch the printer off and on"
	case errors.Is(err, drivers.ErrUnrecoverable):
		return "switch the printer off and on; if that does not help, have it repaired"
	case errors.Is(err, errModel):
		return "every receipt would wait for an answer that never comes"
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
	b.prices = rc.Prices
	said := fmt.Sprintf("register %s, board %s, prices version %s", rc.ID, b.Register.Board, rc.Prices.Version())
	err = rc.Till.Issuer.Check(sale.CountryOf(b.Register.Locale).Scheme)
	if errors.Is(err, sale.ErrCorporateDigit) { // right for a sole trader
		return said + ", warning: " + err.Error(), nil
	}
	if err != nil {
		return "", fmt.Errorf("[issuer] no receipt could be printed: %w", err)
	}
	return said, nil
}

// checkCatalog names each item that is not sold, in a line of its own.
func checkCatalog(_ context.Context, b *bench) (string, error) {
	if b.prices == nil {
		return "", errUnread
	}
	refused, count := b.prices.Refused()
	if count == 0 {
		return fmt.Sprintf("%d items", b.prices.Len()), nil
	}
	const indent = "\n               "
	var list strings.Builder
	for _, r := range refused {
		list.WriteString(indent + r.String())
	}
	if more := count - len(refused); more > 0 {
		fmt.Fprintf(&list, indent+"and %d more", more)
	}
	return list.String(), fmt.Errorf("%d items %w", count, errRefused)
}

// opened runs one test on an open line.
func (b *bench) opened(name string, test func(drivers.Port) (string, error)) (string, error) {
	s := *b.serials()[name]
	if s.Port == "" {
		return "", errNone
	}
	p, err := openSerial(b.spawn, name, s)
	if err != nil {
		return "", err
	}
	said, err := test(p)
	return said, errors.Join(err, p.Close())
}

func (b *bench) opens(name string) (string, error) {
	s := *b.serials()[name]
	return b.opened(name, func(p drivers.Port) (string, error) {
		said := fmt.Sprintf("%s opens at %d baud", s.Port, s.Baud)
		if line, ok := p.(*port.Port); ok {
			if counted, err := line.Errors(); err == nil && counted != (port.Errors{}) {
				said += fmt.Sprintf(", %v since it was plugged in: look at speed, ground and cable if they grow", counted)
			}
		}
		return said, nil
	})
}

// checkScanner opens both scanners, if there are two.
func checkScanner(_ context.Context, b *bench) (string, error) {
	said, err := b.opens("scanner")
	if b.Scanner2.Port == "" || err != nil && !errors.Is(err, errNone) {
		return said, err
	}
	second, err := b.opens("scanner2")
	return strings.TrimPrefix(said+", ", ", ") + second, err
}

func checkConsole(_ context.Context, b *bench) (string, error) { return b.opens("console") }

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
	if b.Card.Port == "" {
		return "", errNone
	}
	p, err := port.Open(b.Card.options())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s opens at %d baud", b.Card.Port, b.Card.Baud), p.Close()
}

// checkOwner says who decides which card keys are loaded.
func checkOwner(_ context.Context, b *bench) (string, error) {
	if b.Console.Owner == "" {
		return "", fmt.Errorf("%w: two officers load a card key with nobody's permit, and so could whoever takes over the register; set console.owner", errNone)
	}
	owner, err := keyFile("console.owner", b.Console.Owner, record.ParseSignPublic)
	if err != nil {
		return "", err
	}
	return console.Fingerprint(owner) + ": a card key is loaded with this owner's permit alone", nil
}

// tamperWithin is how long the case's switch is looked at.
const tamperWithin = 100 * time.Millisecond

var errCaseOpen = errors.New("the case is open: a register that runs destroys its card key")

func checkTamper(ctx context.Context, b *bench) (string, error) {
	if b.Card.Tamper == "" {
		return "", errNone
	}
	t, err := openTamper(b.Config)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, tamperWithin)
	defer cancel()
	if t.Wait(ctx) == nil {
		return "", errCaseOpen
	}
	return "case is closed, " + b.Card.Tamper + " can be watched", nil
}

func checkPrinter(ctx context.Context, b *bench) (string, error) {
	return b.opened("printer", func(p drivers.Port) (string, error) {
		printer, err := newPrinter(ctx, p, b.Printer.Model)
		if err != nil {
			return "", err
		}
		status, err := printer.Status(ctx)
		if errors.Is(err, drivers.ErrTimeout) {
			err = cmp.Or(otherMake(ctx, p, b.Printer.Model), err)
		}
		if err == nil {
			err = status.Err()
		}
		if err != nil {
			return "", err
		}
		found, advice, err := probe(ctx, printer)
		said := fmt.Sprintf("%s answers, %d columns; %s", b.Printer.Model, printer.Columns(), found)
		if status.PaperNearEnd {
			said += ", paper near end"
		}
		if b.Printer.Model == escpos.Auto {
			said += "; write down model = " + advice
		}
		return said, err
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
