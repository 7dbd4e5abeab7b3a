package escpos

import "strings"

// What the printer says, told apart by bit patterns (Epson ESC/POS reference,
// "Transmission status": identification of the status bytes).
const (
	xon, xoff = 0x11, 0x13

	realTimeMask, realTime = 0x93, 0x12 // DLE EOT: 0xx1xx10
	asbMask, asbFirst      = 0x93, 0x10 // automatic status: 0xx1xx00 …
	plainMask, plain       = 0x90, 0x00 // … and three 0xx0xxxx, as GS r is
	asbRest                = 3
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

// readFence stands in owes for one that is answered when it is read (GS r);
// others stand there with their ID.
const readFence = ""

// answers sorts the bytes of a printer by the question they answer. A byte
// that nobody asked for answers nothing.
type answers struct {
	asked  int    // DLE EOT answers still to come
	status []byte // those that came, in order
	extra  int    // DLE EOT answers beyond those asked for

	owes   []string // fences without an answer, oldest first
	passed int      // fences with one

	xoff bool
	// noise counts bytes that are no answer: a wrong speed, a broken line.
	noise int

	asb   int    // bytes of an automatic status still to skip
	block []byte // block data so far
}

// owed is the number of fences without an answer.
func (a *answers) owed() int { return len(a.owes) }

// pass takes the answer to the oldest fence, if it is that.
func (a *answers) pass(id string) bool {
	if len(a.owes) == 0 || a.owes[0] != id {
		return false
	}
	a.owes = a.owes[1:]
	a.passed++
	return true
}

func (a *answers) feed(b byte) {
	switch {
	case b == xon, b == xoff: // also between the bytes of the answers below
		a.xoff = b == xoff
	case b&realTimeMask == realTime && (b < ' ' || len(a.block) == 0 || a.block[0] == processFirst):
		a.answer(b)
	case len(a.block) > 0:
		a.inBlock(b)
	case b&asbMask == asbFirst:
		a.asb = asbRest
	case b&plainMask == plain && a.asb > 0:
		a.asb--
	case b&plainMask == plain && a.pass(readFence):
	case startsBlock(b):
		a.block = append(a.block, b)
	default:
		a.noise++
	}
}

func (a *answers) inBlock(b byte) {
	if b != 0 && len(a.block) < blockMax {
		a.block = append(a.block, b)
		return
	}
	// Another ID is that of a document that was given up.
	if id, ours := strings.CutPrefix(string(a.block), processHead); ours && b == 0 && len(id) == idLength {
		a.pass(id)
	}
	a.block = a.block[:0]
}

func (a *answers) answer(b byte) {
	if a.asked == 0 {
		a.extra++
		return
	}
	a.asked--
	a.status = append(a.status, b)
}

func startsBlock(b byte) bool {
	switch b {
	case 0x35, 0x37, 0x39, 0x3B, 0x3D, 0x5F:
		return true
	}
	return false
}
