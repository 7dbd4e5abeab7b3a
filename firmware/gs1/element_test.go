package gs1_test

import (
	"errors"
	"testing"
	"time"

	"regi/firmware/gs1"
)

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		in       string
		value    int64
		decimals int
		currency string
		ok       bool
	}{
		{"(3103)000500", 500, 3, "", true},
		{"(3922)298", 298, 2, "", true},
		{"(3932)392298", 298, 2, "392", true},
		{"(3910)392000000000000298", 298, 0, "392", true},
		{"(3941)1250", 1250, 1, "", true},
		{"(8005)000398", 398, 0, "", true},
		{"(3909)999999999999999", 999999999999999, 9, "", true},
		{"(37)12", 0, 0, "", false},
		{"(8006)049012345678940102", 0, 0, "", false},
		{"(10)3103", 0, 0, "", false},
	} {
		m, err := gs1.ParseBracketed(c.in, gs1.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		value, decimals, currency, ok := m.Elements()[0].Decimal()
		if value != c.value || decimals != c.decimals || currency != c.currency || ok != c.ok {
			t.Errorf("%s: %d, %d, %q, %v", c.in, value, decimals, currency, ok)
		}
	}
	for _, made := range []gs1.Element{{}, {AI: "3910"}, {AI: "3910", Value: "39"}, {AI: "3103", Value: "12345678901234567890"}, {AI: "3103", Value: "-1"}} {
		if _, _, _, ok := made.Decimal(); ok {
			t.Errorf("%+v", made)
		}
	}
}

func TestDate(t *testing.T) {
	today := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"261231": "2026-12-31", "270200": "2027-02-28", "280200": "2028-02-29", "261200": "2026-12-31",
		"760101": "2076-01-01", "770101": "1977-01-01", "990101": "1999-01-01", "000229": "2000-02-29",
	} {
		if got, err := gs1.Date(in, today); err != nil || got.Format(time.DateOnly) != want {
			t.Errorf("%s: %v, %v; want %s", in, got, err, want)
		}
	}
	if got, err := gs1.Date("310101", time.Date(2081, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || got.Year() != 2131 {
		t.Errorf("%v, %v", got, err)
	}
	for _, in := range []string{"", "261301", "260230", "2612311", "26123A"} {
		if _, err := gs1.Date(in, today); !errors.Is(err, gs1.ErrValue) {
			t.Errorf("%q: %v", in, err)
		}
	}
}
