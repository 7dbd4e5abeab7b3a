package hsm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"

	"regi/firmware/record"
	"regi/sim/hsm"
)

// Published test numbers; no real card exists for them.
const (
	good       = "4111111111111111"
	declined   = "4000000000000002"
	noFunds    = "4000000000009995"
	silent     = "4000000000000119"
	noSuchCard = "4111111111111112" // the check digit is wrong
)

const patience = 30 * time.Second

// box is an hsm under test with a register that asks it.
type box struct {
	*cloud
	*hsm.HSM
	conn *nats.Conn
	ids  int
}

func start(t *testing.T) *box {
	t.Helper()
	c := newCloud(t)
	c.up()
	b := &box{cloud: c, HSM: open(t, c), conn: c.register()}
	return b
}

func open(t *testing.T, c *cloud) *hsm.HSM {
	t.Helper()
	h, err := hsm.Start(t.Context(), c.hsmOptions())
	if err != nil {
		t.Fatalf("%v\n%s", err, c.log)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(c.log)
		}
	})
	return h
}

// ask sends one packet to the key socket and returns the answer.
func (b *box) ask(packet string) []byte {
	b.t.Helper()
	fd := int(b.KeyEnd().Fd())
	timeout := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		b.t.Fatal(err)
	}
	// Not Write: os.File does not write an empty packet.
	if err := unix.Send(fd, []byte(packet), 0); err != nil {
		b.t.Fatal(err)
	}
	answer := make([]byte, 64)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	for errors.Is(err, unix.EINTR) {
		n, _, err = unix.Recvfrom(fd, answer, 0)
	}
	if err != nil {
		b.t.Fatalf("%q: %v", packet, err)
	}
	return answer[:n]
}

// device is a card reader with a key of its own.
func (b *box) device() *device {
	b.t.Helper()
	packet := b.ask("K")
	if len(packet) != 24 {
		b.t.Fatalf("a key of %d bytes", len(packet))
	}
	return &device{ikid: packet[:8], ik: packet[8:]}
}

func (b *box) request(card record.CardRead) record.AuthRequest {
	b.ids++
	return record.AuthRequest{ID: "0001-01-20261125-" + strconv.Itoa(b.ids) + "-1", Amount: 1080, Currency: "JPY", Card: card}
}

const subject = "regi.v1.0001.01.authorize"

