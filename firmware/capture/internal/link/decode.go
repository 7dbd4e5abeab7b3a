package link

import "encoding/binary"

// Decode reads one packet. It accepts exactly what the Append functions write
// and refuses the rest with ErrPacket. The slices of a Read point into b.
func Decode(b []byte) (Packet, error) {
	if len(b) < 2 || len(b) > PacketMax || b[0] != version {
		return Packet{}, ErrPacket
	}
	d := &decoder{b: b[2:]}
	var p Packet
	switch b[1] {
	case kindStatus:
		p.Status = d.status()
	case kindFailed:
		p.Failed = d.failed()
	case kindRead, kindBits:
		p.Read = d.read()
		p.Read.Bits = b[1] == kindBits
		d.check(!p.Read.Bits || p.Read.Suite == CTR) // bits are taken one by one
	case kindPassed:
		p.Passed = d.passed()
	default:
		return Packet{}, ErrPacket
	}
	if d.bad || len(d.b) != 0 {
		return Packet{}, ErrPacket
	}
	return p, nil
}

// decoder takes fields off b; after the first that does not fit it is bad and
// yields zero values.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n > len(d.b) {
		d.bad = true
		return nil
	}
	field := d.b[:n:n]
	d.b = d.b[n:]
	return field
}

func (d *decoder) byte() byte {
	if f := d.take(1); f != nil {
		return f[0]
	}
	return 0
}

func (d *decoder) check(ok bool) { d.bad = d.bad || !ok }

func (d *decoder) bool() bool {
	c := d.byte()
	d.check(c <= 1)
	return c == 1
}

func (d *decoder) reason() Reason {
	r := Reason(d.byte())
	d.check(r < reasons)
	return r
}

func (d *decoder) suite() Suite {
	s := Suite(d.byte())
	d.check(s < suites)
	return s
}

func (d *decoder) state() State {
	s := State(d.byte())
	d.check(s < states)
	return s
}

// word takes a length and as many characters of a to z and -.
func (d *decoder) word(most int) string {
	n := int(d.byte())
	d.check(n > 0 && n <= most)
	w := d.take(n)
	for _, c := range w {
		d.check(c >= 'a' && c <= 'z' || c == '-')
	}
	return string(w)
}

func (d *decoder) digits(n int) []byte {
	f := d.take(n)
	for _, c := range f {
		d.check(c >= '0' && c <= '9')
	}
	return f
}

func (d *decoder) status() *Status {
	s := &Status{Reason: d.reason(), Suite: d.suite(), SecretMem: d.bool(), SecretDo: d.bool()}
	n := int(d.byte())
	d.check(n <= controlsMax)
	for range min(n, controlsMax) {
		state := d.state()
		s.Controls = append(s.Controls, Control{Name: d.word(nameMax), State: state})
	}
	return s
}

func (d *decoder) failed() *Failed {
	f := &Failed{Track: d.byte(), Fault: d.byte(), Refused: d.reason()}
	d.check(f.Track <= 3)
	d.check((f.Fault == 0) != (f.Refused == None)) // exactly one of the two
	d.check(f.Refused == None || f.Track == 0)
	return f
}

func (d *decoder) read() *Read {
	r := &Read{Suite: d.suite(), KSN: d.take(KSNBytes), First: d.digits(FirstBytes), Brand: d.word(brandMax)}
	n := int(d.byte())
	d.check(n == 0 || n == ServiceBytes)
	r.Service = d.digits(n)
	r.Tracks = d.byte()
	d.check(r.Tracks&0b11 != 0 && r.Tracks <= 0b111) // the number is on track 1 or 2
	r.Luhn = d.bool()
	n = 0
	if f := d.take(2); f != nil {
		n = int(binary.BigEndian.Uint16(f))
	}
	d.check(n > 0 && n <= CipherMax)
	d.check(r.Suite != CBC || n%16 == 0)
	r.Cipher = d.take(n)
	r.MAC = d.take(MACBytes)
	r.Last = d.digits(LastBytes)
	return r
}

func (d *decoder) passed() *Passed {
	p := &Passed{Suite: d.byte(), KSN: d.take(PassedKSNBytes), First: d.digits(FirstBytes), Brand: d.word(brandMax)}
	d.check(p.Suite > 0 && int(p.Suite) < len(PassedSuites))
	n := int(d.byte())
	d.check(n == 0 || n == ServiceBytes)
	p.Service = d.digits(n)
	p.Tracks = d.byte()
	d.check(p.Tracks&0b11 != 0 && p.Tracks <= 0b111)
	for t := range p.Cipher {
		n := int(d.byte())
		d.check(n <= PassedTrackMax && n%passedBlockSize == 0)
		d.check(n > 0 == (p.Tracks&(1<<t) != 0)) // what was read well is there, and nothing else
		p.Cipher[t] = d.take(n)
	}
	p.Last = d.digits(LastBytes)
	return p
}
