package printer

import (
	"cmp"
	"slices"

	"regi/sim/device/printer/internal/font"
)

// byPosition sorts a copy from left to right.
func byPosition(items []item) []item {
	s := slices.Clone(items)
	slices.SortStableFunc(s, func(a, b item) int { return cmp.Compare(a.x, b.x) })
	return s
}

// tab is HT: to the next tab, if there is one.
func (it *interpreter) tab() {
	if it.page != nil {
		it.page.tab(it.tabs)
		return
	}
	for _, x := range it.tabs {
		if x > it.line.x {
			if x <= it.area() {
				it.line.x = x
			}
			return
		}
	}
}

// setTabs is ESC D n1…nk NUL, in characters of the width at that time. A number
// not above the one before ends the list and is data.
func setTabs(it *interpreter, _ []byte) error {
	width := (font.HalfWidth + it.spacing) * it.sx
	if it.fontB {
		width = (fontBWidth + it.spacing) * it.sx
	}
	it.tabs = nil
	last := byte(0)
	for range tabsMax {
		n, err := it.next()
		if err != nil || n == 0 {
			return err
		}
		if n <= last {
			it.pushed = int(n)
			return nil
		}
		last = n
		it.tabs = append(it.tabs, int(n)*width)
	}
	b, err := it.next()
	if err == nil && b != 0 {
		it.pushed = int(b)
	}
	return err
}

// absolute is ESC $ nL nH. Outside of the area it is ignored.
func absolute(it *interpreter, a []byte) error {
	if it.page != nil {
		it.page.move(it.along(word(a)))
		return nil
	}
	if it.p.model.NoPositionInLine && len(it.line.items) > 0 {
		return nil
	}
	if x := it.acrossWide(word(a)); x <= it.area() {
		it.line.x = x
	}
	return nil
}

// relative is ESC \ nL nH, with a sign.
func relative(it *interpreter, a []byte) error {
	if it.page != nil {
		it.page.move(it.page.x + it.along(signed(a)))
		return nil
	}
	if x := it.line.x + it.acrossWide(signed(a)); x >= 0 && x <= it.area() {
		it.line.x = x
	}
	return nil
}

// margin is GS L nL nH, at the beginning of a line.
func margin(it *interpreter, a []byte) error {
	if it.line.begins() {
		it.left = min(it.acrossWide(word(a)), it.p.model.Dots)
	}
	return nil
}

// areaWidth is GS W nL nH, at the beginning of a line.
func areaWidth(it *interpreter, a []byte) error {
	if it.line.begins() {
		it.width = min(it.acrossWide(word(a)), it.p.model.Dots)
	}
	return nil
}

// feedUnits is ESC J: print and feed.
func feedUnits(it *interpreter, a []byte) error {
	if it.p.model.NoFeedUnits {
		return nil
	}
	dots := it.down(a[0])
	if len(it.line.items) > 0 || it.page != nil {
		return it.printLine(dots)
	}
	it.line = line{}
	return it.enqueue(job{feed: dots})
}

// feedLines is ESC d n: print and feed n lines.
func feedLines(it *interpreter, a []byte) error {
	if a[0] == 0 && len(it.line.items) > 0 || it.page != nil {
		return it.printLine(int(a[0]) * it.lineDots)
	}
	for range a[0] {
		if err := it.printLine(it.lineDots); err != nil {
			return err
		}
	}
	return nil
}

// cutPaper is GS V m: here, or after a feed to the cutter and n further.
func cutPaper(it *interpreter, a []byte) error {
	switch a[0] {
	case 0, '0':
		return it.cut(fullCut)
	case 1, '1':
		return it.cut(partialCut)
	case 65, 97, 103:
		return it.feedAndCut(fullCut)
	case 66, 98, 104:
		return it.feedAndCut(partialCut)
	}
	return nil
}

// feedAndCut: 97 and 98 cut later, when the position has reached the cutter, and
// 103 and 104 draw the paper back; on this paper both look as 65 and 66.
func (it *interpreter) feedAndCut(c cut) error {
	n, err := it.next()
	if err != nil || !it.line.begins() || it.page != nil {
		return err
	}
	if err := it.enqueue(job{feed: it.p.model.CutterDots + it.down(n)}); err != nil {
		return err
	}
	return it.cut(c)
}

// cut is ignored in mid-line, and by a printer without a cutter.
func (it *interpreter) cut(c cut) error {
	if !it.line.begins() || it.page != nil || it.p.model.CutterDots == 0 {
		return nil
	}
	return it.enqueue(job{cut: c})
}
