package till

import (
	"slices"

	"regi/firmware/record"
)

// Why a drawer that was kicked is not known to be open, in the shell's words.
const (
	// drawerStuck is one that did not open. Of any other failure nobody was told
	// to use the key.
	drawerStuck = "drawer did not open"
	// drawerHot is one whose coil must cool: it was not kicked.
	drawerHot = "drawer coil must cool"
	// drawerBusy is one that another opening was not over of: it is there.
	drawerBusy = "drawer busy"
)

// leftOpen is the security event of a drawer that stands open.
const leftOpen = "drawer-left-open"

// kick opens the drawer, never without its record.
func (t *Till) kick(why DrawerBody) {
	t.state.Drawer.Kicks++
	t.state.Drawer.Stuck = false
	t.record(record.DrawerKick, why)
	t.do(Kick{})
}

// keyNoSale opens the drawer for change; what was keyed is the reason.
func (t *Till) keyNoSale() {
	reason := t.state.Hand.Digits
	t.state.Hand.Digits = ""
	t.state.Shift.Totals.NoSales++
	t.record(record.NoSale, NoSaleBody{OperatorID: t.state.Shift.OperatorID, Reason: reason})
	t.kick(DrawerBody{Reason: "nosale"})
	t.say(msgNoSale, reason)
}

func (t *Till) drawerOpened() {
	drawer := &t.state.Drawer
	switch {
	case drawer.Kicks > 0 || drawer.Stuck || drawer.Resumed:
		*drawer = Drawer{Open: true, Kicks: max(0, drawer.Kicks-1), LeftOpen: drawer.LeftOpen && drawer.Open}
		t.record(record.DrawerOpened, DrawerBody{})
		t.answered(msgDrawerStuck, msgDrawerHot, msgDrawerAway)
	case !drawer.Open:
		drawer.Open = true
		if shift := t.state.Shift; shift != nil {
			shift.Totals.DrawerForced++
		}
		t.record(record.DrawerForced, DrawerBody{})
		t.warn(msgDrawerForced, "")
	}
}

// drawerTested is an opening that no kick of this till's is answered by: without
// it the drawer would be found open after a restart as if by force.
func (t *Till) drawerTested() {
	drawer := &t.state.Drawer
	if drawer.Open {
		return
	}
	drawer.Open, drawer.Stuck = true, false
	t.record(record.DrawerOpened, DrawerBody{})
	t.answered(msgDrawerStuck, msgDrawerHot, msgDrawerAway)
}

func (t *Till) drawerClosed() {
	drawer := &t.state.Drawer
	if drawer.Open {
		t.record(record.DrawerClosed, DrawerBody{})
	}
	was := drawer.LeftOpen
	drawer.Open, drawer.LeftOpen, drawer.Resumed = false, false, false
	t.answered(msgNoSale, msgDrawerLeft)
	if was {
		t.refreshFlags()
	}
}

// drawerLeftOpen is an alarm, on record once for each opening.
func (t *Till) drawerLeftOpen() {
	drawer := &t.state.Drawer
	switch {
	case !drawer.Open:
		return
	case drawer.LeftOpen:
		t.do(Beep{})
		t.refreshFlags()
		return
	}
	drawer.LeftOpen = true
	t.record(record.SecurityEvent, SecurityBody{Event: leftOpen})
	t.warn(msgDrawerLeft, "")
}

func (t *Till) drawerFailed(reason string) {
	if t.state.Drawer.Kicks == 0 {
		return
	}
	t.state.Drawer.Kicks--
	t.state.Drawer.Stuck = reason == drawerStuck
	t.record(record.DeviceDown, DeviceBody{Name: "drawer", Detail: reason})
	m := msgDrawerAway
	switch reason {
	case drawerStuck:
		m = msgDrawerStuck
	case drawerHot, drawerBusy:
		m = msgDrawerHot
	}
	t.warn(m, reason)
}

// answered takes messages of the drawer off the display: it is as they asked.
func (t *Till) answered(messages ...message) {
	if slices.ContainsFunc(messages, func(m message) bool { return m.code == t.state.Hand.Message }) {
		t.refresh()
	}
}
