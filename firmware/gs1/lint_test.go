package gs1_test

import (
	"errors"
	"testing"

	"regi/firmware/gs1"
)

// What the vectors do not touch.
func TestLint(t *testing.T) {
	for _, c := range []struct{ name, in, want, mark string }{
		{"iban", "GB82WEST12345698765432", "", ""},
		{"iban", "ZZ82WEST12345698765432", "ILLEGAL_IBAN_COUNTRY_CODE", "*ZZ*82WEST12345698765432"},
		{"hhmi", "2400", "ILLEGAL_HOUR", "*24*00"},
		{"hhmi", "2360", "ILLEGAL_MINUTE", "23*60*"},
		{"hh", "24", "ILLEGAL_HOUR", "*24*"},
		{"ss", "60", "ILLEGAL_SECOND", "*60*"},
		{"yymmd0", "260200", "", ""},
		{"yymmdd", "260200", "ILLEGAL_DAY", "2602*00*"},
		{"yyyymmdd", "21000229", "ILLEGAL_DAY", "210002*29*"},
		{"yyyymmdd", "20000229", "", ""},
		{"nozeroprefix", "0", "", ""},
		{"latitude", "1800000001", "INVALID_LATITUDE", "*1800000001*"},
		{"iso4217", "392", "", ""},
		{"iso4217", "396", "", ""},
		{"iso4217", "924", "", ""},
		{"iso4217", "932", "NOT_ISO4217", "*932*"},
		{"iso3166", "392", "", ""},
		{"iso3166999", "999", "", ""},
		{"iso3166alpha2", "JP", "", ""},
		{"mediatype", "10", "", ""},
		{"mediatype", "00", "INVALID_MEDIA_TYPE", "*00*"},
		{"pcenc", "A%", "INVALID_PERCENT_SEQUENCE", "A*%*"},
		{"importeridx", "AB", "IMPORTER_IDX_MUST_BE_ONE_CHARACTER", "*AB*"},
		{"couponcode", "", "COUPON_MISSING_GCP_VLI", "**"},
		{"couponposoffer", "", "COUPON_MISSING_FORMAT_CODE", "**"},
		{"hhmm", "anything", "", ""}, // of older dictionaries
	} {
		f, err := gs1.Lint(c.name, c.in)
		if err != nil || f.Code.Name() != c.want {
			t.Errorf("%s %q: %s, %v; want %s", c.name, c.in, f.Code.Name(), err, c.want)
			continue
		}
		if f.Code != gs1.OK && f.Mark(c.in, '*') != c.mark {
			t.Errorf("%s %q: %s, want %s", c.name, c.in, f.Mark(c.in, '*'), c.mark)
		}
	}
	if _, err := gs1.Lint("nosuch", "1"); !errors.Is(err, gs1.ErrLinter) {
		t.Error(err)
	}
}

// Every byte that a character set lacks is refused where it stands.
func TestCharacterSets(t *testing.T) {
	for name, size := range map[string]int{"csetnumeric": 10, "cset39": 39, "cset64": 64, "cset82": 82} {
		in := 0
		for c := range 256 {
			f, err := gs1.Lint(name, "0"+string([]byte{byte(c)})+"0")
			if err != nil {
				t.Fatal(err)
			}
			if f.Code == gs1.OK {
				in++
			} else if f.At != 1 || f.Len != 1 {
				t.Errorf("%s: byte %#x is marked at %d, %d", name, c, f.At, f.Len)
			}
		}
		if in != size {
			t.Errorf("%s has %d characters", name, in)
		}
	}
}
