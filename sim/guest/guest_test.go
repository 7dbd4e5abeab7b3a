package guest_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/klauspost/compress/zstd"

	"regi/firmware/record"
	"regi/sim/counter/stand"
	"regi/sim/drill/scrape"
	"regi/sim/guest"
	"regi/sim/keyhost"
)

// patience bounds every wait: an emulated board on a busy machine is slow.
const patience = stand.Patience

// tools are built once.
type tools struct {
	stand.Commands
	dir, image, forward, disk string
}

var built = sync.OnceValues(func() (t tools, err error) { //nolint:gochecknoglobals // built once
	if t.dir, err = os.MkdirTemp("", "regi-guest-"); err != nil {
		return t, err
	}
	in := func(name string) string { return filepath.Join(t.dir, name) }
	if t.Commands, err = stand.Build(t.dir); err != nil {
		return t, err
	}
	t.image, t.forward, t.disk = in("image"), in("forward"), in("disk")
	for path, pkg := range map[string]string{t.image: "../../board/image", t.forward: "./forward"} {
		if err := run("go", "build", "-o", path, pkg); err != nil {
			return t, err
		}
	}
	if err := run(t.image, "keygen", in("keys")); err != nil {
		return t, err
	}
	if err := run(t.image, "build", "-board", "qemu-virt", "-version", "v1", "-out", t.dir, "-keys", in("keys")); err != nil {
		return t, err
	}
	return t, unpack(in("regi-qemu-virt-v1.img.zst"), t.disk)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if t, err := built(); err == nil {
		os.RemoveAll(t.dir)
	}
	os.Exit(code)
}

// campaign skips what `make test` has no time for, and says so. REGI_GUEST names
// the campaign under way: short, which .ci/run plays, or long.
func campaign(t *testing.T, from, why string) {
	t.Helper()
	if under := os.Getenv("REGI_GUEST"); under != "long" && under != from {
		t.Skipf("not run: %s (make guest GUEST=%s)", why, from)
	}
}

func run(name string, args ...string) error { return runWith(nil, name, args...) }

func runWith(env []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Env = append(append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0"), env...)
	said, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, said)
	}
	return nil
}

func unpack(image, disk string) error {
	in, err := os.Open(image)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := zstd.NewReader(in)
	if err != nil {
		return err
	}
	defer z.Close()
	out, err := os.Create(disk)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, z)
	return err
}

// shop is a counter with a guest for its register.
type shop struct {
	*testing.T
	*stand.Counter
	tools
	disk  string
	cloud int
	pi    bool // a Raspberry Pi 3
	more  []string
	guest *guest.Guest
	known []string // the kinds of the records in the cloud, from the first on
}

// open starts the counter, and flashes a disk with what a technician would have
// loaded at the console.
func open(t *testing.T) *shop {
	t.Helper()
	s := bench(t)
	s.loadKey()
	s.fill()
	return s
}

// bench starts the counter beside a disk that was just flashed.
func bench(t *testing.T) *shop {
	t.Helper()
	if _, err := exec.LookPath("qemu-system-aarch64"); err != nil {
		t.Skip("not run: qemu-system-aarch64 is missing (.ci/imagetools installs it)")
	}
	tools, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &shop{T: t, tools: tools}
	s.flash(dir)
	s.Counter = tools.Start(t, dir, "--no-register")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the counter: %s", s.Picture())
		}
		if s.guest != nil {
			s.guest.Kill()
		}
	})
	return s
}

// step is what a person answers to a prompt.
type step struct{ prompt, answer string }

// ceremony asks for a new card key: what two officers type to load it.
func (s *shop) ceremony() []step {
	s.Helper()
	var letters keyhost.Letters
	s.must(json.Unmarshal(s.Post("/api/keyload", nil), &letters))
	return []step{
		{"your name: ", "Sato"},
		{"(not shown): ", letters.Parts[0].Component},
		{"check value: ", letters.Parts[0].CheckValue},
		{"your name: ", "Suzuki"},
		{"(not shown): ", letters.Parts[1].Component},
		{"check value: ", letters.Parts[1].CheckValue},
		{"(not shown): ", letters.Block},
		{"to load it: ", "yes"},
	}
}