// send sends bytes as a request and decodes the answer.
func (b *box) send(subject string, data []byte) record.AuthReply {
	b.t.Helper()
	m, err := b.conn.Request(subject, data, patience)
	if err != nil {
		b.t.Fatal(err)
	}
	var reply record.AuthReply
	d := json.NewDecoder(bytes.NewReader(m.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&reply); err != nil {
		b.t.Fatalf("%q: %v", m.Data, err)
	}
	return reply
}

func encode(t *testing.T, r record.AuthRequest) []byte {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (b *box) authorize(r record.AuthRequest) record.AuthReply {
	b.t.Helper()
	reply := b.send(subject, encode(b.t, r))
	if reply.ID != r.ID && reply.Reason != "malformed" {
		b.t.Errorf("the answer to %s is for %q", r.ID, reply.ID)
	}
	return reply
}

// refused checks that a card read gets no money, and why.
func (b *box) refused(what string, r record.AuthRequest, reason string) {
	b.t.Helper()
	if reply := b.authorize(r); reply.Result != record.AuthError || reply.Reason != reason || reply.Approval != "" {
		b.t.Errorf("%s: %+v, want %s", what, reply, reason)
	}
}

var sixDigits = regexp.MustCompile(`^\d{6}$`)

func TestAnswers(t *testing.T) {
	b := start(t)
	d := b.device()
	for _, c := range []struct{ number, result, reason string }{
		{good, record.Approved, ""},
		{"378282246310005", record.Approved, ""},
		{declined, record.Declined, ""},
		{noFunds, record.InsufficientFunds, ""},
		{noSuchCard, record.Declined, "number"},
		{good, record.Approved, ""},
	} {
		reply := b.authorize(b.request(d.card(c.number)))
		if reply.Result != c.result || reply.Reason != c.reason || (c.result == record.Approved) != sixDigits.MatchString(reply.Approval) {
			t.Errorf("card ending %s: %+v", c.number[12:], reply)
		}
	}
	// All tracks, as a reader sends them.
	three := "%B" + good + "^TEST/CARD^28121010000000000?" + swipe(good) + "+E?"
	if reply := b.authorize(b.request(d.seal(three, good[:6], good[12:]))); reply.Result != record.Approved {
		t.Errorf("three tracks: %+v", reply)
	}
	// What was sealed is no swipe, or another card's than is shown.
	b.refused("noise", b.request(d.seal("hello", good[:6], good[12:])), "malformed")
	b.refused("another BIN", b.request(d.seal(swipe(good), "411112", good[12:])), "shown")
	b.refused("other last digits", b.request(d.seal(swipe(good), good[:6], "1112")), "shown")
}

func TestNoAnswer(t *testing.T) {
	b := start(t)
	d := b.device()
	data := encode(t, b.request(d.card(silent)))
	for range 2 { // the same attempt, again
		if m, err := b.conn.Request(subject, data, 100*time.Millisecond); !errors.Is(err, nats.ErrTimeout) {
			t.Errorf("%v, %v", m, err)
		}
	}
	if reply := b.authorize(b.request(d.card(good))); reply.Result != record.Approved {
		t.Errorf("after silence: %+v", reply)
	}
	b.await("two silences in the log", func() bool { return strings.Count(b.log.String(), `"no answer"`) == 2 })
}

// Whatever is changed in a sealed read, it does not open, and the genuine one
// still does.
func TestAltered(t *testing.T) {
	b := start(t)
	d := b.device()
	genuine := d.card(good)
	alter := func(what, reason string, change func(*record.CardRead)) {
		t.Helper()
		c := genuine
		c.CT, c.MAC = bytes.Clone(genuine.CT), bytes.Clone(genuine.MAC)
		change(&c)
		b.refused(what, b.request(c), reason)
	}
	for i := range genuine.CT {
		alter("ct", "mac", func(c *record.CardRead) { c.CT[i] ^= 1 << (i % 8) })
	}
	for i := range genuine.MAC {
		alter("mac", "mac", func(c *record.CardRead) { c.MAC[i] ^= 1 << (i % 8) })
	}
	alter("bin", "mac", func(c *record.CardRead) { c.BIN = "411112" })
	alter("last4", "mac", func(c *record.CardRead) { c.Last4 = "1112" })
	alter("counter", "mac", func(c *record.CardRead) { c.KSN = c.KSN[:23] + "2" })
	alter("no counter", "key", func(c *record.CardRead) { c.KSN = c.KSN[:16] + "00000000" })
	alter("counter of 17 ones", "key", func(c *record.CardRead) { c.KSN = c.KSN[:16] + "0001ffff" })
	alter("key never given out", "key", func(c *record.CardRead) { c.KSN = c.KSN[:8] + "000000ff" + c.KSN[16:] })
	alter("another base key", "key", func(c *record.CardRead) { c.KSN = "00000000" + c.KSN[8:] })
	alter("another suite", "mac", func(c *record.CardRead) { c.Suite = "AES128-DUKPT-CBC-CMAC" })
	alter("a suite that is none", "malformed", func(c *record.CardRead) { c.Suite = "AES128-DUKPT-ECB-CMAC" })
	alter("a reader's suite", "malformed", func(c *record.CardRead) { c.Suite = "IDTECH-TDES-DUKPT-CBC" })
	alter("short mac", "malformed", func(c *record.CardRead) { c.MAC = c.MAC[:15] })
	alter("no ct", "malformed", func(c *record.CardRead) { c.CT = nil })
	alter("shorter ct", "mac", func(c *record.CardRead) { c.CT = c.CT[:len(c.CT)-1] })
	alter("long ct", "malformed", func(c *record.CardRead) { c.CT = make([]byte, 513) })
	alter("ksn in capitals", "malformed", func(c *record.CardRead) { c.KSN = strings.ToUpper(c.KSN[:8]) + "0000000A0000000A" })
	alter("short ksn", "malformed", func(c *record.CardRead) { c.KSN = c.KSN[:22] })
	if reply := b.authorize(b.request(genuine)); reply.Result != record.Approved {
		t.Errorf("the genuine read: %+v", reply)
	}
}

func TestForms(t *testing.T) {
	b := start(t)
	d := b.device()
	request := b.request(d.card(good))
	text := string(encode(t, request))
	for what, form := range map[string]string{
		"nothing":        "",
		"not JSON":       "{",
		"unknown field":  strings.Replace(text, `{"id"`, `{"more":1,"id"`, 1),
		"twice":          strings.Replace(text, `"amount":1080`, `"amount":1,"amount":1080`, 1),
		"another case":   strings.Replace(text, `"amount"`, `"Amount"`, 1),
		"something more": text + "{}",
		"escapes":        strings.Replace(text, `"JPY"`, `"\u004aPY"`, 1),
		"amount 0":       strings.Replace(text, `"amount":1080`, `"amount":0`, 1),
		"below 0":        strings.Replace(text, `"amount":1080`, `"amount":-1080`, 1),
		"too much":       strings.Replace(text, `"amount":1080`, `"amount":1000000000001`, 1),
		"currency":       strings.Replace(text, `"JPY"`, `"jpy"`, 1),
		"no id":          strings.Replace(text, request.ID, "", 1),
		"bad id":         strings.Replace(text, request.ID, "a b", 1),
		"long id":        strings.Replace(text, request.ID, strings.Repeat("a", 97), 1),
		"too long":       text + strings.Repeat(" ", 4096),
		"capitals":       strings.Replace(text, `"ct":"`+hex.EncodeToString(request.Card.CT[:4]), `"ct":"`+strings.ToUpper(hex.EncodeToString(request.Card.CT[:4])+"A"), 1),
	} {
		if reply := b.send(subject, []byte(form)); reply != (record.AuthReply{Result: record.AuthError, Reason: "malformed"}) {
			t.Errorf("%s: %+v", what, reply)
		}
	}
	if reply := b.send(subject, []byte(text)); reply.Result != record.Approved {
		t.Errorf("the request itself: %+v", reply)
	}
}

// alarmed checks that the log has so many alarms with this reason.
func (b *box) alarmed(reason string, times int) {
	b.t.Helper()
	b.await("alarms in the log", func() bool {
		n := 0
		for line := range strings.Lines(b.log.String()) {
			if strings.Contains(line, `"msg":"alarm"`) && strings.Contains(line, `"reason":"`+reason+`"`) {
				n++
			}
		}
		return n == times
	})
}

func TestReplay(t *testing.T) {
	b := start(t)
	d := b.device()
	first := d.card(good)
	if reply := b.authorize(b.request(first)); reply.Result != record.Approved {
		t.Fatalf("%+v", reply)
	}
	b.refused("again under another ID", b.request(first), "replay")
	// Out of order within the window is no replay; behind it, it may be one.
	d.counter = 9
	late := d.card(good)
	d.counter = 9 + 63
	if reply := b.authorize(b.request(d.card(good))); reply.Result != record.Approved {
		t.Errorf("a skip of counters: %+v", reply)
	}
	if reply := b.authorize(b.request(late)); reply.Result != record.Approved {
		t.Errorf("63 behind: %+v", reply)
	}
	b.refused("63 behind, again", b.request(late), "replay")
	d.counter = 8
	b.refused("64 behind", b.request(d.card(good)), "replay")
	b.alarmed("replay", 3)
}

func TestTwoDevicesUnderOneKey(t *testing.T) {
	b := start(t)
	d := b.device()
	clone := *d
	if reply := b.authorize(b.request(d.card(good))); reply.Result != record.Approved {
		t.Fatalf("%+v", reply)
	}
	b.refused("another swipe under the same KSN", b.request(clone.card("4242424242424242")), "cloned")
	r := b.request(d.card(good))
	if reply := b.send("regi.v1.0001.02.authorize", encode(t, r)); reply.Result != record.AuthError || reply.Reason != "cloned" {
		t.Errorf("from another register: %+v", reply)
	}
	b.alarmed("cloned", 2)
	if reply := b.authorize(r); reply.Result != record.Approved {
		t.Errorf("the first device is locked out: %+v", reply)
	}
}

func TestSameAttempt(t *testing.T) {
	b := start(t)
	d := b.device()
	r := b.request(d.card(good))
	first := b.authorize(r)
	if first.Result != record.Approved {
		t.Fatalf("%+v", first)
	}
	if again := b.authorize(r); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	changed := r
	changed.Amount *= 1000
	b.refused("more money under an approved ID", changed, "id-reused")
	changed = r
	changed.Card = d.card(good)
	b.refused("another read under an approved ID", changed, "id-reused")
	b.alarmed("id-reused", 2)
	// An ID is one register's own.
	other := b.device()
	mine := record.AuthRequest{ID: r.ID, Amount: 5, Currency: "JPY", Card: other.card(declined)}
	if reply := b.send("regi.v1.0001.02.authorize", encode(t, mine)); reply.Result != record.Declined || reply.ID != r.ID {
		t.Errorf("%+v", reply)
	}
	if again := b.authorize(r); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func TestKeys(t *testing.T) {
	b := start(t)
	seen := map[string]bool{}
	for range 20 {
		d := b.device()
		if seen[string(d.ikid)] || seen[string(d.ik)] {
			t.Fatal("a key was given out twice")
		}
		seen[string(d.ikid)], seen[string(d.ik)] = true, true
		if !bytes.Equal(d.ikid[:4], b.device().ikid[:4]) {
			t.Error("two base keys")
		}
	}
	for _, packet := range []string{"", "k", "KK", "K\x00", strings.Repeat("K", 100)} {
		if answer := b.ask(packet); string(answer) != "-" {
			t.Errorf("%q: %d bytes", packet, len(answer))
		}
	}
	if len(b.device().ik) != 16 {
		t.Error("no key after foreign packets")
	}
}

// kill ends the process at once and waits until another one runs.
func (b *box) kill() {
	b.t.Helper()
	old := b.PID()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		b.t.Fatal(err)
	}
	b.await("another process", func() bool { pid := b.PID(); return pid != 0 && pid != old })
}

func (b *box) await(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("gave up waiting for %s\n%s", what, b.log)
		}
	}
}

