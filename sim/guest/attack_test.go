package guest_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/drill/reach"
	"regi/sim/drill/scrape"
	"regi/sim/guest"
	"regi/sim/guest/order"
)

// robber is a stranger on a guest's network, with malware in it that is root.
type robber struct {
	*shop
	network *guest.Network
	orders  *order.Side
	users   []user
	sent    uint64 // packets that went to the guest, and must be counted there
	cards   []scrape.Card
}

// user is one that a process of the register runs as.
type user struct {
	id  uint32
	who string // the firewall's counter
}

// A robber who is on the shop's network, and root on the board, gets neither in
// nor anything out, finds no card number, and runs nothing. It is the flashed
// slot, unchanged, that is attacked.
func TestAttack(t *testing.T) {
	campaign(t, "short", "a robber on the network and inside takes a minute and a half")
	r := rob(t)
	r.step("who runs", r.processes)
	r.step("D9", r.scan)
	r.step("D10", r.exfiltrate)
	r.step("D1-D4", r.scrape)
	r.step("D5", r.strangers)
	r.step("D17", r.plugs)
	r.step("wire", r.wire)
	r.step("firewall torn", r.tear)
	r.noAlarm()
}

func (r *robber) step(name string, do func()) {
	r.Helper()
	begun := time.Now()
	do()
	r.Logf("%s: %.1f s", name, time.Since(begun).Seconds())
}

// rob opens a shop whose register has been broken into.
func rob(t *testing.T) *robber {
	t.Helper()
	r := &robber{shop: open(t)}
	dir := t.TempDir()
	intruder, orders := filepath.Join(dir, "intruder"), filepath.Join(dir, "orders")
	r.must(run("env", "GOOS=linux", "GOARCH=arm64", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", intruder, "./intruder"))
	infected, err := guest.Infect(r.disk, intruder, filepath.Join(dir, "initramfs"))
	r.must(err)
	f, err := os.Create(orders)
	r.must(err)
	t.Cleanup(func() { f.Close() })
	r.must(f.Truncate(order.DiskBytes))
	r.orders = &order.Side{Disk: f, Buffer: make([]byte, order.MessageMax), Asks: true}
	r.network, err = guest.NewNetwork(dir)
	r.must(err)
	t.Cleanup(func() { r.network.Close() })
	t.Cleanup(func() { r.guest.Kill() })
	begun := time.Now()
	r.guest, err = guest.Start(context.Background(), guest.Options{
		Image: r.image, Disk: r.disk, Dev: filepath.Join(r.Dir, "dev"), Cloud: r.cloud, Forward: r.forward, Dir: r.Dir, Log: r.Log,
		Infected: &infected, Orders: orders, Network: r.network,
	})
	r.must(err)
	r.slowly("a display that says something", func() bool { return strings.TrimSpace(strings.Join(r.display(), "")) != "" })
	r.openShift()
	r.slowly("start in the cloud", func() bool { return r.count("fw.boot") == 1 })
	t.Logf("power to an open shift, with the cloud: %.1f s", time.Since(begun).Seconds())
	return r
}

// do has the intruder do something.
func (r *robber) do(o order.Order) (a order.Answer) {
	r.Helper()
	r.must(r.orders.Say(o))
	r.slowly("answer to "+o.Do, func() bool {
		heard, err := r.orders.Hear(&a)
		r.must(err)
		return heard
	})
	if a.Err != "" {
		r.Fatalf("%s: %s", o.Do, a.Err)
	}
	return a
}

// pid is that of a process of the register.
func (r *robber) pid(name string) int {
	r.Helper()
	for _, p := range r.do(order.Order{Do: order.Processes}).Processes {
		if p.Name == name {
			return p.PID
		}
	}
	r.Fatalf("no process %q", name)
	return 0
}

const reader = "regi-capture"

func (r *robber) processes() {
	r.slowly("the register's processes", func() bool {
		r.users = []user{{0, "register"}}
		for _, p := range r.do(order.Order{Do: order.Processes}).Processes {
			if p.User != 0 {
				r.users = append(r.users, user{p.User, strings.TrimPrefix(p.Name, "regi-")})
			}
		}
		return len(r.users) >= 3
	})
	r.Logf("%+v", r.do(order.Order{Do: order.Processes}).Processes)
}

func (r *robber) counters() map[string]uint64 {
	r.Helper()
	return r.do(order.Order{Do: order.Counters}).Counters
}

// burst is how many packets are sent before the guest is waited for.
const burst = 2048

// flood sends frames, and returns once the guest has them all.
func (r *robber) flood(count int, frame func(i int) []byte) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 3*patience)
	defer cancel()
	for i := 0; i < count; {
		var frames [][]byte
		for ; i < count && len(frames) < burst; i++ {
			frames = append(frames, frame(i))
		}
		r.must(r.network.Send(frames...))
		r.must(r.network.Reach(ctx))
	}
	r.sent += uint64(count)
}

