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
