package permit_test

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/letters"
	"regi/firmware/permit"
)

func owner(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	key := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), seed))
	return key.Public().(ed25519.PublicKey), key
}

// A permit is good for its owner, register and challenge, for its minutes.
func TestPermit(t *testing.T) {
	public, private := owner(1)
	other, _ := owner(2)
	synctest.Test(t, func(t *testing.T) {
		c := permit.Challenged("0001/01")
		read, err := permit.ParseChallenge(c.String())
		if err != nil || read.Register != c.Register || read.Nonce != c.Nonce {
			t.Fatalf("%+v, %v", read, err)
		}
		want := permit.Permit{Minutes: 30, IKID: [8]byte{1}, KCV: [3]byte{2}, Mark: permit.MarkOf([]byte("D0144"))}
		text, id, err := want.Sign(private, read)
		if err != nil {
			t.Fatal(err)
		}
		got, gotID, err := permit.Open(text, public, c)
		if err != nil || got != want || gotID != id || len(id) != 16 {
			t.Errorf("%+v %s, %v", got, gotID, err)
		}
		again, elsewhere, later := permit.Challenged("0001/01"), c, c
		elsewhere.Register = "0001/02"
		later.Time = c.Time.Add(time.Minute)
		for name, o := range map[string]struct {
			owner ed25519.PublicKey
			c     permit.Challenge
		}{"another owner": {other, c}, "no owner": {nil, c}, "replayed": {public, again}, "another register": {public, elsewhere}, "another time": {public, later}} {
			if _, _, err := permit.Open(text, o.owner, o.c); !errors.Is(err, permit.ErrSignature) {
				t.Errorf("%s: %v", name, err)
			}
		}
		time.Sleep(30*time.Minute - 1)
		if err := got.Check(c); err != nil {
			t.Errorf("within its time: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, _, err := permit.Open(text, public, c); !errors.Is(err, permit.ErrExpired) || !errors.Is(got.Check(c), permit.ErrExpired) {
			t.Errorf("after its time: %v", err)
		}
	})
	for _, minutes := range []int{-1, 0, permit.MinutesMax + 1} {
		if _, _, err := (permit.Permit{Minutes: minutes}).Sign(private, permit.Challenge{}); err == nil {
			t.Errorf("%d minutes", minutes)
		}
	}
}

// FuzzOpen: nothing that the owner did not sign is a permit, and no challenge is
// read that would not be written so.
func FuzzOpen(f *testing.F) {
	public, private := owner(1)
	c := permit.Challenge{Register: "0001/01", Time: time.Unix(1_800_000_000, 0)}
	text, _, err := permit.Permit{Minutes: 1}.Sign(private, permit.Challenge{Register: "0001/02"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(c.String())
	f.Add(letters.Write(make([]byte, 94)))
	f.Fuzz(func(t *testing.T, s string) {
		if p, _, err := permit.Open(s, public, c); err == nil || errors.Is(err, permit.ErrExpired) {
			t.Errorf("%+v, %v", p, err)
		}
		if c, err := permit.ParseChallenge(s); err == nil {
			if again, err := permit.ParseChallenge(c.String()); err != nil || again != c {
				t.Errorf("%+v, %+v, %v", c, again, err)
			}
		}
	})
}
