package escpos

import (
	"fmt"

	"regi/drivers"
	"regi/drivers/glyph"
	"regi/drivers/printjob"
)

// setUp makes a printer ours, whatever it was before.
const setUp = "\x1b@" + // ESC @: initialize; drops a half line of an older document
	"\x1cC\x01" + // FS C 1: kanji code system Shift_JIS
	"\x1c." + // FS .: kanji mode off
	"\x1bR\x08" + // ESC R 8: international set Japan (5Ch is ¥)
	"\x1bt\x01" // ESC t 1: code table katakana

// setUpPlain is setUp for a printer without kanji, to which FS is nothing and what
// follows it is text.
const setUpPlain = "\x1b@\x1bR\x08\x1bt\x01"

func (m Model) setUp() string {
	if m.Kanji.Has() {
		return setUp
	}
	return setUpPlain
}

const (
	kanjiOn  = "\x1c&" // FS &
	kanjiOff = "\x1c." // FS .
	// FS C n: kanji code system. Under Shift_JIS some printers take 81–9F and
	// E0–FC for half a kanji even after FS . ; under JIS none does.
	systemJIS, systemShiftJIS = "\x1cC\x00", "\x1cC\x01"
	// rawBackslash borrows the USA set (ESC R 0) for one character.
	rawBackslash = "\x1bR\x00\\\x1bR\x08"
	// fence is GS r 1: transmit paper sensor status. It is answered in its turn.
	fence = "\x1dr\x01"
	// printFence is GS ( H fn 48: answer with the four bytes that follow when all
	// before them is printed.
	printFence = "\x1d(H\x06\x00\x30\x30"
	// cut is GS V 66 0: feed to the cutting position and cut partially.
	cut = "\x1dVB\x00"
	// tear is ESC d 5: five lines bring the last one past the tear bar.
	tear = "\x1bd\x05"
)

// Limits of a block: what the printer may hold unprinted is two of them.
const (
	blockBytes = 256
	blockLines = 8
	// lastFences end a document without GS ( H: a broken byte looks like the
	// answer to one fence (a line break arrives as NUL), and must not end it
	// before its time.
	lastFences = 2
)

// stream is a document as the printer takes it.
type stream struct {
	printjob.Stream
	logos []logo // that the printer must keep before it prints this
}

// encode lays doc out for a model, with process IDs from next on. Errors wrap
// drivers.ErrTooLong, drivers.ErrUnsupported or those of package barcode; then
// nothing of it may be printed.
func encode(m Model, doc drivers.Document, next int64) (stream, error) {
	if len(doc.Items) > drivers.DocumentItemsMax {
		return stream{}, fmt.Errorf("%d items, at most %d: %w", len(doc.Items), drivers.DocumentItemsMax, drivers.ErrTooLong)
	}
	e := encoder{model: m, chars: newSet(m, doc.Latin), page: katakana()}
	e.out.Bytes = append(make([]byte, 0, 64*(len(doc.Items)+1)), m.setUp()...)
	e.out.Next = next
	if m.PrintComplete {
		e.out.Telling = printjob.Named
	}
	e.out.Units = make([]printjob.Unit, 0, len(doc.Items)+4)
	e.blank()
	if m.UserKanji.Has() {
		e.slots = glyph.Slots{}
		e.define(doc.Items)
	}
	for i, item := range doc.Items {
		e.items = printjob.MidItem
		if err := e.item(item); err != nil {
			return stream{}, fmt.Errorf("item %d: %w", i+1, err)
		}
		e.items = i + 1
		e.out.Units[len(e.out.Units)-1].Items = i + 1
	}
	e.tail(doc.Cut)
	return e.out, nil
}

type encoder struct {
	model Model
	chars *glyph.Set
	slots glyph.Slots // nil without user-defined kanji
	out   stream

	// The printer's state, to send changes only.
	kanji, jis bool
	bold       bool
	wide, tall bool
	align      drivers.Align
	page       glyph.Page // of ESC t
	inPage     bool       // page mode

	lines      int // in this block
	items      int // see printjob.Unit
	blockBegin int
}

func (e *encoder) put(s string) { e.out.Bytes = append(e.out.Bytes, s...) }

func (e *encoder) command(b ...byte) { e.out.Bytes = append(e.out.Bytes, b...) }

// end ends a unit, and with fences a block.
func (e *encoder) end(fences int) {
	var ids []string
	if fences > 0 {
		ids = make([]string, 0, fences)
	}
	for range fences {
		id := printjob.Unnamed
		if e.model.PrintComplete {
			id = processID(e.out.Next)
			e.out.Next++
			e.put(printFence)
			e.put(id)
		} else {
			e.put(e.model.readFence())
		}
		ids = append(ids, id)
	}
	e.out.Units = append(e.out.Units, printjob.Unit{End: len(e.out.Bytes), Fences: ids, Items: e.items})
	if fences > 0 {
		e.blockBegin, e.lines = len(e.out.Bytes), 0
	}
}

// blank ends a unit that marks no paper.
func (e *encoder) blank() {
	e.end(0)
	e.out.Units[len(e.out.Units)-1].Blank = true
}

// printed ends a unit that is as high as so many lines of text.
func (e *encoder) printed(lines int) {
	e.lines += lines
	fences := 0
	if !e.inPage && (e.lines >= blockLines || len(e.out.Bytes)-e.blockBegin >= blockBytes) {
		fences = 1
	}
	e.end(fences)
}

