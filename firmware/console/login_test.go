package console

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/letters"
	"regi/firmware/record"
)

// slate is a Memory.
type slate struct {
	data []byte
	err  error
}

func (s *slate) Load() ([]byte, error) { return s.data, s.err }

func (s *slate) Save(b []byte) error {
	if s.err != nil {
		return s.err
	}
	s.data = append([]byte(nil), b...)
	return nil
}

const goodOne, badOne = "824671", "824672"

// keeper is a guard with a technician's PIN that costs one round.
func keeper(t *testing.T, m *slate) (*guard, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &Host{ID: record.ID{Store: "0001", Register: "01"}, Owner: public, Memory: m}
	return newGuard(h), private
}

// cheap has the PIN of a slate take one round of hashing.
func cheap(t *testing.T, g *guard) {
	t.Helper()
	p := pin{Salt: []byte("salt"), Rounds: 1}
	g.memory.PINs["technician"] = p
	var err error
	if p.Hash, err = hash(goodOne, p); err != nil {
		t.Fatal(err)
	}
	g.memory.PINs["technician"] = p
	if err := g.save(); err != nil {
		t.Fatal(err)
	}
}

func TestPIN(t *testing.T) {
	m := &slate{}
	g, _ := keeper(t, m)
	if g.hasPIN(Technician) {
		t.Fatal("a new register has a PIN")
	}
	if err := g.setPIN(Technician, goodOne); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(m.data), goodOne) {
		t.Error("the PIN is in the file")
	}
	if again, _ := keeper(t, m); again.loginPIN(Technician, goodOne) != nil || again.hasPIN(KeyOfficer) {
		t.Error("the PIN is not kept, or is another role's, too")
	}
	if err := g.loginPIN(Technician, badOne); !errors.Is(err, errWrong) {
		t.Errorf("a wrong one: %v", err)
	}
	if err := g.loginPIN(Technician, goodOne); !errors.As(err, new(waitError)) {
		t.Errorf("the right one at once: %v", err)
	}
}

func TestGoodPIN(t *testing.T) {
	for typed, want := range map[string]bool{
		goodOne: true, "8246719038": true, "12345": false, "123456": false, "654321": false, "111111": false, "1234567890123": false,
		"82467a": false, "８２４６７１": false, "": false, "112233": true,
	} {
		if goodPIN(typed) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
}

// The wait doubles up to a limit, is not shortened by a restart, and ends with
// the right PIN.
func TestDelayGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &slate{}
		g, _ := keeper(t, m)
		cheap(t, g)
		want := delayMin
		for range 14 {
			if err := g.loginPIN(Technician, badOne); !errors.Is(err, errWrong) {
				t.Fatal(err)
			}
			time.Sleep(want - time.Millisecond)
			if err := g.loginPIN(Technician, goodOne); !errors.As(err, new(waitError)) {
				t.Fatalf("let in after %v: %v", want, err)
			}
			time.Sleep(time.Millisecond)
			want = min(2*want, delayMax)
		}
		restarted, _ := keeper(t, m)
		if err := restarted.loginPIN(Technician, goodOne); !errors.As(err, new(waitError)) {
			t.Errorf("let in by a restart: %v", err)
		}
		time.Sleep(delayMax)
		if err := restarted.loginPIN(Technician, goodOne); err != nil || restarted.memory.Failures != 0 {
			t.Errorf("%v, %d failures", err, restarted.memory.Failures)
		}
	})
}

// A count that cannot be kept lets nobody in.
func TestNoMemoryNoLogin(t *testing.T) {
	m := &slate{}
	g, _ := keeper(t, m)
	cheap(t, g)
	m.err = errors.New("disk full")
	if err := g.loginPIN(Technician, goodOne); err == nil {
		t.Error("let in")
	}
}

