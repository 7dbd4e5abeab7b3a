package console_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/console"
	"regi/firmware/update"
)

// slots are versions of which an update is refused.
type slots struct {
	rows []console.Setting
	why  error
}

func (s slots) State(context.Context) ([]console.Setting, error) { return s.rows, nil }
func (s slots) Update(_ context.Context, _ string, say func(string)) error {
	say(s.why.Error())
	return errors.New("the other slot holds no update")
}

// TestUpdateRefused: whatever an update is refused for is said in Japanese, too.
func TestUpdateRefused(t *testing.T) {
	for want, why := range map[string]error{
		"壊れています":  update.ErrCorrupted,
		"2つの署名":   update.ErrSignatures,
		"鍵がなく":    update.ErrNoKeys,
		"古い更新":    update.ErrOlder,
		"動いている版":  update.ErrRuns,
		"合格しなかった": update.ErrFailed,
		"別の基板用":   update.ErrBoard,
		"時計を確認":   update.ErrNotYet,
		"スロットより":  update.ErrTooLarge,
		"試行中":     update.ErrTrying,
		"交換":      update.ErrReadBack,
		"書き込み直し":  update.ErrSelector,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop()
			h := s.host()
			h.Board, h.Slots = board{s}, slots{why: why}
			at := sit(t, console.New(h))
			at.login("")
			if shown := at.type_("update\ryes\r"); !strings.Contains(shown, why.Error()[:20]) || strings.Contains(shown, "→") {
				t.Errorf("%v:\n%s", why, shown)
			}
			at.type_("lang ja\r")
			if shown := at.type_("update\ryes\r"); !strings.Contains(shown, want) {
				t.Errorf("%v:\n%s", why, shown)
			}
			at.leave()
		})
	}
}

// TestCheckOfBoard: a fault of the board and of its slots has a next step of its
// own, and how many there are is said once.
func TestCheckOfBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		h := s.host()
		h.Board, h.Slots = board{s}, slots{rows: []console.Setting{{Key: "slot", Value: "a"}, {Key: "damaged", Value: "slot b: not as signed"}}}
		at := sit(t, console.New(h))
		at.login("")
		shown := at.type_("check\r")
		for _, want := range []string{"take it out", "FAIL  slot", "not as signed", "flash the card anew", "need attention."} {
			if !strings.Contains(shown, want) {
				t.Errorf("no %q in\n%s", want, shown)
			}
		}
		if _, after, _ := strings.Cut(shown, "need attention."); strings.Contains(after, " of ") {
			t.Errorf("said twice:\n%s", shown)
		}
		if shown := at.type_("config set scanner.baud\r"); strings.Contains(shown, "\nuse") {
			t.Error(shown)
		}
		at.leave()
	})
}

// TestWaitIsNotNone: nobody is told to wait for 0 seconds.
func TestWaitIsNotNone(t *testing.T) {
	bubble(t, func(t *testing.T, _ *shop, at *seat) {
		at.type_("login\r" + badPIN + "\r")
		time.Sleep(900 * time.Millisecond)
		if shown := at.type_("login\r"); !strings.Contains(shown, "another 1 s") {
			t.Error(shown)
		}
	})
}

// TestPasteOfTheSame: a file that changes nothing is not there to be applied.
func TestPasteOfTheSame(t *testing.T) {
	bubble(t, func(t *testing.T, _ *shop, at *seat) {
		at.login("")
		if shown := at.type_("config paste\r[register] # as it was\r-----END-----\r"); !strings.Contains(shown, "Nothing is changed") || strings.Contains(shown, "Noted") {
			t.Error(shown)
		}
	})
}

// TestZone: times are the shop's, and say so, wherever the board's clock runs.
func TestZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		h := s.host()
		h.Zone = time.FixedZone("JST", 9*60*60)
		at := sit(t, console.New(h))
		at.login("")
		for _, command := range []string{"check\r", "net\r"} {
			if shown := at.type_(command); !strings.Contains(shown, "2026-11-25 18:30:00 JST +09:00") {
				t.Errorf("%s:\n%s", command, shown)
			}
		}
		at.type_("print test\r")
		if paper := strings.Join(s.lines, "\n"); !strings.Contains(paper, "09:00:00 JST") {
			t.Errorf("print test:\n%s", paper)
		}
		at.leave()
	})
}
