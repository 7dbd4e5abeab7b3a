package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"regi/sim/drill/reach"
	"regi/sim/drill/scrape"
	"regi/sim/hsm"
)

// TestMain is the drill's other processes when it is started as one of them.
func TestMain(m *testing.M) {
	switch {
	case hsm.Role(os.Args[0]):
		os.Exit(hsm.Main())
	case os.Args[0] == peekRole:
		os.Exit(peekMain(os.Args[1:], os.Stdout))
	case os.Args[0] == domainRole:
		os.Exit(domainMain(os.Args[1:], os.Stdout))
	}
	os.Exit(m.Run())
}

// swipesShort are the swipes of the short form.
const swipesShort = 200

// TestDrills is the short form of "make drills".
func TestDrills(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, as the attacker does")
	}
	bin := t.TempDir()
	o := options{regi: filepath.Join(bin, "regi"), naive: filepath.Join(bin, "naive"), dir: t.TempDir(), swipes: swipesShort, short: true}
	if raced {
		o.swipes = swipesMin
	}
	for path, pkg := range map[string]string{o.regi: "../../firmware", o.naive: "./naive"} {
		build := exec.Command("go", "build", "-o", path, pkg)
		build.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	t.Chdir(o.dir) // allowCores does it, too: this puts it back
	r, err := run(t.Context(), o)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(o.dir, "counter", "log"))
		t.Fatalf("%v\n%s", err, log[max(0, len(log)-4000):])
	}
	var table bytes.Buffer
	r.print(&table)
	t.Log(table.String())
	if !r.passed() {
		t.Error("not passed")
	}
}

// good are results with nothing in them to complain of.
func good() *report {
	refused := []reach.Attempt{{Name: "mem", Errno: unix.EACCES}, {Name: "process_vm_readv", Errno: unix.EPERM}}
	clean := count(10, 10)
	g := &results{
		options: options{swipes: 100}, passes: map[string]int{reading: 100, "register": 20, "uplink": 20}, mid: 5, refused: 2, pages: 2000,
		live: clean, left: clean, keys: used{reads: 60, opened: 60}, keysWanted: 400,
		others:  []others{{uidNobody, reading, refused}, {5, reading, refused}},
		domains: []domain{{Role: "register", Threads: 3, Attempts: refused}},
		crash:   crash{signals: options{}.crashes(), dumped: processNames, frozen: true, inDumps: clean},
		written: written{files: 30, records: 500, found: clean},
	}
	n := &results{
		options: options{swipes: 100}, live: scrape.Count{Numbers: 95, Framed: 95}, left: scrape.Count{Numbers: 20, Keys: 30},
		crash: crash{cores: 1, inCores: scrape.Count{Numbers: 20}, dumped: []string{reading}, inDumps: scrape.Count{Numbers: 20}},
	}
	return &report{g, n}
}

