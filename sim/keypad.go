package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"regi/sim/device/keypad"
	"regi/sim/wire"
)

// keypadUsage is what "sim keypad --help" says before the options.
const keypadUsage = `usage: sim keypad --pty PATH

One serial keypad at the far end of a tty that a register, or any other program,
opens as PATH. Each line of standard input is keys by name ("1 0 00 CASH");
"hold NAME" is a key that is stuck and repeats, until the next line; "raw HH …"
sends any bytes.

Keys: `

// Limits of "sim keypad".
const (
	keypadLineMax = 4096
	// heldEvery is how fast a keypad repeats a key that is held.
	heldEvery = 33 * time.Millisecond
)

// runKeypad is one simulated keypad by itself, until its input ends.
func runKeypad(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	f := flag.NewFlagSet("sim keypad", flag.ContinueOnError)
	f.Usage = func() {
		io.WriteString(f.Output(), keypadUsage+strings.Join(keypad.Names(), " ")+"\n\n") //nolint:errcheck,gosec // the terminal is gone
		f.PrintDefaults()
	}
	pty := f.String("pty", "", "make the tty and this `link` to it")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *pty == "" || f.NArg() > 0 {
		return errors.New("--pty PATH is needed, and nothing else: see sim keypad --help")
	}
	tty, err := wire.Open(*pty)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	fmt.Fprintf(out, "* keypad on %s; type names of keys, as 1 0 0 CASH; Ctrl-D ends it\n", *pty) //nolint:errcheck // the terminal is gone
	return pressLines(ctx, tty, in, out)
}

// pressLines presses what is typed.
func pressLines(ctx context.Context, tty *wire.TTY, in io.Reader, out io.Writer) error {
	k := keypad.New(tty)
	lines, failed := typedLines(ctx, in)
	var held string
	for {
		var again <-chan time.Time
		if held != "" {
			again = time.After(heldEvery)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
			if err := k.Press(ctx, held); err != nil {
				held = ""
				fmt.Fprintln(out, err) //nolint:errcheck // the terminal is gone
			}
		case line, ok := <-lines:
			if !ok {
				return <-failed
			}
			var err error
			if held, err = pressLine(ctx, k, tty, line); err != nil {
				fmt.Fprintln(out, err) //nolint:errcheck // the terminal is gone
			}
		}
	}
}

// pressLine obeys one line; held is a key that stays down.
func pressLine(ctx context.Context, k *keypad.Keypad, tty *wire.TTY, line string) (held string, err error) {
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return "", nil
	case words[0] == "hold" && len(words) == 2:
		return words[1], k.Press(ctx, words[1])
	case words[0] == "raw":
		var sent []byte
		if _, err := fmt.Sscanf(strings.Join(words[1:], ""), "%x", &sent); err != nil {
			return "", fmt.Errorf("raw: bytes are two hexadecimal digits each: %w", err)
		}
		_, err = tty.Write(sent)
		return "", err
	}
	return "", k.Press(ctx, words...)
}

// typedLines hands on the lines of in; a read of a terminal cannot be ended, so
// its goroutine lasts until a line comes or the program ends. failed is why the
// lines ended.
func typedLines(ctx context.Context, in io.Reader) (lines chan string, failed chan error) {
	lines, failed = make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		typed := bufio.NewScanner(in)
		typed.Buffer(nil, keypadLineMax)
		for typed.Scan() {
			select {
			case lines <- typed.Text():
			case <-ctx.Done():
				failed <- nil
				return
			}
		}
		failed <- typed.Err()
	}()
	return lines, failed
}
