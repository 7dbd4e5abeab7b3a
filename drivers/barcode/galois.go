package barcode

// field is GF(256) by a polynomial, with generator 2.
type field struct{ exp, log [256]int }

const (
	qrPolynomial         = 0x11D
	dataMatrixPolynomial = 0x12D
)

func newField(polynomial int) *field {
	f := &field{}
	x := 1
	for i := range 255 {
		f.exp[i], f.log[x] = x, i
		if x <<= 1; x > 0xFF {
			x ^= polynomial
		}
	}
	f.exp[255] = f.exp[0]
	return f
}

func (f *field) times(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return f.exp[(f.log[a]+f.log[b])%255]
}

// generator is the product of (x - 2^i) for n roots from first on, without its
// leading 1, highest power first.
func (f *field) generator(n, first int) []int {
	g := make([]int, n)
	g[n-1] = 1
	for i := range n {
		root := f.exp[(first+i)%255]
		for k := range n {
			g[k] = f.times(g[k], root)
			if k+1 < n {
				g[k] ^= g[k+1]
			}
		}
	}
	return g
}

// remainder is the Reed-Solomon code of data.
func (f *field) remainder(data []byte, generator []int) []byte {
	n := len(generator)
	r := make([]byte, n)
	for _, d := range data {
		factor := int(d ^ r[0])
		copy(r, r[1:])
		r[n-1] = 0
		for k := range r {
			r[k] ^= byte(f.times(generator[k], factor)) //nolint:gosec // an element of GF(256)
		}
	}
	return r
}
