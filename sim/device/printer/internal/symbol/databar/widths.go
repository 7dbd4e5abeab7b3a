package databar

// combinations is n over r.
func combinations(n, r int) int {
	if r < 0 || n < r {
		return 0
	}
	v := 1
	for i := range r {
		v = v * (n - i) / (i + 1)
	}
	return v
}

// widths is the value-th way to share modules among elements, none wider than
// widest; wide: at least one element is one module. ISO/IEC 24724, annex B.
func widths(value, modules, elements, widest int, narrow bool) []int {
	out := make([]int, 0, elements)
	allWide := true // none so far is one module wide
	for left := elements - 1; left > 0; left-- {
		w := 1
		for ; ; w++ {
			ways := combinations(modules-w-1, left-1)
			if narrow && (allWide && w > 1) && modules-w-left >= left {
				ways -= combinations(modules-w-left-1, left-1)
			}
			if left > 1 {
				tooWide := 0
				for most := modules - w - (left - 1); most > widest; most-- {
					tooWide += combinations(modules-w-most-1, left-2)
				}
				ways -= tooWide * left
			} else if modules-w > widest {
				ways--
			}
			if value < ways {
				break
			}
			if value -= ways; w > modules {
				panic("databar: internal error: no such character")
			}
		}
		if w == 1 {
			allWide = false
		}
		modules -= w
		out = append(out, w)
	}
	return append(out, modules)
}

// group is a range of the values of a character: its two halves, the odd and
// the even elements, have so many modules each.
type group struct {
	first         int // value
	odd, even     int // modules
	wideOdd       int // widest element
	wideEven      int
	ways          int // of the half that counts fastest
	fastest       half
	narrowOdd     bool // the odd half has a narrow element, else the even one
	elementsOfOne int
}

type half uint8

const (
	evenHalf half = iota
	oddHalf
)

// character is the elements of a value.
func character(groups []group, value int) []int {
	g := groups[0]
	for _, h := range groups {
		if value >= h.first {
			g = h
		}
	}
	value -= g.first
	slow, fast := value/g.ways, value%g.ways
	odd, even := slow, fast
	if g.fastest == oddHalf {
		odd, even = fast, slow
	}
	a := widths(odd, g.odd, g.elementsOfOne, g.wideOdd, g.narrowOdd)
	b := widths(even, g.even, g.elementsOfOne, g.wideEven, !g.narrowOdd)
	out := make([]int, 0, 2*len(a))
	for i := range a {
		out = append(out, a[i], b[i])
	}
	return out
}

// sum adds the elements with the powers of 3 from one on, modulo p.
func sum(elements []int, from, p int) int {
	weight, total := 1, 0
	for range from {
		weight = weight * 3 % p
	}
	for _, e := range elements {
		total += e * weight
		weight = weight * 3 % p
	}
	return total % p
}

func reversed(w []int) []int {
	out := make([]int, len(w))
	for i, v := range w {
		out[len(w)-1-i] = v
	}
	return out
}