// loadKey is the key ceremony, at a terminal of this machine: the key files are
// the same on a board.
func (s *shop) loadKey() {
	s.Helper()
	ceremony := s.ceremony()
	terminal, line, err := pty.Open()
	s.must(err)
	defer terminal.Close()
	c := exec.Command(s.Regi, "keys", "--config", filepath.Join(s.Dir, "register.toml"), "inject")
	c.Stdin, c.Stdout, c.Stderr = line, line, line
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.must(c.Start())
	line.Close()
	var shown []byte
	for _, step := range append(ceremony, step{"Loaded", ""}) {
		for !bytes.Contains(shown, []byte(step.prompt)) {
			b := make([]byte, 4096)
			n, err := terminal.Read(b)
			if err != nil {
				s.Fatalf("ceremony: %v at %q", err, step.prompt)
			}
			shown = append(shown, b[:n]...)
		}
		shown = shown[bytes.Index(shown, []byte(step.prompt))+len(step.prompt):]
		if step.answer != "" {
			_, err := io.WriteString(terminal, step.answer+"\r")
			s.must(err)
		}
	}
	s.must(c.Wait())
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// flash takes a fresh disk, and makes the key that the board will have.
func (s *shop) flash(dir string) {
	s.Helper()
	s.disk = filepath.Join(dir, "disk")
	s.must(run("cp", "--sparse=always", s.tools.disk, s.disk))
	public, private, err := ed25519.GenerateKey(rand.Reader)
	s.must(err)
	state := filepath.Join(dir, "state")
	s.must(os.MkdirAll(state, 0o700))
	s.must(os.WriteFile(filepath.Join(state, "device.key"), record.MarshalSignPrivate(private), 0o600))
	s.must(os.WriteFile(filepath.Join(state, "device.pub"), record.MarshalSignPublic(public), 0o600))
}

// fill writes the data partition.
func (s *shop) fill() {
	s.Helper()
	data := filepath.Join(s.Dir, "data")
	s.must(os.MkdirAll(filepath.Join(data, "keys"), 0o700))
	s.must(run("cp", "-r", filepath.Join(s.Dir, "state"), data))
	for _, name := range []string{"ca.pem", "register.creds", "ledger.pub", "receiver.pub"} {
		s.must(run("cp", filepath.Join(s.Dir, "cloud", name), filepath.Join(data, "keys")))
	}
	s.must(run("cp", filepath.Join(s.Dir, "catalog.json"), data))
	b, err := os.ReadFile(filepath.Join(s.Dir, "register.toml"))
	s.must(err)
	port := regexp.MustCompile(`tls://127\.0\.0\.1:(\d+)`).FindSubmatch(b)
	s.cloud, err = strconv.Atoi(string(port[1]))
	s.must(err)
	config := strings.ReplaceAll(string(b), string(port[0]), "tls://"+guest.CloudAddress+":4222")
	if s.pi {
		config = strings.ReplaceAll(config, `"generic"`, `"rpi3"`)
		// A board's table has no display: here it is on one socket more.
		config = regexp.MustCompile(`(?m)^(port\s*=\s*)".*/dev/display"`).ReplaceAllString(config, `$1"/dev/serial/by-path/platform-3f980000.usb-usb-0:1.6:1.0-port0"`)
		config = regexp.MustCompile(`(?m)^(port\s*=\s*)".*/dev/console"`).ReplaceAllString(config, `$1"/dev/serial0"`)
		config = regexp.MustCompile(`(?m)^via\s*=\s*"printer"\npin.*\n`).ReplaceAllString(config, "via = \"gpio\"\n")
	}
	config = strings.ReplaceAll(config, `"generic"`, `"qemu-virt"`)
	config = strings.ReplaceAll(config, filepath.Join(s.Dir, "cloud"), "keys")
	config = regexp.MustCompile(`(?m)^(port\s*=\s*)".*/dev/console"`).ReplaceAllString(config, `$1"/dev/ttyAMA0"`)
	config = regexp.MustCompile(`(?m)^port\s*=\s*".*/dev/(scanner|printer|card|keypad|display)".*\n`).ReplaceAllString(config, "")
	s.must(os.WriteFile(filepath.Join(data, "register.toml"), []byte(config), 0o600))
	s.must(guest.WriteData(s.Context(), s.disk, data, 0))
}

// on switches the board on, and waits until it is ready to sell.
func (s *shop) on() (took time.Duration) {
	s.Helper()
	begun := time.Now()
	s.start()
	blank := strings.Join(s.display(), "")
	s.Await("a display that says something", func() bool { d := strings.Join(s.display(), ""); return d != "" && d != blank })
	return time.Since(begun)
}

// start switches the board on.
func (s *shop) start() {
	s.Helper()
	var err error
	s.guest, err = guest.Start(context.Background(), guest.Options{
		Image: s.image, Disk: s.disk, Dev: filepath.Join(s.Dir, "dev"), Cloud: s.cloud, Forward: s.forward, Dir: s.Dir, Log: s.Log, Pi: s.pi, More: s.more,
	})
	s.must(err)
}

func (s *shop) display() []string {
	s.Helper()
	var state struct {
		Displays struct {
			Operator []string `json:"operator"`
		} `json:"displays"`
	}
	s.Read("/api/state", &state)
	return state.Displays.Operator
}

func (s *shop) shows(text string) {
	s.Helper()
	s.Await("display of "+text, s.showing(text))
}

func (s *shop) keys(names ...string) {
	s.Helper()
	s.Post("/api/keys", map[string]any{"keys": names})
}

// kinds are the records in the cloud, in their order.
func (s *shop) kinds() []string {
	s.Helper()
	for _, r := range s.Ledger(len(s.known) + 1) {
		s.known = append(s.known, r.Kind)
	}
	return s.known
}

// newest is the time of the newest record.
func (s *shop) newest() time.Time {
	s.Helper()
	ledger := s.Ledger(1)
	return ledger[len(ledger)-1].Time
}

// sell opens the shift if need be, and sells one good for cash.
func (s *shop) sell() {
	s.Helper()
	s.scan()
	s.keys("CASH")
	s.shows("ｵﾂﾘ")
}

// scan has the good read; its name on the display says that it was.
func (s *shop) scan() {
	s.Helper()
	s.until("line", func() { s.Post("/api/scan", map[string]string{"data": "4901234567894", "aim": "]E0"}) }, s.showing("ﾉｰﾄ"))
}

func (s *shop) openShift() {
	s.Helper()
	s.until("open shift", func() { s.keys("CLEAR", "1", "OPEN") }, s.showing("ｲﾗｯｼｬｲﾏｾ"))
}

// until does something until it has had its effect: the lines of a board come
// up one after the other, and what is typed before is lost.
func (s *shop) until(what string, act func(), done func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		act()
		for begun := time.Now(); time.Since(begun) < 4*time.Second; time.Sleep(20 * time.Millisecond) {
			if done() {
				return
			}
		}
	}
	s.Fatalf("no %s within %v", what, patience)
}