// eventually repeats a request until somebody listens.
func (b *box) eventually(r record.AuthRequest) (reply record.AuthReply) {
	b.t.Helper()
	data := encode(b.t, r)
	b.await("an answer", func() bool {
		m, err := b.conn.Request(subject, data, 100*time.Millisecond)
		return err == nil && json.Unmarshal(m.Data, &reply) == nil
	})
	return reply
}

// A killed hsm comes back with its base key, and forgets nothing: no key is
// given out again, no KSN works twice, an ID keeps its answer.
func TestKilled(t *testing.T) {
	b := start(t)
	d := b.device()
	r := b.request(d.card(good))
	first := b.authorize(r)
	b.kill()
	next := b.device() // asked while it may not be up yet
	if bytes.Equal(next.ikid, d.ikid) || !bytes.Equal(next.ikid[:4], d.ikid[:4]) {
		t.Errorf("initial keys % x, then % x", d.ikid, next.ikid)
	}
	if again := b.eventually(r); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	b.refused("a KSN of before", b.request(r.Card), "replay")
	for _, d := range []*device{d, next} {
		if reply := b.authorize(b.request(d.card(good))); reply.Result != record.Approved {
			t.Errorf("%+v", reply)
		}
	}
}

func TestServerGone(t *testing.T) {
	c := newCloud(t)
	c.up()
	c.down() // its port is known now
	b := &box{cloud: c}
	opened := make(chan error, 1)
	go func() {
		var err error
		b.HSM, err = hsm.Start(t.Context(), c.hsmOptions())
		opened <- err
	}()
	b.await("a try", func() bool { return strings.Contains(c.log.String(), "no connection") })
	c.up()
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	defer b.Close() //nolint:errcheck // TestClose looks at it
	b.conn = c.register()
	d := b.device()
	if reply := b.eventually(b.request(d.card(good))); reply.Result != record.Approved {
		t.Errorf("%+v", reply)
	}
	c.down()
	c.up()
	if reply := b.eventually(b.request(d.card(good))); reply.Result != record.Approved {
		t.Errorf("after the server came back: %+v", reply)
	}
}