// scan is D9: nothing answers on any port, to anybody, nor does anything listen.
func (r *robber) scan() {
	const ports, mine = 65535, 40000
	at := func(port int) netip.AddrPort { return netip.AddrPortFrom(guest.Guest4, uint16(port)) }
	stranger, cloud := netip.AddrPortFrom(guest.Stranger, mine), netip.AddrPortFrom(guest.Cloud, 4222)
	names := netip.AddrPortFrom(netip.MustParseAddr("10.0.2.3"), 53)
	ip := func(protocol byte, from, to netip.AddrPort, body []byte) []byte {
		return guest.IP(r.network.MAC(), protocol, from.Addr(), to.Addr(), body)
	}
	before, from := r.counters()["in"], len(r.network.Seen(0))
	r.sent = 0
	begun := time.Now()
	r.flood(ports, func(i int) []byte {
		return ip(guest.TCP, stranger, at(i+1), guest.Segment(stranger, at(i+1), guest.SYN))
	})
	r.flood(ports, func(i int) []byte {
		return ip(guest.UDP, stranger, at(i+1), guest.Datagram(stranger, at(i+1), []byte("?")))
	})
	// As the cloud would, from its port.
	r.flood(ports, func(i int) []byte {
		return ip(guest.TCP, cloud, at(i+1), guest.Segment(cloud, at(i+1), guest.SYN))
	})
	// As name servers do, nobody having asked.
	r.flood(1024, func(i int) []byte {
		return ip(guest.UDP, names, at(i+1), guest.Datagram(names, at(i+1), []byte("?")))
	})
	// All protocols, a ping among them.
	r.flood(256, func(i int) []byte { return ip(byte(i), stranger, at(0), guest.Echo()) })
	took := time.Since(begun)
	counted := r.counters()["in"] - before
	answers := map[string]int{}
	for _, p := range r.network.Seen(from) {
		switch {
		case p.Type == 0x0806:
		case p.Protocol == guest.TCP && p.To == cloud && p.Flags&(guest.SYN|guest.RST) == 0:
		default:
			answers[p.String()]++
		}
	}
	listening := r.do(order.Order{Do: order.Sockets}).Sockets
	r.Logf("D9: %d packets to TCP and UDP ports 1 to %d and all protocols: %d answers, %d counted as dropped, in %.1f s; inside, %d sockets that hear strangers", r.sent, ports, len(answers), counted, took.Seconds(), len(listening))
	if len(answers) != 0 {
		some := slices.Sorted(maps.Keys(answers))
		r.Errorf("answers: %q", some[:min(len(some), 20)])
	}
	if counted < r.sent {
		r.Errorf("%d packets were sent, and %d counted as dropped", r.sent, counted)
	}
	if len(listening) != 0 {
		r.Errorf("listening: %q", listening)
	}
}

