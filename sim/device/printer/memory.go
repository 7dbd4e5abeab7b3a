package printer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// memory keeps pictures under names of two characters: in NV memory through
// power off, in download memory until ESC @.
type memory struct {
	pictures map[string]*dots
	bytes    map[string]int
	size     int
}

// entryBytes is what a picture takes beside its dots.
const entryBytes = 16

func (m *memory) used() int {
	n := 0
	for _, b := range m.bytes {
		n += b + entryBytes
	}
	return n
}

// room: so many bytes fit under a name.
func (m *memory) room(key string, bytes int) bool {
	used := m.used()
	if old, ok := m.bytes[key]; ok {
		used -= old + entryBytes
	}
	return used+bytes+entryBytes <= m.size
}

func (m *memory) put(key string, d *dots, bytes int) {
	if m.pictures == nil {
		m.pictures, m.bytes = map[string]*dots{}, map[string]int{}
	}
	m.pictures[key], m.bytes[key] = d, bytes
}

func (m *memory) remove(key string) {
	delete(m.pictures, key)
	delete(m.bytes, key)
}

// The functions of GS ( L and GS 8 L.
const (
	fnNVCapacity      = 48
	fnPrintStored     = 50
	fnNVRoom          = 51
	fnDownloadRoom    = 52
	fnNVKeys          = 64
	fnNVClear         = 65
	fnNVDelete        = 66
	fnNVRaster        = 67
	fnNVColumns       = 68
	fnNVPrint         = 69
	fnDownloadKeys    = 80
	fnDownloadClear   = 81
	fnDownloadDelete  = 82
	fnDownloadRaster  = 83
	fnDownloadColumns = 84
	fnDownloadPrint   = 85
	fnStore           = 112
	fnStoreColumns    = 113
	downloadToNV      = fnDownloadKeys - fnNVKeys
	headerBytes       = 8
	graphicShort      = 16 // parameters of functions without a picture
	oldNVKey          = "FS q "
	downloadOldKey    = "GS *"
	answerKeys        = 0x72
	clearWord         = "CLR"
)

// graphics is GS ( L and GS 8 L: n bytes m fn ….
func (it *interpreter) graphics(n int) error {
	if n < 2 {
		return it.skip(n)
	}
	f, err := it.take(2)
	if err != nil {
		return err
	}
	n -= 2
	fn := f[1]
	if f[0] != '0' {
		return it.skip(n)
	}
	if fn <= 4 {
		fn += '0' // fn 0 to 4 are 48 to 52
	}
	switch fn {
	case fnStore, fnStoreColumns:
		return it.storeGraphic(n, fn == fnStoreColumns)
	case fnNVRaster, fnNVColumns, fnDownloadRaster, fnDownloadColumns:
		return it.defineGraphic(n, fn)
	}
	if n > graphicShort {
		return it.skip(n)
	}
	a, err := it.take(n)
	if err != nil {
		return err
	}
	if fn == fnPrintStored && n == 0 {
		return it.printGraphic()
	}
	return it.memoryCommand(fn, a)
}

// memoryCommand is a function without a picture.
func (it *interpreter) memoryCommand(fn byte, a []byte) error {
	p := it.p
	number := func(id byte, n int) {
		p.m.Send(append(append([]byte{0x37, id}, strconv.Itoa(n)...), 0)...)
	}
	switch fn {
	case fnNVCapacity:
		number('0', p.nv.size)
		return nil
	case fnNVRoom:
		number('1', p.nv.size-p.nv.used())
		return nil
	case fnDownloadRoom:
		number('2', it.download.size-it.download.used())
		return nil
	}
	m := &p.nv
	if fn >= fnDownloadKeys {
		m, fn = &it.download, fn-downloadToNV
	}
	switch {
	case fn == fnNVKeys && string(a) == "KC":
		p.m.Send(append(append([]byte{0x37, answerKeys, 0x40}, m.keys()...), 0)...)
	case fn == fnNVClear && string(a) == clearWord:
		maps.DeleteFunc(m.pictures, func(key string, _ *dots) bool { return len(key) == 2 })
		maps.DeleteFunc(m.bytes, func(key string, _ int) bool { return len(key) == 2 })
	case fn == fnNVDelete && len(a) == 2:
		m.remove(string(a))
	case fn == fnNVPrint && len(a) == 4 && a[2] >= 1 && a[2] <= 2 && a[3] >= 1 && a[3] <= 2:
		return it.printPicture(m.pictures[string(a[:2])], string(a[:2]), int(a[2]), int(a[3]))
	}
	return nil
}

// keys are the names of two characters, in order, as many as one answer holds.
func (m *memory) keys() []byte {
	const keysMax = 40
	var out []byte
	for i, k := range slices.Sorted(maps.Keys(m.pictures)) {
		if len(k) == 2 && i < keysMax {
			out = append(out, k...)
		}
	}
	return out
}

// printPicture prints a picture of the memory; nil is none.
func (it *interpreter) printPicture(d *dots, key string, sx, sy int) error {
	if d == nil {
		return it.refuse(Record{Picture: &Picture{Key: fmt.Sprintf("%x", key)}}, "no such picture")
	}
	d = d.enlarge(sx, sy)
	return it.block(d, Record{Kind: KindPicture, Picture: newPicture(d, key)})
}

