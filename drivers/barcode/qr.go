package barcode

import (
	"fmt"

	"regi/drivers"
)

// Matrix is a square two-dimensional code without its quiet zone.
type Matrix struct {
	Size  int
	black []bool
}

// Black is true for a dark module.
func (m Matrix) Black(x, y int) bool { return m.black[y*m.Size+x] }

func newMatrix(size int) Matrix { return Matrix{Size: size, black: make([]bool, size*size)} }

// QR codes: versions 1 to 40, model 2, error correction level M (15 %).
const versionMax = 40

// Error correction codewords of a block, and blocks, at level M by version
// (ISO/IEC 18004, table 9).
const (
	qrCorrection = "\x0a\x10\x1a\x12\x18\x10\x12\x16\x16\x1a\x1e\x16\x16\x18\x18\x1c\x1c\x1a\x1a\x1a" +
		"\x1a\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1c"
	qrBlocks = "\x01\x01\x01\x02\x02\x04\x04\x04\x05\x05\x05\x08\x09\x09\x0a\x0a\x0b\x0d\x0e\x10" +
		"\x11\x11\x12\x14\x15\x17\x19\x1a\x1c\x1d\x1f\x21\x23\x25\x26\x28\x2b\x2d\x2f\x31"
)

// Mode indicators, and the bits of the character count of bytes.
const (
	modeNumeric, modeAlphanumeric, modeByte = 1, 2, 4
	alphanumerics                           = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
)

// QR draws bytes. Its error wraps drivers.ErrTooLong.
func QR(data string) (Matrix, error) {
	version, bits, err := fit(data)
	if err != nil {
		return Matrix{}, err
	}
	q := qr{Matrix: newMatrix(side(version)), version: version}
	q.fixed = make([]bool, q.Size*q.Size)
	q.patterns()
	q.place(q.correct(pad(bits, capacity(version))))
	q.mask()
	return q.Matrix, nil
}

// QRSize is the size of what QR draws, without drawing it.
func QRSize(data string) (int, error) {
	version, _, err := fit(data)
	return side(version), err
}

func side(version int) int { return 17 + 4*version }

func capacity(version int) int {
	return codewords(version) - int(qrCorrection[version-1])*int(qrBlocks[version-1])
}

// fit is the smallest version for data, and its bits.
func fit(data string) (int, bits, error) {
	var b bits
	for version := 1; version <= versionMax; version++ {
		if version == 1 || version == 10 || version == 27 { // the count gets longer
			b = qrBits(data, version)
		}
		if len(b) <= 8*capacity(version) {
			return version, b, nil
		}
	}
	return 0, nil, fmt.Errorf("barcode: %d bytes in a QR code: %w", len(data), drivers.ErrTooLong)
}

// codewords is how many fit a version beside its patterns.
func codewords(version int) int {
	n := (16*version+128)*version + 64
	if version >= 2 {
		along := version/7 + 2
		n -= (25*along-10)*along - 55
		if version >= 7 {
			n -= 36
		}
	}
	return n / 8
}

type bits []bool

func (b bits) put(value, n int) bits {
	for i := n - 1; i >= 0; i-- {
		b = append(b, value>>i&1 == 1)
	}
	return b
}

// qrBits is data in one segment of the densest mode that holds it.
func qrBits(data string, version int) bits {
	step := 0 // of the widths of the character count
	if version >= 10 {
		step = 1
	}
	if version >= 27 {
		step = 2
	}
	switch {
	case digits(data):
		b := bits(nil).put(modeNumeric, 4).put(len(data), 10+2*step)
		for len(data) > 0 {
			n := min(3, len(data))
			value := 0
			for i := range n {
				value = 10*value + int(data[i]-'0')
			}
			b, data = b.put(value, 3*n+1), data[n:]
		}
		return b
	case only(data, alphanumerics) == nil:
		b := bits(nil).put(modeAlphanumeric, 4).put(len(data), 9+2*step)
		index := func(c byte) int {
			for i := range len(alphanumerics) {
				if alphanumerics[i] == c {
					return i
				}
			}
			return 0
		}
		for ; len(data) > 1; data = data[2:] {
			b = b.put(45*index(data[0])+index(data[1]), 11)
		}
		if data != "" {
			b = b.put(index(data[0]), 6)
		}
		return b
	}
	b := bits(nil).put(modeByte, 4).put(len(data), []int{8, 16, 16}[step])
	for i := range len(data) {
		b = b.put(int(data[i]), 8)
	}
	return b
}