// targets are where a thief would send to.
func targets() []order.Target {
	return []order.Target{
		{Kind: "tcp", Address: "10.0.2.66:4222"},    // next door, at the cloud's port
		{Kind: "tcp", Address: "10.0.2.66:443"},     // and another
		{Kind: "tcp", Address: "10.0.2.100:443"},    // the cloud's address
		{Kind: "tcp", Address: "198.51.100.7:443"},  // the internet
		{Kind: "udp", Address: "10.0.2.100:4222"},   //
		{Kind: "udp", Address: "10.0.2.3:53"},       // the name server of the lease
		{Kind: "udp", Address: "198.51.100.53:53"},  //
		{Kind: "udp", Address: "10.0.2.66:123"},     //
		{Kind: "udp", Address: "10.0.2.255:9"},      //
		{Kind: "icmp", Address: "10.0.2.66"},        //
		{Kind: "udp", Address: "[2001:db8::1]:53"},  //
		{Kind: "tcp", Address: "[2001:db8::1]:443"}, //
	}
}

// exfiltrate is D10 and D11: as each user, and by the threads of each of the
// register's processes, with their rights.
func (r *robber) exfiltrate() {
	from := len(r.network.Seen(0))
	for _, event := range []string{"network-dropped", "usb-refused", "firewall-changed"} {
		if r.reported(event, "") {
			r.Errorf("before anything was tried: %q", r.alarms())
		}
	}
	// The way to the internet, which this network does not offer, is the stranger.
	r.do(order.Order{Do: order.Route, Targets: []order.Target{{Address: guest.Stranger.String()}}})
	for _, u := range append(r.users, user{65534, "owned"}) {
		where := targets()
		if u.who != "uplink" {
			where = append(where, order.Target{Kind: "tcp", Address: "10.0.2.100:4222"})
		}
		before := r.counters()
		tried := r.do(order.Order{Do: order.Send, User: u.id, Targets: where}).Attempts
		counted := r.counters()[u.who] - before[u.who]
		// What the kernel does not send at all is not counted.
		packets := uint64(0)
		for _, a := range tried {
			if a.Errno == unix.ETIMEDOUT || a.Errno == unix.EPERM && !strings.HasPrefix(a.Name, "icmp") {
				packets++
			}
		}
		r.Logf("D10: as user %d (%s): %d attempts, %d counted: %v", u.id, u.who, len(tried), counted, tried)
		for _, a := range tried {
			if a.Errno == 0 {
				r.Errorf("as user %d: %s went out", u.id, a.Name)
			}
		}
		if counted < packets || packets < 9 {
			r.Errorf("as user %d (%s): %d packets were dropped, %d counted", u.id, u.who, packets, counted)
		}
	}
	for _, name := range []string{"regi", "regi-spawn", "regi-uplink"} {
		where := slices.DeleteFunc(targets(), func(t order.Target) bool { return strings.Contains(t.Address, "[") })
		where = append(where, order.Target{Kind: "packet"})
		a := r.do(order.Order{Do: order.FromRole, PID: r.pid(name), Targets: where})
		r.Logf("D10, D5: by the %d threads of %s: %v", a.Threads, name, a.Attempts)
		if a.Threads == 0 || slices.ContainsFunc(a.Attempts, func(a reach.Attempt) bool { return a.Errno == 0 }) {
			r.Errorf("by the %d threads of %s: %v", a.Threads, name, a.Attempts)
		}
	}
	r.violate()
	if strange := r.strange(from); len(strange) != 0 {
		r.Errorf("on the wire: %v", strange)
	}
	r.slowly("report", func() bool { return r.reported("network-dropped", "others") })
}

