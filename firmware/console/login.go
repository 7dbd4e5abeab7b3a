package console

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"regi/firmware/letters"
)

// Limits of a login.
const (
	// pinMin and pinMax are the digits of a PIN.
	pinMin, pinMax = 6, 12
	// pinRounds of PBKDF2 take about 0.3 s on a Raspberry Pi 4.
	pinRounds, pinRoundsMax = 300_000, 10_000_000
	saltBytes, hashBytes    = 16, 32
	// delayMin follows the first wrong login; each further one doubles it.
	delayMin, delayMax = time.Second, 15 * time.Minute
	// memoryMax bounds the file.
	memoryMax = 4096
)

// Errors of a login.
var (
	errWrong  = errors.New("wrong")
	errNoPIN  = errors.New("no PIN is set")
	errMemory = errors.New("the console's file is damaged: no PIN works, a grant of the owner does")
)

// waitError refuses to look at a login: it comes too early.
type waitError struct{ left time.Duration }

func (e waitError) Error() string { return fmt.Sprintf("wait %v", e.left.Round(time.Second)) }

// memory is the console's own file.
type memory struct {
	// Failures since the last login; they decide how long the next must wait.
	Failures int            `json:"failures"`
	PINs     map[string]pin `json:"pins"` // by the role's word
	Language string         `json:"language,omitempty"`
}

// pin is what is kept of one. Six digits do not stand against whoever has the
// file: that takes the disk.
type pin struct {
	Salt   []byte `json:"salt"`
	Hash   []byte `json:"hash"`
	Rounds int    `json:"rounds"`
}

// guard decides who is let in. It outlives the line.
type guard struct {
	host   *Host
	memory memory
	damage error
	// early: no login is looked at before.
	early time.Time
	// refused are those that came too early, or were no login at all, and are not
	// on record yet.
	refused   int
	challenge *Challenge // shown, and not used up
	asked     time.Time  // when it was shown, by the clock that nobody sets
}

// newGuard reads the file. A delay that was under way begins again: nobody is
// let in earlier by a restart.
func newGuard(h *Host) *guard {
	g := &guard{host: h, memory: memory{PINs: map[string]pin{}}}
	data, err := h.Memory.Load()
	if err == nil && len(data) > 0 {
		err = g.memory.parse(data)
	}
	if err != nil {
		g.damage = errMemory
		g.memory = memory{Failures: 1, PINs: map[string]pin{}}
	}
	g.early = time.Now().Add(delay(g.memory.Failures))
	return g
}

func (m *memory) parse(data []byte) error {
	if len(data) > memoryMax {
		return errMemory
	}
	if err := json.Unmarshal(data, m); err != nil {
		return err
	}
	if m.PINs == nil {
		m.PINs = map[string]pin{}
	}
	for _, p := range m.PINs {
		if p.Rounds < 1 || p.Rounds > pinRoundsMax || len(p.Salt) == 0 || len(p.Hash) != hashBytes {
			return errMemory
		}
	}
	if m.Failures < 0 {
		return errMemory
	}
	return nil
}

// delay is how long the next login must wait after n wrong ones.
func delay(n int) time.Duration {
	if n == 0 {
		return 0
	}
	d := delayMin
	for i := 1; i < n && d < delayMax; i++ {
		d *= 2
	}
	return min(d, delayMax)
}

func (g *guard) save() error {
	if g.damage != nil {
		return g.damage // it may hold what somebody wants to look at
	}
	data, err := json.Marshal(g.memory)
	if err == nil {
		err = g.host.Memory.Save(data)
	}
	if err != nil {
		return fmt.Errorf("the console's file cannot be written: %w", err)
	}
	return nil
}

// wait refuses what comes too early.
func (g *guard) wait() error {
	if left := time.Until(g.early); left > 0 {
		g.refused++
		return waitError{left}
	}
	return nil
}

