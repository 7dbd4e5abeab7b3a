// Package field makes the check words of Reed and Solomon over the fields of
// 2^n elements that matrix codes use.
package field

// Field is one field; the elements are 0 to size-1.
type Field struct {
	exp []int
	log []int
}

// New is the field of size elements (a power of 2) with the primitive
// polynomial poly.
func New(size, poly int) *Field {
	f := &Field{exp: make([]int, size-1), log: make([]int, size)}
	x := 1
	for i := range size - 1 {
		f.exp[i], f.log[x] = x, i
		if x <<= 1; x >= size {
			x ^= poly
		}
	}
	return f
}

func (f *Field) times(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return f.exp[(f.log[a]+f.log[b])%len(f.exp)]
}

// Check is the n check words of data, whose generator has the roots 2^first and
// so on.
func (f *Field) Check(data []int, n, first int) []int {
	generator := make([]int, n) // without its leading 1, highest power first
	generator[n-1] = 1
	root := f.exp[first]
	for range n {
		for j := range n {
			generator[j] = f.times(generator[j], root)
			if j+1 < n {
				generator[j] ^= generator[j+1]
			}
		}
		root = f.times(root, 2)
	}
	rest := make([]int, n)
	for _, d := range data {
		lead := d ^ rest[0]
		copy(rest, rest[1:])
		rest[n-1] = 0
		for j, g := range generator {
			rest[j] ^= f.times(g, lead)
		}
	}
	return rest
}
