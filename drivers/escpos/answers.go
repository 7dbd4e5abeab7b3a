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
	processHead = "\x37\x22"
	idLength    = 4
)

// answers sorts the bytes of a printer by the question they answer. A byte
// that nobody asked for answers nothing.
type answers struct {
	asked  int    // DLE EOT answers still to come
	status []byte // those that came, in order
	extra  int    // DLE EOT answers beyond those asked for

	fences, passed int    // GS r: sent and answered
	printed        string // the ID of the newest GS ( H that was answered

	xoff bool
	// noise counts bytes that are no answer: a wrong speed, a broken line.
	noise int

	asb   int    // bytes of an automatic status still to skip
	block []byte // block data so far
}

// owed is the number of fences without an answer.
func (a *answers) owed() int { return a.fences - a.passed }

func (a *answers) feed(b byte) {
	switch {
	case b == xon, b == xoff: // also between the bytes of the answers below
		a.xoff = b == xoff
	case len(a.block) > 0 && (b == 0 || b >= ' '):
		a.inBlock(b)
	case b&realTimeMask == realTime:
		a.answer(b)
	case b&asbMask == asbFirst:
		a.asb = asbRest
	case b&plainMask == plain && a.asb > 0:
		a.asb--
	case b&plainMask == plain && a.owed() > 0:
		a.passed++
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
	id, ours := strings.CutPrefix(string(a.block), processHead)
	if ours && b == 0 && len(id) == idLength {
		a.printed = id
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
