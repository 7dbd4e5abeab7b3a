package star

import (
	"fmt"

	"regi/drivers"
	"regi/drivers/glyph"
	"regi/drivers/printjob"
)

// setUp makes a printer ours, whatever it was before.
const setUp = "\x1b@" + // ESC @: initialize; prints a half line of an older document
	"\x1b\x1ea\x00" + // ESC RS a 0: no automatic status
	"\x1b\x1eF\x00" + // ESC RS F 0: font of 12×24 dots
	"\x1b 0\x1bs00" + // ESC SP 0, ESC s 0 0: no space beside a character or kanji
	"\x1bz1" + // ESC z 1: 4 mm a line
	"\x12" + // DC2: not upside down
	"\x1b$1" + // ESC $ 1: Shift_JIS kanji
	"\x1bR8" + // ESC R 8: international set Japan (5Ch is ¥)
	"\x1b\x1dt\x02" + // ESC GS t 2: code page katakana
	"\x1b\x07\x0a\x0a" // ESC BEL: drawer 1 100 ms on, 100 ms off

const (
	// rawBackslash borrows the USA set (ESC R 0) for one character.
	rawBackslash = "\x1bR0\\\x1bR8"
	// cut is ESC d 3: feed to the cutting position and cut partially.
	cut = "\x1bd3"
	// etb is ETB: count one more when all before it is printed.
	etb = "\x17"
	// clearCounter is ESC GS ETX 2 0 0: the print end counter is 0 again, so that
	// no answer holds it as XON or XOFF.
	clearCounter = "\x1b\x1d\x03\x02\x00\x00"
)

// Limits of a block: what the printer may hold unprinted is two of them. It
// stops its motor at the end of each to say that it is printed.
const (
	blockLines = 16
	blockBytes = 512
	// blockMost is for pictures and codes: two blocks and what is asked meanwhile
	// fit the smallest receive buffer of 4 KiB, or a stopped printer would hear
	// no question.
	blockMost = 1900
)

// encode lays doc out for a model, with fence IDs from next on. Errors wrap
// drivers.ErrTooLong, ErrUnsupported or ErrControl, or those of package barcode.
func encode(m Model, doc drivers.Document, next int64) (printjob.Stream, error) {
	if len(doc.Items) > drivers.DocumentItemsMax {
		return printjob.Stream{}, fmt.Errorf("%d items, at most %d: %w", len(doc.Items), drivers.DocumentItemsMax, drivers.ErrTooLong)
	}
	e := encoder{model: m, chars: newSet(doc.Latin), page: katakana()}
	e.out.Bytes = append(make([]byte, 0, 64*(len(doc.Items)+2)), setUp...)
	e.out.Next, e.out.Telling = next, printjob.Counted
	if m.PrintEnd {
		e.out.Telling = printjob.Named
	}
	if doc.CutFirst {
		e.put(cut)
	}
	if m.UserKanji {
		e.slots = glyph.Slots{}
		e.define(doc.Items)
	}
	for i, item := range doc.Items {
		e.items = printjob.MidItem
		if err := e.item(item); err != nil {
			return printjob.Stream{}, fmt.Errorf("item %d: %w", i+1, err)
		}
		e.items = i + 1
		if last := len(e.out.Units) - 1; last >= 0 && e.blockBegin == len(e.out.Bytes) {
			e.out.Units[last].Items = i + 1
		}
	}
	e.tail(doc.Cut)
	return e.out, nil
}

// tail ends the document. What is printed is known before the cut, which may
// jam: a printer that was switched off to free its knife then only cuts again.
func (e *encoder) tail(cutPaper bool) {
	if cutPaper {
		if e.model.PrintEnd && e.lines > 0 {
			e.fence()
		}
		e.put(cut)
	}
	if cutPaper || e.blockBegin < len(e.out.Bytes) {
		e.fence()
	}
}

type encoder struct {
	model Model
	chars *glyph.Set
	slots glyph.Slots // nil without download characters
	out   printjob.Stream

	// The printer's state, to send changes only.
	bold       bool
	wide, tall bool
	align      drivers.Align
	page       glyph.Page
	latin      bool // ESC $ 0

	lines      int // in this block
	items      int // see printjob.Unit
	blockBegin int
}

func (e *encoder) item(item drivers.Item) error {
	switch item := item.(type) {
	case drivers.TextLine:
		return e.text(item)
	case drivers.Barcode:
		return e.barcode(item)
	case drivers.Picture:
		return e.picture(item)
	case drivers.Page: // page mode is no part of what the models share
		for _, l := range item.Else {
			if err := e.text(l); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("a %T: %w", item, drivers.ErrUnsupported)
}

func (e *encoder) put(s string) { e.out.Bytes = append(e.out.Bytes, s...) }

func (e *encoder) command(b ...byte) { e.out.Bytes = append(e.out.Bytes, b...) }

// fence is ESC GS ETX 1 n1 n2, or an ETB, which has no name.
func fence(id string) string {
	if id == printjob.Unnamed {
		return etb
	}
	return clearCounter + replyHead + id
}

// fence ends a block.
func (e *encoder) fence() {
	id := printjob.Unnamed
	if e.model.PrintEnd {
		id = fenceID(e.out.Next)
		e.out.Next++
	}
	e.put(fence(id))
	e.out.Units = append(e.out.Units, printjob.Unit{End: len(e.out.Bytes), Fences: []string{id}, Items: e.items, Blank: e.lines == 0})
	e.blockBegin, e.lines = len(e.out.Bytes), 0
}

// room ends the block before one that n bytes more would make too long.
func (e *encoder) room(n int) {
	if held := len(e.out.Bytes) - e.blockBegin; held > 0 && held+n > blockMost {
		e.fence()
	}
}

// printed counts a line, a code or a slice, and ends a block that is full.
func (e *encoder) printed(full int) {
	e.lines++
	if e.lines >= blockLines || len(e.out.Bytes)-e.blockBegin >= full {
		e.fence()
	}
}

// feed prints what stands in the line. After letters of double height the
// printer feeds twice as far by itself (Line Mode 3.3.2).
func (e *encoder) feed() {
	e.command(lf)
	e.printed(blockBytes)
}

// style sends what changed. It is called at the beginning of a line, where
// alone ESC GS a counts.
func (e *encoder) style(l drivers.TextLine) {
	align := l.Align
	if align > drivers.Right {
		align = drivers.Left
	}
	if align != e.align {
		e.align = align
		e.put("\x1b\x1da") // ESC GS a: position alignment
		e.command('0' + byte(align))
	}
	if l.Bold != e.bold {
		e.bold = l.Bold
		if l.Bold {
			e.put("\x1bE") // ESC E: emphasized, kanji too
		} else {
			e.put("\x1bF")
		}
	}
	if l.Wide != e.wide || l.Tall != e.tall {
		e.wide, e.tall = l.Wide, l.Tall
		e.put("\x1bi") // ESC i: times high and wide, kanji too
		e.command('0'+one(l.Tall), '0'+one(l.Wide))
	}
}

func one(on bool) byte {
	if on {
		return 1
	}
	return 0
}
