package printer

import "fmt"

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
}

// What GS I 2 says.
const (
	typeKanji  = 1 << 0
	typeCutter = 1 << 1
)

// models: dots, columns and density are documented ([K] for the clone); the way
// to the cutter is a round figure.
//
//nolint:gochecknoglobals // a constant table
var models = []Model{
	{
		Name: "tm-t88v", Dots: 512, DPI: 180, VerticalUnits: 360, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T88V",
	},
	{
		Name: "80mm", Dots: 576, DPI: 203, VerticalUnits: 203, LineDots: 30, CutterDots: 100,
		ID: 0x20, Type: typeKanji | typeCutter, Product: "TM-T20II",
	},
	{ // says the name of a better printer, as clones do
		Name: "58mm", Dots: 384, DPI: 203, VerticalUnits: 203, LineDots: 30,
		ID: 0x20, Type: typeKanji, Product: "TM-T88V",
	},
}

// ModelNamed is "tm-t88v" (512 dots, 42 columns), "80mm" (576 dots, 48 columns)
// or "58mm" (384 dots, 32 columns, no cutter).
func ModelNamed(name string) (Model, error) {
	for _, m := range models {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("printer: no model %q", name)
}
