package till

import (
	"strings"
	"testing"
)

// Each reason for refusing cards is shown when CARD is pressed and when a card
// is swiped all the same, in both languages, and cash goes on.
func TestCardRefusals(t *testing.T) {
	for reason, code := range map[string]string{
		"no key": "C13", "card keys used up": "C14", "key file of another device": "C15", "key file damaged": "C16",
		"key file cannot be written": "C17", cardZeroised: "C18", "reader unplugged": "C10", "internal fault": "C10",
	} {
		for _, locale := range []string{"ja-JP", "en"} {
			c := shop()
			c.Locale = locale
			k := open(t, c)
			k.on(Device{Name: "card", Detail: reason})
			if code != "C10" {
				k.wantCode(code)
			}
			k.scan(note)
			k.keys("CARD")
			k.wantCode(code)
			m := cardRefusal(reason, msgCardDown)
			lines := m.ja
			if locale == "en" {
				lines = m.en
			}
			k.wantShown(split(lines[0], code), lines[1])
			k.wantPhase(Selling)
			k.keys("CASH")
			k.on(Device{Name: "card", Up: true})
			k.scan(note)
			k.keys("CARD")
			k.wantPhase(AwaitCard)
			k.on(CardFailed{Reason: reason})
			swiped := code
			if code == "C10" {
				swiped = "C02"
			}
			k.wantCode(swiped)
		}
	}
	m := msgZeroised
	if !strings.Contains(m.textEN, "card reader needs a key: call a technician") || !strings.Contains(m.textJA, "技術者を呼んでください") {
		t.Errorf("%q, %q", m.textEN, m.textJA)
	}
}

// A destroyed key is on record once, however often the reader says it and
// whatever else it says, until there is a key again.
func TestZeroisedIsOnRecord(t *testing.T) {
	k := open(t, shop())
	k.kinds()
	zeroised := Device{Name: "card", Detail: cardZeroised}
	k.on(zeroised)
	k.wantKinds("security.event device.down")
	k.on(zeroised)
	k.on(Device{Name: "card", Detail: "reader unplugged"})
	k.on(zeroised)
	k.wantKinds("device.down device.down")
	k.on(Device{Name: "card", Up: true})
	k.on(zeroised)
	k.wantKinds("device.up security.event device.down")
	k.on(Device{Name: "scanner", Detail: cardZeroised})
	k.wantKinds("device.down")
}

func TestTampered(t *testing.T) {
	k := open(t, shop())
	k.kinds()
	k.on(Tampered{Line: "GPIO22"})
	k.wantKinds("security.event")
	k.wantCode("C19")
}
