package hsm_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"regi/drivers/msr/ttl"         //nolint:depguard // as above
	"regi/firmware/capture"        //nolint:depguard // as above
	"regi/firmware/capture/launch" //nolint:depguard // as above
	"regi/firmware/record"
	"regi/firmware/role" //nolint:depguard // as above
	"regi/sim/device/card"
)

// headRole is the real card process, in its jail, with a simulated head.
const headRole = "hsm-test-head"

// headLines play a pass of a card again and again: one that comes before the
// keystream is laid down is too early.
type headLines struct {
	pass  []card.Edge
	edges []card.Edge // of this pass, what is left
	moved time.Duration
	begin time.Time
	until time.Time
}

// between is the pause before each pass.
const between = 300 * time.Millisecond

func (l *headLines) SetReadDeadline(t time.Time) error { l.until = t; return nil }

func (l *headLines) Next() (ttl.Edge, error) {
	if len(l.edges) == 0 && l.until.IsZero() {
		l.edges, l.begin, l.moved = l.pass, time.Now().Add(between), l.moved+time.Second
	}
	if wait := time.Until(l.begin); wait > 0 {
		if !l.until.IsZero() {
			wait = min(wait, time.Until(l.until))
		}
		time.Sleep(wait)
	}
	if !l.until.IsZero() && !time.Now().Before(l.until) {
		return ttl.Edge{}, os.ErrDeadlineExceeded
	}
	if len(l.edges) == 0 {
		time.Sleep(time.Until(l.until))
		return ttl.Edge{}, os.ErrDeadlineExceeded
	}
	e := l.edges[0]
	l.edges = l.edges[1:]
	return ttl.Edge{Line: ttl.Line(e.Wire), High: e.High, At: l.moved + e.At}, nil
}

// headMain swipes a card past a head: its environment says how.
func headMain() int {
	var pass card.Pass
	if _, err := fmt.Sscan(os.Getenv("HSM_TEST_PASS"), &pass.Strobed, &pass.Backward); err != nil {
		return 1
	}
	pass.From, pass.To = 30, 60
	number := good
	edges, err := card.Tracks{Track1: "%B" + number + "^TEST/CARD^28121010000000000?", Track2: swipe(number)}.Edges(pass)
	if err != nil {
		return 2
	}
	link, err := role.Link(role.LinkFD)
	if err != nil {
		return 3
	}
	key, err := role.Link(role.KeyFD)
	if err != nil {
		return 4
	}
	lines := &headLines{pass: edges}
	capture.Main(context.Background(), capture.Options{Head: lines, Strobed: pass.Strobed, Link: link, Key: key}) //nolint:errcheck,gosec // it ends with its link
	return 0
}

// From the flux changes of a stripe to the issuer's answer: a head without a
// decoder, the card process in its jail with a key of the hsm's, and the hsm.
func TestFromHeadToAnswer(t *testing.T) {
	b := start(t)
	for _, how := range []string{"false false", "false true", "true false", "true true"} {
		ours, theirs, err := role.Pair()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Args, cmd.Env = []string{headRole}, []string{"HSM_TEST_PASS=" + how}
		cmd.ExtraFiles = []*os.File{theirs, b.KeyEnd()}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		theirs.Close()
		read := readOf(t, ours)
		ours.Close() // which is its end
		if err := cmd.Wait(); err != nil {
			t.Errorf("strobed and backward %s: %v", how, err)
		}
		if read.Source != "msr-ttl" {
			t.Errorf("%+v", read)
		}
		if reply := b.authorize(b.request(*read)); reply.Result != record.Approved {
			t.Errorf("strobed and backward %s: %+v", how, reply)
		}
	}
}

// readOf waits for the card read of a card process.
func readOf(t *testing.T, link *os.File) *record.CardRead {
	t.Helper()
	if err := link.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		packet := make([]byte, launch.PacketMax)
		n, err := link.Read(packet)
		if err != nil {
			t.Fatal(err)
		}
		e, err := launch.Decode(packet[:n])
		if err != nil {
			t.Fatal(err)
		}
		if e.Read != nil {
			return e.Read
		}
	}
}
