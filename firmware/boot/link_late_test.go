package boot

import (
	"encoding/json"
	"testing"
	"time"
)

// An answer that came too late is not that to the next question.
func TestLateState(t *testing.T) {
	t.Parallel()
	ours, theirs, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	answer := func(torn uint64) {
		packet, err := encodeState(State{Torn: torn})
		if err == nil {
			_, err = ours.Write(packet)
		}
		if err != nil {
			t.Error(err)
		}
	}
	l := newLink(theirs)
	if err := theirs.SetReadDeadline(time.Now().Add(-time.Second)); err != nil { // as after a question given up
		t.Fatal(err)
	}
	answer(1)
	answer(2)
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		packet := make([]byte, packetMax)
		n, err := ours.Read(packet)
		var a Ask
		if err != nil || json.Unmarshal(packet[:n], &a) != nil || a.Op != OpState {
			t.Errorf("%q, %v", packet[:n], err)
		}
		answer(3)
	}()
	if s, err := l.State(); err != nil || s.Torn != 3 {
		t.Errorf("answer %d, %v", s.Torn, err)
	}
}
