package keyhost_test

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"regi/firmware/permit"
	"regi/sim/keyhost"
)

// A register takes what the office permits, and nothing of another challenge.
func TestPermit(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := keyhost.Write([8]byte{0xF0, 1}, [16]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	c := permit.Challenged("0001/01")
	text, id, err := l.Sign(private, c.String(), 30)
	if err != nil {
		t.Fatal(err)
	}
	p, opened, err := permit.Open(text, public, c)
	if err != nil || opened != id || p.Minutes != 30 || p.IKID != [8]byte{0xF0, 1} || p.Mark != permit.MarkOf([]byte(l.Block)) {
		t.Errorf("%+v %s %s, %v", p, opened, id, err)
	}
	if _, _, err := permit.Open(text, public, permit.Challenged("0001/01")); !errors.Is(err, permit.ErrSignature) {
		t.Errorf("for another challenge: %v", err)
	}
	for _, typed := range []string{"", "AAAA", c.String() + "A", c.String()[5:]} {
		if _, _, err := l.Sign(private, typed, 30); !errors.Is(err, keyhost.ErrChallenge) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

// FuzzPermit: whatever is typed as a challenge is signed as it stands, or
// refused.
func FuzzPermit(f *testing.F) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	l, err := keyhost.Write([8]byte{1}, [16]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(permit.Challenged("0001/01").String())
	f.Fuzz(func(t *testing.T, typed string) {
		text, _, err := l.Sign(private, typed, 1)
		if err != nil {
			return
		}
		c, err := permit.ParseChallenge(typed)
		if err != nil {
			return // longer than a register's name
		}
		if _, _, err := permit.Open(text, private.Public().(ed25519.PublicKey), c); errors.Is(err, permit.ErrSignature) {
			t.Errorf("%q: %v", typed, err)
		}
	})
}