// defineGraphic stores a picture: a kc1 kc2 b xL xH yL yH c and the dots.
func (it *interpreter) defineGraphic(n int, fn byte) error {
	if n < headerBytes+1 {
		return it.skip(n)
	}
	h, err := it.take(headerBytes + 1)
	if err != nil {
		return err
	}
	n -= len(h)
	m, nv := &it.p.nv, fn < fnDownloadKeys
	if !nv {
		m = &it.download
	}
	byColumns := fn == fnNVColumns || fn == fnDownloadColumns
	key, x, y := string(h[1:3]), word(h[4:]), word(h[6:])
	size := (x + 7) / 8 * y
	if byColumns {
		size = x * ((y + 7) / 8)
	}
	name := h[1] >= 0x20 && h[1] <= 0x7E && h[2] >= 0x20 && h[2] <= 0x7E
	if h[0] != '0' || !name || h[3] != 1 || x == 0 || y == 0 || y > graphicRowsMax || n != size {
		return it.skip(n)
	}
	if !m.room(key, size) {
		if err := it.skip(n); err != nil {
			return err
		}
		return it.refuse(Record{Picture: &Picture{Width: x, Height: y, Key: fmt.Sprintf("%x", key)}}, "the memory is full")
	}
	d, err := it.readPicture(x, y, byColumns)
	if err != nil {
		return err
	}
	m.put(key, d, size)
	if !nv {
		return nil
	}
	return it.enqueue(job{records: []Record{{Kind: KindNV, Picture: newPicture(d, key)}}})
}

// readPicture reads dots by rows or by columns, eight a byte.
func (it *interpreter) readPicture(w, h int, byColumns bool) (*dots, error) {
	d := newDots(min(w, it.p.model.Dots), h)
	if !byColumns {
		for row := range h {
			if err := it.readRow(d.row(row), (w+7)/8); err != nil {
				return nil, err
			}
		}
		d.trim()
		return d, nil
	}
	for x := range w {
		for y := 0; y < h; y += 8 {
			b, err := it.next()
			if err != nil {
				return nil, err
			}
			for bit := range 8 {
				if b<<bit&0x80 != 0 {
					d.fill(x, y+bit, 1, 1)
				}
			}
		}
	}
	return d, nil
}

// storeGraphic is fn 112 and 113: a bx by c xL xH yL yH and the dots, printed by
// fn 50.
func (it *interpreter) storeGraphic(n int, byColumns bool) error {
	if n < headerBytes {
		return it.skip(n)
	}
	h, err := it.take(headerBytes)
	if err != nil {
		return err
	}
	n -= len(h)
	bx, by, x, y := int(h[1]), int(h[2]), word(h[4:]), word(h[6:])
	size := (x + 7) / 8 * y
	if byColumns {
		size = x * ((y + 7) / 8)
	}
	valid := h[0] == '0' && (bx == 1 || bx == 2) && (by == 1 || by == 2) && n > 0 && n == size
	if !valid || n > graphicBytesMax || y*by > graphicRowsMax {
		return it.skip(n)
	}
	d, err := it.readPicture(x, y, byColumns)
	if err != nil {
		return err
	}
	d = d.enlarge(bx, by)
	it.graphic = d.crop(it.p.model.Dots)
	return nil
}

// printGraphic is fn 50.
func (it *interpreter) printGraphic() error {
	g := it.graphic
	if g == nil {
		return nil
	}
	if it.page == nil && !it.line.begins() {
		return nil // stays stored
	}
	it.graphic = nil
	return it.block(g, Record{Kind: KindPicture, Picture: newPicture(g, "")})
}

// The older commands.

// defineOldNV is FS q n: n pictures, each xL xH yL yH and x × y × 8 bytes by
// columns. All that FS q stored before are gone, and the printer starts anew.
func defineOldNV(it *interpreter, a []byte) error {
	nv := &it.p.nv
	for key := range nv.pictures {
		if len(key) > 2 {
			nv.remove(key)
		}
	}
	for i := range a[0] {
		h, err := it.take(4)
		if err != nil {
			return err
		}
		x, y := word(h)*8, word(h[2:])*8
		size, key := x*y/8, oldNVKey+strconv.Itoa(int(i)+1)
		if x == 0 || y == 0 || y > graphicRowsMax || !nv.room(key, size) {
			if err := it.skip(size); err != nil {
				return err
			}
			continue
		}
		d, err := it.readPicture(x, y, true)
		if err != nil {
			return err
		}
		nv.put(key, d, size)
		if err := it.enqueue(job{records: []Record{{Kind: KindNV, Picture: newPicture(d, key)}}}); err != nil {
			return err
		}
	}
	it.initialise()
	return nil
}

// printOldNV is FS p n m.
func printOldNV(it *interpreter, a []byte) error {
	key, m := oldNVKey+strconv.Itoa(int(a[0])), a[1]&0x0F
	if m > 3 {
		return nil
	}
	return it.printPicture(it.p.nv.pictures[key], key, 1+int(m&1), 1+int(m>>1))
}

// defineDownload is GS * x y and x × y × 8 bytes by columns.
func defineDownload(it *interpreter, a []byte) error {
	x, y := int(a[0])*8, int(a[1])*8
	if x == 0 || y == 0 || !it.download.room(downloadOldKey, x*y/8) {
		return it.skip(x * y / 8)
	}
	d, err := it.readPicture(x, y, true)
	if err != nil {
		return err
	}
	it.download.put(downloadOldKey, d, x*y/8)
	return nil
}

// printDownload is GS / m.
func printDownload(it *interpreter, a []byte) error {
	d, m := it.download.pictures[downloadOldKey], a[0]&0x0F
	if d == nil || m > 3 {
		return nil
	}
	d = d.enlarge(1+int(m&1), 1+int(m>>1))
	return it.block(d, Record{Kind: KindPicture, Picture: newPicture(d, downloadOldKey)})
}

// nvMemory is FS g 1 m a1…a4 nL nH and n bytes, FS g 2 m a1…a4 nL nH.
func nvMemory(it *interpreter, a []byte) error {
	h, err := it.take(7)
	if err != nil || a[0] != 1 && a[0] != '1' {
		return err
	}
	return it.skip(word(h[5:]))
}
