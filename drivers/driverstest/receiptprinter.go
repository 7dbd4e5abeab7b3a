package driverstest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// ReceiptPrinter is the device's end of a printer's line: a small reading of
// ESC/POS that prints into a list of lines, and fails on demand. It obeys
// real-time commands when they arrive and all others in their turn, and stops
// for want of paper, an open cover or a jammed cutter as hardware does.
type ReceiptPrinter struct {
	speaks  language
	wire    io.ReadWriteCloser
	answers chan []byte
	running sync.WaitGroup

	mu   sync.Mutex
	cond *sync.Cond // something below changed

	ended    bool
	faults   PrinterFaults
	left     int // lines of paper; -1 is plenty
	reads    int // bytes it still reads; -1 is plenty
	jammed   bool
	latched  bool // a cutter error that DLE ENQ ends
	pin3     bool
	kept     []string // the keys of the pictures in its memory
	auto     bool     // GS a: automatic status
	reported string   // the newest one
	opens    int      // kicks until the drawer opens; 0 is never
	held     [][]byte
	received []byte
	command  []byte   // the beginning of the one that is arriving
	queue    [][]byte // commands to come
	stopped  bool     // XOFF was sent

	line  []byte
	lead  byte // the first half of a kanji
	state printState
	lines []string
	kicks []PrinterKick
	// enquiries are the n of each DLE ENQ.
	enquiries []byte
	problems  []string
}

// PrinterFaults are what may be wrong with a printer at a time.
type PrinterFaults struct {
	Cover, PaperOut, NearEnd, Unrecoverable bool
	// Mute answers nothing; Hold answers later, when it is taken away.
	Mute, Hold bool
	// Garbage, if not nil, is what is answered instead.
	Garbage []byte
	// Off: without power it forgets all, and its line breaks: a NUL
	// arrives, and one more when it comes back.
	Off bool
	// Stuck reads no byte; see Reads.
	Stuck bool
	// FencesLeft, if not zero, is how many more GS r and GS ( H are answered
	// before the paper ends.
	FencesLeft int
	// Mechanical, HeadHot are errors of the mechanism; a Latched cutter error
	// stays when the jam is gone, until DLE ENQ 1 or 2.
	Mechanical, HeadHot, Latched bool
	// Forgets loses the buffer when the cover opens or the paper ends, as some
	// clones do.
	Forgets bool
	// Auto, if not nil, is sent in place of an automatic status; NoAuto knows no
	// GS a, NoProcessID no GS ( H.
	Auto                []byte
	NoAuto, NoProcessID bool
	// NoMemory keeps no pictures: it knows no GS ( L.
	NoMemory bool
	// NoIdentity does not answer GS I 1.
	NoIdentity bool
	// Swallows is how many more bytes it takes for those of a picture, which a
	// host left unfinished. It hears real-time commands among them.
	Swallows int
	// LineTime is what one line takes.
	LineTime time.Duration
	// BufferBytes is how much it holds before it sends XOFF; zero is plenty.
	BufferBytes int
}

// PrinterKick is a pulse at the drawer connector.
type PrinterKick struct {
	Pin      int
	At       time.Time
	On       time.Duration
	RealTime bool
}

// printState is what ESC @ resets. Without one since the power came, what is
// printed is nobody's fault.
type printState struct {
	initialized, sjis, kanji, katakana, latin, japan bool
	star                                             starState
}

// drawnMark stands in Lines for a character whose dots were sent.
const drawnMark = "〓"

// queueMax bounds what a test may make the device hold.
const queueMax = 1 << 20

// NewReceiptPrinter starts the device on its end of a line, until the test ends.
func NewReceiptPrinter(t *testing.T, wire io.ReadWriteCloser) *ReceiptPrinter {
	t.Helper()
	return newReceiptPrinter(t, wire, escpos{})
}

func newReceiptPrinter(t *testing.T, wire io.ReadWriteCloser, speaks language) *ReceiptPrinter {
	t.Helper()
	d := &ReceiptPrinter{speaks: speaks, wire: wire, answers: make(chan []byte, 4096), left: -1, reads: -1}
	d.cond = sync.NewCond(&d.mu)
	d.running.Add(3)
	go d.read()
	go d.write()
	go d.print()
	t.Cleanup(func() {
		d.Unplug()
		d.running.Wait()
	})
	return d
}

