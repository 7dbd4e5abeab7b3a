package escpos

import (
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/raster"
)

// Ability says whether a printer can do something, and where that is known from.
type Ability uint8

// Abilities, by what they rest on.
const (
	Lacking    Ability = iota // it cannot, or nobody knows
	Unverified                // the custom of such printers
	Probed                    // the printer itself answered so
	Documented                // its maker's manual
)

// Has is true for what may be used.
func (a Ability) Has() bool { return a != Lacking }

func (a Ability) String() string {
	switch a {
	case Unverified:
		return "unverified"
	case Probed:
		return "probed"
	case Documented:
		return "documented"
	case Lacking:
	}
	return "lacking"
}

// Model is what the driver must know of a printer. TM-* are from Epson's
// ESC/POS command reference (lists of supported models); generic-* and clone-58
// are the least that unbranded printers share.
type Model struct {
	Name string
	// Columns of font A (12×24 dots), Dots across the paper, and DPI of both.
	Columns, Dots, DPI int
	// LineDots are from one line of text to the next.
	LineDots int
	Cutter   bool
	// RealTimeKick: obeys DLE DC4 1. The pulse is then sent at once, or never;
	// an ESC p would wait in the buffer of a printer without paper and open the
	// drawer when nobody stands at it.
	RealTimeKick bool
	// PrintComplete: answers GS ( H when the paper is printed. Without it the
	// driver knows only what was read, and waits a while for the paper.
	PrintComplete bool
	// nameFence: the driver has seen that GS I 1 is answered with what a broken
	// line does not say.
	nameFence bool
	// Basis is what the size, Cutter, RealTimeKick and PrintComplete rest on.
	Basis Ability
	// Kanji: two bytes of Shift_JIS are one. Most printers that are sold outside
	// East Asia have none, under the same name: theirs is Name with NoKanji. It
	// prints the bytes as two letters, and what follows an FS.
	Kanji Ability
	// UserKanji: FS 2 defines characters. Without it they are drawn into the
	// line by ESC *.
	UserKanji Ability
	// Raster: GS v 0. Without it pictures are strips of ESC *.
	Raster Ability
	// NV: GS ( L fn 64, 67 and 69 keep pictures under a key.
	NV Ability
	// Page mode, of at most PageDots from top to bottom.
	Page     Ability
	PageDots int
	// Linear is GS k for UPC, EAN, Code 39, ITF, Codabar and Code 128; the
	// others as they are named. What is lacking is drawn by the driver, where it
	// can, or refused.
	Linear, GS1128, DataBar, QR, PDF417, DataMatrix Ability
	// Pages are the code tables it has beside katakana, the favourite first.
	Pages []byte
}

func (m Model) paper() raster.Paper { return raster.Paper{Dots: m.Dots, DPI: m.DPI} }

// readFence is what a printer answers when it has read it.
func (m Model) readFence() string {
	if m.nameFence {
		return nameFence
	}
	return fence
}

//nolint:gochecknoglobals // a constant table
var models = [...]Model{
	tm(Model{Name: "tm-t88v", Columns: 42, Dots: 512, DPI: 180, PageDots: 831}),
	tm(Model{Name: "tm-t20iii", Columns: 48, Dots: 576, DPI: 203, PageDots: 938}),
	tm(Model{Name: "tm-m30", Columns: 48, Dots: 576, DPI: 203, PageDots: 938, DataMatrix: Documented}),
	{
		Name: "generic-80", Columns: 48, Dots: 576, DPI: 203, LineDots: 30, Basis: Unverified, Kanji: Unverified,
		Cutter: true, Raster: Unverified, Linear: Unverified, QR: Unverified, Pages: genericPages(),
	},
	{
		Name: "generic-58", Columns: 32, Dots: 384, DPI: 203, LineDots: 30, Basis: Unverified, Kanji: Unverified,
		Raster: Unverified, Pages: genericPages(),
	},
	{ // the cheapest: codes are drawn, one line feed after a picture is lost
		Name: "clone-58", Columns: 32, Dots: 384, DPI: 203, LineDots: 30, Basis: Unverified, Kanji: Unverified,
		Pages: genericPages(),
	},
}

// tm adds what all of these share.
func tm(m Model) Model {
	m.LineDots = 30
	m.Cutter, m.RealTimeKick, m.PrintComplete, m.Basis = true, true, true, Documented
	m.Kanji, m.UserKanji, m.Raster, m.NV, m.Page = Documented, Documented, Documented, Documented, Documented
	m.Linear, m.GS1128, m.DataBar, m.QR, m.PDF417 = Documented, Documented, Documented, Documented, Documented
	m.Pages = []byte{pageWPC1252, pagePC858, pagePC852, pagePC866, pageISO8859x7, pageWPC1250, pageWPC1251, pageWPC1253, pageWPC1254, pageWPC1257}
	return m
}

func genericPages() []byte { return []byte{pageWPC1252, pagePC858, pagePC852, pagePC866} }

// NoKanji ends the name of a model's variant that has letters, digits and katakana
// only.
const NoKanji = "-ank"

// Models are the names that New knows.
func Models() []string {
	names := make([]string, 0, 2*len(models))
	for _, m := range models {
		names = append(names, m.Name)
	}
	for _, m := range models {
		names = append(names, m.Name+NoKanji)
	}
	return names
}

func modelByName(name string) (Model, error) {
	for _, m := range models {
		switch name {
		case m.Name + NoKanji:
			m.Name, m.Kanji, m.UserKanji = name, Lacking, Lacking
			return m, nil
		case m.Name:
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("escpos: model %q is unknown (known: %s): %w", name, strings.Join(Models(), ", "), drivers.ErrUnsupported)
}
