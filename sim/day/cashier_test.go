package day_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"regi/sim/counter/stand"
)

// Published test numbers; no real card exists for them.
const (
	panDeclined = "4000000000000002"
	panNoFunds  = "4000000000009995"
	panSilent   = "4000000000000119"
)

var pansGood = []string{"4111111111111111", "5555555555554444", "3530111333300000"}

// good is one article of the demo shop, as its shelf label says.
type good struct {
	price int64
	rate  int
}

var shelf = map[string]good{
	"4901234567894": {220, 10}, "4912345678904": {150, 8}, "4567100000010": {138, 8}, "4908881000019": {105, 10},
	"4907772000022": {1280, 8}, "4906663000035": {398, 10}, "49571202": {128, 8}, "4901111222335": {54_800, 10},
}

// labels are in an order that the seed can decide on.
var labels = slices.Sorted(maps.Keys(shelf))

// cashier works at the counter, looks at its state and never gives up.
type cashier struct {
	*counter
	*weather
	random *rand.Rand
	began  time.Time
	done   map[string]int

	coverage string
}

func (p *cashier) did(what string) {
	if p.done == nil {
		p.done = map[string]int{}
	}
	p.done[what]++
}

func (p *cashier) chance(n int) bool { return p.random.IntN(n) == 0 }

// touch is one call with a hand on the counter.
func (p *cashier) touch(path string, body any) bool {
	p.hands.Lock()
	defer p.hands.Unlock()
	return p.post(path, body)
}

func (p *cashier) keys(names ...string) {
	p.tell("keys %v", names)
	if !p.touch("/api/keys", map[string]any{"keys": names}) {
		p.tell("  not read")
		p.lift("cable keypad")
	}
}

func (p *cashier) amount(n int64, then string) {
	names := []string{}
	for _, digit := range strconv.FormatInt(n, 10) {
		names = append(names, string(digit))
	}
	p.keys(append(names, then)...)
}

func (p *cashier) scan(data string) {
	p.tell("scan %.20q", data)
	if !p.touch("/api/scan", map[string]string{"data": data}) {
		p.tell("  not read")
		p.lift("cable scanner")
	}
}

func (p *cashier) swipe(track1, track2 string) {
	p.tell("swipe")
	if !p.touch("/api/swipe", map[string]string{"track1": track1, "track2": track2}) {
		p.tell("  not read")
		p.lift("cable card")
	}
}

func (p *cashier) card(pan string) {
	p.swipe("%B"+pan+"^TEST/CARD^30121010000000000000?", ";"+pan+"=30121010000000000000?")
}

// phase waits until the register is there, and says what it does.
func (p *cashier) phase() string {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if s := p.state(); s.ready() {
			return s.Till
		}
	}
	p.t.Fatalf("the register did not come back\n%s", p.Get("/api/state"))
	return ""
}

// soon waits a moment for one of the phases.
func (p *cashier) soon(want ...string) string {
	now := p.phase()
	for deadline := time.Now().Add(700 * time.Millisecond); !slices.Contains(want, now) && time.Now().Before(deadline); now = p.phase() {
		time.Sleep(10 * time.Millisecond)
	}
	return now
}

// sale is one customer.
func (p *cashier) sale() {
	p.tell("customer, till %s", p.phase())
	for range 1 + p.random.IntN(5) {
		p.item()
		p.strike(12)
	}
	p.strike(5)
	switch p.random.IntN(12) {
	case 0:
		p.did("cancelled")
		p.keys("SUBTOTAL", "VOID", "VOID")
	case 1, 2:
		p.did("split")
		p.amount(int64(1+p.random.IntN(120)), "CASH")
		p.strike(4)
		if p.chance(3) {
			p.keys("VOID")
			p.amount(int64(1+p.random.IntN(50)), "CASH")
		}
		p.payByCard(pansGood[p.random.IntN(len(pansGood))])
	case 3, 4, 5, 6:
		p.payByCard(p.anyCard())
	case 7:
		p.did("change of mind")
		p.keys("SUBTOTAL", "CLEAR")
		p.item()
	default:
		p.hit(3, "kill register", "power cut", "cable printer", "printer off", "paper out in mid-receipt", "cutter")
		p.amount(int64(1000*(1+p.random.IntN(99))), "CASH")
	}
	p.strike(2)
	p.home()
	p.did("customers")
}