// violate has the reader of cards try what it never does: the kernel ends it, the
// cloud hears of it, and another one is there.
func (r *robber) violate() {
	victim, downs, ups := r.pid(reader), r.count("device.down"), r.count("device.up")
	a := r.do(order.Order{Do: order.FromRole, PID: victim, Targets: targets()[:1]})
	begun := time.Now()
	r.another(victim, ups)
	r.Logf("D10, D5: by the threads of %s: %d lived to be asked; another one is there after %.1f s", reader, a.Threads, time.Since(begun).Seconds())
	if a.Threads != 0 || len(a.Attempts) != 0 {
		r.Errorf("by the %d threads of %s: %v", a.Threads, reader, a.Attempts)
	}
	r.slowly("report of its end", func() bool { return r.count("device.down") > downs })
}

// another waits for another reader of cards, which the register has taken up.
func (r *robber) another(victim, ups int) {
	r.Helper()
	r.slowly("word of it", func() bool { return r.count("device.up") > ups })
	r.slowly("another reader", func() bool {
		for _, p := range r.do(order.Order{Do: order.Processes}).Processes {
			if p.Name == reader && p.PID != victim {
				return true
			}
		}
		return false
	})
}

// strange is what the guest sent to anybody but its cloud. It asks for addresses
// and for a lease.
func (r *robber) strange(from int) map[string]int {
	strange := map[string]int{}
	for _, p := range r.network.Seen(from) {
		switch {
		case p.Type == 0x0806:
		case p.Protocol == guest.UDP && p.From.Port() == 68 && p.To.Port() == 67:
		case p.Protocol == guest.TCP && p.To == netip.AddrPortFrom(guest.Cloud, 4222):
		default:
			strange[p.String()]++
		}
	}
	return strange
}

func (r *robber) wire() {
	all := r.network.Seen(0)
	strange := r.strange(0)
	r.Logf("on the wire: %d packets of the guest, %d to anybody but its cloud", len(all), len(strange))
	if len(strange) != 0 {
		r.Errorf("on the wire: %v", strange)
	}
}

// swipe sells a good by a card.
func (r *robber) swipe(number string) {
	r.Helper()
	r.shop.scan()
	r.keys("CARD")
	r.shows("ｶｰﾄﾞｦ")
	r.Post("/api/swipe", map[string]string{
		"track1": "%B" + number + "^CANARY/CARD^28121010000000000?", "track2": ";" + number + "=28121010000000000?",
	})
	r.shows("ｱﾘｶﾞﾄｳ")
}

// swipes is how many cards are swiped while the intruder hunts for them.
const swipes = 4

// scrape is D1 to D4. The last card is swiped only into a reader that dies of it.
func (r *robber) scrape() {
	for i := range swipes + 1 {
		r.cards = append(r.cards, scrape.Card{Number: canary(i), Issued: true})
	}
	r.do(order.Order{Do: order.Hunt, Cards: r.cards})
	for i := range swipes {
		r.swipe(r.cards[i].Number)
		r.slowly("a pass after it", func() bool { return r.do(order.Order{Do: order.Passes}).Hunt.Passes[reader] > i })
	}
	hunted := r.do(order.Order{Do: order.Hunted}).Hunt
	r.Logf("D1, D2: %d swipes, %v passes over %d pages: %d numbers, %d framed; %d pages refused to root", swipes, hunted.Passes, hunted.Pages, hunted.Found.Numbers, hunted.Found.Framed, hunted.Refused)
	if hunted.Found.Numbers+hunted.Found.Framed != 0 || hunted.Passes[reader] < swipes || hunted.Refused == 0 || hunted.Passes["init"] == 0 || hunted.Passes["regi"] == 0 || hunted.Passes["regi-uplink"] == 0 {
		r.Errorf("the hunt: %+v", hunted)
	}
	r.peek()
	r.crash()
}