// Unplug closes the device's end. The paper can still be read.
func (d *ReceiptPrinter) Unplug() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.ended = true
		close(d.answers)
		d.wire.Close() //nolint:errcheck,gosec // the line may be down already
		d.cond.Broadcast()
	}
}

// Set changes what is wrong with the printer.
func (d *ReceiptPrinter) Set(change func(*PrinterFaults)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.faults
	change(&d.faults)
	if d.faults.Off && !before.Off {
		d.forget()
		d.state, d.auto, d.latched, d.reported = printState{}, false, false, ""
		d.say(0)
	}
	if d.faults.Forgets && (d.faults.Cover && !before.Cover || d.faults.PaperOut && !before.PaperOut) {
		d.forget()
	}
	if !d.faults.Off && before.Off {
		d.say(0)
	}
	if !d.faults.Hold {
		for _, a := range d.held {
			d.say(a...)
		}
		d.held = nil
	}
	d.report()
	d.cond.Broadcast()
}

// forget loses what was received and is not on the paper.
func (d *ReceiptPrinter) forget() {
	d.command, d.queue, d.line, d.lead = nil, nil, nil, 0
}

// report sends the automatic status if it has changed.
func (d *ReceiptPrinter) report() {
	if !d.auto || d.faults.Off || d.faults.NoAuto {
		return
	}
	b := []byte{0x10, 0, 0, 0}
	set := func(on bool, i int, bit byte) {
		if on {
			b[i] |= bit
		}
	}
	set(d.pin3, 0, 0x04)
	set(d.paused(), 0, 0x08)
	set(d.faults.Cover, 0, 0x20)
	set(d.faults.Mechanical, 1, 0x04)
	set(d.jammedNow(), 1, 0x08)
	set(d.faults.Unrecoverable, 1, 0x20)
	set(d.faults.HeadHot, 1, 0x40)
	set(d.faults.NearEnd || d.faults.PaperOut, 2, 0x03)
	set(d.faults.PaperOut, 2, 0x0C)
	if string(b) == d.reported {
		return
	}
	d.reported = string(b)
	if d.faults.Auto != nil {
		b = d.faults.Auto
	}
	d.answer(b...)
}

// PaperFor lets the paper end after so many lines, with a new roll by -1.
func (d *ReceiptPrinter) PaperFor(lines int) {
	d.Set(func(f *PrinterFaults) { f.PaperOut, d.left = lines == 0, lines })
}

// Reads lets the device stop reading after n more bytes, or go on by -1.
func (d *ReceiptPrinter) Reads(n int) {
	d.Set(func(*PrinterFaults) { d.reads = n })
}

// JamCutter lets the next cut fail, or clears the jam.
func (d *ReceiptPrinter) JamCutter(jammed bool) {
	d.Set(func(*PrinterFaults) { d.jammed = jammed })
}

// Drawer connects a drawer that opens at the n-th kick from now, or never (0).
func (d *ReceiptPrinter) Drawer(n int) {
	d.Set(func(*PrinterFaults) { d.opens, d.pin3 = n, false })
}

// Lines is the paper so far; a cut is "✂".
func (d *ReceiptPrinter) Lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// AfterLines returns once so many lines are on the paper, or the device ended.
func (d *ReceiptPrinter) AfterLines(n int) {
	d.wait(func() bool { return len(d.lines) >= n })
}

// Kicks are the pulses so far.
func (d *ReceiptPrinter) Kicks() []PrinterKick {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.kicks)
}

// Problems are bytes that make no sense to a printer.
func (d *ReceiptPrinter) Problems() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.problems)
}

// Received are all bytes so far.
func (d *ReceiptPrinter) Received() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.received)
}

// Say sends bytes that nobody asked for.
func (d *ReceiptPrinter) Say(b ...byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.say(b...)
}

func (d *ReceiptPrinter) say(b ...byte) {
	if !d.ended {
		select {
		case d.answers <- b:
		default: // nobody listens
		}
	}
}

