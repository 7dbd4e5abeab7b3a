package printer

import (
	"fmt"
	"strings"
)

// Model is what differs from one kind of printer to the next.
type Model struct {
	Name string
	// Dots is the width of the printing area.
	Dots int
	// DPI is the density of the dots, both ways.
	DPI int
	// VerticalUnits is the default of GS P's y: what ESC 3, ESC J and GS V
	// count, in parts of an inch.
	VerticalUnits int
	// LineDots is ESC 2.
	LineDots int
	// CutterDots is the way from the head to the cutter; 0 is no cutter.
	CutterDots int
	// ID and Type answer GS I 1 and 2; Product answers GS I 67.
	ID, Type byte
	Product  string
	// NVBytes is the memory for pictures that survives power off.
	NVBytes int
	// PageDots is the longest page of page mode; 0 is no page mode.
	PageDots int

	Quirks
}

// Quirks are the ways in which printers differ from the manual.
type Quirks struct {
	// NoFeedUnits: ESC J is ignored.
	NoFeedUnits bool
	// NoPositionInLine: ESC $ is ignored when something stands on the line.
	NoPositionInLine bool
	// SwallowsLF: a line feed right after GS v 0 is ignored.
	SwallowsLF bool
	// NoCodes: bar codes and matrix codes are not printed.
	NoCodes bool
	// NoProcessID: GS ( H is not answered.
	NoProcessID bool
	// StaleDrawer: the first look at the drawer after it moved still tells how
	// it was.
	StaleDrawer bool
}

// What GS I 2 says.
const (
	typeKanji  = 1 << 0
	typeCutter = 1 << 1
)

// downloadBytes is the memory for pictures that ESC @ clears.
const downloadBytes = 12 << 10

// models: dots, columns, density and NV memory are documented; the way to the
// cutter and the length of a page are round figures, and the quirks of the
// clones are those that other programs work around.
//
//nolint:gochecknoglobals // a constant table
var models = []Model{
	{
		Name: "tm-t88v", Dots: 512, DPI: 180, VerticalUnits: 360, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T88V", NVBytes: 256 << 10, PageDots: 831,
	},
	{
		Name: "tm-t20iii", Dots: 576, DPI: 203, VerticalUnits: 203, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T20III", NVBytes: 256 << 10, PageDots: 1662,
	},
	{
		Name: "tm-m30", Dots: 576, DPI: 203, VerticalUnits: 203, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-m30", NVBytes: 256 << 10, PageDots: 1662,
		Quirks: Quirks{StaleDrawer: true},
	},
	{
		Name: "80mm", Dots: 576, DPI: 203, VerticalUnits: 203, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T20II", NVBytes: 256 << 10, PageDots: 1662,
	},
	{ // says the name of a better printer, as clones do
		Name: "58mm", Dots: 384, DPI: 203, VerticalUnits: 203, LineDots: 30,
		ID: 0x20, Type: typeKanji, Product: "TM-T88V", NVBytes: 64 << 10, PageDots: 831,
	},
	{ // a 58 mm printer with everything that is wrong with them
		Name: "58mm-clone", Dots: 384, DPI: 203, VerticalUnits: 203, LineDots: 30,
		ID: 0x20, Type: typeKanji, Product: "POS58",
		Quirks: Quirks{NoFeedUnits: true, NoPositionInLine: true, SwallowsLF: true, NoCodes: true, NoProcessID: true},
	},
	{ // answers GS I like the real one, is as wide as others, and has no GS ( H
		Name: "clone-tm-t88v", Dots: 576, DPI: 203, VerticalUnits: 203, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T88V", NVBytes: 64 << 10, PageDots: 831,
		Quirks: Quirks{NoProcessID: true},
	},
}

// ModelNames are the names that [ModelNamed] knows.
func ModelNames() []string {
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = m.Name
	}
	return names
}

// ModelNamed is "tm-t88v" (512 dots, 42 columns), "tm-t20iii", "tm-m30" or
// "80mm" (576 dots, 48 columns), "58mm" (384 dots, 32 columns, no cutter), or a
// bad one: "58mm-clone", "clone-tm-t88v".
func ModelNamed(name string) (Model, error) {
	for _, m := range models {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("printer: no model %q; there are %s", name, strings.Join(ModelNames(), ", "))
}
