package track

type field uint8

const (
	format  field = iota // track 1: the format code
	digits               // the card number
	name                 // track 1
	date                 // four digits or a separator; not kept
	service              // three digits or a separator
	rest
)

// number is what is kept of one track's card number, but for its last digits.
type number struct {
	first    [6]byte
	_        [10]byte // so that no two runs of digits touch
	service  [serviceDigits]byte
	field    field
	count    uint8 // digits of the number
	taken    uint8 // digits of the date or the service code
	even     uint8 // Luhn sum that doubles the digits 0, 2, 4 ...
	odd      uint8 // Luhn sum that doubles the digits 1, 3, 5 ...
	complete bool
	served   bool
	_        [4]byte
}

// tail is the last four digits of one track's number.
type tail struct {
	digits [4]byte
	_      [12]byte
}

// digit takes a data character of tracks 1 and 2.
func (m *Machine) digit(c byte) {
	if m.track <= 2 {
		m.number[m.track].take(m.track, c, &m.last[m.track])
	}
}

// take is the next data character of track t, 1 or 2.
func (n *number) take(t uint8, c byte, last *tail) {
	separator := c == kinds[t].separator
	if n.field == format {
		n.field = digits
		if t == 1 {
			if c != 'B' { // not a bank card
				n.field = rest
			}
			return
		}
	}
	switch n.field {
	case digits:
		n.add(c, separator, last)
		if t == 2 && n.field == name {
			n.field = date
		}
	case name:
		if separator {
			n.field = date
		}
	case date:
		n.skipDate(c, separator)
	case service:
		n.serve(c, separator)
	case format, rest:
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (n *number) add(c byte, separator bool, last *tail) {
	switch {
	case separator && n.count >= digitsMin:
		n.field, n.complete = name, true
		return
	case !isDigit(c) || n.count == digitsMax:
		*n, *last = number{field: rest}, tail{}
		return
	}
	if int(n.count) < len(n.first) {
		n.first[n.count] = c
	}
	l := &last.digits
	l[0], l[1], l[2], l[3] = l[1], l[2], l[3], c
	n.sum(c)
	n.count++
}

// sum takes a digit into the two Luhn sums.
func (n *number) sum(c byte) {
	v := c - '0'
	doubled := 2*v - 9*(2*v/10)
	if n.count%2 == 0 {
		n.even, n.odd = (n.even+doubled)%10, (n.odd+v)%10
	} else {
		n.even, n.odd = (n.even+v)%10, (n.odd+doubled)%10
	}
}

func (n *number) skipDate(c byte, separator bool) {
	switch {
	case separator && n.taken == 0:
		n.field = service
	case !isDigit(c):
		n.field = rest
	default:
		if n.taken++; n.taken == dateDigits {
			n.field, n.taken = service, 0
		}
	}
}

func (n *number) serve(c byte, separator bool) {
	if separator || !isDigit(c) {
		n.field, n.service = rest, [serviceDigits]byte{}
		return
	}
	n.service[n.taken] = c
	if n.taken++; n.taken == serviceDigits {
		n.field, n.served = rest, true
	}
}

// luhn reports whether the check digit fits (ISO/IEC 7812-1 annex B): from the
// right, every second digit is doubled.
func (n *number) luhn() bool {
	if n.count%2 == 0 {
		return n.even == 0
	}
	return n.odd == 0
}

func (n *number) sameAs(o *number) bool {
	return n.first == o.first && n.count == o.count && n.even == o.even && n.odd == o.odd
}

// chosen is the track whose number counts: track 2 where it was read well.
func (m *Machine) chosen() uint8 {
	if m.has(2) {
		return 2
	}
	return 1
}

// First is the first six digits of the card number, valid after a good End.
// It points into the machine.
func (m *Machine) First() []byte { return m.number[m.chosen()].first[:] }

// Last is the last four digits. It points into the machine.
func (m *Machine) Last() []byte { return m.last[m.chosen()].digits[:] }

// Luhn reports whether the number's check digit fits.
func (m *Machine) Luhn() bool { return m.number[m.chosen()].luhn() }

// Service is the service code, or nothing. It points into the machine.
func (m *Machine) Service() []byte {
	if n := &m.number[m.chosen()]; n.served {
		return n.service[:]
	}
	return nil
}

// Good reports whether track t was present and read well.
func (m *Machine) Good(t uint8) bool { return m.good&(1<<t) != 0 }
