package till

import (
	"slices"
	"strings"

	"regi/firmware/record"
)

// devices are those a till has an interest in; it keeps nothing of others.
//
//nolint:gochecknoglobals // a constant table
var devices = []string{"scanner", "scanner2", "printer", "card", "keypad", "matrix", "keyboard", "display", "customer", "drawer", "console"}

// What the printer says of itself, in the words of package drivers.
const (
	paperLow           = "paper near end"
	paperOut           = "paper out"
	coverOpen          = "cover open"
	cutterError        = "cutter error"
	headHot            = "print head too hot"
	mechanicalError    = "mechanical error"
	unrecoverableError = "unrecoverable error"
	printerOffline     = "printer offline"
	noAnswer           = "no answer in time"
)

// printerStates are what to do about a printer that waits.
//
//nolint:gochecknoglobals // a constant table
var printerStates = map[string]message{
	paperOut:           msgPaperOut,
	coverOpen:          msgCover,
	cutterError:        msgCutter,
	headHot:            msgHeadHot,
	mechanicalError:    msgMechanical,
	unrecoverableError: msgUnrecoverable,
	printerOffline:     msgPaper,
	noAnswer:           msgNoAnswer,
}

// deviceNames are the devices on the display, at most 9 columns, and in text.
//
//nolint:gochecknoglobals // a constant table
var deviceNames = map[string]struct{ ja, en, textJA, textEN string }{
	"scanner":  {"ｽｷｬﾅ", "SCANNER", "スキャナ", "the scanner"},
	"scanner2": {"ｽｷｬﾅ 2", "SCANNER 2", "2台目のスキャナ", "the second scanner"},
	"printer":  {"ﾌﾟﾘﾝﾀ", "PRINTER", "プリンタ", "the printer"},
	"card":     {"ｶｰﾄﾞｷ", "CARD", "カードリーダー", "the card reader"},
	"keypad":   {"ｷｰﾎﾞｰﾄﾞ", "KEYPAD", "キーボード", "the keypad"},
	"matrix":   {"ｷｰﾊﾟｯﾄﾞ", "KEYPAD", "キーパッド", "the keypad"},
	"keyboard": {"ｷｰﾎﾞｰﾄﾞ", "KEYBOARD", "USBキーボード", "the USB keyboard"},
	"display":  {"ﾋｮｳｼﾞｷ", "DISPLAY", "表示器", "the display"},
	"customer": {"ｷｬｸﾋｮｳｼﾞ", "CUSTOMER", "客用表示器", "the customer's display"},
	"drawer":   {"ﾄﾞﾛｱ", "DRAWER", "ドロア", "the drawer"},
	"console":  {"ﾎｼｭｾﾝ", "CONSOLE", "保守回線", "the service line"},
}

// named is a message about a device, with its name for the word "device".
func named(m message, device string) message {
	n, known := deviceNames[device]
	if !known {
		return m
	}
	if m.ja[0] != "" {
		m.ja[0], m.en[0] = n.ja+" ｾﾂﾀﾞﾝ", n.en+" AWAY"
	}
	m.textJA = strings.Replace(m.textJA, "機器", n.textJA, 1)
	m.textEN = strings.Replace(m.textEN, "a device", n.textEN, 1)
	return m
}

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
		t.tell(named(msgDeviceUp, e.Name), detail)
		t.askAgain()
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
		if e.Name == "printer" && e.Detail == flags.Paper {
			t.refreshFlags()
			return // the job that pauses has said so
		}
		t.do(Beep{})
		t.tell(t.downMessage(e), detail)
	}
	if e.Up && e.Detail == paperLow {
		t.tell(msgPaperLow, "")
	}
}

func isPaperMessage(code string) bool {
	for _, m := range printerStates {
		if m.code == code {
			return true
		}
	}
	return false
}

// paperMessage is what to do about a printer that waits.
func paperMessage(cause string) message {
	if m, ok := printerStates[cause]; ok {
		return m
	}
	return msgPaper
}

func (t *Till) downMessage(e Device) message {
	switch {
	case e.Name == "printer" && printerStates[e.Detail].code != "":
		return paperMessage(e.Detail)
	case e.Name == "card":
		return cardRefusal(e.Detail, named(msgDeviceDown, e.Name))
	}
	return named(msgDeviceDown, e.Name)
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
