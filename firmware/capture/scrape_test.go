package capture

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"regi/board/port"
	"regi/drivers"
	"regi/firmware/capture/launch"

	"github.com/creack/pty"
)

// childPort names the card reader's line to a capture process under test.
const childPort = "CAPTURE_TEST_PORT"

// childState names its state folder, if it is to have one.
const childState = "CAPTURE_TEST_STATE"

// TestMain is the capture process when a test starts it again as one.
func TestMain(m *testing.M) {
	if path := os.Getenv(childPort); path != "" {
		os.Exit(child(path))
	}
	os.Exit(m.Run())
}

func child(path string) int {
	p, err := port.Open(port.Options{Path: path, LineEnd: '\r'})
	if err != nil {
		return 3
	}
	for _, fd := range []int{3, 4} {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return 4
		}
	}
	o := Options{Port: p, Link: os.NewFile(3, "link"), Key: os.NewFile(4, "key")}
	if dir := os.Getenv(childState); dir != "" {
		if o.Keys, err = OpenKeys(dir); err != nil {
			return 6
		}
	}
	err = Main(context.Background(), o)
	if errors.Is(err, drivers.ErrUnplugged) {
		return 5
	}
	return 0
}

// canary is the number of a card that no issuer has issued: a random one.
func canary(t testing.TB) string {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1e15))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("9%015d", n)
}

// windowDigits is how many digits in a row count as a find: no ten digits of a
// number may stand together anywhere.
const windowDigits = 10

// windows are all runs of ten digits of some numbers, as numbers. Each is of a
// card that was issued (true) or of a decoy.
type windows map[uint64]bool

func (w windows) add(digits string, issued bool) {
	for i := range len(digits) - windowDigits + 1 {
		n := uint64(0)
		for _, c := range digits[i : i+windowDigits] {
			n = 10*n + uint64(c-'0') //nolint:gosec // a digit
		}
		w[n] = issued
	}
}

// count finds how many windows memory holds.
func (w windows) count(memory []byte) (issued, decoys int) {
	run, n := 0, uint64(0)
	for _, c := range memory {
		if c < '0' || c > '9' {
			run, n = 0, 0
			continue
		}
		n = (n*10 + uint64(c-'0')) % 1e10
		if run++; run < windowDigits {
			continue
		}
		if real, ok := w[n]; ok && real {
			issued++
		} else if ok {
			decoys++
		}
	}
	return issued, decoys
}

// keys are keys already used, by their first eight bytes.
type keys map[uint64][]byte

func (k keys) add(key []byte) { k[binary.LittleEndian.Uint64(key)] = key }

func (k keys) count(memory []byte) (found int) {
	var first [1 << 16]bool
	for _, key := range k {
		first[binary.LittleEndian.Uint16(key)] = true
	}
	for i := range len(memory) - 15 {
		if first[binary.LittleEndian.Uint16(memory[i:])] {
			if key := k[binary.LittleEndian.Uint64(memory[i:])]; key != nil && bytes.Equal(memory[i:i+16], key) {
				found++
			}
		}
	}
	return found
}

// scrape calls look with each writable mapping of a process, and counts those
// that cannot be read.
func scrape(pid int, look func([]byte)) (refused int, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	defer maps.Close() //nolint:errcheck // read only
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, err
	}
	defer memory.Close() //nolint:errcheck // read only
	var zero [1 << 16]byte
	s := bufio.NewScanner(maps)
	for s.Scan() {
		if strings.Contains(s.Text(), "[v") { // the kernel's own pages
			continue
		}
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(s.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			return 0, err
		}
		if mode[:2] != "rw" { // nothing is kept where nothing can be written
			continue
		}
		held := make([]byte, 0, 1<<16) // what is not zero, together
		b := make([]byte, len(zero))
		for at := from; at < to; at += int64(len(b)) {
			n, err := memory.ReadAt(b[:min(int64(len(b)), to-at)], at)
			if err != nil && at == from {
				refused++
			}
			if !bytes.Equal(b[:n], zero[:n]) {
				held = append(held, b[:n]...)
			}
		}
		look(held)
	}
	return refused, s.Err()
}

// box is a capture process of its own, with a card reader on a pty.
type box struct {
	*counter
	cmd    *exec.Cmd
	master *os.File
	ikid   []byte // drawn for this box: the test's other keys are in its binary
	ik     []byte
}

func startBox(t *testing.T, stderr io.Writer, env ...string) *box {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	near, far := packets(t)
	nearKey, farKey := packets(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{childPort + "=" + slave.Name(), "GODEBUG=asyncpreemptoff=1"}
	cmd.Env = append(cmd.Env, env...)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{near, nearKey}, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, keyBytes)
	rand.Read(key)
	keyPacket(string(key))(t, farKey)
	b := &box{counter: &counter{t: t, link: far}, cmd: cmd, master: master, ikid: key[:8], ik: key[8:]}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck,gosec // it may have ended
		cmd.Wait()         //nolint:errcheck,gosec // killed
		master.Close()     //nolint:errcheck,gosec // the test is over
		slave.Close()      //nolint:errcheck,gosec // kept open so that the line stays up
	})
	return b
}

