package scanner

// codeIDs are the letters that a maker puts before the data, by the symbology
// identifier that the code has and, for ]E0, by how many digits it has.
//
//nolint:gochecknoglobals // a constant table
var codeIDs = map[string]map[string]string{
	"honeywell": {
		"ean13": "d", "upca": "c", "upce": "E", "ean8": "D", "]C0": "j", "]C1": "I", "]e0": "y",
		"]d1": "w", "]d2": "w", "]Q1": "s", "]Q3": "s", "]A0": "b", "]F0": "a", "]I0": "e", "]I1": "e",
		"ean13+2": "d", "ean13+5": "d", "upca+2": "c", "upca+5": "c", "upce+2": "E", "upce+5": "E",
	},
	"datalogic": {
		"ean13": "F", "upca": "A", "upce": "E", "ean8": "FF",
		"ean13+2": "F", "ean13+5": "F", "upca+2": "A", "upca+5": "A", "upce+2": "E", "upce+5": "E",
	},
}

// labelled is the data as the scanner names it.
func (s *Scanner) labelled(c Code) string {
	if s.set.IDs == "" {
		return c.AIM + c.Data
	}
	return codeIDs[s.set.IDs][family(c)] + c.Data
}

// family is what a code is: articles by name, the others by their identifier.
func family(c Code) string {
	n := len(c.Data)
	switch {
	case c.AIM == "]E4", c.AIM == "" && n == 8:
		return "ean8"
	case c.AIM == "]E3":
		return besides[n]
	case c.AIM != "" && c.AIM != "]E0":
		return c.AIM
	case n == 8:
		return "upce"
	case n == 12:
		return "upca"
	case n == 13:
		return "ean13"
	}
	return ""
}

// besides are numbers with an add-on, by how many digits that is in all.
//
//nolint:gochecknoglobals // a constant table
var besides = map[int]string{15: "ean13+2", 18: "ean13+5", 14: "upca+2", 17: "upca+5", 10: "upce+2", 13: "upce+5"}

// ssiTypes are the bar code types of DECODE_DATA (Zebra 72E-40451, table of bar
// code types), by family.
//
//nolint:gochecknoglobals // a constant table
var ssiTypes = map[string]byte{
	"]A0": 0x01, "]F0": 0x02, "]C0": 0x03, "]I0": 0x06, "]I1": 0x06, "upca": 0x08, "upce": 0x09, "ean8": 0x0a, "ean13": 0x0b,
	"upca+2": 0x48, "upce+2": 0x49, "ean13+2": 0x4b, "upca+5": 0x88, "upce+5": 0x89, "ean13+5": 0x8b,
	"]C1": 0x0f, "]L0": 0x11, "]d1": 0x1b, "]Q1": 0x1c, "]e0": 0x30, "]d2": 0xc1, "]Q3": 0xc2,
}
