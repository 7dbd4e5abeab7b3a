package guest_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

	"github.com/klauspost/compress/zstd"

	"regi/firmware/record"
	"regi/sim/guest"
)

// patience bounds every wait: an emulated board on a busy machine is slow.
const patience = 60 * time.Second

// tools are built once.
type tools struct{ dir, image, sim, forward, disk string }

var built = sync.OnceValues(func() (t tools, err error) { //nolint:gochecknoglobals // built once
	if t.dir, err = os.MkdirTemp("", "regi-guest-"); err != nil {
		return t, err
	}
	t.image, t.sim, t.forward, t.disk = filepath.Join(t.dir, "image"), filepath.Join(t.dir, "sim"), filepath.Join(t.dir, "forward"), filepath.Join(t.dir, "disk")
	for path, pkg := range map[string]string{t.image: "../../board/image", t.sim: "..", t.forward: "./forward"} {
		if err := run(nil, "go", "build", "-o", path, pkg); err != nil {
			return t, err
		}
	}
	if err := run(nil, t.image, "build", "-board", "qemu-virt", "-out", t.dir); err != nil {
		return t, err
	}
	images, err := filepath.Glob(filepath.Join(t.dir, "*.img.zst"))
	if err != nil || len(images) != 1 {
		return t, fmt.Errorf("images %q: %w", images, err)
	}
	return t, unpack(images[0], t.disk)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if t, err := built(); err == nil {
		os.RemoveAll(t.dir)
	}
	os.Exit(code)
}

func run(out io.Writer, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "GOEXPERIMENT=runtimesecret", "CGO_ENABLED=0")
	said, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, said)
	}
	if out != nil {
		out.Write(said)
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
	tools
	home, url string
	disk      string
	cloud     int
	log       *logbook
	guest     *guest.Guest
}

type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open starts the counter, and flashes a disk with what a technician would have
// loaded at the console.
func open(t *testing.T) *shop {
	t.Helper()
	if _, err := exec.LookPath("qemu-system-aarch64"); err != nil {
		t.Skip("not run: qemu-system-aarch64 is missing (.ci/qemu installs it)")
	}
	tools, err := built()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{T: t, tools: tools, home: t.TempDir(), log: &logbook{}}
	s.flash()
	c := exec.Command(s.sim, "--dir", s.home, "--http", "127.0.0.1:0", "--no-register")
	c.Stdout, c.Stderr = s.log, s.log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.guest != nil {
			s.guest.Kill()
		}
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if t.Failed() {
			t.Logf("console and log:\n%s", s.log)
		}
	})
	s.await("the counter", func() bool {
		s.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(s.log.String())
		return s.url != ""
	})
	s.fill()
	return s
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// flash takes a fresh disk, and makes the key that the board will have.
func (s *shop) flash() {
	s.Helper()
	s.disk = filepath.Join(s.home, "disk")
	s.must(run(nil, "cp", "--sparse=always", s.tools.disk, s.disk))
	public, private, err := ed25519.GenerateKey(rand.Reader)
	s.must(err)
	state := filepath.Join(s.home, "state")
	s.must(os.MkdirAll(state, 0o700))
	s.must(os.WriteFile(filepath.Join(state, "device.key"), record.MarshalSignPrivate(private), 0o600))
	s.must(os.WriteFile(filepath.Join(state, "device.pub"), record.MarshalSignPublic(public), 0o600))
}

// fill writes the data partition.
func (s *shop) fill() {
	s.Helper()
	data := filepath.Join(s.home, "data")
	s.must(os.MkdirAll(filepath.Join(data, "keys"), 0o700))
	s.must(run(nil, "cp", "-r", filepath.Join(s.home, "state"), data))
	for _, name := range []string{"ca.pem", "register.creds", "ledger.pub", "receiver.pub"} {
		s.must(run(nil, "cp", filepath.Join(s.home, "cloud", name), filepath.Join(data, "keys")))
	}
	s.must(run(nil, "cp", filepath.Join(s.home, "catalog.json"), data))
	b, err := os.ReadFile(filepath.Join(s.home, "register.toml"))
	s.must(err)
	port := regexp.MustCompile(`tls://127\.0\.0\.1:(\d+)`).FindSubmatch(b)
	s.cloud, err = strconv.Atoi(string(port[1]))
	s.must(err)
	config := strings.ReplaceAll(string(b), string(port[0]), "tls://"+guest.CloudAddress+":4222")
	config = strings.ReplaceAll(config, `"generic"`, `"qemu-virt"`)
	config = strings.ReplaceAll(config, filepath.Join(s.home, "cloud"), "keys")
	config = regexp.MustCompile(`(?m)^(port\s*=\s*)".*/dev/console"`).ReplaceAllString(config, `$1"/dev/ttyAMA0"`)
	config = regexp.MustCompile(`(?m)^port\s*=\s*".*/dev/(scanner|printer|card|keypad|display)".*\n`).ReplaceAllString(config, "")
	s.must(os.WriteFile(filepath.Join(data, "register.toml"), []byte(config), 0o600))
	s.must(guest.WriteData(s.Context(), s.disk, data))
}

