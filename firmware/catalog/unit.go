package catalog

import "slices"

// Units of goods that are not sold by the piece.
const (
	// UnitCount: the label says how many pieces are in it.
	UnitCount = "count"
	// UnitLabel: the label says what it costs.
	UnitLabel = "label"
)

// MeasureOne is one of a measure: amounts are in millionths of it, which is
// what Application Identifiers have decimals for.
const MeasureOne = 1_000_000

// measures are the units that a price may be of, and the first three digits of
// the Application Identifiers that say how much is sold (GS1 General
// Specifications 3.6.2). Code is of UN/ECE Recommendation 20.
//
//nolint:gochecknoglobals // a constant table
var measures = []struct {
	unit, code, ai string
	per            int64 // of the code's measure, in millionths
}{
	{"kg", "KGM", "310", MeasureOne},
	{"100g", "KGM", "310", MeasureOne / 10},
	{"m", "MTR", "311", MeasureOne},
	{"m2", "MTK", "314", MeasureOne},
	{"l", "LTR", "315", MeasureOne},
	{"m3", "MTQ", "316", MeasureOne},
	{"lb", "LBR", "320", MeasureOne},
	{"ft", "FOT", "322", MeasureOne},
	{"yd", "YRD", "323", MeasureOne},
	{"oz", "ONZ", "357", MeasureOne},
}

// Units are all names that an item's unit may have, but for "".
func Units() []string {
	names := append(make([]string, 0, 2+len(measures)), UnitCount, UnitLabel)
	for _, m := range measures {
		names = append(names, m.unit)
	}
	return names
}

// IsUnit tells a name of a unit, and "" for the piece, from anything else.
func IsUnit(name string) bool { return name == "" || slices.Contains(Units(), name) }

// Measure is what the price of goods sold by measure is of: per millionths of
// the measure that code names. ok is false for other goods.
func (i *Item) Measure() (code string, per int64, ok bool) {
	for _, m := range measures {
		if m.unit == i.Unit {
			return m.code, m.per, true
		}
	}
	return "", 0, false
}

// codeOf names the measure of an Application Identifier; one that no goods are
// priced by is named by itself, so that it fits none.
func codeOf(ai string) string {
	for _, m := range measures {
		if m.ai == ai[:len(m.ai)] {
			return m.code
		}
	}
	return ai
}