// item is one article, or something that is none.
func (p *cashier) item() {
	label := labels[p.random.IntN(len(labels))]
	switch p.random.IntN(16) {
	case 0:
		p.scan([]string{
			"4900000000016", "4901234567890", strings.Repeat("4", 3000), "49\x1b@\x10\x14\x01\x00\x01234", "hello", "]C1(01)", "99999999",
		}[p.random.IntN(7)])
		if p.chance(2) {
			p.keys("CLEAR")
		}
	case 1:
		p.card(panDeclined) // nobody asked for it
	case 2, 3:
		p.keys(strconv.Itoa(1+p.random.IntN(9)), "QTY")
		p.scan(label)
	case 4:
		p.scan(label)
		p.strike(6)
		p.keys("VOID")
		p.scan(label)
	default:
		p.scan(label)
	}
	p.soon("SALE")
}

func (p *cashier) anyCard() string {
	switch p.random.IntN(14) {
	case 0, 1:
		return panDeclined
	case 2:
		return panNoFunds
	case 3:
		return panSilent
	}
	return pansGood[p.random.IntN(len(pansGood))]
}

// payByCard presses CARD and swipes; home does the rest.
func (p *cashier) payByCard(pan string) {
	p.did("card")
	p.keys("CARD")
	if p.soon("CARD") != "CARD" {
		return
	}
	p.strike(6)
	if p.chance(6) {
		p.swipe("%E?", ";4111=?&%!11")
	}
	p.hit(3, "kill register", "power cut", "kill uplink", "kill capture", "cloud down", "cloud slow", "cable card")
	p.card(pan)
	if p.soon("IDLE", "TENDER") == "AUTH" && p.chance(2) {
		p.keys("CLEAR", "CLEAR")
		p.soon("TENDER", "IDLE")
	}
}

// homeWithin bounds what a cashier needs to end any sale.
const homeWithin = 90 * time.Second

// home ends whatever is under way until the till is idle.
func (p *cashier) home() {
	began := time.Now()
	for tries := 0; time.Since(began) < homeWithin; tries++ {
		if tries > 2 {
			p.lift("cable keypad")
		}
		switch phase := p.phase(); phase {
		case "IDLE":
			p.shutDrawer()
			if tries == 0 {
				p.repair(3)
			}
			return
		case "CLOSED":
			p.keys("CLEAR")
			p.amount(int64(1+p.random.IntN(8)), "OPEN")
		case "CARD":
			p.keys("CLEAR")
		case "AUTH":
			time.Sleep(200 * time.Millisecond)
			if tries > 3 {
				p.keys("CLEAR", "CLEAR")
			}
		default:
			p.keys("CLEAR")
			p.soon("IDLE")
			p.keys("CASH")
		}
		p.soon("IDLE")
	}
	p.t.Fatalf("the till did not come back to IDLE\n%s", p.Get("/api/state"))
}

// shutDrawer closes the drawer, mostly.
func (p *cashier) shutDrawer() {
	if p.state().Drawer.State == "open" && !p.chance(5) {
		p.touch("/api/drawer", map[string]string{"state": "closed"})
	}
}

// between two customers.
func (p *cashier) between() {
	p.strike(6)
	switch p.random.IntN(14) {
	case 0:
		p.did("no-sale")
		p.keys("NOSALE")
		p.strike(3)
		p.soon("IDLE")
		p.shutDrawer()
	case 1, 2:
		p.did("reprint")
		p.keys("FN")
		p.strike(3)
	case 3:
		p.did("X")
		p.keys("X")
		p.strike(3)
	case 4:
		p.did("Z")
		p.keys("Z")
		p.strike(2)
		p.soon("CLOSED")
		p.home()
	case 5:
		p.keys([]string{"DOT", "POINTS", "ENTER", "REFUND", "DISCOUNT", "OPEN", "VOID", "00"}[p.random.IntN(8)])
		p.keys("CLEAR")
	case 6:
		p.repair(1)
		p.force()
	case 7:
		time.Sleep(time.Duration(p.random.IntN(800)) * time.Millisecond)
	}
	p.repair(4)
}

