package console

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Limits of the line that is edited.
const (
	// LineMax bounds a line, in bytes.
	LineMax = 512
	// historyMax are so many lines as can be called back.
	historyMax = 50
	// columns are what every terminal has; the last one stays free, since
	// terminals differ in what they do there.
	columns = 79
	// escapeMax bounds what is kept of an escape sequence.
	escapeMax = 16
)

// Keys that do something, as bytes.
const (
	keyStart     = 0x01 // Ctrl-A
	keyBack      = 0x02 // Ctrl-B
	keyInterrupt = 0x03 // Ctrl-C
	keyEnd       = 0x04 // Ctrl-D
	keyToEnd     = 0x05 // Ctrl-E
	keyForward   = 0x06 // Ctrl-F
	keyBackspace = 0x08
	keyTab       = 0x09
	keyLF        = 0x0A
	keyKill      = 0x0B // Ctrl-K
	keyRedraw    = 0x0C // Ctrl-L
	keyCR        = 0x0D
	keyNext      = 0x0E // Ctrl-N
	keyPrevious  = 0x10 // Ctrl-P
	keyErase     = 0x15 // Ctrl-U
	keyWord      = 0x17 // Ctrl-W
	keyEscape    = 0x1B
	keyRubout    = 0x7F
)

// What came of a byte.
type outcome uint8

const (
	pending   outcome = iota
	entered           // the line is in editor.taken
	interrupt         // Ctrl-C
	ended             // Ctrl-D on an empty line
)

// editor is a line under way: bytes in, bytes for the terminal out. It runs
// nothing and keeps no time.
type editor struct {
	prompt string
	// secret: nothing is echoed and nothing kept.
	secret bool
	// complete returns what the word before the cursor may become, whole.
	complete func(before string) []string

	out   strings.Builder // for the terminal
	taken string

	line    []rune
	bytes   int  // of line, as UTF-8
	at      int  // the cursor
	first   int  // the leftmost rune shown
	stale   bool // the terminal shows another line: draw it
	partial []byte
	escape  []byte // begun, with its ESC
	cr      bool   // the byte before ended a line

	history []string
	recall  int    // the line shown; len(history): the one being written
	draft   string // that one, while another is shown
}

// begin starts a line below what stands there.
func (e *editor) begin(prompt string, secret bool) {
	e.prompt, e.secret, e.taken = prompt, secret, ""
	e.set("")
	e.recall, e.draft = len(e.history), ""
	e.stale = true
}

// hide takes the line off the terminal, for something else to be written; draw
// brings it back.
func (e *editor) hide() {
	e.out.WriteString("\r\x1b[K")
	e.stale = true
}

// forget drops the history: the next technician is another.
func (e *editor) forget() { e.history, e.recall, e.draft = nil, 0, "" }

// forgetLast drops the newest line of the history, if it is this one.
func (e *editor) forgetLast(line string) {
	if n := len(e.history); n > 0 && e.history[n-1] == strings.TrimSpace(line) {
		e.history = e.history[:n-1]
	}
}

// feed takes one byte of the line.
func (e *editor) feed(b byte) outcome {
	lf := b == keyLF && e.cr // the second half of a line end
	e.cr = b == keyCR
	switch {
	case lf:
		return pending
	case len(e.escape) > 0:
		e.sequence(b)
		return pending
	case b >= utf8.RuneSelf:
		e.part(b)
		return pending
	}
	e.partial = e.partial[:0] // a character that was cut short is none
	switch b {
	case keyCR, keyLF:
		return e.enter()
	case keyInterrupt:
		e.draw()
		e.out.WriteString("^C\r\n")
		e.set("")
		return interrupt
	case keyEnd:
		if len(e.line) == 0 {
			e.draw()
			e.out.WriteString("\r\n")
			return ended
		}
		e.remove(e.at, e.at+1)
	case keyEscape:
		e.escape = append(e.escape[:0], b)
	default:
		e.key(b)
	}
	return pending
}

// key is a byte that edits.
func (e *editor) key(b byte) {
	switch b {
	case keyStart:
		e.move(0)
	case keyToEnd:
		e.move(len(e.line))
	case keyBack:
		e.move(e.at - 1)
	case keyForward:
		e.move(e.at + 1)
	case keyBackspace, keyRubout:
		e.remove(e.at-1, e.at)
	case keyErase:
		e.remove(0, e.at)
	case keyKill:
		e.remove(e.at, len(e.line))
	case keyWord:
		e.remove(e.word(), e.at)
	case keyPrevious:
		e.call(e.recall - 1)
	case keyNext:
		e.call(e.recall + 1)
	case keyRedraw:
		e.stale = true
	case keyTab:
		e.tab()
	default:
		e.insert(rune(b))
	}
}

// enter ends the line.
func (e *editor) enter() outcome {
	e.draw()
	e.taken = string(e.line)
	if said := strings.TrimSpace(e.taken); said != "" && !e.secret {
		if n := len(e.history); n == 0 || e.history[n-1] != said {
			e.history = append(e.history, said)
		}
		if len(e.history) > historyMax {
			e.history = e.history[1:]
		}
	}
	e.out.WriteString("\r\n")
	clear(e.line) // it may have been secret
	e.set("")
	return entered
}

// part collects the bytes of a character.
func (e *editor) part(b byte) {
	if utf8.RuneStart(b) {
		e.partial = e.partial[:0]
	}
	e.partial = append(e.partial, b)
	if !utf8.FullRune(e.partial) {
		return
	}
	r, _ := utf8.DecodeRune(e.partial)
	e.partial = e.partial[:0]
	e.insert(r)
}

