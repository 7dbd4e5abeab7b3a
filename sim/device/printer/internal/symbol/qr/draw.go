package qr

import "regi/sim/device/printer/internal/symbol"

// drawing is a symbol in the making; fixed modules carry no data.
type drawing struct {
	*symbol.Matrix
	fixed *symbol.Matrix
}

func newDrawing(size int) drawing {
	return drawing{symbol.NewMatrix(size, size), symbol.NewMatrix(size, size)}
}

func (d drawing) put(x, y int, dark bool) {
	if x >= 0 && x < d.W && y >= 0 && y < d.H {
		d.Set(x, y, dark)
		d.fixed.Set(x, y, true)
	}
}

// finder is the square in a corner, its middle at x, y, with the light border.
func (d drawing) finder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			r := max(dx, -dx, dy, -dy)
			d.put(x+dx, y+dy, r != 2 && r != 4)
		}
	}
}

// patterns are all fixed modules of model 2.
func (d drawing) patterns(v int) {
	for i := range d.W {
		d.put(6, i, i%2 == 0)
		d.put(i, 6, i%2 == 0)
	}
	d.finder(3, 3)
	d.finder(d.W-4, 3)
	d.finder(3, d.H-4)
	at := alignment(v)
	for i, y := range at {
		for k, x := range at {
			corner := i == 0 && k == 0 || i == 0 && k == len(at)-1 || i == len(at)-1 && k == 0
			for dy := -2; dy <= 2 && !corner; dy++ {
				for dx := -2; dx <= 2; dx++ {
					d.put(x+dx, y+dy, max(dx, -dx, dy, -dy) != 1)
				}
			}
		}
	}
	if v >= 7 {
		bits := v<<12 | remainder(v<<12, 0x1F25, 12)
		for i := range 18 {
			a, b := d.W-11+i%3, i/3
			d.put(a, b, bits>>i&1 == 1)
			d.put(b, a, bits>>i&1 == 1)
		}
	}
}

// alignment is where the middles of the small squares are.
func alignment(v int) []int {
	if v == 1 {
		return nil
	}
	n := v/7 + 2
	step := (v*8 + n*3 + 5) / (n*4 - 4) * 2
	at := make([]int, n)
	at[0] = 6
	for i := 1; i < n; i++ {
		at[i] = 17 + 4*v - 7 - (n-1-i)*step
	}
	return at
}

// format writes level and mask beside the finders, twice.
func (d drawing) format(bits int) {
	on := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		d.put(8, i, on(i))
	}
	d.put(8, 7, on(6))
	d.put(8, 8, on(7))
	d.put(7, 8, on(8))
	for i := 9; i < 15; i++ {
		d.put(14-i, 8, on(i))
	}
	for i := range 8 {
		d.put(d.W-1-i, 8, on(i))
	}
	for i := 8; i < 15; i++ {
		d.put(8, d.H-15+i, on(i))
	}
	d.put(8, d.H-8, true)
}

// data fills the modules that are left, in columns of two from the right,
// stepping over the timing column. Words after total bits are not written.
func (d drawing) data(words []int, total, mask, timing int) {
	i, up := 0, true
	for right := d.W - 1; right >= 1; right -= 2 {
		if right == timing {
			right--
		}
		for n := range d.H {
			y := n
			if up {
				y = d.H - 1 - n
			}
			for _, x := range [2]int{right, right - 1} {
				if d.fixed.Dark(x, y) {
					continue
				}
				dark := i < total && i/8 < len(words) && words[i/8]>>(7-i%8)&1 == 1
				d.Set(x, y, dark != masked(mask, x, y))
				i++
			}
		}
		up = !up
	}
}

// masked: this mask turns the module over.
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

// penalty counts what makes a symbol hard to read: long runs, blocks, what looks
// like a finder, and an uneven share of dark.
func penalty(m *symbol.Matrix) int {
	p, dark := 0, 0
	for y := range m.H {
		p += runs(m.W, func(x int) bool { return m.Dark(x, y) })
		p += runs(m.H, func(x int) bool { return m.Dark(y, x) })
		for x := range m.W {
			c := m.Dark(x, y)
			if c {
				dark++
			}
			if x > 0 && y > 0 && c == m.Dark(x-1, y) && c == m.Dark(x, y-1) && c == m.Dark(x-1, y-1) {
				p += 3
			}
		}
	}
	off := dark*20 - m.W*m.H*10
	return p + max(off, -off)/(m.W*m.H)*10
}

// runs is the penalty of one row or column.
func runs(n int, dark func(int) bool) int {
	p, run, last := 0, 0, uint(0)
	for i := range n {
		if i > 0 && dark(i) == dark(i-1) {
			run++
		} else {
			run = 1
		}
		switch {
		case run == 5:
			p += 3
		case run > 5:
			p++
		}
		last = last << 1 & 0x7FF
		if dark(i) {
			last |= 1
		}
		if i >= 10 && (last == 0x5D || last == 0x5D0) { // 1:1:3:1:1 beside four light ones
			p += 40
		}
	}
	return p
}
