package till

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A command sheet is keys on paper, for a register whose keypad is broken or that
// has none. Each is a Code 128 of SheetPrefix, the key's name, a colon, and a
// MAC: eight decimal digits of HMAC-SHA-256 under the register's own key over
// the key's name and the number of the Z that ends the sheet's life. A forger has
// one guess a scan, in front of the operator, and a sheet that was photographed
// is worth nothing the day after.
const (
	// SheetPrefix begins what no good is: a GTIN is of digits, and no element
	// string nor GS1 Digital Link begins like it.
	SheetPrefix  = "~K:"
	sheetContext = "regi command sheet v1"
	sheetMACMod  = 100_000_000
	sheetNameMax = 5  // characters of a name: two dots a module on 58 mm paper
	sheetsOldMax = 31 // sheets that are known for old ones
	sheetBytes   = 1 << 10
	sourceSheet  = "sheet"
)

// SheetKey is one key of a command sheet.
type SheetKey struct {
	Name string // the key's
	Code string // what the bar code holds
}

// sheetKeys are the keys that a sheet has, in its order. Of supervisorKeys it
// has those that a shop without a keypad cannot do without.
//
//nolint:gochecknoglobals // a constant table
var sheetKeys = []string{
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "CLEAR", "ENTER", "QTY", "VOID", "SUBTOTAL", "CASH", "CARD", "FN",
	"OPEN", "X", "Z", "NOSALE", "REFUND", "DISCOUNT", "DOT",
}

// supervisorKeys are those that paper alone may not press: who opens and closes
// the shift, takes money out of the drawer or off a price. So is VOID where it
// gives up a sale or gives money back: see sheetVoids.
//
//nolint:gochecknoglobals // a constant table
var supervisorKeys = []string{"OPEN", "X", "Z", "NOSALE", "REFUND", "DISCOUNT"}

// Sheet is the sheet that is good until the next Z; none without a key for it.
func (t *Till) Sheet() []SheetKey {
	if len(t.config.CodeKey) == 0 || t.config.SheetOff {
		return nil
	}
	keys := make([]SheetKey, 0, len(sheetKeys))
	for _, name := range sheetKeys {
		keys = append(keys, SheetKey{Name: name, Code: t.sheetCode(name, t.state.Counters.Z)})
	}
	return keys
}

// sheetCode is what stands on a sheet that Z number z has begun.
func (t *Till) sheetCode(name string, z int64) string {
	mac := hmac.New(sha256.New, t.config.CodeKey)
	fmt.Fprintf(mac, "%s|%s|%s|%d|%s", sheetContext, t.config.Store, t.config.Register, z, name) //nolint:errcheck // a hash takes everything
	sum := binary.BigEndian.Uint64(mac.Sum(nil)) % sheetMACMod
	return fmt.Sprintf("%s%s:%08d", SheetPrefix, name[:min(len(name), sheetNameMax)], sum)
}

// readSheet is the key that a code stands for; name is "" if it is of no sheet of
// this register, and old says that its sheet is.
func (t *Till) readSheet(code string) (name string, old bool) {
	if len(t.config.CodeKey) == 0 || t.config.SheetOff {
		return "", false
	}
	short, _, _ := strings.Cut(strings.TrimPrefix(code, SheetPrefix), ":")
	at := slices.IndexFunc(sheetKeys, func(n string) bool { return n[:min(len(n), sheetNameMax)] == short })
	if at < 0 {
		return "", false
	}
	now := t.state.Counters.Z
	for z := now; z >= max(0, now-sheetsOldMax); z-- {
		if hmac.Equal([]byte(code), []byte(t.sheetCode(sheetKeys[at], z))) {
			return sheetKeys[at], z != now
		}
	}
	return "", false
}

// scannedSheet presses a key of a sheet, or says why not.
func (t *Till) scannedSheet(e Scanned) {
	name, old := t.readSheet(e.Label)
	switch {
	case name == "" || e.Problem != "":
		t.fail(msgSheetForeign, "")
	case old:
		t.fail(msgSheetOld, "")
	default:
		t.key(Key{Name: name, Source: sourceSheet})
	}
}

// sheetMayNot asks for the supervisor's number before a key of a sheet that
// needs it, and refuses it where the shop has none.
func (t *Till) sheetMayNot(e Key, confirmed bool) bool {
	trains := e.Name == "ENTER" && (confirmed || t.keyed() == numberTraining)
	switch {
	case e.Source != sourceSheet:
		return false
	case trains:
		if t.config.Supervisor != "" {
			return false // it is asked for anyway
		}
	case !slices.Contains(supervisorKeys, e.Name) && !t.sheetVoids(e.Name, confirmed):
		return false
	}
	if t.config.Supervisor == "" {
		t.fail(msgSheetKeypad, e.Name)
		return true
	}
	if t.mustWait() {
		return true
	}
	hand := t.state.Hand
	t.state.Hand = Hand{
		Ask: e.Name, Sheet: true, Held: hand.Digits, Sure: confirmed, Tender: hand.Tender, Quantity: hand.Quantity, Percent: hand.Percent,
	}
	t.say(msgSupervisor, "")
	return true
}

// sheetVoids says whether VOID would give up the sale, or give money back.
func (t *Till) sheetVoids(name string, confirmed bool) bool {
	open := t.state.Sale
	if name != "VOID" || open == nil {
		return false
	}
	switch t.state.Phase() {
	case Tendering:
		return confirmed || len(open.Receipt.Tender) > 0
	case Selling:
		standing := 0
		for _, line := range open.Receipt.LineItem {
			if !line.Voided {
				standing++
			}
		}
		return standing <= 1
	}
	return false
}

// sheetGranted presses the key for which the supervisor's number was given.
func (t *Till) sheetGranted(asked Hand) {
	t.state.Hand = Hand{Digits: asked.Held, Tender: asked.Tender, Quantity: asked.Quantity, Percent: asked.Percent}
	t.keyFunction(t.state.Phase(), asked.Ask, asked.Sure)
}

// keySheet prints the sheet that is good from now on.
func (t *Till) keySheet() {
	switch {
	case t.Sheet() == nil:
		t.fail(msgSheetNone, "")
	case !t.print(Job{Form: FormSheet, Bytes: sheetBytes}):
		t.fail(msgPrintQueue, "")
	default:
		t.refresh()
	}
}