func (d *ReceiptPrinter) read() {
	defer d.running.Done()
	buf := make([]byte, 256)
	for d.wait(func() bool { return !d.faults.Stuck && d.reads != 0 }) {
		n, err := d.wire.Read(buf[:d.mayRead(len(buf))])
		d.mu.Lock()
		if d.reads > 0 {
			d.reads = max(0, d.reads-n)
		}
		for _, b := range buf[:n] {
			d.receive(b)
		}
		d.cond.Broadcast()
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (d *ReceiptPrinter) mayRead(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reads > 0 {
		return min(n, d.reads)
	}
	return n
}

func (d *ReceiptPrinter) write() {
	defer d.running.Done()
	for b := range d.answers {
		if _, err := d.wire.Write(b); err != nil {
			return
		}
	}
}

// wait returns once ok is true, false if the device has ended.
func (d *ReceiptPrinter) wait(ok func() bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.ended && !ok() {
		d.cond.Wait()
	}
	return !d.ended
}

func (d *ReceiptPrinter) print() {
	defer d.running.Done()
	for d.wait(func() bool { return len(d.queue) > 0 && !d.paused() }) {
		d.mu.Lock()
		var pause time.Duration
		if len(d.queue) > 0 { // the power may be off by now
			c := d.queue[0]
			if d.speaks.obey(d, c) {
				d.queue = d.queue[min(1, len(d.queue)):]
			}
			if c[0] == '\n' {
				d.cond.Broadcast()
				pause = d.faults.LineTime
			}
			d.flow()
			d.report()
		}
		d.mu.Unlock()
		time.Sleep(pause)
	}
}

func (d *ReceiptPrinter) paused() bool {
	f := d.faults
	return f.Cover || f.PaperOut || f.Unrecoverable || f.Mechanical || f.HeadHot || d.jammedNow()
}

// jammedNow: a jam shows when the printer cuts.
func (d *ReceiptPrinter) jammedNow() bool {
	now := d.jammed && len(d.queue) > 0 && d.speaks.cuts(d.queue[0])
	d.latched = d.latched || now && d.faults.Latched
	return now || d.latched
}

// flow sends XOFF and XON.
func (d *ReceiptPrinter) flow() {
	full := d.faults.BufferBytes > 0 && len(d.queue) >= d.faults.BufferBytes
	if full != d.stopped {
		d.stopped = full
		d.say(map[bool]byte{true: 0x13, false: 0x11}[full])
	}
}

// receive puts one byte where it belongs.
func (d *ReceiptPrinter) receive(b byte) {
	if d.faults.Off {
		return
	}
	if len(d.received) < queueMax {
		d.received = append(d.received, b)
	}
	if d.swallow(b) {
		return
	}
	d.command = append(d.command, b)
	n, known := d.speaks.length(d.command)
	if !known {
		d.problems = append(d.problems, fmt.Sprintf("no command: % x", d.command))
		d.command = nil
		return
	}
	if len(d.command) < n {
		return
	}
	c := d.command
	d.command = nil
	switch {
	case c[0] == 0, c[0] < ' ' && len(c) > 1 && c[1] == 0:
	case d.speaks.realTime(d, c):
	case len(d.queue) < queueMax:
		d.queue = append(d.queue, c)
		d.flow()
	}
}

// swallow takes a byte as one of a picture.
func (d *ReceiptPrinter) swallow(b byte) bool {
	if d.faults.Swallows == 0 {
		return false
	}
	d.faults.Swallows--
	last := d.received[max(0, len(d.received)-3):]
	if len(last) == 3 && last[0] == 0x10 && last[1] == 0x04 && b >= 1 && b <= 4 {
		d.answer(d.status(b))
	}
	return true
}

// parameters of commands, by their first two bytes.
//
//nolint:gochecknoglobals // a constant table
var parameters = map[string]int{
	"\x1b@": 0, "\x1ba": 1, "\x1bE": 1, "\x1bR": 1, "\x1bt": 1, "\x1bd": 1, "\x1bJ": 1, "\x1bp": 3,
	"\x1c&": 0, "\x1c.": 0, "\x1cC": 1, "\x1c!": 1, "\x1c2": 2 + 72,
	"\x1d!": 1, "\x1da": 1, "\x1dr": 1, "\x1dV": 2,
	"\x1dI": 1, "\x10\x04": 1, "\x10\x05": 1, "\x10\x14": 3,
}

// commandLength is how many bytes the command that c begins has.
func commandLength(c []byte) (n int, known bool) {
	switch c[0] {
	case 0x10, 0x1B, 0x1C, 0x1D:
		if len(c) == 1 {
			return 2, true
		}
		if c[1] == 0 {
			return 2, true // hardware skips what it does not know: NULs mend a cut command
		}
		if string(c[:2]) == "\x1d(" { // GS ( x pL pH and so many bytes
			if len(c) < 5 {
				return 5, true
			}
			return 5 + int(c[3]) + int(c[4])<<8, c[2] == 'H' || c[2] == 'L' || c[2] == 0
		}
		if string(c[:2]) == "\x1d8" { // GS 8 L p1 p2 p3 p4 and so many bytes
			if len(c) < 7 {
				return 7, true
			}
			return 7 + int(c[3]) + int(c[4])<<8 + int(c[5])<<16, true
		}
		if string(c[:2]) == "\x1dv" { // GS v 0 m xL xH yL yH and so many bytes
			if len(c) < 8 {
				return 8, true
			}
			return 8 + (int(c[4])+int(c[5])<<8)*(int(c[6])+int(c[7])<<8), true
		}
		if string(c[:2]) == "\x1b*" { // ESC * 33 nL nH and three bytes a column
			if len(c) < 5 {
				return 5, true
			}
			return 5 + 3*(int(c[3])+int(c[4])<<8), c[2] == 33
		}
		n, known := parameters[string(c[:2])]
		return 2 + n, known
	case 0, '\n':
		return 1, true
	}
	return 1, c[0] >= ' ' && c[0] != 0x7F
}

func (d *ReceiptPrinter) realTime(c []byte) {
	if c[1] == 0x14 {
		if c[2] == 1 && !d.faults.Unrecoverable {
			d.kick(PrinterKick{Pin: 2 + 3*int(c[3]), On: time.Duration(c[4]) * 100 * time.Millisecond, RealTime: true})
		}
		return
	}
	if c[1] == 0x05 {
		d.enquiries = append(d.enquiries, c[2])
		d.latched = false
		if c[2] == 2 {
			d.forget()
		}
		d.report()
		return
	}
	d.answer(d.status(c[2]))
}

// Enquiries are the DLE ENQ so far.
func (d *ReceiptPrinter) Enquiries() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.enquiries)
}

