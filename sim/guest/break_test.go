package guest_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"regi/sim/guest"
)

// commands are characters that Linux takes after a break (Documentation/
// admin-guide/sysrq.rst): help, all processes, all CPUs, memory, no more log,
// sync, read-only, kill all, a crash, a reset.
const commands = "htlm9suicb"

// words are the kernel's, which nobody at the console may see.
var words = regexp.MustCompile(`(?i)sysrq|\[ *\d+\.\d{6}\]|panic|call trace`) //nolint:gochecknoglobals // a constant

// A break on a serial line and the characters that command a kernel after it do
// nothing: not while the board starts, not before somebody logs in, not after,
// and on no line.
func TestBreak(t *testing.T) {
	campaign(t, "short", "commands to the kernel over its console take a minute")
	t.Parallel()
	s := open(t)
	s.start()
	d := &desk{shop: s}
	d.until("regi> ")
	s.openShift()
	s.slowly("start in the cloud", func() bool { return s.count("fw.boot") == 1 })
	d.commandKernel()
	d.pin("technician", "824671", true)
	d.commandKernel()
	for _, line := range guest.Lines {
		s.must(s.guest.Break(line))
	}
	s.scan()
	s.keys("CASH")
	s.shows("ｵﾂﾘ")
	s.slowly("sale in the cloud", func() bool { return s.count("sale.commit") == 1 })
	if n := s.count("fw.boot"); n != 1 {
		t.Errorf("it has started %d times", n)
	}
	s.noAlarm()
}

// commandKernel gives each command, and shows after each that the machine
// is the one it was (the monitor is a QEMU's, which ends at a reset), that the
// console hears what is typed, and that nobody else speaks on it.
func (d *desk) commandKernel() {
	d.Helper()
	d.fresh()
	for i := range commands {
		command := commands[i : i+1]
		d.must(d.guest.Break("console"))
		d.say(command)
		d.marks++
		mark := "mark" + strconv.Itoa(d.marks)
		d.say("\x15" + mark + "\r")
		said := d.until(mark)
		if word := words.FindString(said); word != "" {
			d.Fatalf("break and %q: the kernel's %q is on the console:\n%s", command, word, said)
		}
		d.mark = mark
	}
	if events := strings.Join(d.guest.Events(), " "); strings.Contains(events, "RESET") || strings.Contains(events, "SHUTDOWN") {
		d.Errorf("the machine was reset: %s", events)
	}
}
