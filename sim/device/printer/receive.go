package printer

import (
	"time"
)

// pollRunMax is how many status requests in a row stay in the buffer. They were
// answered when they came; a register that asks an offline printer for hours
// must not fill its buffer. No picture has that many in a row.
const pollRunMax = 16

// receiver is the receive buffer, and the watch for real-time commands in it.
type receiver struct {
	buf   []byte
	ended bool // the wire has no more

	realtime []byte // a real-time command that has begun
	since    int    // bytes since the last DLE EOT ended
	polls    int    // DLE EOT in a row
}

func (r *receiver) clear() {
	*r = receiver{ended: r.ended}
}

// receive buffers bytes and obeys the real-time commands among them at once. A
// printer that is off hears nothing.
func (p *Printer) receive(b []byte) {
	p.m.Lock()
	defer p.m.Unlock()
	for _, c := range b {
		if p.m.Off || p.m.Unplugged {
			return
		}
		p.in.buf = append(p.in.buf, c)
		p.in.since++
		if cmd := p.in.watch(c); cmd != nil {
			p.obey(cmd)
		}
		if len(p.plan) > 0 {
			p.due(byteLeft)
		}
	}
	p.flow()
	p.m.Wake()
}

// flow tells the register to stop or to go on.
func (p *Printer) flow() {
	if !p.opt.XonXoff {
		return
	}
	p.m.Flow(p.opt.BufferBytes)
}

const (
	dle = 0x10
	eot = 0x04
	enq = 0x05
	dc4 = 0x14
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// watch follows the bytes and returns a real-time command when it is complete.
func (r *receiver) watch(c byte) []byte {
	if len(r.realtime) == 0 {
		if c == dle {
			r.realtime = append(r.realtime, c)
		}
		return nil
	}
	r.realtime = append(r.realtime, c)
	switch n := realtimeLen(r.realtime); {
	case n == 0: // none
		r.realtime = r.realtime[:0]
		if c == dle {
			r.realtime = append(r.realtime, c)
		}
	case n == len(r.realtime):
		cmd := r.realtime
		r.realtime = nil
		return cmd
	}
	return nil
}

// realtimeLen is the length of the real-time command that begins with b, as far
// as b tells; 0 if it is none.
func realtimeLen(b []byte) int {
	if len(b) < 2 {
		return 3
	}
	switch b[1] {
	case eot:
		switch {
		case len(b) < 3 || b[2] >= 1 && b[2] <= 4:
			return 3
		case b[2] == 7 || b[2] == 8 || b[2] == 18: // ink, MICR, interface: n a
			return 4
		}
	case enq:
		if len(b) < 3 || b[2] <= 2 {
			return 3
		}
	case dc4:
		if len(b) < 3 {
			return 3
		}
		return pulseLen(b[2])
	}
	return 0
}

// pulseLen is the length of DLE DC4 fn.
func pulseLen(fn byte) int {
	switch fn {
	case 1, 2: // m t; a b
		return 5
	case 3: // a n r t1 t2
		return 8
	case 7: // m
		return 4
	case 8: // d1…d7
		return 10
	}
	return 0
}

// What DLE DC4 must say to switch off, and to clear the buffers.
const (
	powerOffCode = "\x01\x08"
	clearCode    = "\x01\x03\x14\x01\x06\x02\x08"
)

// obey carries out a real-time command. Its bytes stay in the buffer, where the
// parser skips them or takes them for data.
func (p *Printer) obey(cmd []byte) {
	switch {
	case cmd[1] == eot: // DLE EOT n: transmit real-time status.
		p.polled()
		if len(cmd) == 3 {
			p.m.Send(p.realtimeStatus(cmd[2]))
		}
	case cmd[1] == enq && cmd[2] == 1: // DLE ENQ 1: recover and go on from the failed line.
		p.m.Stuck = false
		p.m.Touch()
	case cmd[1] == enq && cmd[2] == 2: // DLE ENQ 2: recover after clearing the buffers.
		p.m.Stuck = false
		p.lose()
		p.m.Touch()
	case cmd[1] == dc4 && cmd[2] == 1: // DLE DC4 1 m t: pulse of t × 100 ms.
		if m, t := cmd[3], cmd[4]; m <= 1 && t >= 1 && t <= 8 && !p.m.Stuck {
			d := time.Duration(t) * 100 * time.Millisecond
			p.kick(m, d, d, true)
		}
	case cmd[1] == dc4 && cmd[2] == 2 && string(cmd[3:]) == powerOffCode:
		p.lose()
		p.cold, p.m.Stuck, p.asb, p.m.Off = true, false, 0, true
		p.m.Unsay(0x3B, 0x30, 0x00) // power-off notice
		p.m.Touch()
	case cmd[1] == dc4 && cmd[2] == 8 && string(cmd[3:]) == clearCode:
		p.m.Stuck = false
		p.lose()
		p.m.Send(0x37, 0x25, 0x00) // clear response
		p.m.Touch()
	}
}

// polled drops a status request from the buffer if too many stand in a row.
func (p *Printer) polled() {
	if p.in.since == 3 {
		p.in.polls++
	} else {
		p.in.polls = 1
	}
	p.in.since = 0
	if n := len(p.in.buf); p.in.polls > pollRunMax && n >= 3 {
		p.in.buf = p.in.buf[:n-3]
	}
}