// The log names attempts, results and KSNs; nothing of a card is in it, even
// if a register puts a number where none belongs.
func TestLog(t *testing.T) {
	b := start(t)
	d := b.device()
	r := b.request(d.card(good))
	b.authorize(r)
	odd := b.request(d.card(declined))
	odd.ID = "x" + good
	b.authorize(odd)
	odd = b.request(d.card(good))
	odd.Card.Source = good + "?"
	b.authorize(odd)
	for _, want := range []string{r.ID, r.Card.KSN, `"result":"approved"`, "(not shown)", `"result":"declined"`, "malformed request"} {
		b.await(want+" in the log", func() bool { return strings.Contains(b.log.String(), want) })
	}
	log := b.log.String()
	if run := regexp.MustCompile(`[^0-9a-f]\d{13,19}[^0-9a-f]`).FindString(log); run != "" {
		t.Errorf("the log holds %q", run)
	}
	for _, secret := range []string{good, declined, good[6:], hex.EncodeToString(d.ik), hex.EncodeToString(r.Card.CT)} {
		if strings.Contains(log, secret) {
			t.Error("card data or a key is in the log")
		}
	}
}

// The process is given no secret where others can see it, and shows none: a
// root scraper finds no number in its memory, and nobody else may look.
func TestProcess(t *testing.T) {
	b := start(t)
	d := b.device()
	const swipes = 50
	numbers := make([][]byte, 0, swipes)
	for n := range swipes {
		number := canary(n)
		numbers = append(numbers, []byte(number))
		if reply := b.authorize(b.request(d.card(number))); reply.Result != record.Approved {
			t.Fatalf("%+v", reply)
		}
	}
	proc := fmt.Sprintf("/proc/%d/", b.PID())
	if line := read(t, proc+"cmdline"); line != "regi-hsm\x00" {
		t.Errorf("command line %q", line)
	}
	if status := read(t, proc+"status"); !strings.Contains(status, "NoNewPrivs:\t1") {
		t.Error("it could gain privileges")
	}
	found, err := scrape(proc, numbers)
	if os.Getuid() != 0 {
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("a user reads its memory: %v", err)
		}
		return
	}
	if env := read(t, proc+"environ"); env != "GOTRACEBACK=none\x00GODEBUG=asyncpreemptoff=1\x00" {
		t.Errorf("environment %q", env)
	}
	if err != nil || found != 0 {
		t.Errorf("%d of %d numbers are in its memory, %v", found, swipes, err)
	}
	// The scraper can find: the IDs of the answers are kept on the heap.
	last := fmt.Sprintf("0001-01-20261125-%d-1", swipes)
	if found, err := scrape(proc, [][]byte{[]byte(last)}); err != nil || found != 1 {
		t.Errorf("the scraper is blind: %d, %v", found, err)
	}
}

