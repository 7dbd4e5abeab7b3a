package card_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"regi/sim/device/card"
	"regi/sim/wire"
)

// Published test numbers; no real card exists for them.
const (
	track1 = "%B4111111111111111^TEST/CARD^30121010000000000000?"
	track2 = ";4111111111111111=30121010000000000000?"
	track3 = "+014111111111111111=?"
)

// counter is a reader on a wire, and the register's end of it.
func counter(t *testing.T) (*card.Reader, *wire.TTY, *os.File) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "card")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	register, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		register.Close() //nolint:errcheck,gosec // the test is over
		tty.Close()      //nolint:errcheck,gosec // the test is over
	})
	return card.New(tty), tty, register
}

func TestSwipes(t *testing.T) {
	r, _, register := counter(t)
	for _, c := range []struct {
		name   string
		tracks card.Tracks
		want   string
	}{
		{"all tracks", card.Tracks{Track1: track1, Track2: track2, Track3: track3}, track1 + track2 + track3 + "\r"},
		{"track 2 alone", card.Tracks{Track2: track2}, track2 + "\r"},
		{"a track that failed", card.Tracks{Track1: "%E?", Track2: track2}, "%E?" + track2 + "\r"},
		{"garbled", card.Tracks{Track2: ";41111111=?&%!11\x00\xff"}, ";41111111=?&%!11\x00\xff\r"},
		{"the longest", card.Tracks{Track3: strings.Repeat("+", card.TrackMax)}, strings.Repeat("+", card.TrackMax) + "\r"},
	} {
		got := make(chan string, 1)
		go func() {
			b := make([]byte, len(c.want))
			n, _ := io.ReadFull(register, b) //nolint:errcheck // what came is compared
			got <- string(b[:n])
		}()
		if err := r.Swipe(t.Context(), c.tracks); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if <-got != c.want {
			t.Errorf("%s: the register read something else", c.name)
		}
	}
}

func TestErrorsSayWhyAndHoldNoCard(t *testing.T) {
	r, tty, _ := counter(t)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	unread := r.Swipe(short, card.Tracks{Track1: track1, Track2: track2})
	if !errors.Is(unread, context.DeadlineExceeded) {
		t.Error("unread:", unread)
	}
	if err := tty.Unplug(); err != nil {
		t.Fatal(err)
	}
	pulled := r.Swipe(t.Context(), card.Tracks{Track2: track2})
	if !errors.Is(pulled, wire.ErrUnplugged) {
		t.Error("pulled:", pulled)
	}
	blank := r.Swipe(t.Context(), card.Tracks{})
	long := r.Swipe(t.Context(), card.Tracks{Track2: track2 + strings.Repeat("1", card.TrackMax)})
	for _, err := range []error{unread, pulled, blank, long} {
		if err == nil || strings.Contains(err.Error(), "4111") {
			t.Error("a nil error, or one with a card number")
		}
	}
	if errors.Is(blank, wire.ErrUnplugged) || errors.Is(long, wire.ErrUnplugged) {
		t.Error("a mistake of the caller reached the wire")
	}
}

// keeper is a wire that keeps the slice it was given, as no wire may.
type keeper struct {
	card.Wire
	kept []byte
}

func (k *keeper) Write(b []byte) (int, error) {
	if len(b) > 0 {
		k.kept = b
	}
	return len(b), nil
}

func (*keeper) WaitRead(context.Context) error { return nil }

func TestBufferIsErased(t *testing.T) {
	k := &keeper{}
	if err := card.New(k).Swipe(t.Context(), card.Tracks{Track1: track1, Track2: track2, Track3: track3}); err != nil {
		t.Fatal(err)
	}
	if len(k.kept) != len(track1+track2+track3)+1 {
		t.Fatalf("%d bytes were sent", len(k.kept))
	}
	for _, b := range k.kept {
		if b != 0 {
			t.Fatal("the swipe stays in memory")
		}
	}
}

func TestTracksFromJSONAndNotIntoLogs(t *testing.T) {
	var tracks card.Tracks
	if err := json.Unmarshal([]byte(`{"track1":"`+track1+`","track2":"`+track2+`","track3":"`+track3+`"}`), &tracks); err != nil {
		t.Fatal(err)
	}
	if tracks != (card.Tracks{Track1: track1, Track2: track2, Track3: track3}) {
		t.Error("the tracks are not those given")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if s := fmt.Sprintf(verb, tracks); s != "[card]" {
			t.Errorf("%s prints %d bytes of the tracks", verb, len(s))
		}
	}
}
