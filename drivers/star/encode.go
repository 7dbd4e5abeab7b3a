package star

import (
	"fmt"

	"regi/drivers"
	"regi/drivers/glyph"
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
	etb = 0x17
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

// block is what is sent in one piece, and ends with a fence.
type block struct {
	end   int    // in stream.bytes
	ends  string // see piece
	fence string
}

// stream is a document as the printer takes it.
type stream struct {
	bytes  []byte
	blocks []block
	next   int64 // the first fence ID that was not used
}

// encode lays doc out for a model, with fence IDs from next on. Errors wrap
// drivers.ErrTooLong, ErrUnsupported or ErrControl, or those of package barcode.
func encode(m Model, doc drivers.Document, next int64) (stream, error) {
	if len(doc.Items) > drivers.DocumentItemsMax {
		return stream{}, fmt.Errorf("%d items, at most %d: %w", len(doc.Items), drivers.DocumentItemsMax, drivers.ErrTooLong)
	}
	e := encoder{model: m, chars: newSet(doc.Latin), page: katakana()}
	e.out.bytes = append(make([]byte, 0, 64*(len(doc.Items)+2)), setUp...)
	e.out.next = next
	if doc.CutFirst {
		e.put(cut)
	}
	if m.UserKanji {
		e.slots = glyph.Slots{}
		e.define(doc.Items)
	}
	for i, item := range doc.Items {
		if err := e.item(item); err != nil {
			return stream{}, fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	if doc.Cut {
		e.put(cut)
	}
	e.fence()
	return e.out, nil
}

type encoder struct {
	model Model
	chars *glyph.Set
	slots glyph.Slots // nil without download characters
	out   stream

	// The printer's state, to send changes only.
	bold       bool
	wide, tall bool
	align      drivers.Align
	page       glyph.Page
	latin      bool // ESC $ 0

	lines      int    // in this block
	ends       string // of this block
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

func (e *encoder) put(s string) { e.out.bytes = append(e.out.bytes, s...) }

func (e *encoder) command(b ...byte) { e.out.bytes = append(e.out.bytes, b...) }

// fence ends a block.
func (e *encoder) fence() {
	id := countFence
	if e.model.PrintEnd {
		id = fenceID(e.out.next)
		e.out.next++
		e.put(clearCounter + replyHead + id) // ESC GS ETX 1 n1 n2
	} else {
		e.command(etb)
	}
	e.out.blocks = append(e.out.blocks, block{len(e.out.bytes), e.ends, id})
	e.blockBegin, e.lines, e.ends = len(e.out.bytes), 0, ""
}

// room ends the block before one that n bytes more would make too long.
func (e *encoder) room(n int) {
	if held := len(e.out.bytes) - e.blockBegin; held > 0 && held+n > blockMost {
		e.fence()
	}
}

// printed counts a line, a code or a slice, and ends a block that is full.
func (e *encoder) printed(full int) {
	e.lines++
	if e.lines >= blockLines || len(e.out.bytes)-e.blockBegin >= full {
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