// peek is D3.
func (r *robber) peek() {
	victim := r.pid(reader)
	if a := r.do(order.Order{Do: order.Peek, PID: victim}).Attempts; slices.ContainsFunc(a[:2], func(a reach.Attempt) bool { return a.Errno != 0 }) {
		r.Errorf("not even root can look, which would find nothing: %v", a)
	}
	for _, u := range append(r.users, user{65534, "nobody"}) {
		if u.id == 0 || u.who == "capture" {
			continue
		}
		tried := r.do(order.Order{Do: order.Peek, PID: victim, User: u.id}).Attempts
		r.Logf("D3: as user %d (%s): %v", u.id, u.who, tried)
		for _, a := range tried {
			if !a.Refused() && a.Errno != unix.ENOENT { // of other users, it does not even see that they are there
				r.Errorf("as user %d (%s): %v", u.id, u.who, a)
			}
		}
	}
	for _, name := range []string{"regi", "regi-spawn", "regi-uplink"} {
		a := r.do(order.Order{Do: order.PeekRole, From: r.pid(name), PID: victim})
		r.Logf("D3: by the %d threads of %s: %v", a.Threads, name, a.Attempts)
		for _, one := range a.Attempts {
			if a.Threads == 0 || !one.Refused() && one.Errno != unix.ENOENT {
				r.Errorf("by the threads of %s: %v", name, one)
			}
		}
	}
}

// crash is D4: the reader of cards is stopped, a card is swiped, and it dies of
// it.
func (r *robber) crash() {
	signals := []unix.Signal{unix.SIGSEGV, unix.SIGQUIT}
	number := r.cards[swipes].Number
	for _, s := range signals {
		victim, ups := r.pid(reader), r.count("device.up")
		r.shop.scan()
		r.keys("CARD")
		r.shows("ｶｰﾄﾞｦ")
		r.do(order.Order{Do: order.Signal, PID: victim, Number: int(unix.SIGSTOP)})
		swiped := make(chan struct{})
		go func() { // it waits for the register to read it
			defer close(swiped)
			r.Try("/api/swipe", map[string]string{"track2": ";" + number + "=28121010000000000?"}) // it may fail
		}()
		time.Sleep(100 * time.Millisecond) // it is on the line, or on its way
		r.do(order.Order{Do: order.Signal, PID: victim, Number: int(s)})
		r.do(order.Order{Do: order.Signal, PID: victim, Number: int(unix.SIGCONT)})
		<-swiped
		r.another(victim, ups)
		r.keys("CLEAR", "CLEAR", "VOID")
	}
	a := r.do(order.Order{Do: order.Search, Cards: r.cards})
	r.Logf("D4: %d crashes in mid-swipe: %d files on the board and the kernel's log: %d numbers", len(signals), a.Files, a.Hunt.Found.Numbers)
	if a.Hunt.Found.Numbers != 0 || a.Files == 0 {
		r.Errorf("D4: %d files, %+v", a.Files, a.Hunt.Found)
	}
	w, f := scrape.New(r.cards), scrape.NewFound()
	files, err := w.Tree(r.Dir, f)
	r.must(err)
	w.Search([]byte(r.Log.String()), f)
	n := w.Count(f)
	r.Logf("D4: %d files of the disk, the cloud and the counter, and the console: %d numbers", files, n.Numbers)
	if n.Numbers != 0 {
		r.Errorf("D4: outside: %+v", n)
	}
}

// strangers is D5.
func (r *robber) strangers() {
	for _, u := range append(r.users, user{65534, "nobody"}) {
		tried := r.do(order.Order{Do: order.Run, User: u.id}).Attempts
		works := []string{}
		for _, a := range tried {
			if a.Errno == 0 && a.Name != "there is /init" && a.Name != "there is /intruder" {
				works = append(works, a.Name)
			}
		}
		r.Logf("D5: as user %d (%s): %d attempts, %d work: %v", u.id, u.who, len(tried), len(works), tried)
		if len(works) != 0 {
			r.Errorf("as user %d (%s): %q", u.id, u.who, works)
		}
	}
}

