package till

import (
	"slices"

	"regi/firmware/record"
)

// devices are those a till has an interest in; it keeps nothing of others.
//
//nolint:gochecknoglobals // a constant table
var devices = []string{"scanner", "printer", "card", "keypad", "display", "drawer", "console"}

// paperLow is how the printer says that its roll is near the end.
const paperLow = "paper near end"

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
		t.record(record.DeviceUp, DeviceBody{Name: e.Name, Detail: e.Detail})
		if m := t.state.Hand.Message; m == msgDeviceDown.code || m == msgPaper.code {
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
		t.record(record.DeviceDown, DeviceBody{Name: e.Name, Detail: e.Detail})
		t.do(Beep{})
		t.tell(t.downMessage(e.Name), detail)
	}
	if e.Up && e.Detail == paperLow {
		t.tell(msgPaperLow, "")
	}
}

func (t *Till) downMessage(name string) message {
	if name == "printer" && t.state.Flags.paperWaits() {
		return msgPaper
	}
	return msgDeviceDown
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
	case drawer.Kicked:
		drawer.Kicked, drawer.Open = false, true
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

func (t *Till) drawerFailed(reason string) {
	if !t.state.Drawer.Kicked {
		return
	}
	t.state.Drawer.Kicked = false
	t.record(record.DeviceDown, DeviceBody{Name: "drawer", Detail: reason})
	t.warn(msgDrawerStuck, reason)
}