// force opens the drawer without a command: it must be an alarm, unless a kick
// from before a restart is still without an answer.
func (p *cashier) force() {
	p.out.Wait()
	p.shutDrawer()
	before := p.state()
	if before.Drawer.State != "closed" || before.Devices["printer"] != "up" {
		return
	}
	time.Sleep(3 * time.Second) // a printer that was silent is asked in vain for a while
	if s := p.state(); !s.ready() || s.Drawer != before.Drawer {
		return // a late kick has opened it
	}
	p.did("forced")
	said := p.count(`"code":"D02"`)
	p.tell("force the drawer")
	p.touch("/api/drawer", map[string]string{"state": "open"})
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if p.count(`"code":"D02"`) > said {
			p.shutDrawer()
			return
		}
	}
	p.unheard(said)
	p.shutDrawer()
}

// unheard decides whether a forced opening without an alarm was excusable: the
// newest record of the drawer is then the opening, taken for that of a kick
// before a restart. On a busy machine it may only have been late.
func (p *cashier) unheard(said int) {
	p.settle()
	if p.count(`"code":"D02"`) > said {
		return
	}
	last := ""
	resumed := false
	for _, e := range p.Ledger(0) {
		switch {
		case strings.HasPrefix(e.Kind, "drawer."):
			last, resumed = e.Kind, false
		case e.Kind == "power.resume":
			resumed = true
		case e.Kind == "device.down" && strings.Contains(string(e.Body), `"drawer"`):
			last = "drawer.failed"
		}
	}
	if last != "drawer.opened" || resumed {
		p.accuse("the drawer was forced and nobody said so: the newest record of it is %s", last)
	}
}

// settle waits until nothing is under way any more: no print job, no record
// that the cloud has not signed for.
func (p *cashier) settle() {
	p.clear()
	p.Await("the devices", func() bool {
		s := p.state()
		return s.allUp() && s.ready() && s.Printer.Buffered == 0
	})
	quiet := uint64(0)
	since := time.Now()
	p.AwaitWithin(2*patience, "an empty outbox", func() bool {
		s := p.state()
		if s.Head != quiet || s.Outbox != 0 || !s.Cloud.Session {
			quiet, since = s.Head, time.Now()
		}
		if time.Since(since) < 1200*time.Millisecond {
			return false
		}
		all := p.Ledger(0)
		return len(all) == int(s.Head) && (waiting(all) == 0 || time.Since(since) > patience/2)
	})
}

// waiting counts the print jobs without an end.
func waiting(all []stand.Entry) int {
	jobs := map[string]bool{}
	for _, e := range all {
		var body struct{ Job json.Number }
		json.Unmarshal(e.Body, &body)
		switch e.Kind {
		case "power.resume":
			clear(jobs)
		case "print.start":
			jobs[body.Job.String()] = true
		case "print.done", "print.fail":
			delete(jobs, body.Job.String())
		}
	}
	return len(jobs)
}

// closeShop ends the day: X, Z, a new shift and one more sale.
func (p *cashier) closeShop() {
	p.keys("X")
	p.keys("Z")
	p.Await("a closed shift", func() bool { return p.state().Till == "CLOSED" })
	p.keys("2", "OPEN")
	p.Await("a new shift", func() bool { return p.state().Till == "IDLE" })
	sold := strings.Count(p.Paper(), "取引番号")
	p.scan(labels[0])
	p.Await("a line", func() bool { return p.state().Till == "SALE" })
	p.keys("CASH")
	p.Await("the last receipt", func() bool { return strings.Count(p.Paper(), "取引番号") == sold+1 })
	p.Await("an idle till", func() bool { return p.state().Till == "IDLE" })
	p.shutDrawer()
	p.keys("Z")
	p.Await("a closed shift", func() bool { return p.state().Till == "CLOSED" })
}

func (p *cashier) summary() string {
	return fmt.Sprintf("%s; did %v; faults %v", p.coverage, p.done, p.faults)
}