// plugs is D17: what is no serial line comes to no driver, and is reported.
func (r *robber) plugs() {
	before := r.do(order.Order{Do: order.Devices})
	known := map[string]bool{}
	for _, d := range before.Devices {
		known[d.Name] = true
	}
	r.must(r.guest.Ask("blockdev-add", map[string]any{"driver": "null-co", "node-name": "stick", "read-zeroes": true}))
	for i, device := range []map[string]any{
		{"driver": "usb-kbd"}, {"driver": "usb-storage", "drive": "stick"}, {"driver": "usb-net"},
	} {
		device["id"], device["port"] = fmt.Sprintf("strange%d", i), strconv.Itoa(6+i)
		r.must(r.guest.Ask("device_add", device))
	}
	var refused []order.Device
	r.slowly("three devices", func() bool {
		refused = nil
		for _, d := range r.do(order.Order{Do: order.Devices}).Devices {
			if !known[d.Name] {
				refused = append(refused, d)
			}
		}
		return len(refused) == 3
	})
	after := r.do(order.Order{Do: order.Devices})
	r.Logf("D17: %+v; nodes before %d, after %d", refused, len(before.Nodes), len(after.Nodes))
	if !slices.Equal(before.Nodes, after.Nodes) {
		r.Errorf("nodes before %q, after %q", before.Nodes, after.Nodes)
	}
	for _, d := range refused {
		if d.Authorized != "0" || len(d.Drivers) != 0 {
			r.Errorf("%+v", d)
		}
	}
	for _, d := range refused {
		r.slowly("report of "+d.ID, func() bool { return r.reported("usb-refused", d.ID) })
	}
}

// alarms are the bodies of security.event in the cloud.
func (r *robber) alarms() (bodies []string) {
	r.Helper()
	for _, l := range r.Ledger(1) {
		if l.Kind == "security.event" {
			bodies = append(bodies, string(l.Body))
		}
	}
	return bodies
}

// reported says whether one of them is of an event, and names something.
func (r *robber) reported(event, detail string) bool {
	r.Helper()
	return slices.ContainsFunc(r.alarms(), func(b string) bool { return strings.Contains(b, event) && strings.Contains(b, detail) })
}

// tear is what shows that the scan would find something: root takes the firewall
// down, with a back door behind it. It is raised again, and that is reported.
func (r *robber) tear() {
	const door = 2222
	at, stranger := netip.AddrPortFrom(guest.Guest4, door), netip.AddrPortFrom(guest.Stranger, 40001)
	knock := func() {
		r.must(r.network.Send(guest.IP(r.network.MAC(), guest.TCP, guest.Stranger, guest.Guest4, guest.Segment(stranger, at, guest.SYN))))
	}
	opened := func(from int) bool {
		return slices.ContainsFunc(r.network.Seen(from), func(p guest.Packet) bool {
			return p.From == at && p.To == stranger && p.Flags == guest.SYN|guest.ACK
		})
	}
	r.do(order.Order{Do: order.Listen, Port: door})
	if len(r.do(order.Order{Do: order.Sockets}).Sockets) != 2 {
		r.Error("the back door is not seen")
	}
	from := len(r.network.Seen(0))
	knock()
	r.must(r.network.Reach(r.Context()))
	if opened(from) {
		r.Error("the back door is open behind the firewall")
	}
	r.must(r.orders.Say(order.Order{Do: order.Tear, For: 3 * time.Second}))
	r.slowly("answer of the back door", func() bool { knock(); return opened(from) })
	var a order.Answer
	r.slowly("end of it", func() bool { heard, err := r.orders.Hear(&a); r.must(err); return heard })
	begun := time.Now()
	r.slowly("the firewall again", func() bool { return len(r.counters()) != 0 })
	took := time.Since(begun)
	r.slowly("report", func() bool { return r.reported("firewall-changed", "") })
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	from = len(r.network.Seen(0))
	knock()
	r.must(r.network.Reach(ctx))
	r.Logf("firewall torn down %d times by root; again there %.1f s after", a.Torn, took.Seconds())
	if opened(from) {
		r.Error("the back door is still open")
	}
}
