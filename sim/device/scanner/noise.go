package scanner

import (
	"math/rand/v2"
	"slices"
	"time"
)

// rest is how long a hand needs, at least, before it scans again after a
// transmission that was disturbed.
const rest = 300 * time.Millisecond

// burstMax is the length of a burst of bytes.
const burstMax = 8

// Noise is a bad cable. What it does to a transmission is what a UART tells the
// register: a byte whose stop bit was wrong arrives as NUL. Only SSI, which has a
// checksum, suffers changed bits and lost acknowledgements, too.
type Noise struct {
	Share float64 // of the transmissions that are disturbed, 0 to 1
	Seed  uint64  // the same seed disturbs the same way
}

// noise is its state.
type noise struct {
	Noise
	random *rand.Rand
	kinds  []func(*noise, []byte) (sent []byte, whole bool)
}

func newNoise(set Settings) noise {
	n := noise{Noise: set.Noise, random: rand.New(rand.NewPCG(set.Noise.Seed, 0))} //nolint:gosec // noise that can be played again
	n.kinds = []func(*noise, []byte) ([]byte, bool){(*noise).breakByte, (*noise).cutShort, (*noise).burst}
	switch set.Framing {
	case "ssi":
		n.kinds = append(n.kinds, (*noise).flipBit)
	case "stx-etx":
		n.kinds[2] = (*noise).burstOutside
	}
	return n
}

// strikes decides whether something is disturbed.
func (n *noise) strikes() bool { return n.Share > 0 && n.random.Float64() < n.Share }

// disturb is what arrives of a message; quiet says that nothing happened to it.
func (n *noise) disturb(message []byte) (sent []byte, whole, quiet bool) {
	if len(message) == 0 || !n.strikes() {
		return message, true, true
	}
	sent, whole = n.kinds[n.random.IntN(len(n.kinds))](n, slices.Clone(message))
	return sent, whole, false
}

func (n *noise) breakByte(b []byte) ([]byte, bool) {
	i := n.random.IntN(len(b))
	same := b[i] == 0
	b[i] = 0
	return b, same
}

// cutShort loses the end; something of it arrives, or nobody could tell.
func (n *noise) cutShort(b []byte) ([]byte, bool) {
	return b[:1+n.random.IntN(max(1, len(b)-1))], len(b) == 1
}

// burst puts bytes before the message that are in no framing.
func (n *noise) burst(b []byte) ([]byte, bool) {
	burst := make([]byte, 0, burstMax+len(b))
	for range 1 + n.random.IntN(burstMax) {
		burst = append(burst, "\x00\xff\x7f\x1b\x80\xfe"[n.random.IntN(6)])
	}
	return append(burst, b...), false
}

// burstOutside is burst where the message itself can be told from it.
func (n *noise) burstOutside(b []byte) ([]byte, bool) {
	b, _ = n.burst(b)
	return b, true
}

func (n *noise) flipBit(b []byte) ([]byte, bool) {
	b[n.random.IntN(len(b))] ^= 1 << n.random.IntN(8)
	return b, false
}