// on switches the board on, and waits until it is ready to sell.
func (s *shop) on() (took time.Duration) {
	s.Helper()
	begun := time.Now()
	var err error
	s.guest, err = guest.Start(context.Background(), guest.Options{
		Image: s.image, Disk: s.disk, Dev: filepath.Join(s.home, "dev"), Cloud: s.cloud, Forward: s.forward, Dir: s.home, Log: s.log,
	})
	s.must(err)
	blank := strings.Join(s.display(), "")
	s.await("a display that says something", func() bool { d := strings.Join(s.display(), ""); return d != "" && d != blank })
	return time.Since(begun)
}

func (s *shop) await(what string, done func() bool) {
	s.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			s.Fatalf("no %s within %v", what, patience)
		}
	}
}

func (s *shop) post(path string, body any) {
	s.Helper()
	b, err := json.Marshal(body)
	s.must(err)
	r, err := http.Post(s.url+path, "application/json", bytes.NewReader(b))
	s.must(err)
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(r.Body)
		s.Fatalf("%s: %s: %s", path, r.Status, said)
	}
}

func (s *shop) get(path string, to any) {
	s.Helper()
	r, err := http.Get(s.url + path)
	s.must(err)
	defer r.Body.Close()
	s.must(json.NewDecoder(r.Body).Decode(to))
}

func (s *shop) display() []string {
	s.Helper()
	var state struct {
		Displays struct {
			Operator []string `json:"operator"`
		} `json:"displays"`
	}
	s.get("/api/state", &state)
	return state.Displays.Operator
}

func (s *shop) shows(text string) {
	s.Helper()
	s.await("display of "+text, func() bool { return strings.Contains(strings.Join(s.display(), "\n"), text) })
}

func (s *shop) keys(names ...string) {
	s.Helper()
	s.post("/api/keys", map[string]any{"keys": names})
}

// kinds are the records in the cloud, in their order.
func (s *shop) kinds() (kinds []string) {
	s.Helper()
	var ledger []struct {
		Kind string `json:"kind"`
	}
	s.get("/api/ledger?from=1", &ledger)
	for _, r := range ledger {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

// The image boots, sells for cash, and its records arrive in the only place
// that it can reach.
func TestSale(t *testing.T) {
	s := open(t)
	t.Logf("power to a display that speaks: %.1f s", s.on().Seconds())
	s.keys("1", "OPEN")
	s.shows("ｲﾗｯｼｬｲﾏｾ")
	s.post("/api/scan", map[string]string{"data": "4901234567894", "aim": "]E0"})
	s.shows("220")
	s.keys("CASH")
	s.shows("ｵﾂﾘ")
	s.await("sale in the cloud", func() bool { return strings.Contains(strings.Join(s.kinds(), " "), "sale.commit") })
	var paper bytes.Buffer
	r, err := http.Get(s.url + "/api/paper.txt")
	s.must(err)
	io.Copy(&paper, r.Body)
	r.Body.Close()
	if !strings.Contains(paper.String(), "合計") {
		t.Errorf("paper:\n%s", &paper)
	}
	// A scanner that is pulled and put back works.
	s.must(s.guest.Unplug("scanner"))
	time.Sleep(time.Second)
	s.must(s.guest.Plug("scanner"))
	time.Sleep(3 * time.Second)
	s.post("/api/scan", map[string]string{"data": "4901234567894", "aim": "]E0"})
	s.shows("220")
	// The power key ends it cleanly.
	s.must(s.guest.PowerKey())
	s.must(s.guest.Wait(patience))
}