// pad fills the codewords of a version.
func pad(b bits, capacity int) []byte {
	b = b.put(0, min(4, 8*capacity-len(b)))
	b = b.put(0, (8-len(b)%8)%8)
	for filler := 0xEC; len(b) < 8*capacity; filler ^= 0xEC ^ 0x11 {
		b = b.put(filler, 8)
	}
	out := make([]byte, capacity)
	for i, bit := range b {
		if bit {
			out[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

type qr struct {
	Matrix

	version int
	fixed   []bool // modules that are no data
}

// correct adds the error correction and interleaves the blocks.
func (q *qr) correct(data []byte) []byte {
	blocks, check := int(qrBlocks[q.version-1]), int(qrCorrection[q.version-1])
	f := newField(qrPolynomial)
	generator := f.generator(check, 0)
	short := len(data) / blocks
	longs := len(data) % blocks
	parts, checks := make([][]byte, blocks), make([][]byte, blocks)
	for i := range blocks {
		n := short
		if i >= blocks-longs {
			n++
		}
		parts[i], data = data[:n], data[n:]
		checks[i] = f.remainder(parts[i], generator)
	}
	var out []byte
	for i := range short + 1 {
		for _, p := range parts {
			if i < len(p) {
				out = append(out, p[i])
			}
		}
	}
	for i := range check {
		for _, c := range checks {
			out = append(out, c[i])
		}
	}
	return out
}

func (q *qr) set(x, y int, black bool) {
	q.black[y*q.Size+x], q.fixed[y*q.Size+x] = black, true
}

// patterns draws what is the same in every code of a version.
func (q *qr) patterns() {
	for i := range q.Size {
		q.set(6, i, i%2 == 0)
		q.set(i, 6, i%2 == 0)
	}
	for _, c := range [][2]int{{3, 3}, {q.Size - 4, 3}, {3, q.Size - 4}} {
		for dy := -4; dy <= 4; dy++ {
			for dx := -4; dx <= 4; dx++ {
				x, y := c[0]+dx, c[1]+dy
				if ring := max(abs(dx), abs(dy)); x >= 0 && x < q.Size && y >= 0 && y < q.Size {
					q.set(x, y, ring != 2 && ring != 4)
				}
			}
		}
	}
	at := q.alignments()
	for i, x := range at {
		for j, y := range at {
			last := len(at) - 1
			if i == 0 && (j == 0 || j == last) || i == last && j == 0 {
				continue // under the finders
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					q.set(x+dx, y+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
	q.format(0) // takes the place
	if q.version >= 7 {
		bits := q.version<<12 | bch(q.version, 12, 0x1F25)
		for i := range 18 {
			a, b := q.Size-11+i%3, i/3
			q.set(a, b, bits>>i&1 == 1)
			q.set(b, a, bits>>i&1 == 1)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// alignments are the centres of the alignment patterns, both ways.
func (q *qr) alignments() []int {
	if q.version == 1 {
		return nil
	}
	along := q.version/7 + 2
	step := (q.version*8 + along*3 + 5) / (along*4 - 4) * 2
	at := make([]int, along)
	at[0] = 6
	for i := range along - 1 {
		at[along-1-i] = q.Size - 7 - i*step
	}
	return at
}

// bch is the remainder of value, shifted up, by a generator of degree n.
func bch(value, n, generator int) int {
	r := value << n
	for i := 20; i >= n; i-- {
		if r>>i&1 == 1 {
			r ^= generator << (i - n)
		}
	}
	return r
}

// format writes level M and the mask, twice.
func (q *qr) format(mask int) {
	const levelM = 0
	value := levelM<<3 | mask
	code := (value<<10 | bch(value, 10, 0x537)) ^ 0x5412
	bit := func(i int) bool { return code>>i&1 == 1 }
	for i := range 6 {
		q.set(8, i, bit(i))
	}
	q.set(8, 7, bit(6))
	q.set(8, 8, bit(7))
	q.set(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		q.set(14-i, 8, bit(i))
	}
	for i := range 8 {
		q.set(q.Size-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		q.set(8, q.Size-15+i, bit(i))
	}
	q.set(8, q.Size-8, true)
}

// place writes the codewords in their zigzag.
func (q *qr) place(data []byte) {
	i := 0
	for right := q.Size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for down := range q.Size {
			y := down
			if (right+1)&2 == 0 {
				y = q.Size - 1 - down
			}
			for x := right; x >= right-1; x-- {
				if !q.fixed[y*q.Size+x] && i < 8*len(data) {
					q.black[y*q.Size+x] = data[i/8]>>(7-i%8)&1 == 1
					i++
				}
			}
		}
	}
}

func masked(mask, x, y int) bool {
	switch mask {
	case 0:
		return (x+y)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (x+y)%3 == 0
	case 4:
		return (x/3+y/2)%2 == 0
	case 5:
		return x*y%2+x*y%3 == 0
	case 6:
		return (x*y%2+x*y%3)%2 == 0
	}
	return ((x+y)%2+x*y%3)%2 == 0
}

// mask chooses the mask with the least penalty.
func (q *qr) mask() {
	best, least := 0, -1
	for m := range 8 {
		q.apply(m)
		if p := q.penalty(); least < 0 || p < least {
			best, least = m, p
		}
		q.apply(m) // undoes itself
	}
	q.apply(best)
}

func (q *qr) apply(mask int) {
	q.format(mask)
	for y := range q.Size {
		for x := range q.Size {
			i := y*q.Size + x
			q.black[i] = q.black[i] != (!q.fixed[i] && masked(mask, x, y))
		}
	}
}

// penalty is that of ISO/IEC 18004, section 7.8.3.
func (q *qr) penalty() int {
	p, dark := 0, 0
	for a := range q.Size {
		p += runs(q.Size, func(b int) bool { return q.Black(b, a) }) + runs(q.Size, func(b int) bool { return q.Black(a, b) })
		for b := range q.Size {
			c := q.Black(b, a)
			if c {
				dark++
			}
			if a+1 < q.Size && b+1 < q.Size && c == q.Black(b+1, a) && c == q.Black(b, a+1) && c == q.Black(b+1, a+1) {
				p += 3
			}
		}
	}
	total := q.Size * q.Size
	return p + abs(20*dark-10*total)/total*10
}

// runs are the penalties of one row or column: five alike in a row and more,
// and what looks like a finder.
func runs(n int, at func(int) bool) int {
	const finder = 0b1011101
	p, run, window := 0, 0, 0
	for i := range n {
		window = window << 1 & 0x7FF
		if at(i) {
			window |= 1
		}
		if i > 0 && at(i) == at(i-1) {
			run++
		} else {
			run = 1
		}
		if run == 5 {
			p += 3
		} else if run > 5 {
			p++
		}
		if i >= 10 && (window == finder<<4 || window == finder) {
			p += 40
		}
	}
	return p
}