// Each thing that can be wrong fails the drill, alone.
func TestVerdict(t *testing.T) {
	if r := good(); !r.passed() {
		t.Fatalf("%+v", r.rows())
	}
	for name, spoil := range map[string]func(*report){
		"a number left":          func(r *report) { r.regi.left.Numbers = 1 },
		"a key left":             func(r *report) { r.regi.left.Keys = 1 },
		"fragments left":         func(r *report) { r.regi.left.Fragments = 26 },
		"the wrong keys":         func(r *report) { r.regi.keys.opened = 59 },
		"no read":                func(r *report) { r.regi.keys = used{} },
		"a number live":          func(r *report) { r.regi.live.Numbers = 1 },
		"a framing live":         func(r *report) { r.regi.live.Framed = 1 },
		"fragments live":         func(r *report) { r.regi.live.Fragments = 26 },
		"a process not searched": func(r *report) { delete(r.regi.passes, "uplink") },
		"few passes":             func(r *report) { r.regi.passes[reading] = 30 },
		"no pass in mid-swipe":   func(r *report) { r.regi.mid = 0 },
		"an open arena":          func(r *report) { r.regi.refused = 0 },
		"another user reads":     func(r *report) { r.regi.others[1].attempts = []reach.Attempt{{Name: "mem", Errno: 0}} },
		"another user fails":     func(r *report) { r.regi.others[0].attempts = []reach.Attempt{{Name: "mem", Errno: unix.ENOENT}} },
		"a thread reads":         func(r *report) { r.regi.domains[0].Attempts = []reach.Attempt{{Name: "mem", Errno: 0}} },
		"threads not tried":      func(r *report) { r.regi.domains[0].Err = "not on this processor" },
		"no threads":             func(r *report) { r.regi.domains[0] = domain{} },
		"a core":                 func(r *report) { r.regi.crash.cores = 1 },
		"a core limit":           func(r *report) { r.regi.crash.limits = []string{reading} },
		"too few crashes":        func(r *report) { r.regi.crash.signals-- },
		"a number in a core":     func(r *report) { r.regi.crash.inOthers.Numbers = 1 },
		"a number in a dump":     func(r *report) { r.regi.crash.inDumps.Numbers = 1 },
		"a process not dumped":   func(r *report) { r.regi.crash.dumped = processNames[1:] },
		"not dumped in mid-read": func(r *report) { r.regi.crash.frozen = false },
		"swap":                   func(r *report) { r.regi.crash.swapped = 4 },
		"a number written":       func(r *report) { r.regi.written.found.Numbers = 1 },
		"fragments written":      func(r *report) { r.regi.written.found.Fragments = 26 },
		"nothing written":        func(r *report) { r.regi.written.records = 0 },
		"a blind scraper":        func(r *report) { r.naive.live.Numbers = 89 },
		"blind to keys":          func(r *report) { r.naive.left.Keys = 0 },
		"blind in cores":         func(r *report) { r.naive.crash.inCores.Numbers = 0 },
		"no core to be blind in": func(r *report) { r.naive.crash.cores = 0 },
		"blind in dumps":         func(r *report) { r.naive.crash.inDumps.Numbers = 0 },
	} {
		r := good()
		spoil(r)
		bad := slices.DeleteFunc(r.rows(), func(row row) bool { return row.ok })
		if r.passed() || len(bad) != 1 {
			t.Errorf("%s: %d rows fail: %+v", name, len(bad), bad)
		}
		var table bytes.Buffer
		r.print(&table)
		if n := strings.Count(table.String(), "FAIL"); n != 1 {
			t.Errorf("%s: FAIL stands %d times in\n%s", name, n, &table)
		}
	}
}

// The published table of X9.24-3:2017 supplement.
func TestKeysOf(t *testing.T) {
	unhex := func(s string) (k key) { b, _ := hex.DecodeString(s); copy(k[:], b); return k }
	ikid, _ := hex.DecodeString("1234567890123456")
	ik := initial(unhex("FEDCBA9876543210F1F1F1F1F1F1F1F1"), ikid)
	if ik != unhex("1273671EA26AC29AFA4D1084127652A1") {
		t.Fatalf("initial key %x", ik)
	}
	for counter, want := range map[uint32][3]string{
		1: {"4F21B565BAD9835E112B6465635EAE44", "A35C412EFD41FDB98B69797C02DCD08F", "A2DC23DE6FDE0824A2BC321E08E4B8B7"},
		3: {"031504E530365CF81264238540518318", "EF17F6AB45B4820C93A3DCB21BC491AD", "A5DF7D9D800CA769766F0C77CA4E6E6C"},
		4: {"0EEFC7ADA628BA68878DA9165A8A1887", "B3BD44C08BB6BA27C3BB4711D7D70387", "E6E4679647D8A9057C1FC15537CB4C4E"},
	} {
		transaction, data, mac, _ := keysOf(ik, ikid, counter)
		if transaction != unhex(want[0]) || data != unhex(want[1]) || mac != unhex(want[2]) {
			t.Errorf("counter %d: %x %x %x", counter, transaction, data, mac)
		}
	}
}

