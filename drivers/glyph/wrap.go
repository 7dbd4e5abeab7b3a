package glyph

import (
	"fmt"
	"iter"
	"strings"

	"regi/drivers"
)

// Characters that may not begin a line, and those that may not end one (JIS X
// 4051, kinsoku).
const (
	notFirst = "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】°′″℃％‰ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ" +
		"｡｣､･ｧｨｩｪｫｬｭｮｯｰﾞﾟ,.:;?!)]}%‐〜～※"
	notLast = "‘“（〔［｛〈《「『【￥＄￡｢([{¥$£€#№"
)

// kept bounds how many characters move to the next line to keep a rule.
const kept = 4

// TextMax bounds the text of one line, in bytes. It is wrapped, not cut.
const TextMax = 4096

// Layout is what a line of text becomes on paper of so many columns. Its error
// wraps drivers.ErrTooLong. It is valid until the next call.
func (s *Set) Layout(l drivers.TextLine, columns int) (iter.Seq[[]Char], error) {
	if len(l.Text) > TextMax {
		return nil, fmt.Errorf("%d bytes of text, at most %d: %w", len(l.Text), TextMax, drivers.ErrTooLong)
	}
	text := l.Text
	if l.Align == drivers.Left {
		text = strings.TrimRight(text, " ") // blank paper costs wire time
	}
	if l.Wide {
		columns /= 2
	}
	s.text = s.Append(s.text[:0], text)
	return Lines(s.text, columns), nil
}

// Lines breaks text into lines of so many columns: nothing is lost but blanks
// that would begin a line, and look like an indent.
func Lines(text []Char, columns int) iter.Seq[[]Char] {
	return func(yield func([]Char) bool) {
		begin, used := 0, 0
		for i := 0; i < len(text); i++ {
			width := text[i].Columns()
			if used+width <= columns {
				used += width
				continue
			}
			at := breakAt(text, begin, i)
			if !yield(text[begin:at]) {
				return
			}
			for at < len(text) && blank(text[at]) {
				at++
			}
			begin, i, used = at, at-1, 0
		}
		yield(text[begin:])
	}
}

// breakAt is where to break before text[over], the first character that no
// longer fits on the line that begins at text[begin]. It is over itself where no
// rule speaks against it, or none can be kept.
func breakAt(text []Char, begin, over int) int {
	for at := over; at > begin && at > over-kept; at-- {
		if allowed(text, at) {
			return at
		}
	}
	// A word of Latin letters moves down whole, if a space is not far.
	for at := over; at > begin+(over-begin)/2; at-- {
		if blank(text[at-1]) {
			return at
		}
	}
	return over
}

// allowed says whether a line may break before text[at].
func allowed(text []Char, at int) bool {
	before, after := text[at-1], text[at]
	switch {
	case after.Rune != 0 && strings.ContainsRune(notFirst, after.Rune):
		return false
	case before.Rune != 0 && strings.ContainsRune(notLast, before.Rune):
		return false
	}
	return !wordly(before) || !wordly(after)
}

// wordly characters stand in words and numbers, which break in need only.
func wordly(c Char) bool {
	return c.Kind == Plain && c.Code != ' ' && c.Code != '-' || c.Kind == OnPage && (c.Rune < '｡' || c.Rune > 'ﾟ')
}

func blank(c Char) bool { return c.Kind == Plain && c.Code == ' ' }
