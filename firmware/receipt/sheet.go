package receipt

import (
	"fmt"

	"regi/drivers"
)

// SheetKey is one key of a command sheet.
type SheetKey struct {
	Name string // "CASH"
	Code string // what its Code 128 holds
}

// The codes of a sheet: three a hand's breadth, and wide enough for scanners that
// see two dots of paper.
const (
	sheetModule = 2 // dots
	sheetHeight = 8 // millimetres
)

// Sheet is keys on paper for the scanner: each with its name above its code. head
// says whose it is and how long it is good.
func (l *Layouts) Sheet(keys []SheetKey, head string, on Paper) (drivers.Document, error) {
	p, err := l.paper(on)
	if err != nil {
		return drivers.Document{}, err
	}
	if on.Plain || len(keys) == 0 { // a code is all that it is
		return drivers.Document{}, fmt.Errorf("receipt: sheet: %w", ErrForm)
	}
	title, until := "COMMAND SHEET", "valid until the next Z"
	japanese := l.layout.country.Locale == "ja-JP"
	if japanese {
		title, until = "キーシート", "次の精算（Z）まで有効"
	}
	p.banner(title)
	copyMark(p)
	p.text(head, drivers.Center)
	p.text(until, drivers.Center)
	p.rule()
	for _, key := range keys {
		caption := key.Name
		if ja := keyCaptions[key.Name]; ja != "" && japanese {
			caption = ja + "  " + key.Name
		}
		p.add(drivers.TextLine{Text: caption, Align: drivers.Center, Bold: true})
		p.add(drivers.Barcode{Symbology: drivers.Code128, Data: key.Code, Align: drivers.Center, Module: sheetModule, Height: sheetHeight})
		p.space()
	}
	return drivers.Document{Items: p.items, Cut: true, Latin: bool(p.script)}, nil
}

// keyCaptions are what keypads in Japan have on their keys.
//
//nolint:gochecknoglobals // a constant table
var keyCaptions = map[string]string{
	"CLEAR": "クリア", "ENTER": "確定", "QTY": "数量", "VOID": "取消", "SUBTOTAL": "小計", "CASH": "現金", "CARD": "クレジット",
	"FN": "再発行", "OPEN": "開設", "X": "点検", "Z": "精算", "NOSALE": "両替", "REFUND": "返品", "DISCOUNT": "値引", "DOT": "％",
}
