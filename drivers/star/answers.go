package star

import (
	"time"

	"regi/drivers"
	"regi/drivers/printjob"
)

// What the printer says, told apart by bit patterns (Line Mode 5.2.3, "Status
// identification method"): the first byte of a status is 0xx0xxx1, the others
// are 0xx0xxx0. XON and XOFF may come between any two bytes.
const (
	xon, xoff = 0x11, 0x13

	statusMask, statusHead, statusRest = 0x91, 0x01, 0x00
	expandedMask                       = 0x11 // the second byte has b7 for more
)

// Bytes of a status frame: two headers, then what the printer says of itself.
const (
	frameLeast = 7 // to printer status 5
	frameMost  = 31 + 2

	aboutPrinter = 2
	aboutError   = 3
	aboutError2  = 4
	aboutPaper   = 5
	aboutETB     = 7
)

// Their bits.
const (
	printerSwitch  = 0x04 // the drawer's
	printerOffline = 0x08
	printerCover   = 0x20

	errorMechanical    = 0x04
	errorCutter        = 0x08
	errorUnrecoverable = 0x20
	errorHot           = 0x40

	error2Head, error2Jam, error2Mark = 0x02, 0x04, 0x08

	paperNearOuter, paperNearInner, paperEnd = 0x02, 0x04, 0x08
)

// frameLength is how long a frame is by its first two bytes: b1–b3 and b5, b6
// of the first, and two more bytes if the second says that there is more.
func frameLength(first, second byte) int {
	return int(first>>2&0x18|first>>1&0x07) + int(second>>6&0x02)
}

// etbCount is the counter of printer status 6: b1–b3, b5 and b6.
func etbCount(b byte) int { return int(b>>2&0x18 | b>>1&0x07) }

// etbs: the counter has five bits.
const etbs = 32

func statusOf(frame []byte) drivers.PrinterStatus {
	printer, fault, fault2, paper := frame[aboutPrinter], frame[aboutError], frame[aboutError2], frame[aboutPaper]
	return drivers.PrinterStatus{
		Offline:       printer&printerOffline != 0 || fault2&error2Head != 0,
		Mechanical:    fault&errorMechanical != 0 || fault2&(error2Jam|error2Mark) != 0,
		HeadHot:       fault&errorHot != 0,
		CoverOpen:     printer&printerCover != 0,
		PaperOut:      paper&paperEnd != 0,
		PaperNearEnd:  paper&(paperNearInner|paperNearOuter) != 0,
		Cutter:        fault&errorCutter != 0,
		Unrecoverable: fault&errorUnrecoverable != 0,
		DrawerPin3:    printer&printerSwitch != 0,
	}
}

// The answer to ESC GS ETX 1 repeats the question with its two bytes of ID,
// then comes the printer's counter, which is cleared before each question and
// so is always 1, and NUL.
const (
	replyHead   = "\x1b\x1d\x03\x01"
	idLength    = 2
	replyTail   = "\x01\x00"
	replyLength = len(replyHead) + idLength + len(replyTail)
)

// isID tells the bytes that IDs are made of: no control byte, and no byte of a
// status, which may come in between.
func isID(b byte) bool { return b >= '0' && b&0x90 != 0 && b != 0x7F && b != 0xFF }

// idDigits is how many bytes isID tells.
const idDigits = 174

// fenceID makes the n-th ID.
func fenceID(n int64) string {
	var id [idLength]byte
	for i := range id {
		id[i] = idDigit(int(n % idDigits))
		n /= idDigits
	}
	return string(id[:])
}

func idDigit(n int) byte {
	for b := byte('0'); ; b++ {
		if isID(b) {
			if n == 0 {
				return b
			}
			n--
		}
	}
}

// answers sorts the bytes of a printer by the question they answer. A byte
// that nobody asked for answers nothing.
type answers struct {
	printjob.Ledger // Lost, too, where the counter moved by more than was owed

	status drivers.PrinterStatus
	etb    int // the printer's counter, as last heard

	frame []byte // a status so far
	reply []byte // an answer to ESC GS ETX so far
}

// Hear sorts bytes.
func (a *answers) Hear(bytes []byte, _ time.Duration) {
	for _, b := range bytes {
		a.feed(b)
	}
}

func (a *answers) feed(b byte) {
	switch {
	case b == xon, b == xoff:
		a.Xoff = b == xoff
	case a.inReply(b):
	case len(a.frame) > 0 && b&statusMask == statusRest, len(a.frame) == 1 && b&expandedMask == statusRest:
		a.inFrame(b)
	case b&statusMask == statusHead:
		a.Noise += len(a.frame)
		a.frame = append(a.frame[:0], b)
	default:
		a.Noise += 1 + len(a.frame)
		a.frame = a.frame[:0]
	}
}

// inReply takes b if it goes on with an answer to ESC GS ETX. A status inside
// one does not end it.
func (a *answers) inReply(b byte) bool {
	if !fitsReply(len(a.reply), b) {
		if b&0x90 == 0 || len(a.reply) == 0 {
			return false
		}
		a.Noise += len(a.reply)
		a.reply = a.reply[:0]
		if !fitsReply(0, b) {
			return false
		}
	}
	a.reply = append(a.reply, b)
	if len(a.reply) == replyLength {
		a.Pass(string(a.reply[len(replyHead) : len(replyHead)+idLength]))
		a.reply = a.reply[:0]
	}
	return true
}

func fitsReply(at int, b byte) bool {
	switch tail := len(replyHead) + idLength; {
	case at < len(replyHead):
		return b == replyHead[at]
	case at < tail:
		return isID(b)
	default:
		return b == replyTail[at-tail]
	}
}

func (a *answers) inFrame(b byte) {
	a.frame = append(a.frame, b)
	length := frameLength(a.frame[0], a.frame[1])
	switch {
	case length < frameLeast || a.frame[1] == 0: // no printer is of version 0
		a.Noise += len(a.frame)
		a.frame = a.frame[:0]
	case len(a.frame) == length:
		a.told(a.frame)
		a.frame = a.frame[:0]
	}
}

func (a *answers) told(frame []byte) {
	if len(frame) > aboutETB {
		a.count(etbCount(frame[aboutETB]))
	}
	if a.Asked == 0 {
		a.Extra++
		return
	}
	a.Asked--
	a.status = statusOf(frame)
}

// count passes as many fences as the counter has moved.
func (a *answers) count(etb int) {
	n := (etb - a.etb + etbs) % etbs
	a.etb = etb
	if n == 0 || len(a.Owes) == 0 || a.Owes[0] != printjob.Unnamed {
		return
	}
	if n > len(a.Owes) {
		a.Lost = true
		return
	}
	a.Owes = a.Owes[n:]
	a.Passed += n
}