func (s *shop) showing(text string) func() bool {
	return func() bool { return strings.Contains(strings.Join(s.display(), "\n"), text) }
}

// says waits for a word on the console.
func (s *shop) says(word string) {
	s.Helper()
	s.Await("word of "+word, func() bool {
		var state struct {
			Console []string `json:"console"`
		}
		s.Read("/api/state", &state)
		return strings.Contains(strings.Join(state.Console, "\n"), word)
	})
}

func (s *shop) count(kind string) (n int) {
	s.Helper()
	for _, k := range s.kinds() {
		if k == kind {
			n++
		}
	}
	return n
}

// noAlarm fails if the cloud's receiver found anything wrong with the chain.
func (s *shop) noAlarm() {
	s.Helper()
	var state struct {
		Cloud struct {
			Alarms []string `json:"alarms"`
		} `json:"cloud"`
	}
	s.Read("/api/state", &state)
	if len(state.Cloud.Alarms) > 0 {
		s.Errorf("the cloud's alarms: %q", state.Cloud.Alarms)
	}
}

// The image boots, sells for cash and by card, and its records arrive in the
// only place that it can reach.
func TestSale(t *testing.T) {
	t.Parallel()
	s := open(t)
	begun := time.Now()
	s.more = []string{"-rtc", "base=" + begun.UTC().Add(-20*time.Minute).Format("2006-01-02T15:04:05")}
	t.Logf("power to a display that speaks: %.1f s", s.on().Seconds())
	s.openShift()
	s.sell()
	s.Await("sale in the cloud", func() bool { return s.count("sale.commit") == 1 })
	// The cloud may have the sale before the paper is out.
	s.Await("total on the paper", func() bool { return strings.Contains(s.Paper(), "合計") })
	// A scanner that is pulled and put back works.
	s.must(s.guest.Unplug("scanner"))
	s.says("V01")
	s.must(s.guest.Plug("scanner"))
	s.says("V02")
	s.cards()
	s.noAlarm()
	// The clock began behind, and was led by what the cloud has signed: else the
	// ledger's time would have stood still where the last record before the start is.
	last := s.newest()
	if t.Logf("the newest record is of %v after power", last.Sub(begun)); last.Sub(begun) < 3*time.Second {
		t.Error("the clock was not set by the cloud")
	}
	// The power key ends it cleanly.
	s.must(s.guest.PowerKey())
	s.must(s.guest.Wait(patience))
}

