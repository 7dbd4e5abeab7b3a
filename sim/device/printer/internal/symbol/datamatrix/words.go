package datamatrix

// Words that change how the next are read.
const (
	latchC40   = 230
	latchBytes = 231
	upperShift = 235
	latchText  = 239
	unlatch    = 254
)

// ascii: a pair of digits is one word, any other character one, above 127 two.
func ascii(data []byte, _ int) []int {
	var w []int
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case isDigit(c) && i+1 < len(data) && isDigit(data[i+1]):
			w = append(w, 130+10*int(c-'0')+int(data[i+1]-'0'))
			i++
		case c > 127:
			w = append(w, upperShift, int(c)-127)
		default:
			w = append(w, int(c)+1)
		}
	}
	return w
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// base256 is bytes as they are, shuffled by their place.
func base256(data []byte, _ int) []int {
	w := []int{latchBytes}
	add := func(v int) {
		v += 149*(len(w)+1)%255 + 1
		w = append(w, v&0xFF)
	}
	if n := len(data); n <= 249 {
		add(n)
	} else {
		add(n/250 + 249)
		add(n % 250)
	}
	for _, c := range data {
		add(int(c))
	}
	return w
}

// c40 is three capitals or digits in two words, text three small letters.
func c40(data []byte, room int) []int  { return triplets(data, room, latchC40, 'A', 'a') }
func text(data []byte, room int) []int { return triplets(data, room, latchText, 'a', 'A') }

// triplets packs as many whole triplets as there are and writes the rest as
// ASCII. basic is the first of the letters that take one value.
func triplets(data []byte, room, latch int, basic, other byte) []int {
	values := make([]int, 0, 2*len(data))
	ends := make([]int, 0, len(data)) // ends[n] is the value after which character n is whole
	for _, c := range data {
		values = append(values, value(c, basic, other)...)
		ends = append(ends, len(values))
	}
	// The rest begins at a character that begins a triplet.
	n := len(data)
	for n > 0 && ends[n-1]%3 != 0 {
		n--
	}
	if n == 0 {
		return nil
	}
	w := []int{latch}
	for i := 0; i < ends[n-1]; i += 3 {
		v := 1600*values[i] + 40*values[i+1] + values[i+2] + 1
		w = append(w, v>>8, v&0xFF)
	}
	if n == len(data) && len(w) == room {
		return w // full: nothing follows that could be misread
	}
	return append(append(w, unlatch), ascii(data[n:], 0)...)
}

// value is a character of C40 or Text, with the shift it needs.
func value(c, basic, other byte) []int {
	v := int(c)
	switch {
	case c >= 128:
		return append([]int{1, 30}, value(c-128, basic, other)...) // upper shift
	case c == ' ':
		return []int{3}
	case isDigit(c):
		return []int{v - '0' + 4}
	case c >= basic && c < basic+26:
		return []int{int(c-basic) + 14}
	case c >= other && c < other+26:
		return []int{2, int(c-other) + 1}
	case c < 32:
		return []int{0, v}
	case c < 48:
		return []int{1, v - 33}
	case c < 65:
		return []int{1, v - 58 + 15}
	case c < 96 && c > 90:
		return []int{1, v - 91 + 22}
	case c == 96:
		return []int{2, 0}
	}
	return []int{2, v - 123 + 27}
}
