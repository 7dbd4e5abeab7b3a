package gs1_test

import (
	"errors"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

func TestDigitalLink(t *testing.T) {
	const at = "https://example.com"
	for _, c := range []struct{ in, want string }{ // "": refused
		{"/01/04901234567894/22/V/10/A/21/S", "(01)04901234567894(22)V(10)A(21)S"},
		{"/01/04901234567894/21/S/10/A", ""},  // order
		{"/01/04901234567894/10/A/235/T", ""}, // two alternatives
		{"/01/04901234567894/10/A/10/A", ""},  // twice
		{"/01/04901234567894/235/T?10=A", "(01)04901234567894(235)T(10)A"},
		{"/01/04901234567894?22=V", ""}, // belongs into the path
		{"/01/04901234567894?21=S", ""},
		{"/01/04901234567894?8200=http%3A%2F%2Fa", ""}, // no attribute
		{"/01/04901234567894?17=261231&linkType=gs1:pip", "(01)04901234567894(17)261231"},
		{"/01/04901234567894?17", ""},
		{"/01/04901234567894?5=1", ""},
		{"/01/04901234567894?=1", "(01)04901234567894"},
		{"/01/04901234567894/", ""},
		{"/01", ""},
		{"/414/4901234567894/254/A%2FB%20", ""}, // a space is in no character set
		{"/01/04901234567894/10/%41%", "(01)04901234567894(10)A%"},
		{"/8006/049012345678940102/21/S", "(8006)049012345678940102(21)S"},
		{"/253/4901234567894X/01/04901234567894", "(01)04901234567894"}, // the last key counts
		{"?/01/04901234567894", ""},
		{"#/01/04901234567894", ""},
		{"@evil/01/04901234567894", ""},
	} {
		m, err := gs1.ParseDigitalLink(at+c.in, gs1.Options{})
		got := ""
		if err == nil {
			got = string(m.AppendBracketed(nil))
		}
		if got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	if _, err := gs1.ParseDigitalLink(at+"/"+strings.Repeat("a", gs1.DataMax), gs1.Options{}); !errors.Is(err, gs1.ErrTooLong) {
		t.Error(err)
	}
}

func TestLinkOptions(t *testing.T) {
	for _, c := range []struct {
		in string
		o  gs1.Options
	}{
		{"https://a/gtin/04901234567894/lot/A?17=261231", gs1.Options{Words: true}},
		{"https://a/01/4901234567894", gs1.Options{ShortGTINs: true}},
		{"https://a/01/04901234567894?89=X", gs1.Options{UnknownAIs: true, UnknownAttributes: true}},
	} {
		if _, err := gs1.ParseDigitalLink(c.in, c.o); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		if _, err := gs1.ParseDigitalLink(c.in, gs1.Options{}); err == nil {
			t.Errorf("%s is taken without its option", c.in)
		}
	}
}

func TestAppendDigitalLink(t *testing.T) {
	for _, c := range []struct{ stem, in, want string }{
		{"", "(01)04901234567894", "https://id.gs1.org/01/04901234567894"},
		{"https://example.com/shop/", "(10)A/B(01)04901234567894(17)261231", "https://example.com/shop/01/04901234567894/10/A%2FB?17=261231"},
		{"", "(01)04901234567894(10)A(235)T", "https://id.gs1.org/01/04901234567894/235/T?10=A"},
		{"", "(01)04901234567894(10)A(10)B", ""},
		{"", "(10)A", ""},
		{"", "(01)04901234567894(8200)http://a", ""},
		{"ftp://a", "(01)04901234567894", ""},
		{"https://a?b", "(01)04901234567894", ""},
		{"https://a b", "(01)04901234567894", ""},
	} {
		m, err := gs1.ParseBracketed(c.in, gs1.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.AppendDigitalLink(nil, c.stem, gs1.Options{})
		if err != nil {
			got = nil
		}
		if string(got) != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.stem, c.in, got, err, c.want)
		}
	}
}