func (b *box) card(number string) launch.Event {
	b.t.Helper()
	if _, err := io.WriteString(b.master, "%B"+number+"^CANARY/CARD^28121010000000000?;"+number+"=28121010000000000?\r"); err != nil {
		b.t.Fatal(err)
	}
	return b.event()
}

// hunt scrapes a process again and again until the context ends.
type hunt struct {
	pid                   int
	cards                 windows
	passes, found, chance int
	refused               int
	err                   error
}

func (h *hunt) run(ctx context.Context) {
	for ctx.Err() == nil && h.err == nil {
		// Stopped, so that one pass sees one instant.
		syscall.Kill(h.pid, syscall.SIGSTOP) //nolint:errcheck,gosec // a pass without it counts as well
		h.refused, h.err = scrape(h.pid, func(m []byte) {
			found, chance := h.cards.count(m)
			h.found, h.chance = h.found+found, h.chance+chance
		})
		syscall.Kill(h.pid, syscall.SIGCONT) //nolint:errcheck,gosec // see above
		h.passes++
		time.Sleep(time.Duration(h.passes%7) * time.Millisecond) // not in step with the swipes
	}
}

// TestScrape swipes cards while root searches the capture process's memory
// again and again: no number may be found during it, and neither a number nor
// a used key after it. Decoys, never swiped, show what chance alone finds; a
// search of this process shows that the search finds.
func TestScrape(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to read another process's memory")
	}
	if raced {
		t.Skip("the race detector's shadow memory is too large to search")
	}
	cards := 100
	if n, err := strconv.Atoi(os.Getenv("REGI_CAPTURE_CARDS")); err == nil {
		cards = n // the long form: 1,000
	}
	b := startBox(t, nil)
	status := b.event().Status
	if status == nil || !status.Ready {
		t.Fatalf("%+v", status)
	}
	for _, c := range status.Controls {
		if c.State == launch.Off {
			t.Errorf("%s is off", c.Name)
		}
	}
	live := &hunt{pid: b.cmd.Process.Pid, cards: windows{}}
	numbers := make([]string, cards)
	for i := range numbers {
		numbers[i] = canary(t)
		live.cards.add(numbers[i], true)
		live.cards.add(canary(t), false)
	}
	used := b.swipeAll(numbers, live)
	left, keysLeft, own := 0, 0, 0
	_, err := scrape(live.pid, func(m []byte) {
		found, _ := live.cards.count(m)
		left, keysLeft = left+found, keysLeft+used.count(m)
	})
	if err = errors.Join(err, live.err); err != nil {
		t.Fatal(err)
	}
	if _, err := scrape(os.Getpid(), func(m []byte) {
		found, _ := live.cards.count(m)
		own += found
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cards, %d passes: found live %d (decoys %d), left %d, used keys left %d; %d mappings refused; found in the test itself %d; secret.Do %v",
		cards, live.passes, live.found, live.chance, left, keysLeft, live.refused, own, status.SecretDo)
	if own < cards {
		t.Error("the search does not find what is there")
	}
	if live.found != 0 || left != 0 || keysLeft != 0 {
		t.Error("card numbers or used keys are in memory")
	}
	if status.SecretMem && live.refused == 0 {
		t.Error("secret memory was read")
	}
}

// swipeAll swipes one card after the other while the hunt is on, checks that
// each was sealed, and returns the keys that were used.
func (b *box) swipeAll(numbers []string, live *hunt) keys {
	ctx, stop := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		live.run(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	used := keys{}
	used.add(b.ik)
	for i, number := range numbers {
		r := b.card(number).Read
		if r == nil || !strings.Contains(hostOpen(b.t, b.ik, r), number) {
			b.t.Fatalf("card %d: %+v", i, r)
		}
		ksn := append(bytes.Clone(b.ikid), 0, 0, byte((i+1)>>8), byte(i+1))
		used.add(hostKey(b.t, b.ik, ksn, 0x3000))
		used.add(hostKey(b.t, b.ik, ksn, 0x2000))
	}
	return used
}

// A crash prints nothing of a card.
func TestCrashOutput(t *testing.T) {
	var out bytes.Buffer
	b := startBox(t, &out)
	b.ready()
	issued := windows{}
	for range 20 {
		n := canary(t)
		issued.add(n, true)
		if e := b.card(n); e.Read == nil {
			t.Fatalf("%+v", e)
		}
	}
	if err := b.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Wait(); err == nil || b.cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
		t.Errorf("ended with %v", b.cmd.ProcessState)
	}
	if found, _ := issued.count(out.Bytes()); out.Len() == 0 || found != 0 {
		t.Errorf("%d bytes, %d finds", out.Len(), found)
	}
}
