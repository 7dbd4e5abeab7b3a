package till

import (
	"slices"

	"regi/firmware/record"
)

// devices are those a till has an interest in; it keeps nothing of others.
//
//nolint:gochecknoglobals // a constant table
var devices = []string{"scanner", "scanner2", "printer", "card", "keypad", "display", "drawer", "console"}

// paperLow is how the printer says that its roll is near the end.
const paperLow = "paper near end"

// cardZeroised is how the card reader says that its key was destroyed.
const cardZeroised = "key zeroised"

// cardRefusals are the reasons for refusing cards that need more than a look at
// the cable, in the card reader's words.
//
//nolint:gochecknoglobals // a constant table
var cardRefusals = map[string]message{
	"no key":                     msgNoKey,
	"card keys used up":          msgKeysUsedUp,
	"key file of another device": msgOtherDevice,
	"key file damaged":           msgKeyDamaged,
	"key file cannot be written": msgKeyUnwritten,
	cardZeroised:                 msgZeroised,
}

// cardRefusal is the message for a reason; otherwise where it has none.
func cardRefusal(reason string, otherwise message) message {
	if m, ok := cardRefusals[reason]; ok {
		return m
	}
	return otherwise
}

// device changes a flag, never the sale.
func (t *Till) device(e Device) {
	if !slices.Contains(devices, e.Name) {
		return
	}
	flags := &t.state.Flags
	was, wasDown := flags.Down[e.Name]
	detail := e.Name
	if e.Detail != "" {
		detail += ": " + e.Detail
	}
	switch {
	case e.Up && wasDown:
		delete(flags.Down, e.Name)
		if e.Name == "card" {
			flags.Zeroised = false
		}
		t.record(record.DeviceUp, DeviceBody{Name: e.Name, Detail: e.Detail})
		if m := t.state.Hand.Message; m == msgDeviceDown.code || isPaperMessage(m) || m == cardRefusal(was, msgDeviceDown).code {
			t.state.Hand.Message = ""
		}
		t.tell(msgDeviceUp, detail)
	case e.Up:
	case was == e.Detail && wasDown:
		return
	default:
		if flags.Down == nil {
			flags.Down = map[string]string{}
		}
		if e.Detail == "" {
			e.Detail = "away"
		}
		flags.Down[e.Name] = e.Detail
		if e.Name == "card" && e.Detail == cardZeroised && !flags.Zeroised {
			flags.Zeroised = true
			t.record(record.SecurityEvent, SecurityBody{Event: "zeroised"})
		}
		t.record(record.DeviceDown, DeviceBody{Name: e.Name, Detail: e.Detail})
		t.do(Beep{})
		t.tell(t.downMessage(e), detail)
	}
	if e.Up && e.Detail == paperLow {
		t.tell(msgPaperLow, "")
	}
}

func isPaperMessage(code string) bool {
	return slices.Contains([]string{msgPaper.code, msgPaperOut.code, msgCover.code, msgCutter.code}, code)
}

// paperMessage is what to do about a printer that waits.
func paperMessage(cause string) message {
	switch cause {
	case "paper out":
		return msgPaperOut
	case "cover open":
		return msgCover
	case "cutter error":
		return msgCutter
	}
	return msgPaper
}

func (t *Till) downMessage(e Device) message {
	switch {
	case e.Name == "printer" && t.state.Flags.paperWaits():
		return paperMessage(e.Detail)
	case e.Name == "card":
		return cardRefusal(e.Detail, msgDeviceDown)
	}
	return msgDeviceDown
}

func (t *Till) tampered(line string) {
	t.record(record.SecurityEvent, SecurityBody{Event: "tamper", Detail: line})
	t.warn(msgTampered, line)
}

func (t *Till) cloud(e Cloud) {
	if t.state.Flags.Offline == !e.Up {
		return
	}
	t.state.Flags.Offline = !e.Up
	if e.Up {
		t.tell(msgOnline, "")
		return
	}
	t.tell(msgOffline, e.Detail)
}

func (t *Till) drawerOpened() {
	drawer := &t.state.Drawer
	switch {
	case drawer.Kicks > 0 || drawer.Stuck:
		*drawer = Drawer{Open: true, Kicks: max(0, drawer.Kicks-1)}
		t.record(record.DrawerOpened, DrawerBody{})
	case !drawer.Open:
		drawer.Open = true
		if shift := t.state.Shift; shift != nil {
			shift.Totals.DrawerForced++
		}
		t.record(record.DrawerForced, DrawerBody{})
		t.warn(msgDrawerForced, "")
	}
}

func (t *Till) drawerClosed() {
	if drawer := &t.state.Drawer; drawer.Open {
		drawer.Open = false
		t.record(record.DrawerClosed, DrawerBody{})
	}
}

// drawerStuck is a drawer that was kicked and did not open. Of any other
// failure nobody was told to use the key.
const drawerStuck = "drawer did not open"

func (t *Till) drawerFailed(reason string) {
	if t.state.Drawer.Kicks == 0 {
		return
	}
	t.state.Drawer.Kicks--
	t.state.Drawer.Stuck = reason == drawerStuck
	t.record(record.DeviceDown, DeviceBody{Name: "drawer", Detail: reason})
	t.warn(msgDrawerStuck, reason)
}