// define sends the characters that the printer lacks, before all else.
func (e *encoder) define(items []drivers.Item) {
	for _, item := range items {
		switch item := item.(type) {
		case drivers.TextLine:
			e.defineLine(item)
		case drivers.Page:
			for _, p := range item.Placed {
				if l, ok := p.Item.(drivers.TextLine); ok {
					e.defineLine(l)
				}
			}
			for _, l := range item.Else {
				e.defineLine(l)
			}
		}
	}
}

func (e *encoder) defineLine(l drivers.TextLine) {
	e.slots.Define(e.chars, l.Text, func(code uint16, g glyph.Drawing) {
		e.command(define(code, g)...)
		e.blank()
	})
}

func (e *encoder) item(item drivers.Item) error {
	switch item := item.(type) {
	case drivers.TextLine:
		return e.line(item)
	case drivers.Barcode:
		return e.barcode(item)
	case drivers.Picture:
		return e.picture(item)
	case drivers.Page:
		return e.area(item)
	}
	return fmt.Errorf("a %T: %w", item, drivers.ErrUnsupported)
}

// line prints one line, and more where it is too long: nothing is lost.
func (e *encoder) line(l drivers.TextLine) error {
	lines, err := e.chars.Layout(l, e.model.Columns)
	if err != nil {
		return err
	}
	e.style(l)
	for line := range lines {
		e.send(line)
		e.feed()
	}
	return nil
}

// feed prints what stands in the line: LF, and ESC J: print and feed paper.
func (e *encoder) feed() {
	e.command(lf)
	if e.tall {
		e.command(esc, 'J', tallGap)
	}
	e.printed(1)
}

// tallGap is fed after a line of double height, whose letters would touch the
// next line: 2 or 4 mm, as the model counts.
const tallGap = 0x20

// send sends characters.
func (e *encoder) send(text []glyph.Char) {
	for i, c := range text {
		switch c.Kind {
		case glyph.Nothing:
		case glyph.Plain:
			e.command(byte(c.Code)) //nolint:gosec // ASCII
		case glyph.Backslash:
			e.put(rawBackslash)
		case glyph.Kanji:
			e.double(c.Code)
		case glyph.OnPage:
			e.single(c.Rune, text[i:])
		case glyph.Drawn:
			e.glyph(c.Rune)
		}
	}
}

func (e *encoder) double(code uint16) {
	if e.jis {
		e.jis = false
		e.put(systemShiftJIS)
	}
	e.mode(true)
	e.command(byte(code>>8), byte(code&0xFF))
}

// single sends a byte of a code table. What comes after it chooses the table.
func (e *encoder) single(c rune, text []glyph.Char) {
	e.mode(false)
	b := e.page.Byte(c)
	if b == 0 {
		e.page = e.chars.Choose(text)
		e.command(esc, 't', e.page.Number)
		b = e.page.Byte(c)
	}
	if !e.jis && glyph.Leads(b) && e.model.Kanji.Has() {
		e.jis = true
		e.put(systemJIS)
	}
	e.command(b)
}

// glyph sends a character that no table has.
func (e *encoder) glyph(c rune) {
	if code, ok := e.slots[c]; ok {
		e.double(code)
		return
	}
	e.mode(false)
	e.command(inline(glyph.Draw(c), e.wide)...)
}

func (e *encoder) mode(kanji bool) {
	if e.kanji == kanji {
		return
	}
	e.kanji = kanji
	if kanji {
		e.put(kanjiOn)
	} else {
		e.put(kanjiOff)
	}
}

// GS ! n and FS ! n: size of ANK and of kanji.
const (
	ankWide, ankTall     = 0x10, 0x01
	kanjiWide, kanjiTall = 0x04, 0x08
)

// style sends what changed. It is called at the beginning of a line, where
// alone ESC a counts.
func (e *encoder) style(l drivers.TextLine) {
	e.justify(l.Align)
	if l.Bold != e.bold {
		e.bold = l.Bold
		e.command(esc, 'E', flag(l.Bold, 1)) // ESC E: emphasized, kanji too
	}
	if l.Wide != e.wide || l.Tall != e.tall {
		e.wide, e.tall = l.Wide, l.Tall
		e.command(gs, '!', flag(l.Wide, ankWide)|flag(l.Tall, ankTall))
		if e.model.Kanji.Has() {
			e.command(fs, '!', flag(l.Wide, kanjiWide)|flag(l.Tall, kanjiTall))
		}
	}
}

// justify is ESC a. In page mode it has no effect.
func (e *encoder) justify(align drivers.Align) {
	if align > drivers.Right {
		align = drivers.Left
	}
	if align != e.align && !e.inPage {
		e.align = align
		e.command(esc, 'a', byte(align))
	}
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

// tail ends the document. What is printed is known before the cut, which may
// jam: a printer that was switched off to free its knife then only cuts again.
func (e *encoder) tail(cutPaper bool) {
	fences := lastFences
	if e.model.PrintComplete {
		fences = 1
		if cutPaper && e.lines > 0 {
			e.end(1)
		}
	}
	if cutPaper {
		e.put(cutting(e.model))
	}
	e.end(fences)
	e.out.Units[len(e.out.Units)-1].Blank = true
}

// cutting is the command that ends a sheet.
func cutting(m Model) string {
	if m.Cutter {
		return cut
	}
	return tear
}
