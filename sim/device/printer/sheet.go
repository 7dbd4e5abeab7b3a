package printer

import (
	"cmp"
	"slices"
	"strings"
)

// Limits of the paper that is kept.
const (
	// RowsMax dot rows are in the picture: 85 cm at 180 dpi.
	RowsMax = 6000
	// LinesMax lines are in the text.
	LinesMax = 2000
	// slack is how much more is kept before the oldest is thrown away.
	slack = 500
)

// CutMark is the line of text where the paper was cut.
const CutMark = "✂ - - - - - - - - - - - - - - - -"

// sheet is the paper that came out.
type sheet struct {
	stride int
	rows   [][]byte // nil is blank
	first  int      // the number of rows[0]; rows are numbered from the roll's begin
	cuts   []cutAt
	lines  []textLine // by their place
}

type cutAt struct {
	row  int // the first after the cut
	kind cut
}

type textLine struct {
	middle int // dot row
	text   string
	cut    bool
}

// end is the number of the row to be printed next.
func (s *sheet) end() int { return s.first + len(s.rows) }

// add puts a strip on the paper and feeds.
func (s *sheet) add(j job) {
	for _, r := range j.records {
		if r.Kind == KindText {
			s.lines = append(s.lines, textLine{middle: s.end() + r.Row + j.feed/2, text: r.Text})
		}
	}
	printed := 0
	if j.strip != nil {
		for printed < min(j.strip.h, j.feed) {
			s.rows = append(s.rows, j.strip.row(printed))
			printed++
		}
	}
	s.rows = append(s.rows, make([][]byte, j.feed-printed)...)
	s.trim()
}

// cut cuts above the head. What the cutter has not reached yet stays on the
// roll. There must be paper since the last cut.
func (s *sheet) cut(kind cut, cutterDots int) bool {
	row := s.end() - cutterDots
	if n := len(s.cuts); row <= s.first || n > 0 && row <= s.cuts[n-1].row {
		return false
	}
	s.cuts = append(s.cuts, cutAt{row, kind})
	at, _ := slices.BinarySearchFunc(s.lines, row, func(l textLine, row int) int { return cmp.Compare(l.middle, row) })
	s.lines = slices.Insert(s.lines, at, textLine{middle: row, text: CutMark, cut: true})
	s.trim()
	return true
}

// trim throws the oldest away, in lumps.
func (s *sheet) trim() {
	if over := len(s.rows) - RowsMax; over > slack {
		s.rows = slices.Clone(s.rows[over:])
		s.first += over
		keep, _ := slices.BinarySearchFunc(s.cuts, s.first, func(c cutAt, row int) int { return cmp.Compare(c.row, row) })
		s.cuts = slices.Clone(s.cuts[keep:])
	}
	if over := len(s.lines) - LinesMax; over > slack {
		s.lines = slices.Clone(s.lines[over:])
	}
}

func (s *sheet) text() string {
	var b strings.Builder
	for _, l := range s.lines[max(0, len(s.lines)-LinesMax):] {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// newest is a copy of what the picture shows. The rows themselves never change.
func (s *sheet) newest() sheet {
	skip := max(0, len(s.rows)-RowsMax)
	return sheet{stride: s.stride, rows: slices.Clone(s.rows[skip:]), first: s.first + skip, cuts: slices.Clone(s.cuts)}
}