func (d *ReceiptPrinter) answer(b ...byte) {
	switch {
	case d.faults.Mute:
	case d.faults.Garbage != nil:
		d.say(d.faults.Garbage...)
	case d.faults.Hold:
		d.held = append(d.held, b)
	default:
		d.say(b...)
	}
}

func (d *ReceiptPrinter) status(n byte) byte {
	b := byte(0x12)
	set := func(on bool, bit byte) {
		if on {
			b |= bit
		}
	}
	switch n {
	case 1:
		set(d.pin3, 0x04)
		set(d.paused(), 0x08)
	case 2:
		set(d.faults.Cover, 0x04)
		set(d.faults.PaperOut, 0x20)
		set(d.jammedNow() || d.faults.Unrecoverable || d.faults.Mechanical || d.faults.HeadHot, 0x40)
	case 3:
		set(d.faults.Mechanical, 0x04)
		set(d.jammedNow(), 0x08)
		set(d.faults.Unrecoverable, 0x20)
		set(d.faults.HeadHot, 0x40)
	case 4:
		set(d.faults.NearEnd || d.faults.PaperOut, 0x0C)
		set(d.faults.PaperOut, 0x60)
	}
	return b
}

func (d *ReceiptPrinter) kick(k PrinterKick) {
	k.At = time.Now()
	d.kicks = append(d.kicks, k)
	if d.opens > 0 {
		d.opens--
		d.pin3 = d.opens == 0
	}
	d.report()
}

// obey does one command; false: not yet, the paper has ended.
func (d *ReceiptPrinter) obey(c []byte) bool {
	switch {
	case c[0] >= ' ':
		d.character(c[0])
		return true
	case c[0] == '\n':
		if d.left == 0 {
			d.faults.PaperOut = true
			d.report()
			if d.faults.Forgets {
				d.forget()
			}
			return false
		}
		d.left = max(d.left-1, -1)
		d.lines = append(d.lines, string(d.line))
		d.line = nil
		return true
	}
	switch string(c[:2]) {
	case "\x1b@":
		d.line, d.lead, d.state = nil, 0, printState{initialized: true, kanji: true}
	case "\x1bp":
		d.kick(PrinterKick{Pin: 2 + 3*int(c[2]), On: time.Duration(c[3]) * 2 * time.Millisecond})
	case "\x1bd":
		d.lines = append(d.lines, make([]string, c[2])...)
	case "\x1dV":
		d.lines = append(d.lines, "✂")
	case "\x1dr":
		d.fence(0)
	case "\x1dv":
		d.lines = append(d.lines, PictureMark)
	case "\x1d8":
		if !d.faults.NoMemory && !bytes.Contains(c[:12], []byte{0, 0, 0, 0}) {
			d.kept = append(d.kept, string(c[10:12]))
		}
	case "\x1d(":
		if c[2] == 'L' {
			return d.graphics(c)
		}
		if bytes.Contains(c[5:], []byte{0}) || len(c) == 5 {
			break // a command that was cut short and mended with NULs
		}
		if len(c) != 11 || c[5] != 0x30 || c[6] != 0x30 {
			d.problems = append(d.problems, fmt.Sprintf("no GS ( H: % x", c))
			break
		}
		d.fence(append(append([]byte{0x37, 0x22}, c[7:]...), 0)...)
	case "\x1b*":
		d.line = append(d.line, drawnMark...)
	case "\x1da":
		d.auto, d.reported = c[2] != 0, ""
	case "\x1dI":
		d.identify(c[2])
	default:
		d.state.set(c)
	}
	return true
}

