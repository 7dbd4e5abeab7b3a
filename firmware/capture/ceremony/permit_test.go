package ceremony_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/capture/ceremony"
	"regi/firmware/permit"
	"regi/sim/keyhost"
)

// owned is a desk whose lines depend on what is shown.
type owned struct {
	desk
	lines []func() string
	line  io.Reader
}

func (o *owned) Read(b []byte) (int, error) {
	for {
		if o.line != nil {
			if n, err := o.line.Read(b); err == nil {
				return n, nil
			}
		}
		if len(o.lines) == 0 {
			return 0, io.EOF
		}
		o.line, o.lines = strings.NewReader(o.lines[0]()+"\n"), o.lines[1:]
	}
}

var challenge = regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{1,4}){5,}`)

// TestPermitted: with an owner, a key is loaded with the owner's permit for
// exactly this key, which is on record, and only while that is good.
func TestPermitted(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := components(t, 32)
	key := []byte("an AES-128 key!!")
	letters := keyhost.Letters{Block: wrap(t, p.kbpk, "B1AX00N", ikid, key), IKID: ikid, CheckValue: kcv(t, key)}
	same, err := keyhost.Wrap(p.kbpk, "B1AX00N0200", []string{"IK14" + ikid, "PB1C" + strings.Repeat("0", 24)}, key, 8*len(key))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*keyhost.Letters)
		block  string
		late   time.Duration // of the last word
		want   error
	}{
		"right":               {want: nil},
		"just in time":        {late: 30*time.Minute - 1, want: nil},
		"too late":            {late: 30 * time.Minute, want: permit.ErrExpired},
		"another block":       {block: wrap(t, p.kbpk, "B1AX00N", ikid, []byte("another AES key!")), want: ceremony.ErrStopped},
		"its check value":     {block: same, want: ceremony.ErrStopped}, // of three bytes, which many keys have
		"another id":          {change: func(l *keyhost.Letters) { l.IKID = ikid2 }, want: ceremony.ErrStopped},
		"another check value": {change: func(l *keyhost.Letters) { l.CheckValue = "000000" }, want: ceremony.ErrStopped},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				said, id := letters, ""
				if c.change != nil {
					c.change(&said)
				}
				o := &owned{}
				typed := func(s string) func() string { return func() string { return s } }
				block := letters.Block
				if c.block != "" {
					block = c.block
				}
				o.lines = []func() string{
					func() (text string) {
						text, id, err = said.Sign(private, string(challenge.Find(o.shown.Bytes())), 30)
						if err != nil {
							t.Error(err)
						}
						return text
					},
					typed("Sato"), typed(p.one), typed(p.kcv[0]), typed("Suzuki"), typed(p.two), typed(p.kcv[1]), typed(block),
					func() string { time.Sleep(c.late); return "yes" },
				}
				err := ceremony.Inject(o, ceremony.Options{Dir: dir, Register: "0001/01", Owner: public, Journal: func(l ceremony.Loaded) error {
					o.told = append(o.told, l)
					return nil
				}})
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("%v\n%s", err, o.shown.String())
				}
				if c.want == nil && (len(o.told) != 1 || o.told[0].Permit != id || id == "") || c.want != nil && len(o.told) > 0 {
					t.Errorf("journal %+v, permit %s", o.told, id)
				}
			})
			if s, err := ceremony.Status(dir); err != nil || strings.Contains(s, ikid) != (c.want == nil) {
				t.Errorf("%q, %v", s, err)
			}
		})
	}
}

// Any bytes in an owned register's ceremony: no key, and no panic.
func FuzzPermitTyped(f *testing.F) {
	f.Add([]byte("AIDT-AMBQ-GEXT\nx\n\n"))
	f.Add([]byte("\x04"))
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, typed []byte) {
		d := &desk{typed: bytes.NewReader(typed)}
		err := ceremony.Inject(d, ceremony.Options{Dir: dir, Owner: public, Journal: func(l ceremony.Loaded) error {
			t.Errorf("%+v", l)
			return io.EOF
		}})
		if err == nil || strings.Contains(d.shown.String(), "Officer 1") {
			t.Errorf("%v\n%s", err, d.shown.String())
		}
	})
}
