package printer

import "regi/sim/device/printer/machine"

// The bits of DLE EOT 1 to 4. Each answer is 0xx1xx10b.
const (
	realtimeBase = 0x12

	printerPin3    = 1 << 2
	printerOffline = 1 << 3

	offlineCover = 1 << 2
	offlinePaper = 1 << 5
	offlineError = 1 << 6

	errorCutter = 1 << 3
	errorFatal  = 1 << 5
	errorHot    = 1 << 6 // goes away by itself

	rollNearEndBits = 0x0C
	rollEndBits     = 0x60
)

// realtimeStatus answers DLE EOT n.
func (p *Printer) realtimeStatus(n byte) byte {
	b := byte(realtimeBase)
	add := func(is bool, bits byte) {
		if is {
			b |= bits
		}
	}
	switch n {
	case 1: // printer
		add(p.lookPin3(), printerPin3)
		add(!p.m.Online(), printerOffline)
	case 2: // cause of offline
		add(p.m.Cover, offlineCover)
		add(p.m.Roll == machine.RollOut, offlinePaper)
		add(p.m.Failed(), offlineError)
	case 3: // cause of error
		add(p.m.Stuck, errorCutter)
		add(p.m.Broken, errorFatal)
		add(p.m.Hot, errorHot)
	case 4: // roll paper sensor; what is past the end is past near the end too
		add(p.m.Roll != machine.RollOK, rollNearEndBits)
		add(p.m.Roll == machine.RollOut, rollEndBits)
	}
	return b
}

func (p *Printer) pin3() bool {
	return p.opt.DrawerOpen != nil && p.opt.DrawerOpen()
}

// lookPin3 is pin 3 for an answer that was asked for.
func (p *Printer) lookPin3() bool {
	now := p.pin3()
	if !p.model.StaleDrawer {
		return now
	}
	was := p.seenPin3
	p.seenPin3 = now
	return was
}

// The bits of GS a n, and which bits of the four ASB bytes each watches.
const (
	watchDrawer = 1 << 0
	watchOnline = 1 << 1
	watchError  = 1 << 2
	watchRoll   = 1 << 3
	watchPanel  = 1 << 6
	watchAll    = watchDrawer | watchOnline | watchError | watchRoll | watchPanel

	asbPin3    = 1 << 2
	asbOffline = 1 << 3
	asbFixed   = 1 << 4
	asbCover   = 1 << 5

	asbErrors = errorCutter | errorFatal | errorHot // of the second byte, as in DLE EOT 3

	asbNearEnd = 0x03
	asbEnd     = 0x0C

	asbVersion = 0x0F // the fourth byte of a TM-T88V
)

func (p *Printer) asbStatus() [4]byte {
	s := [4]byte{asbFixed, 0, 0, asbVersion}
	add := func(is bool, i int, bits byte) {
		if is {
			s[i] |= bits
		}
	}
	add(p.pin3(), 0, asbPin3)
	add(!p.m.Online(), 0, asbOffline)
	add(p.m.Cover, 0, asbCover)
	add(p.m.Stuck, 1, errorCutter)
	add(p.m.Broken, 1, errorFatal)
	add(p.m.Hot, 1, errorHot)
	add(p.m.Roll != machine.RollOK, 2, asbNearEnd)
	add(p.m.Roll == machine.RollOut, 2, asbEnd)
	return s
}

// subscribe is GS a n: report at once, then every change that n names.
func (p *Printer) subscribe(n byte) {
	p.asb = n & watchAll
	if p.asb == 0 {
		return
	}
	p.asbLast = p.asbStatus()
	p.m.Send(p.asbLast[:]...)
}

// report sends the automatic status if something watched has changed.
func (p *Printer) report() {
	if p.asb == 0 || p.m.Off {
		return
	}
	now := p.asbStatus()
	watched := func(bit byte, mask [4]byte) bool {
		if p.asb&bit == 0 {
			return false
		}
		for i := range mask {
			if (now[i]^p.asbLast[i])&mask[i] != 0 {
				return true
			}
		}
		return false
	}
	if watched(watchDrawer, [4]byte{asbPin3}) ||
		watched(watchOnline, [4]byte{asbOffline | asbCover}) ||
		watched(watchError, [4]byte{0, asbErrors}) ||
		watched(watchRoll, [4]byte{0, 0, asbNearEnd | asbEnd}) {
		p.asbLast = now
		p.m.Send(now[:]...)
	}
}

// rollStatus answers GS r 1 and ESC v.
func (p *Printer) rollStatus() byte {
	switch p.m.Roll {
	case machine.RollOK:
		return 0
	case machine.RollNearEnd:
		return asbNearEnd
	case machine.RollOut:
	}
	return asbNearEnd | asbEnd
}

// identify answers GS I n.
func (p *Printer) identify(n byte) {
	text := func(s string) { p.m.Send(append(append([]byte{0x5F}, s...), 0)...) }
	switch n {
	case 1, '1':
		p.m.Send(p.model.ID)
	case 2, '2':
		p.m.Send(p.model.Type)
	case 3, '3':
		p.m.Send(0x02)
	case 65:
		text("1.00 SIM")
	case 66:
		text("EPSON")
	case 67:
		text(p.model.Product)
	case 68:
		text("SIM0000001")
	case 69:
		text("KANJI JAPANESE")
	}
}