// attempt looks at one login, if it is time. It is counted as wrong first: a
// power cut in between lets nobody guess for nothing.
func (g *guard) attempt(right func() error) error {
	if err := g.wait(); err != nil {
		return err
	}
	g.memory.Failures++
	err := g.save()
	if g.damage != nil {
		err = nil // a grant must still be looked at; the count is kept in memory
	}
	if err == nil {
		err = right()
	}
	if err != nil {
		g.early = time.Now().Add(delay(g.memory.Failures))
		return err
	}
	g.memory.Failures = 0
	if err := g.save(); err != nil && g.damage == nil {
		return err
	}
	return nil
}

func hash(typed string, p pin) ([]byte, error) {
	return pbkdf2.Key(sha256.New, typed, p.Salt, p.Rounds, hashBytes)
}

// hasPIN says whether a role has one.
func (g *guard) hasPIN(r Role) bool {
	_, ok := g.memory.PINs[r.String()]
	return ok || g.damage != nil
}

// loginPIN looks at a PIN.
func (g *guard) loginPIN(r Role, typed string) error {
	return g.attempt(func() error {
		if g.damage != nil {
			return g.damage
		}
		p, ok := g.memory.PINs[r.String()]
		if !ok {
			return errNoPIN
		}
		got, err := hash(typed, p)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(got, p.Hash) != 1 {
			return errWrong
		}
		return nil
	})
}

// setPIN keeps the PIN of a role.
func (g *guard) setPIN(r Role, typed string) error {
	p := pin{Salt: make([]byte, saltBytes), Rounds: pinRounds}
	rand.Read(p.Salt)
	var err error
	if p.Hash, err = hash(typed, p); err != nil {
		return err
	}
	before, had := g.memory.PINs[r.String()]
	g.memory.PINs[r.String()] = p
	if err := g.save(); err != nil {
		delete(g.memory.PINs, r.String())
		if had {
			g.memory.PINs[r.String()] = before
		}
		return err
	}
	return nil
}

// goodPIN says whether typed may become a PIN: digits, enough of them, and not
// the ones that everybody tries first.
func goodPIN(typed string) bool {
	if len(typed) < pinMin || len(typed) > pinMax || strings.Trim(typed, "0123456789") != "" {
		return false
	}
	for _, step := range []byte{0, 1, 255} { // 111111, 123456, 654321
		run := true
		for i := 1; i < len(typed); i++ {
			run = run && typed[i] == typed[i-1]+step
		}
		if run {
			return false
		}
	}
	return true
}

// ask makes a new challenge; the one before is void.
func (g *guard) ask() Challenge {
	c := newChallenge(g.host.ID)
	g.challenge, g.asked = &c, time.Now()
	return c
}

// loginGrant looks at an answer to the challenge that was shown. One that is
// mistyped is no try, but counted; one that is right uses the challenge up.
func (g *guard) loginGrant(typed string) (grant Grant, until time.Time, w Warrant, err error) {
	if _, err := letters.Read(typed); err != nil {
		g.refused++
		return grant, until, w, err
	}
	err = g.attempt(func() error {
		if g.challenge == nil {
			return ErrSignature // answered before, or of an earlier start
		}
		if grant, err = openGrant(typed, g.host.Owner, *g.challenge); err != nil {
			return err
		}
		until = g.asked.Add(time.Duration(grant.Minutes) * time.Minute)
		if !time.Now().Before(until) {
			return errors.New("the grant has expired: ask for a challenge again")
		}
		return nil
	})
	if err == nil {
		w = warrant(grant, typed, *g.challenge)
		g.challenge = nil
	}
	return grant, until, w, err
}

// isUncounted: it was not looked at, and is on record with others only.
func isUncounted(err error) bool {
	return errors.As(err, new(waitError)) || errors.Is(err, ErrTyped)
}

func isNoRoom(err error) bool { return errors.Is(err, ErrNoRoom) }
