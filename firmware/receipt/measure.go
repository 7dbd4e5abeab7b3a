package receipt

import (
	"strings"

	"regi/firmware/sale"
)

// signs of the measures that goods are sold by (UN/ECE Recommendation 20).
//
//nolint:gochecknoglobals // a constant table
var signs = map[string]string{
	"KGM": "kg", "MTR": "m", "MTK": "m2", "LTR": "l", "MTQ": "m3", "LBR": "lb", "FOT": "ft", "YRD": "yd", "ONZ": "oz",
}

// measure is how much a piece holds, and what its price is of: 326g (100g ¥298).
func (p *paper) measure(m sale.Measure) string {
	s := p.units(m.Units, m.UnitOfMeasureCode)
	if m.PerUnits == 0 {
		return s
	}
	return s + " (" + p.units(m.PerUnits, m.UnitOfMeasureCode) + " " + p.money(m.UnitPrice) + ")"
}

// units writes less than a kilogram in grams, if they are whole.
func (p *paper) units(u sale.Units, code string) string {
	const gram = sale.One / 1000
	if code == "KGM" && u < sale.One && u%gram == 0 {
		return p.count(int64(u/gram)) + "g"
	}
	whole, part, fraction := strings.Cut(u.String(), ".")
	if fraction {
		whole += p.layout.country.Numerals.Point + part
	}
	sign, known := signs[code]
	if !known {
		sign = " " + code
	}
	return whole + sign
}