// cards are swiped, and then all of the board's memory is searched for their
// numbers: what the card process, and every other, and the kernel has of them.
func (s *shop) cards() {
	s.Helper()
	var cards []scrape.Card
	for i := range 5 {
		number := canary(i)
		cards = append(cards, scrape.Card{Number: number, Issued: true})
		s.scan()
		s.keys("CARD")
		s.shows("ｶｰﾄﾞｦ")
		s.Post("/api/swipe", map[string]string{
			"track1": "%B" + number + "^CANARY/CARD^28121010000000000?", "track2": ";" + number + "=28121010000000000?",
		})
		s.shows("ｱﾘｶﾞﾄｳ")
	}
	s.Await("card sales in the cloud", func() bool { return s.count("sale.commit") == 1+len(cards) })
	dump := filepath.Join(s.Dir, "memory")
	s.must(s.guest.Memory(dump))
	defer os.Remove(dump)
	wanted, found := scrape.New(cards), scrape.NewFound()
	f, err := os.Open(dump)
	s.must(err)
	defer f.Close()
	b := make([]byte, 1<<20+64) // with what may lie across two pieces
	kept := 0
	for {
		n, err := io.ReadFull(f, b[kept:])
		wanted.Search(b[:kept+n], found)
		if err != nil {
			break
		}
		kept = copy(b, b[len(b)-64:])
	}
	c := wanted.Count(found)
	s.Logf("all of the board's memory after %d swipes: %d numbers, %d framings", len(cards), c.Numbers, c.Framed)
	if c.Numbers != 0 || c.Framed != 0 {
		s.Errorf("%d numbers, %d framings of %d cards are in the memory", c.Numbers, c.Framed, len(cards))
	}
}

// canary is a card that nobody has issued. The first half of each is its own: by
// that a whole number is known.
func canary(i int) string {
	const first, step, all = 31415926535897, 7182818284590, 100_000_000_000_000
	return withCheck(fmt.Sprintf("9%014d", (first+int64(i)*step)%all))
}

// withCheck appends the check digit of ISO/IEC 7812-1.
func withCheck(s string) string {
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if (len(s)-i)%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return s + strconv.Itoa((10-sum%10)%10)
}

// TestPowerCuts cuts the power in mid-sale, again and again: no sale is lost,
// none is there twice, and the chain in the cloud is whole.
func TestPowerCuts(t *testing.T) {
	cuts, err := strconv.Atoi(os.Getenv("REGI_GUEST_CUTS"))
	if err != nil || cuts < 1 {
		t.Skip("not run: set REGI_GUEST_CUTS to how often the power is cut, ten seconds each (make guest)")
	}
	t.Parallel()
	s := open(t)
	s.on()
	s.openShift()
	sold := 0
	for i := range cuts {
		s.scan()
		s.keys("CASH") // answered once it was read: the sale may be anywhere from here on
		time.Sleep(time.Duration(i%20) * 15 * time.Millisecond)
		s.must(s.guest.Kill())
		s.on()
		s.Await("records in the cloud", func() bool { return s.count("power.resume") == i+1 })
		// A sale that was not committed is still open: it is paid for now.
		if s.count("sale.commit") == sold {
			s.until("restored sale", func() { s.keys("CASH") }, func() bool { return s.count("sale.commit") == sold+1 })
		}
		sold++
		if n := s.count("sale.commit"); n != sold {
			t.Fatalf("cut %d: %d sales in the cloud, %d were made", i+1, n, sold)
		}
		// Whatever it asks of the paper: it is there.
		s.until("next sale", func() { s.keys("CLEAR", "ENTER") }, func() bool { return !s.showing("P1")() })
		s.noAlarm()
		if sold%50 == 0 {
			t.Logf("%d cuts", sold) // the campaign of 500 takes an hour or two
		}
	}
	t.Logf("%d cuts of the power, %d sales, each once", cuts, sold)
}
