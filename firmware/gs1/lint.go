package gs1

import (
	"errors"
	"fmt"
)

// ErrLinter says that no linter has this name.
var ErrLinter = errors.New("no such linter")

// Fault is what a linter finds wrong with a component, and where.
type Fault struct {
	Code    Code // OK: nothing
	At, Len int  // the wrong part
}

// Mark puts the wrong part of s between two marks. It repeats s.
func (f Fault) Mark(s string, mark byte) string {
	return s[:f.At] + string(mark) + s[f.At:f.At+f.Len] + string(mark) + s[f.At+f.Len:]
}

// CompanyPrefixes looks up a GS1 Company Prefix at the start of s and says OK,
// InvalidGCPPrefix or GCPSourceOffline.
type CompanyPrefixes func(s string) Code

// Lint holds s against one linter of the Barcode Syntax Dictionary, by its name
// there: "csum", "iso3166", "couponcode". It fails only for an unknown name.
// Company prefixes are checked for their form; LintPrefixes looks them up.
func Lint(name, s string) (Fault, error) {
	l := linterByName(name)
	if l == nil {
		return Fault{}, fmt.Errorf("gs1: %+.24q: %w", name, ErrLinter)
	}
	return l(s), nil
}

// LintPrefixes is Lint, and asks where the linter reads a company prefix.
func LintPrefixes(name, s string, ask CompanyPrefixes) (Fault, error) {
	f, err := Lint(name, s)
	if err != nil || f.Code != OK {
		return f, err
	}
	var spans []span
	switch name {
	case "gcppos1":
		spans = []span{{0, len(s)}}
	case "gcppos2":
		spans = []span{{1, len(s) - 1}}
	case "couponcode":
		c := coupon{s: s}
		c.read()
		spans = c.prefixes[:c.n]
	}
	for _, p := range spans {
		if code := ask(s[p.at : p.at+p.len]); code != OK {
			return Fault{code, p.at, p.len}, nil
		}
	}
	return f, nil
}

// span is a part of a component.
type span struct{ at, len int }

// linter looks for the first fault.
type linter func(s string) Fault

func linterByName(name string) linter {
	for i := range linters {
		if linters[i].name == name {
			return linters[i].lint
		}
	}
	return nil
}

// linters has all names of the dictionary, those of the character sets, and
// those that older dictionaries had.
var linters = [...]struct { //nolint:gochecknoglobals // a constant table
	name string
	lint linter
}{
	{"couponcode", lintcouponcode},
	{"couponposoffer", lintcouponposoffer},
	{"cset39", lintcset39},
	{"cset64", lintcset64},
	{"cset82", lintcset82},
	{"csetnumeric", notDigit},
	{"csum", lintcsum},
	{"csumalpha", lintcsumalpha},
	{"gcppos1", lintgcppos1},
	{"gcppos2", lintgcppos2},
	{"hasnondigit", linthasnondigit},
	{"hh", linthh},
	{"hhmi", linthhmi},
	{"hyphen", linthyphen},
	{"iban", lintiban},
	{"importeridx", lintimporteridx},
	{"iso3166", lintiso3166},
	{"iso3166999", lintiso3166999},
	{"iso3166alpha2", lintiso3166alpha2},
	{"iso4217", lintiso4217},
	{"iso5218", lintiso5218},
	{"latitude", lintlatitude},
	{"longitude", lintlongitude},
	{"mediatype", lintmediatype},
	{"mi", lintmi},
	{"nonzero", lintnonzero},
	{"nozeroprefix", lintnozeroprefix},
	{"packagetype", lintpackagetype},
	{"pcenc", lintpcenc},
	{"pieceoftotal", lintpieceoftotal},
	{"posinseqslash", lintposinseqslash},
	{"ss", lintss},
	{"winding", lintwinding},
	{"yesno", lintyesno},
	{"yymmd0", lintyymmd0},
	{"yymmdd", lintyymmdd},
	{"yyyymmd0", lintyyyymmd0},
	{"yyyymmdd", lintyyyymmdd},
	{"zero", lintzero},
	{"hhmm", lintretired},
	{"iso3166list", lintretired},
	{"key", lintretired},
	{"keyoff1", lintretired},
	{"latlong", lintretired},
	{"mmoptss", lintretired},
	{"yymmddhh", lintretired},
}

// lintretired stands for linters of older dictionaries, which find nothing now.
func lintretired(string) Fault { return Fault{} }

// whole is a fault of all of s.
func whole(c Code, s string) Fault { return Fault{c, 0, len(s)} }

func digit(c byte) bool { return c-'0' < 10 }

// notDigit finds the first byte that is none.
func notDigit(s string) Fault {
	for i := range len(s) {
		if !digit(s[i]) {
			return Fault{nonDigitCharacter, i, 1}
		}
	}
	return Fault{}
}