// set obeys a command that changes how text is read.
func (s *printState) set(c []byte) {
	switch string(c[:2]) {
	case "\x1bR":
		s.japan = c[2] == 8
	case "\x1bt":
		s.katakana, s.latin = c[2] == 1, c[2] == 16
	case "\x1cC":
		s.sjis = c[2] == 1
	case "\x1c&", "\x1c.":
		s.kanji = c[1] == '&'
	}
}

// PictureMark stands in Lines for a picture.
const PictureMark = "[picture]"

// graphics obeys GS ( L fn 64 and 69.
func (d *ReceiptPrinter) graphics(c []byte) bool {
	switch {
	case d.faults.NoMemory || len(c) < 7:
	case c[6] == 64:
		d.answer([]byte("\x37\x72\x40" + strings.Join(d.kept, "") + "\x00")...)
	case c[6] == 69 && len(c) > 8 && slices.Contains(d.kept, string(c[7:9])):
		if d.left == 0 {
			d.faults.PaperOut = true
			d.report()
			return false
		}
		d.lines = append(d.lines, PictureMark)
	}
	return true
}

// Kept is how many pictures are in its memory.
func (d *ReceiptPrinter) Kept() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.kept)
}

// identify answers GS I n as a TM-T88V would.
func (d *ReceiptPrinter) identify(n byte) {
	switch n {
	case 1:
		if !d.faults.NoIdentity {
			d.fence(0x20)
		}
	case 2:
		d.answer(0x02)
	case 66:
		d.answer([]byte("_EPSON\x00")...)
	case 67:
		d.answer([]byte("_TM-T88V\x00")...)
	}
}

func (d *ReceiptPrinter) fence(answer ...byte) {
	if len(answer) == 1 || !d.faults.NoProcessID {
		d.answer(answer...)
	}
	d.fencePassed()
}

func (d *ReceiptPrinter) fencePassed() {
	if d.faults.FencesLeft == 1 {
		d.faults.PaperOut = true
	}
	d.faults.FencesLeft = max(0, d.faults.FencesLeft-1)
}

// character adds one byte of text to the line.
func (d *ReceiptPrinter) character(b byte) {
	s := d.state
	switch {
	case d.lead != 0:
		c, err := japanese.ShiftJIS.NewDecoder().Bytes([]byte{d.lead, b})
		if d.lead == 0xEC { // user-defined
			c, err = []byte(drawnMark), nil
		}
		if err != nil || string(c) == "\uFFFD" {
			d.problems = append(d.problems, fmt.Sprintf("no kanji: %02x%02x", d.lead, b))
		}
		d.line, d.lead = append(d.line, c...), 0
	case !s.initialized:
		d.line = append(d.line, '.')
	case s.kanji && s.sjis && (b >= 0x81 && b <= 0x9F || b >= 0xE0 && b <= 0xEF):
		d.lead = b
	case b == '\\' && s.japan:
		d.line = append(d.line, "¥"...)
	case b <= '~':
		d.line = append(d.line, b)
	case b >= 0xA1 && b <= 0xDF && s.katakana && !s.kanji:
		d.line = append(d.line, string(rune(b)-0xA1+'｡')...)
	case s.latin && !s.kanji:
		d.line = append(d.line, string(charmap.Windows1252.DecodeByte(b))...)
	default:
		d.problems = append(d.problems, fmt.Sprintf("no character: %02x", b))
	}
}