func TestDeck(t *testing.T) {
	canaries, cards, err := deck(300)
	if err != nil || len(canaries) != 300 || len(cards) != 300*(1+decoysEach) {
		t.Fatal(len(canaries), len(cards), err)
	}
	seen := map[string]bool{}
	for i, c := range cards {
		of := canaries[i/(1+decoysEach)]
		if c.Issued != (c.Number == of) || c.Number[0] != '9' || c.Number[:6] != of[:6] || c.Number[12:] != of[12:] {
			t.Fatalf("card %d", i)
		}
		if withCheck(c.Number[:15]) != c.Number || seen[c.Number] {
			t.Fatalf("card %d has no good check digit, or is there twice", i)
		}
		seen[c.Number] = true
		for at := range 9 {
			if !c.Issued && c.Number[at:at+8] == of[at:at+8] {
				t.Fatalf("decoy %d has eight digits of its card", i)
			}
		}
	}
	if withCheck("411111111111111") != "4111111111111111" || withCheck("400000000000000") != "4000000000000002" {
		t.Error("check digit of the test numbers")
	}
}

// count is that of issued cards, and of each set of decoys.
func count(issued, decoys int) scrape.Count {
	c := scrape.Count{Fragments: issued, DecoyFragments: decoys * decoysEach}
	for i := range c.Decoys {
		c.Decoys[i] = decoys
	}
	return c
}

func TestChance(t *testing.T) {
	varied := count(40, 10)
	varied.Decoys[0], varied.DecoyFragments = 60, 10*decoysEach+50
	for _, c := range []struct {
		count scrape.Count
		want  bool
	}{{count(0, 0), true}, {count(3, 0), true}, {count(4, 0), false}, {count(25, 10), true}, {count(26, 10), false}, {count(0, 1000), true}, {varied, true}} {
		if chance(c.count) != c.want {
			t.Error(fragments(c.count))
		}
	}
}

// A process that nothing guards can be read by whoever may: the looks work
// where they should, and say so.
func TestLooksFind(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to trace other processes")
	}
	start := func(uid uint32) *exec.Cmd {
		cmd := exec.Command("/bin/sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		return cmd
	}
	victim, thread := start(uidNobody), start(uidNobody)
	err := await(t.Context(), "their start", func() bool {
		a, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", victim.Process.Pid))
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", thread.Process.Pid))
		return string(a)+string(b) == "sleep\nsleep\n"
	})
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]int{reading: victim.Process.Pid, "register": thread.Process.Pid}
	seen, err := peekAll(t.Context(), roles)
	if err != nil || len(seen) != 2 {
		t.Fatal(seen, err)
	}
	for _, o := range seen {
		for _, a := range o.attempts {
			if a.Errno != 0 {
				t.Errorf("as the same user: %v", a)
			}
		}
	}
	domains, err := fromDomains(t.Context(), roles)
	if err != nil || len(domains) != 1 {
		t.Fatal(domains, err)
	}
	d := domains[0]
	if d.Err != "" || d.Threads != 1 || d.refused() || len(d.Attempts) != 4 {
		t.Errorf("a thread of the same user: %+v", d)
	}
	// The borrowed thread goes on as if nothing had been.
	if err := thread.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the borrowed process: %v", err)
	}
	state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", thread.Process.Pid))
	if stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", thread.Process.Pid)); !strings.Contains(string(stat), ") S ") {
		t.Errorf("the borrowed process does not sleep on: %s %s", stat, state)
	}
	// As another user nothing works.
	at, err := reach.Address(victim.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	attempts, err := peekAs(t.Context(), uidNobody-1, victim.Process.Pid, at)
	if err != nil || len(attempts) != 7 {
		t.Fatal(attempts, err)
	}
	for _, a := range attempts {
		if !a.Refused() {
			t.Errorf("as another user: %v", a)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, args := range [][]string{{}, {"--regi", "x"}, {"--regi", "x", "--naive", "y", "z"}, {"--regi", "x", "--naive", "y", "--swipes", "99"}, {"--no"}} {
		if ok, err := command(args, os.Stderr); ok || err == nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
