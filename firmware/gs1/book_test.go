package gs1_test

import (
	"errors"
	"testing"
	"time"

	"regi/firmware/gs1"
)

func TestISBN(t *testing.T) {
	for s, want := range map[string]string{
		"4101092052": "09784101092058", "4-10-109205-2": "09784101092058", "978-4-10-109205-8": "09784101092058",
		"080442957X": "09780804429573", "0-8044-2957-x": "09780804429573", "571089895": "09780571089895",
		"9791034304967": "09791034304967",
		"9790260000438": "", "4101092053": "", "9784101092059": "", "X804429570": "", "": "", "4901234567894": "", "97841010920588888888": "",
	} {
		got, err := gs1.ISBN(s)
		if err != nil && !errors.Is(err, gs1.ErrBook) && !errors.Is(err, gs1.ErrCheckDigit) {
			t.Error(err)
		}
		if want == "" && err == nil || want != "" && got.String() != want {
			t.Errorf("%s: %v, %v; want %q", s, got, err, want)
		}
	}
}

func TestISSN(t *testing.T) {
	for s, want := range map[string]string{
		"0317-8471": "09770317847001", "2434-561X": "09772434561006", "9770317847001": "09770317847001", "0317-8472": "", "": "", "4901234567894": "",
	} {
		got, variant, err := gs1.ISSN(s)
		if want == "" && !errors.Is(err, gs1.ErrBook) || want != "" && (got.String() != want || variant != "00") {
			t.Errorf("%s: %v %s, %v; want %q", s, got, variant, err, want)
		}
	}
}

func TestBookRows(t *testing.T) {
	start := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	upper, lower := gtin(t, "9784101092058"), completed(t, "192019300590")
	other := completed(t, "978410109206")
	goods := gtin(t, "4901234567894")

	check := func(name string, got gs1.Paired, price int64, waits bool, alone gs1.GTIN) {
		t.Helper()
		if got.Waits != waits || got.Alone != alone || (got.Book != nil) != (price != 0) {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Book != nil && (got.Book.Price != price || got.Book.GTIN != upper || got.Book.CCode != "0193") {
			t.Errorf("%s: %+v", name, *got.Book)
		}
	}
	for _, rows := range [][2]gs1.GTIN{{upper, lower}, {lower, upper}} {
		b := gs1.BookRows{Window: 3 * time.Second}
		check("first", b.Add(at(0), rows[0]), 0, true, gs1.GTIN{})
		check("goods between", b.Add(at(1), goods), 0, false, gs1.GTIN{})
		check("first again", b.Add(at(1), rows[0]), 0, true, gs1.GTIN{})
		check("second", b.Add(at(4), rows[1]), 590, false, gs1.GTIN{})
		if _, waits := b.Until(); waits {
			t.Error("a row is left")
		}
	}
	b := gs1.BookRows{Window: 3 * time.Second}
	check("lower", b.Add(at(0), lower), 0, true, gs1.GTIN{})
	if until, waits := b.Until(); !waits || !until.Equal(at(3)) {
		t.Errorf("waits until %v", until)
	}
	if _, lapsed := b.Lapsed(at(3)); lapsed {
		t.Error("lapsed within the window")
	}
	check("upper, too late", b.Add(at(4), upper), 0, true, lower)
	check("the next book", b.Add(at(5), other), 0, true, upper)
	if g, lapsed := b.Lapsed(at(9)); !lapsed || g != other {
		t.Errorf("%v lapsed, want %v", g, other)
	}
	if _, lapsed := b.Lapsed(at(10)); lapsed {
		t.Error("lapsed twice")
	}
	if lower.BookRow() != gs1.LowerRow || upper.BookRow() != gs1.UpperRow || goods.BookRow() != gs1.NoRow {
		t.Error("rows are taken for others")
	}
	// 191 is the lower row of 979 only.
	check("lower of 979", b.Add(at(20), completed(t, "191019300590")), 0, true, gs1.GTIN{})
	check("upper of 978", b.Add(at(21), upper), 0, true, completed(t, "191019300590"))
}

func TestMagazine(t *testing.T) {
	g := completed(t, "491001234126")
	m, err := gs1.ReadMagazine(g, "00590")
	if want := (gs1.Magazine{GTIN: g, Code: "01234", Issue: 12, Year: 6, Price: 590}); err != nil || m != want {
		t.Errorf("%+v, %v; want %+v", m, err, want)
	}
	for _, addOn := range []string{"", "12", "0059A"} {
		if _, err := gs1.ReadMagazine(g, addOn); !errors.Is(err, gs1.ErrBook) {
			t.Errorf("%q: %v", addOn, err)
		}
	}
	if _, err := gs1.ReadMagazine(gtin(t, "4901234567894"), "00590"); !errors.Is(err, gs1.ErrBook) {
		t.Error(err)
	}
}
