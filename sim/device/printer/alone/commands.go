package alone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"regi/sim/device/printer"
)

const commandHelp = `  paper ok|near-end|out|out@N    N: after so many more lines
  cover open|closed
  cutter ok|jammed
  power on|off
  cable in|out
  head ok|hot|broken
  drawer open|closed|jammed
  fault KIND byte|line N         KIND: near-end paper cover cutter power cable hot broken
  png FILE                       a picture of the paper
  save FOLDER                    paper.png, paper.txt, paper.jsonl
  state
  help
`

var errCommand = errors.New("not understood: \"help\" lists the commands")

// command carries out one line.
func (b *bench) command(f []string) error {
	switch {
	case f[0] == "help" && len(f) == 1:
		fmt.Fprint(b.notes, commandHelp) //nolint:errcheck // the terminal is gone
		return nil
	case f[0] == "state" && len(f) == 1:
		s, err := json.Marshal(b.printer.State())
		b.note("%s, drawer %s", s, b.drawer.State())
		return err //nolint:wrapcheck // a state always is JSON
	case f[0] == "fault" && len(f) == 4:
		return b.fault(f)
	case len(f) != 2:
		return errCommand
	}
	word := f[1]
	switch f[0] {
	case "paper":
		return b.printer.Set(printer.Change{Paper: word}) //nolint:wrapcheck // names the word
	case "cover":
		return b.printer.Set(printer.Change{Cover: word}) //nolint:wrapcheck // names the word
	case "cutter":
		if word == "jam" {
			word = "jammed"
		}
		return b.printer.Set(printer.Change{Cutter: word}) //nolint:wrapcheck // names the word
	case "power":
		return b.printer.Set(printer.Change{Power: word}) //nolint:wrapcheck // names the word
	case "drawer":
		return b.drawer.Set(word) //nolint:wrapcheck // names the word
	case "cable", "head":
		return b.repair(f[0] + " " + word)
	case "png":
		return writeFile(word, b.printer.PNG)
	case "save":
		return b.write(word)
	}
	return errCommand
}

func (b *bench) fault(f []string) error {
	n, err := strconv.Atoi(f[3])
	if err != nil || n < 1 {
		return errCommand
	}
	at := printer.FaultAt{Kind: printer.Fault(f[1])}
	switch f[2] {
	case "byte":
		at.Byte = n
	case "line":
		at.Line = n
	default:
		return errCommand
	}
	return b.printer.Plan(at) //nolint:wrapcheck // names the fault
}

// repair breaks or mends what is not in a printer.Change.
func (b *bench) repair(what string) error {
	switch what {
	case "cable out":
		return b.printer.Plan(printer.FaultAt{Kind: printer.FaultCable}) //nolint:wrapcheck // cannot fail
	case "cable in":
		return b.printer.Mend(printer.FaultCable) //nolint:wrapcheck // cannot fail
	case "head hot":
		return b.printer.Plan(printer.FaultAt{Kind: printer.FaultHot}) //nolint:wrapcheck // cannot fail
	case "head broken":
		return b.printer.Plan(printer.FaultAt{Kind: printer.FaultBroken}) //nolint:wrapcheck // cannot fail
	case "head ok":
		return errors.Join(b.printer.Mend(printer.FaultHot), b.printer.Mend(printer.FaultBroken))
	}
	return errCommand
}

// write writes the paper into a folder.
func (b *bench) write(dir string) error {
	// A command and a cut may both want it at once.
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	text := func(w io.Writer) error {
		_, err := io.WriteString(w, b.printer.Text())
		return err //nolint:wrapcheck // the caller names the file
	}
	return errors.Join(
		writeFile(filepath.Join(dir, "paper.png"), b.printer.PNG),
		writeFile(filepath.Join(dir, "paper.txt"), text),
		writeFile(filepath.Join(dir, "paper.jsonl"), b.printer.Dump),
	)
}

// writeFile replaces a file in one step, so that a viewer never sees half of it.
func writeFile(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fresh := name + ".new"
	if err := os.WriteFile(fresh, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if err := os.Rename(fresh, name); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return nil
}
