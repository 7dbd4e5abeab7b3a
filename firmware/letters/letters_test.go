package letters_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"regi/firmware/letters"
)

// What was written is read, in whatever groups and letters; one letter more,
// less or other is not.
func TestLetters(t *testing.T) {
	for n := range 120 {
		b := bytes.Repeat([]byte{byte(n), 0xA5}, n)
		text := letters.Write(b)
		if len(text) > letters.Max {
			continue
		}
		for _, typed := range []string{text, strings.ToLower(text), strings.ReplaceAll(text, "-", " "), strings.ReplaceAll(text, "-", "")} {
			if got, err := letters.Read(typed); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("%d bytes: %x, %v", n, got, err)
			}
		}
		other := "A"
		if text[:1] == other {
			other = "B"
		}
		for _, typed := range []string{text + "A", text[1:], other + text[1:], text + "=", text + "1"} {
			if _, err := letters.Read(typed); !errors.Is(err, letters.ErrTyped) {
				t.Fatalf("%q for %q: %v", typed, text, err)
			}
		}
	}
	if _, err := letters.Read(strings.Repeat("A", letters.Max+1)); err == nil {
		t.Error("a text over the limit")
	}
}

// FuzzRead: what is read is what Write writes.
func FuzzRead(f *testing.F) {
	f.Add("ABCD-2345")
	f.Add(letters.Write([]byte("x")))
	f.Fuzz(func(t *testing.T, s string) {
		b, err := letters.Read(s)
		if err != nil {
			return
		}
		again, err := letters.Read(letters.Write(b))
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q: %x, then %x, %v", s, b, again, err)
		}
	})
}
