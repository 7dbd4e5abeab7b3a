package register

import (
	"crypto/rand"
	"time"

	"regi/firmware/record"
	"regi/firmware/uplink"
)

// Times of a question for the time.
const (
	// timeWithin is how old an answer may be: the uplink, which is not trusted, can
	// put the clock back by half as much, by holding it, and no further.
	timeWithin = 10 * time.Second
	// timeAgain is how often is asked while there is no answer.
	timeAgain = 5 * time.Second
	// timeEvery is how often in a session, which may last for months.
	timeEvery = time.Hour
)

// clock is what the loop has asked the cloud.
type clock struct {
	nonce record.Nonce // zero: nothing is open
	asked time.Time
	told  time.Time // zero: not in this session
}

// askTime asks what time it is: when a session begins, and again when the cloud
// has signed for something, if that was not answered or is long ago.
func (r *Register) askTime() {
	k := &r.clock
	if r.config.Clock == nil || time.Since(k.told) < timeEvery || time.Since(k.asked) < timeAgain {
		return
	}
	k.asked = time.Now()
	rand.Read(k.nonce[:])
	if err := r.send(uplink.Message{Op: "time", Record: k.nonce[:]}); err != nil {
		k.nonce = record.Nonce{}
	}
}

// toldTime takes one answer to the newest question, if the receiver has signed it
// and it is young.
func (r *Register) toldTime(t *record.Time) {
	k := &r.clock
	took := time.Since(k.asked)
	if t == nil || k.nonce == (record.Nonce{}) {
		return
	}
	nonce := k.nonce
	k.nonce = record.Nonce{}
	at, err := t.Verify(r.config.SignedBy, r.config.ID, nonce)
	switch {
	case err != nil:
		r.log.Warn("the cloud's time is refused", "err", err.Error())
	case took > timeWithin:
		r.log.Warn("the cloud's time is too old", "after", took.String())
	default:
		k.told = time.Now()
		r.config.Clock(at.Add(took / 2))
	}
}