// canary is the n-th of some Luhn-valid numbers in a range of test numbers.
func canary(n int) string {
	body := fmt.Sprintf("400000%09d", 100_000+n*7919)
	for check := range 10 {
		sum := check
		for i, c := range []byte(body) {
			v := int(c - '0')
			if i%2 == 0 {
				v = v*2 - v*2/10*9
			}
			sum += v
		}
		if sum%10 == 0 {
			return body + strconv.Itoa(check)
		}
	}
	panic("no check digit fits")
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path) //nolint:gosec // of this test
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// scrape counts how many of the words are in a process's memory.
func scrape(proc string, words [][]byte) (int, error) {
	maps, err := os.ReadFile(proc + "maps") //nolint:gosec // of this test
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(proc + "mem") //nolint:gosec // of this test
	if err != nil {
		return 0, err
	}
	defer mem.Close() //nolint:errcheck // only read
	const (
		areaMax = 256 << 20 // the heap comes in 64 MiB; larger are reservations
		chunk   = 1 << 20
		overlap = 64 // no word is longer
	)
	found := map[int]bool{}
	buf := make([]byte, chunk+overlap)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var rights string
		if n, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); n != 3 || err != nil || rights[0] != 'r' || to-from > areaMax {
			continue
		}
		for at := from; at < to; at += chunk {
			n, _ := mem.ReadAt(buf[:min(to-at, int64(len(buf)))], at) //nolint:errcheck // guard pages cannot be read
			for i, word := range words {
				found[i] = found[i] || bytes.Contains(buf[:n], word)
			}
		}
	}
	count := 0
	for _, ok := range found {
		if ok {
			count++
		}
	}
	return count, nil
}

