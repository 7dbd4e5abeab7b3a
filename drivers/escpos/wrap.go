package escpos

import "strings"

// Characters that may not begin a line, and those that may not end one (JIS X
// 4051, kinsoku).
const (
	notFirst = "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】°′″℃％‰ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ" +
		"｡｣､･ｧｨｩｪｫｬｭｮｯｰﾞﾟ,.:;?!)]}%‐〜～※"
	notLast = "‘“（〔［｛〈《「『【￥＄￡｢([{¥$£€#№"
)

// kept bounds how many characters move to the next line to keep a rule.
const kept = 4

// breakAt is where to break before text[over], the first character that no
// longer fits on the line that begins at text[begin]. It is over itself where no
// rule speaks against it, or none can be kept.
func breakAt(text []char, begin, over int) int {
	for at := over; at > begin && at > over-kept; at-- {
		if allowed(text, at) {
			return at
		}
	}
	// A word of Latin letters moves down whole, if a space is not far.
	for at := over; at > begin+(over-begin)/2; at-- {
		if blankChar(text[at-1]) {
			return at
		}
	}
	return over
}

// allowed says whether a line may break before text[at].
func allowed(text []char, at int) bool {
	before, after := text[at-1], text[at]
	switch {
	case after.r != 0 && strings.ContainsRune(notFirst, after.r):
		return false
	case before.r != 0 && strings.ContainsRune(notLast, before.r):
		return false
	}
	return !wordly(before) || !wordly(after)
}

// wordly characters stand in words and numbers, which break in need only.
func wordly(c char) bool {
	return c.kind == plain7 && c.code != ' ' && c.code != '-' || c.kind == onPage && (c.r < '｡' || c.r > 'ﾟ')
}

func blankChar(c char) bool { return c.kind == plain7 && c.code == ' ' }
