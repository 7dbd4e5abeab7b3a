package escpos

import (
	"fmt"
	"strings"

	"regi/drivers"
)

// Model is what the driver must know of a printer, by its maker's manual
// (TM-*) or by custom (generic-*: unverified, the least that clones share).
type Model struct {
	Name string
	// Columns of font A (12×24 dots) and Dots across the paper.
	Columns, Dots int
	Cutter        bool
	// RealTimeKick: obeys DLE DC4 1. The pulse is then sent at once, or never;
	// an ESC p would wait in the buffer of a printer without paper and open the
	// drawer when nobody stands at it.
	RealTimeKick bool
	// PrintComplete: answers GS ( H when the paper is printed. Without it the
	// driver knows only what was read, and waits a while for the paper.
	PrintComplete bool
}

//nolint:gochecknoglobals // a constant table
var models = [...]Model{
	{Name: "tm-t88v", Columns: 42, Dots: 512, Cutter: true, RealTimeKick: true, PrintComplete: true},
	{Name: "tm-t20iii", Columns: 48, Dots: 576, Cutter: true, RealTimeKick: true, PrintComplete: true},
	{Name: "tm-m30", Columns: 48, Dots: 576, Cutter: true, RealTimeKick: true, PrintComplete: true},
	{Name: "generic-80", Columns: 48, Dots: 576, Cutter: true},
	{Name: "generic-58", Columns: 32, Dots: 384},
}

// Models are the names that New knows.
func Models() []string {
	names := make([]string, 0, len(models))
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names
}

func modelByName(name string) (Model, error) {
	for _, m := range models {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("escpos: model %q is unknown (known: %s): %w", name, strings.Join(Models(), ", "), drivers.ErrUnsupported)
}