// A damaged file is no register without a PIN: only the owner gets in.
func TestDamagedMemory(t *testing.T) {
	for _, data := range []string{"{", `{"failures":-1}`, `{"pins":{"technician":{"rounds":0}}}`, `{"pins":{"technician":{"salt":"AA==","hash":"AA==","rounds":1}}}`, strings.Repeat(" ", memoryMax+1)} {
		synctest.Test(t, func(t *testing.T) {
			m := &slate{data: []byte(data)}
			g, owner := keeper(t, m)
			if !g.hasPIN(Technician) {
				t.Error("anybody may set a PIN")
			}
			time.Sleep(delayMax)
			if err := g.loginPIN(Technician, goodOne); !errors.Is(err, errMemory) {
				t.Error(err)
			}
			time.Sleep(delayMax)
			text, err := Grant{Role: Technician, Minutes: 60, Name: "x"}.Sign(owner, g.ask())
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := g.loginGrant(text); err != nil {
				t.Error(err)
			}
			if string(m.data) != data {
				t.Error("the damaged file was replaced")
			}
		})
	}
}

func TestGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, owner := keeper(t, &slate{})
		_, stranger, _ := ed25519.GenerateKey(nil)
		want := Grant{Role: KeyOfficer, Minutes: 30, Name: "佐藤 花子", Scope: []string{"keys", "print test"}}
		sign := func(key ed25519.PrivateKey, c Challenge, g Grant) string {
			text, err := g.Sign(key, c)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		refuse := func(name, text string, want error) {
			t.Helper()
			time.Sleep(time.Until(g.early))
			if _, _, _, err := g.loginGrant(text); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		first := g.ask()
		shown, err := ParseChallenge(strings.ToLower(strings.ReplaceAll(first.String(), "-", " ")))
		if err != nil || shown.ID != first.ID || shown.Nonce != first.Nonce || !shown.Time.Equal(first.Time) {
			t.Fatalf("%+v, %v, want %+v", shown, err, first)
		}
		text := sign(owner, shown, want)
		other := shown
		other.ID.Register = "02"
		refuse("another register's", sign(owner, other, want), ErrSignature)
		refuse("a stranger's", sign(stranger, shown, want), ErrSignature)
		refuse("mistyped", strings.Replace(text, text[:4], "AAAA", 1), ErrTyped)
		refuse("cut", text[:len(text)-4], ErrTyped)
		refuse("long", strings.Repeat("A", letters.Max+1), ErrTyped)
		second := g.ask()
		refuse("of an older challenge", text, ErrSignature)
		text = sign(owner, second, want)
		time.Sleep(time.Until(g.early))
		got, until, _, err := g.loginGrant(text)
		if err != nil || got.Name != want.Name || got.Role != want.Role || len(got.Scope) != 2 || until.Sub(second.Time) < 29*time.Minute || until.Sub(second.Time) > 31*time.Minute {
			t.Fatalf("%+v until %v, %v", got, until, err)
		}
		refuse("used", text, ErrSignature)
		late := g.ask()
		time.Sleep(31 * time.Minute)
		if _, _, _, err := g.loginGrant(sign(owner, late, want)); err == nil {
			t.Error("an expired grant lets in")
		}
	})
}

// FuzzText: what is typed for a grant, a challenge or credentials is refused or
// right, and nothing that nobody signed is right.
func FuzzText(f *testing.F) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	c := Challenge{ID: record.ID{Store: "0001", Register: "01"}, Time: time.Unix(1_800_000_000, 0)}
	text, err := Grant{Role: Technician, Minutes: 5, Name: "x", Scope: []string{"check"}}.Sign(private, c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(c.String())
	f.Add(`{"body":"e30=","signature":"AA=="}`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := ParseChallenge(s); err == nil {
			if again, err := ParseChallenge(got.String()); err != nil || again != got {
				t.Errorf("%+v, %v, was %+v", again, err, got)
			}
		}
		if g, err := openGrant(s, public, c); err == nil && (g.Name != "x" || g.Minutes != 5) {
			t.Errorf("nobody signed %+v", g)
		}
		if k, err := OpenCredentials([]byte(s), public, c); err == nil {
			t.Errorf("nobody signed %+v", k)
		}
	})
}
