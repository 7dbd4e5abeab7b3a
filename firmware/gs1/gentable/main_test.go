package main

import (
	"bytes"
	"os"
	"testing"
)

// TestTableIsCurrent: table.go is what the data makes of it.
func TestTableIsCurrent(t *testing.T) {
	want, err := generate("../data")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table.go is stale: run go generate ./firmware/gs1")
	}
}

// TestDictionary counts the release, and refuses what the grammar does not know.
func TestDictionary(t *testing.T) {
	text, err := os.ReadFile("../data/gs1-syntax-dictionary.txt")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	const release = 541 // AIs of 2026-01-27
	if len(entries) != release {
		t.Errorf("%d AIs, want %d", len(entries), release)
	}
	for _, bad := range []string{"", "01 *", "01 * N14,", "01 * N..", "01 * [N14", "1-2 N5", "3105-3100 N6", "3100-3200 N6", "01 * N0", "01 * N256", "01 * Q5", "xx N5", "01 N5 what=7"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzDictionary(f *testing.F) {
	for _, line := range []string{"01 *? N14,csum,gcppos2 ex=255,37 dlpkey=22,10,21|235 # GTIN", "3100-3105 *? N6 req=01,02", "423 ? N3,iso3166 [N3],iso3166", "30 N..8"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse(text)
		if err != nil {
			return
		}
		for _, e := range entries {
			if len(e.ai) < 2 || len(e.ai) > 4 || len(e.parts) == 0 {
				t.Fatalf("%q: %+v", text, e)
			}
		}
	})
}