// sequence goes on with what the arrows and their neighbours send (ECMA-48 CSI
// and SS3). What is no key of ours is dropped whole.
func (e *editor) sequence(b byte) {
	if len(e.escape) < escapeMax {
		e.escape = append(e.escape, b)
	}
	if len(e.escape) == 2 {
		if b != '[' && b != 'O' {
			e.escape = e.escape[:0]
		}
		return
	}
	const finalMin, finalMax = 0x40, 0x7E
	if b >= ' ' && (b < finalMin || b > finalMax) {
		return
	}
	said := string(e.escape[2:])
	if len(e.escape) == escapeMax { // it may be cut: none of ours is as long
		said = ""
	}
	e.escape = e.escape[:0]
	switch said {
	case "A":
		e.call(e.recall - 1)
	case "B":
		e.call(e.recall + 1)
	case "C":
		e.move(e.at + 1)
	case "D":
		e.move(e.at - 1)
	case "H", "1~", "7~":
		e.move(0)
	case "F", "4~", "8~":
		e.move(len(e.line))
	case "3~":
		e.remove(e.at, e.at+1)
	}
}

// insert puts one character in, if it is one that is printed and has a place of
// its own.
func (e *editor) insert(r rune) {
	if r == utf8.RuneError || !unicode.IsPrint(r) || unicode.Is(unicode.M, r) {
		return
	}
	if e.bytes+utf8.RuneLen(r) > LineMax {
		e.out.WriteByte('\a')
		return
	}
	e.line = append(e.line, 0)
	copy(e.line[e.at+1:], e.line[e.at:])
	e.line[e.at] = r
	e.bytes += utf8.RuneLen(r)
	e.at++
	if !e.stale && e.at == len(e.line) && e.first == 0 && textWidth(e.line) <= e.room() {
		if !e.secret {
			e.out.WriteRune(r)
		}
		return
	}
	e.stale = true
}

func (e *editor) remove(from, to int) {
	from, to = max(from, 0), min(to, len(e.line))
	if from >= to {
		return
	}
	e.bytes -= len(string(e.line[from:to]))
	e.line = append(e.line[:from], e.line[to:]...)
	e.at = from
	e.stale = true
}

func (e *editor) move(to int) {
	e.at = min(max(to, 0), len(e.line))
	e.stale = true
}

// word is where the word before the cursor begins.
func (e *editor) word() int {
	i := e.at
	for i > 0 && e.line[i-1] == ' ' {
		i--
	}
	for i > 0 && e.line[i-1] != ' ' {
		i--
	}
	return i
}

// call shows a line of the history.
func (e *editor) call(n int) {
	if e.secret || n < 0 || n > len(e.history) {
		return
	}
	if e.recall == len(e.history) {
		e.draft = string(e.line)
	}
	e.recall = n
	if n == len(e.history) {
		e.set(e.draft)
	} else {
		e.set(e.history[n])
	}
	e.stale = true
}

func (e *editor) set(s string) {
	e.line = append(e.line[:0], []rune(s)...)
	e.bytes, e.at, e.first = len(s), len(e.line), 0
}

// tab completes the word before the cursor, or lists what it may become.
func (e *editor) tab() {
	if e.secret || e.complete == nil {
		return
	}
	begin := e.at
	for begin > 0 && e.line[begin-1] != ' ' {
		begin--
	}
	typed := string(e.line[begin:e.at])
	offers := e.complete(string(e.line[:e.at]))
	if len(offers) == 0 {
		e.out.WriteByte('\a')
		return
	}
	more := strings.TrimPrefix(common(offers), typed)
	if len(offers) == 1 {
		more += " "
	}
	for _, r := range more {
		e.insert(r)
	}
	if more == "" {
		e.draw()
		e.out.WriteString("\r\n" + strings.Join(offers, "  ") + "\r\n")
		e.stale = true
	}
}

// common is how all begin.
func common(words []string) string {
	first := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, first) {
			_, size := utf8.DecodeLastRuneInString(first)
			first = first[:len(first)-size]
		}
	}
	return first
}

// room is what the terminal's line has for what is typed.
func (e *editor) room() int { return columns - textWidth([]rune(e.prompt)) }

// draw brings the terminal up to date: so much of the line around the cursor as
// there is room for. What comes in at once is drawn once.
func (e *editor) draw() {
	if !e.stale {
		return
	}
	e.stale = false
	e.out.WriteString("\r" + e.prompt)
	if !e.secret {
		e.first = min(e.first, e.at)
		for textWidth(e.line[e.first:e.at]) > e.room() {
			e.first++
		}
		end := e.first
		for used := 0; end < len(e.line); end++ {
			if used += runeWidth(e.line[end]); used > e.room() {
				break
			}
		}
		e.out.WriteString(string(e.line[e.first:end]))
	}
	e.out.WriteString("\x1b[K")
	if e.secret || e.at == len(e.line) {
		return
	}
	column := textWidth([]rune(e.prompt)) + textWidth(e.line[e.first:e.at])
	e.out.WriteString("\r")
	if column > 0 {
		e.out.WriteString("\x1b[" + strconv.Itoa(column) + "C")
	}
}

func textWidth(line []rune) (n int) {
	for _, r := range line {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is how many columns a character takes (UAX 11).
func runeWidth(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
	}
	return 1
}
