package day_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// weather makes things fail, and mends them again.
type weather struct {
	*counter
	random *rand.Rand

	// hands is held by whoever touches the counter: nobody presses a key between
	// a power cut and the register's return.
	hands sync.Mutex
	out   sync.WaitGroup // a fault on its way

	mend   map[string]func() // what is broken now, by name
	kills  int               // of the register
	cuts   int
	faults map[string]int

	mu      sync.Mutex
	chapter []string
	bad     []string
}

func newWeather(c *counter, random *rand.Rand) *weather {
	return &weather{counter: c, random: random, mend: map[string]func(){}, faults: map[string]int{}}
}

// tell adds a line to the day's story.
func (w *weather) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chapter = append(w.chapter, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (w *weather) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.chapter, "\n")
}

// accuse notes a violation that a goroutine has seen; judge reports it.
func (w *weather) accuse(format string, args ...any) {
	w.tell("VIOLATION "+format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad = append(w.bad, fmt.Sprintf(format, args...))
}

// fault is one thing that goes wrong; mend, if any, puts it right again.
type fault struct {
	name   string
	weight int
	make   func(*weather)
	mend   func(*weather)
}

func set(path string, pairs ...string) func(*weather) {
	body := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		body[pairs[i]] = pairs[i+1]
	}
	return func(w *weather) { w.post(path, body) }
}

func cable(name string) fault {
	return fault{"cable " + name, 2, set("/api/device", "name", name, "action", "unplug"), set("/api/device", "name", name, "action", "plug")}
}

var faults = []fault{
	{"kill register", 4, func(w *weather) { w.outage(true) }, nil},
	{"power cut", 5, func(w *weather) { w.outage(false) }, nil},
	{"kill capture", 2, set("/api/kill", "role", "capture"), nil},
	{"kill uplink", 4, set("/api/kill", "role", "uplink"), nil},
	{"cloud down", 3, set("/api/cloud", "link", "down"), set("/api/cloud", "link", "up")},
	{"cloud slow", 1, set("/api/cloud", "link", "slow"), set("/api/cloud", "link", "up")},
	cable("scanner"), cable("keypad"), cable("display"), cable("card"), cable("console"),
	cable("printer"), cable("printer"), cable("printer"),
	{"paper out", 3, set("/api/printer", "paper", "out"), set("/api/printer", "paper", "ok")},
	{"paper out in mid-receipt", 4, set("/api/printer", "paper", "out@9"), set("/api/printer", "paper", "ok")},
	{"paper low", 1, set("/api/printer", "paper", "near-end"), set("/api/printer", "paper", "ok")},
	{"cover open", 3, set("/api/printer", "cover", "open"), set("/api/printer", "cover", "closed")},
	{"cutter", 2, set("/api/printer", "cutter", "jammed"), set("/api/printer", "cutter", "ok")},
	{"printer off", 5, set("/api/printer", "power", "off"), set("/api/printer", "power", "on")},
	{"drawer jammed", 2, jam, unjam},
	{"drawer forced", 2, set("/api/drawer", "state", "open"), nil},
}

func jam(w *weather) { w.post("/api/drawer", map[string]string{"state": "jammed"}) }

func unjam(w *weather) {
	if w.state().Drawer.State == "jammed" {
		w.post("/api/drawer", map[string]string{"state": "closed"})
	}
}

// brokenMax is how many things are broken at once.
const brokenMax = 3

// strike lets something fail within a while, with the chance 1/n.
func (w *weather) strike(n int) {
	if w.random.IntN(n) != 0 {
		return
	}
	after := []int{1, 12, 250, 250}[w.random.IntN(4)]
	w.launch(w.pick(faults), after)
}

// hit lets one of some things fail just while the next thing is done, with the
// chance 1/n.
func (w *weather) hit(n int, names ...string) {
	if w.random.IntN(n) != 0 {
		return
	}
	some := slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !slices.Contains(names, f.name) })
	w.launch(w.pick(some), 40)
}

// launch lets a fault happen within some milliseconds.
func (w *weather) launch(f fault, within int) {
	w.out.Wait()
	if w.mend[f.name] != nil || f.mend != nil && len(w.mend) >= brokenMax {
		return
	}
	after := time.Duration(w.random.IntN(within)) * time.Millisecond
	w.faults[f.name]++
	if f.mend != nil {
		w.mend[f.name] = func() { w.tell("mend %s", f.name); f.mend(w) }
	}
	w.out.Go(func() {
		time.Sleep(after)
		w.tell("%s", f.name)
		f.make(w)
	})
}

func (w *weather) pick(faults []fault) fault {
	sum := 0
	for _, f := range faults {
		sum += f.weight
	}
	n := w.random.IntN(sum)
	for _, f := range faults {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	panic("unreachable")
}

// repair mends each broken thing with the chance 1/n.
func (w *weather) repair(n int) {
	w.out.Wait()
	for _, f := range faults { // in an order that the seed decides
		if mend := w.mend[f.name]; mend != nil && w.random.IntN(n) == 0 {
			mend()
			delete(w.mend, f.name)
		}
	}
}

// clear mends everything.
func (w *weather) clear() {
	w.repair(1)
}

// lift mends what keeps the cashier from going on.
func (w *weather) lift(names ...string) {
	w.out.Wait()
	for _, name := range names {
		if mend := w.mend[name]; mend != nil {
			mend()
			delete(w.mend, name)
		}
	}
}

// quiet waits until what is on the wire of a register that is gone has arrived:
// the printer and its drawer do nothing new for a while.
func (w *weather) quiet() (s state) {
	for same := 0; same < 15; time.Sleep(10 * time.Millisecond) {
		now := w.state()
		if now.Drawer != s.Drawer || now.Printer != s.Printer {
			same = 0
		}
		s, same = now, same+1
	}
	return s
}

// outage takes the register down in mid-work, and watches that the drawer does
// not open by itself when it comes back.
func (w *weather) outage(kill bool) {
	was := w.state().Roles["register"]
	if kill {
		if !w.post("/api/kill", map[string]string{"role": "register"}) {
			return
		}
		w.kills++
	} else {
		w.post("/api/power", map[string]string{"action": "cut"})
		w.cuts++
	}
	w.hands.Lock()
	defer w.hands.Unlock()
	before := w.quiet().Drawer.Pulses
	if !kill {
		w.post("/api/power", map[string]string{"action": "restore"})
		if w.random.IntN(3) == 0 { // once more, in the middle of the start
			time.Sleep(time.Duration(w.random.IntN(60)) * time.Millisecond)
			w.post("/api/power", map[string]string{"action": "cut"})
			w.post("/api/power", map[string]string{"action": "restore"})
			w.cuts++
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		s := w.state()
		if s.ready() && s.Roles["register"] != was {
			break
		}
		if time.Now().After(deadline) {
			w.accuse("the register did not come back: %+v", s)
			return
		}
	}
	time.Sleep(250 * time.Millisecond)
	if after := w.state().Drawer.Pulses; after != before {
		w.accuse("the drawer was kicked %d times by itself after an outage", after-before)
	}
}