func TestFiles(t *testing.T) {
	c := newCloud(t)
	c.up()
	h := open(t, c)
	dir := filepath.Join(c.dir, "hsm")
	for _, name := range []string{"", "bdk", "memory", "lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	fails := func(what string) {
		t.Helper()
		if h, err := hsm.Start(t.Context(), c.hsmOptions()); err == nil {
			t.Errorf("%s: starts all the same", what)
			h.Close() //nolint:errcheck,gosec // failed already
		}
	}
	fails("another one in the same folder")
	b := &box{cloud: c, HSM: h}
	d := b.device()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	bdk, memory := filepath.Join(dir, "bdk"), filepath.Join(dir, "memory")
	change := func(what, path string, mode os.FileMode, to func([]byte) []byte) {
		t.Helper()
		before := read(t, path)
		for _, step := range []error{os.WriteFile(path, to([]byte(before)), mode), os.Chmod(path, mode)} {
			if step != nil {
				t.Fatal(step)
			}
		}
		fails(what)
		for _, step := range []error{os.WriteFile(path, []byte(before), 0o600), os.Chmod(path, 0o600)} {
			if step != nil {
				t.Fatal(step)
			}
		}
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	change("a changed base key", bdk, 0o600, flip)
	change("a short base key", bdk, 0o600, func(b []byte) []byte { return b[:len(b)-1] })
	change("a base key others may read", bdk, 0o644, bytes.Clone)
	change("a changed memory", memory, 0o600, flip)
	change("a foreign line in the memory", memory, 0o600, func(b []byte) []byte { return append(b, "00000000 {}\n"...) })

	// A line that a power cut left unfinished never took effect.
	if err := os.WriteFile(memory, append([]byte(read(t, memory)), `1234abcd {"issued":9`...), 0o600); err != nil {
		t.Fatal(err)
	}
	b.HSM, b.conn = open(t, c), c.register()
	if reply := b.eventually(b.request(d.card(good))); reply.Result != record.Approved {
		t.Errorf("%+v", reply)
	}
	if n := binary.BigEndian.Uint32(b.device().ikid[4:]); n != 2 {
		t.Errorf("initial key %d follows 1", n)
	}
}

func TestConfiguration(t *testing.T) {
	c := newCloud(t)
	c.up()
	for what, change := range map[string]func(*hsm.Options){
		"no URL":     func(o *hsm.Options) { o.URL = "" },
		"no CA":      func(o *hsm.Options) { o.CA = "" },
		"no folder":  func(o *hsm.Options) { o.Dir = "" },
		"no creds":   func(o *hsm.Options) { o.Creds = filepath.Join(c.dir, "none") },
		"bad CA":     func(o *hsm.Options) { o.CA = o.Creds },
		"no binary":  func(o *hsm.Options) { o.Exe = filepath.Join(c.dir, "none") },
		"a file":     func(o *hsm.Options) { o.Dir = o.CA },
		"other main": func(o *hsm.Options) { o.Exe = "/bin/true" },
	} {
		o := c.hsmOptions()
		o.Dir = t.TempDir()
		change(&o)
		within := patience
		if what == "other main" { // that one says nothing at all
			within = 100 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), within)
		if h, err := hsm.Start(ctx, o); err == nil {
			t.Errorf("%s: starts", what)
			h.Close() //nolint:errcheck,gosec // failed already
		}
		cancel()
	}
}

func TestClose(t *testing.T) {
	b := start(t)
	pid := b.PID()
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		t.Fatalf("process %d does not run", pid)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) || b.PID() != 0 {
		t.Errorf("process %d still runs: %v", pid, err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// parentMain starts an hsm, prints its process id and waits to be killed.
func parentMain() {
	var o hsm.Options
	err := json.NewDecoder(os.Stdin).Decode(&o)
	if err == nil {
		var h *hsm.HSM
		if h, err = hsm.Start(context.Background(), o); err == nil {
			fmt.Fprintln(os.Stdout, h.PID()) //nolint:errcheck // the reader notices
			select {}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestDiesWithItsParent(t *testing.T) {
	c := newCloud(t)
	c.up()
	o := c.hsmOptions()
	o.Log = nil
	options, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), "/proc/self/exe")
	parent.Args = []string{parentRole}
	parent.Stdin = bytes.NewReader(options)
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanln(out, &pid); err != nil {
		t.Error(err)
	}
	child := fmt.Sprintf("/proc/%d/cmdline", pid)
	if line := read(t, child); line != "regi-hsm\x00" {
		t.Errorf("%q", line)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	parent.Wait() //nolint:errcheck,gosec // it was killed
	b := &box{cloud: c}
	b.await("its end", func() bool {
		line, err := os.ReadFile(child) //nolint:gosec // of this test
		return err != nil || len(line) == 0
	})
}
