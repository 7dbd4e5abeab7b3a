package escpos

import (
	"strings"
	"time"

	"regi/drivers"
	"regi/drivers/printjob"
)

// What the printer says, told apart by bit patterns (Epson ESC/POS reference,
// "Transmission status": identification of the status bytes).
const (
	xon, xoff = 0x11, 0x13

	realTimeMask, realTime = 0x93, 0x12 // DLE EOT: 0xx1xx10
	autoMask, autoFirst    = 0x93, 0x10 // automatic status: 0xx1xx00 …
	plainMask, plain       = 0x90, 0x00 // … and three 0xx0xxxx, as GS r is
)

// blockMax bounds block data: a header byte, text, NUL.
const blockMax = 96

// A process ID response is 37h 22h, the four bytes of the ID, NUL.
const (
	processFirst byte = 0x37
	processHead       = "\x37\x22"
	idLength          = 4
)

// processID makes the n-th ID. Of the bytes that the manual allows (20h–7Eh) it
// uses those that are no answer to DLE EOT, which may come in between.
func processID(n int64) string {
	const digits = 32
	var id [idLength]byte
	for i := range id {
		id[i] = "@ABCDEFGHIJKLMNO`abcdefghijklmno"[n%digits]
		n /= digits
	}
	return string(id[:])
}

// answers sorts the bytes of a printer by the question they answer. A byte
// that nobody asked for answers nothing.
type answers struct {
	printjob.Ledger

	status []byte // answers to DLE EOT, in order
	name   byte   // the answer to a fence without ID, 0: any

	part []byte // of an automatic status
	// auto is the newest one, nil: none since it was switched on; rung counts
	// those that said something else than the one before.
	auto    *drivers.PrinterStatus
	rung    int
	illegal int  // automatic statuses that were none
	deaf    bool // they are not believed any more
	denied  int  // the value of rung that DLE EOT did not confirm

	block []byte // block data so far
	// want is the beginning of the block data that somebody has asked for, found
	// the block; plainly is set by who waits for one plain byte.
	want    string
	found   string
	plainly bool
	byte    []byte
}

// gap is longer than the bytes of one answer are apart.
const gap = 250 * time.Millisecond

// Hear sorts bytes.
func (a *answers) Hear(bytes []byte, silent time.Duration) {
	if silent > gap {
		a.pausedLine()
	}
	for _, b := range bytes {
		a.feed(b)
	}
}

func (a *answers) feed(b byte) {
	switch {
	case b == xon, b == xoff: // also between the bytes of the answers below
		a.Xoff = b == xoff
	case b&realTimeMask == realTime && (b < ' ' || !a.text(b)):
		a.answer(b)
	case len(a.block) > 0:
		a.inBlock(b)
	case b&autoMask == autoFirst:
		if len(a.part) > 0 {
			a.broken()
		}
		a.part = append(a.part[:0], b)
	case len(a.part) > 0:
		a.automatic(b)
	case a.plainly && b&plainMask == plain:
		a.byte, a.plainly = []byte{b}, false
	case b&plainMask == plain && (a.name == 0 || a.name == b) && a.Pass(printjob.Unnamed):
	case startsBlock(b):
		a.block = append(a.block, b)
	default:
		a.Noise++
	}
}

// text says that b may be that of a text in block data. In a fence's ID nothing
// looks like the answer to DLE EOT.
func (a *answers) text(b byte) bool {
	switch {
	case len(a.block) == 0:
		return false
	case a.block[0] != processFirst:
		return true
	case a.block[len(a.block)-1] == processFirst:
		return len(a.want) > 1 && a.want[0] == processFirst && a.want[1] == b
	}
	return !strings.Contains(string(a.block), processHead)
}

// automatic takes a further byte of an automatic status.
func (a *answers) automatic(b byte) {
	if b&plainMask != plain {
		a.broken()
		a.feed(b) // it may begin something else
		return
	}
	a.part = append(a.part, b)
	if len(a.part) < autoBytes {
		return
	}
	now := automatic([autoBytes]byte(a.part))
	a.part = a.part[:0]
	if a.auto == nil || *a.auto != now {
		a.auto = &now
		a.rung++
	}
}

// broken is an automatic status that was none.
func (a *answers) broken() {
	a.part = a.part[:0]
	a.illegal++
	if !a.deaf {
		a.Noise++
	}
}

// pausedLine is told that the line was silent for longer than an automatic
// status has between its bytes.
func (a *answers) pausedLine() {
	if len(a.part) > 0 {
		a.broken()
	}
}

// Halted says that the printer has told by itself that it does not print.
func (a *answers) Halted() (told int, halted bool) {
	return a.rung, a.auto != nil && !a.deaf && a.rung != a.denied && a.auto.Err() != nil
}

// Deny is told that DLE EOT says otherwise.
func (a *answers) Deny(told int) { a.denied = told }

func (a *answers) inBlock(b byte) {
	if b != 0 && len(a.block) < blockMax {
		a.block = append(a.block, b)
		return
	}
	whole := string(a.block)
	a.block = a.block[:0]
	if a.want != "" && b == 0 && strings.HasPrefix(whole, a.want) {
		a.want, a.found = "", whole
		return
	}
	// A broken byte may stand before it. Another ID is that of a document that
	// was given up.
	last := whole[max(0, len(whole)-len(processHead)-idLength):]
	if id, ours := strings.CutPrefix(last, processHead); ours && b == 0 && len(id) == idLength {
		a.Pass(id)
	}
}

func (a *answers) answer(b byte) {
	if a.Asked == 0 {
		a.Extra++
		return
	}
	a.Asked--
	a.status = append(a.status, b)
}

func startsBlock(b byte) bool {
	switch b {
	case 0x35, 0x37, 0x39, 0x3B, 0x3D, 0x5F:
		return true
	}
	return false
}
