package star

import (
	"fmt"
	"strings"

	"regi/drivers"
	"regi/drivers/raster"
)

// Model is what the driver must know of a printer. All have 203 dots an inch
// and a cutter. Where it is from: "documented" is a command specification that
// lists the model's series; "unverified" is the brochure's word, or custom.
type Model struct {
	Name string
	// Columns of font A (12×24 dots) and Dots across the paper: unverified.
	Columns, Dots int
	// Raster: ESC GS S prints pictures of any height (StarPRNT, documented).
	// Strips: ESC k does, 24 rows at a time (Line Mode, documented).
	Raster, Strips bool
	// KickAtOnce: FS opens drawer 1 on reception. The pulse is then sent at once,
	// or never. Documented for the families of all but star-line.
	KickAtOnce bool
	// PrintEnd: ESC GS ETX answers when all before it is printed, with the number
	// of the question (StarPRNT and Line Mode rev. 1.12, documented; unverified
	// for star-tsp143iv). Without it ETB counts in the status bytes.
	PrintEnd bool
	// UserKanji: ESC r defines characters from EC40 on (Line Mode rev. 1.12,
	// "specification B"; older printers have fewer, elsewhere). Without it what
	// the printer lacks is printed as 〓.
	UserKanji bool
}

// dpi of all of them: 8 dots a millimetre.
const dpi = 203

func (m Model) paper() raster.Paper { return raster.Paper{Dots: m.Dots, DPI: dpi} }

//nolint:gochecknoglobals // a constant table
var models = [...]Model{
	{Name: "star-mc-print3", Columns: 48, Dots: 576, Raster: true, KickAtOnce: true, PrintEnd: true, UserKanji: true},
	{Name: "star-tsp143iv", Columns: 48, Dots: 576, Strips: true, KickAtOnce: true, PrintEnd: true, UserKanji: true},
	{Name: "star-tsp654ii", Columns: 48, Dots: 576, Strips: true, KickAtOnce: true, PrintEnd: true, UserKanji: true},
	// The least that Line Mode printers share, the TSP600 and TSP700 of old
	// among them.
	{Name: "star-line", Columns: 48, Dots: 576, Strips: true},
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
	return Model{}, fmt.Errorf("star: model %q is unknown (known: %s): %w", name, strings.Join(Models(), ", "), drivers.ErrUnsupported)
}
