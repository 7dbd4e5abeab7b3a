package counter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/sim/counter"
)

const (
	wasRead = `{"ok":true,"read":true}`
	unread  = `{"ok":true,"read":false}`
	done    = `{"ok":true}`
)

func TestBytesReachTheRegister(t *testing.T) {
	s := setUp(t)
	for _, c := range []struct {
		wire, path string
		body       any
		want       string
	}{
		{"scanner", "/api/scan", map[string]string{"data": "4901234567894", "aim": "]E0"}, "]E04901234567894\r"},
		{"scanner", "/api/scan", map[string]string{"data": "49\x1b@\x10\x14\x01\x00"}, "49\x1b@\x10\x14\x01\x00\r"},
		{"scanner", "/api/scan", map[string]string{"data": strings.Repeat("4", 10_000)}, strings.Repeat("4", 10_000) + "\r"},
		{"card", "/api/swipe", map[string]string{"track1": track1, "track2": track2}, track1 + track2 + "\r"},
		{"keypad", "/api/keys", map[string]any{"keys": []string{"1", "00", "CASH"}}, "1d$"},
	} {
		f := s.register(c.wire)
		got := make(chan string)
		go func() {
			b := make([]byte, 0, len(c.want))
			for len(b) < len(c.want) {
				n, err := f.Read(b[len(b):cap(b)])
				if err != nil {
					break
				}
				b = b[:len(b)+n]
			}
			got <- string(b)
		}()
		s.ok(c.path, c.body, wasRead)
		if g := <-got; g != c.want {
			t.Errorf("%s: the register read %d bytes that differ from the %d wanted", c.path, len(g), len(c.want))
		}
		f.Close()
	}
}

// TestNobodyReads: the register is off or hangs; the call still ends.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	s := setUp(t)
	begin := time.Now()
	s.ok("/api/keys", map[string]any{"keys": []string{"1"}}, unread)
	if took := time.Since(begin); took < 1500*time.Millisecond || took > patience {
		t.Errorf("a call that nobody reads took %v, want 2 s", took)
	}
}

func TestCallsAreRefused(t *testing.T) {
	s := setUp(t)
	s.drain("scanner", "card", "keypad")
	number := "4111111111111111"
	for _, c := range []struct {
		path   string
		body   string
		status int
		says   string
	}{
		{"/api/scan", `{}`, 400, "data"},
		{"/api/scan", `{"data":""}`, 400, "data"},
		{"/api/scan", `{"data":"1","aim":"]E0]E0]E0"}`, 400, "aim"},
		{"/api/scan", `{"data":"1","colour":"red"}`, 400, "unknown field"},
		{"/api/scan", `{"data":4901234567894}`, 400, "wrong type"},
		{"/api/scan", `{"data":"1"} {}`, 400, "one JSON object"},
		{"/api/scan", `{"data":"1"`, 400, "one JSON object"},
		{"/api/scan", ``, 400, "one JSON object"},
		{"/api/scan", `["1"]`, 400, "wrong type"},
		{"/api/scan", `{"data":"` + strings.Repeat("4", 64<<10) + `"}`, 413, "65536"},
		{"/api/swipe", `{}`, 400, "track1"},
		{"/api/swipe", `{"track1":"","track2":""}`, 400, "track1"},
		{"/api/swipe", `{"track2":` + number + `}`, 400, "wrong type"},
		{"/api/swipe", `{"` + number + `":""}`, 400, "unknown field"},
		{"/api/swipe", `{"track2":";` + number + strings.Repeat("0", 600) + `?"}`, 400, "at most"},
		{"/api/swipe", `;` + number, 400, "one JSON object"},
		{"/api/keys", `{"keys":[]}`, 400, "1 to 256"},
		{"/api/keys", `{"keys":["1","BOMB"]}`, 400, "BOMB"},
		{"/api/keys", `{"keys":["` + strings.Repeat(`1","`, 256) + `1"]}`, 400, "1 to 256"},
		{"/api/printer", `{}`, 400, "nothing to change"},
		{"/api/printer", `{"paper":"gone"}`, 400, "paper"},
		{"/api/printer", `{"paper":"out@-1"}`, 400, "out@"},
		{"/api/printer", `{"cover":"shut"}`, 400, "cover"},
		{"/api/printer", `{"cutter":"blunt"}`, 400, "cutter"},
		{"/api/printer", `{"power":"half"}`, 400, "power"},
		{"/api/drawer", `{"state":"ajar"}`, 400, "jammed"},
		{"/api/drawer", `{}`, 400, "jammed"},
		{"/api/cloud", `{"link":"rainy"}`, 400, "slow"},
		{"/api/power", `{"action":"explode"}`, 400, "cut or restore"},
		{"/api/device", `{"name":"kettle","action":"unplug"}`, 400, "scanner"},
		{"/api/device", `{"name":"scanner","action":"kick"}`, 400, "plug"},
		{"/api/kill", `{"role":"init"}`, 400, "uplink"},
		{"/api/kill", `{"role":"uplink"}`, 409, "try again"}, // the register is off
	} {
		status, said := s.post(c.path, c.body)
		var e struct{ Error string }
		if err := json.Unmarshal([]byte(said), &e); err != nil || status != c.status || !strings.Contains(e.Error, c.says) {
			t.Errorf("%s %.60s: %d %s, want %d with %q", c.path, c.body, status, said, c.status, c.says)
		}
		if strings.Contains(said, number[:10]) {
			t.Errorf("%s repeats the card number", c.path)
		}
	}
	if s.log.Len() > 0 {
		t.Errorf("a mistake of the caller is in the log: %s", s.log.String())
	}
}

func TestDevicesChange(t *testing.T) {
	s := setUp(t)
	s.ok("/api/printer", map[string]string{"paper": "near-end", "cover": "open", "cutter": "jammed"}, done)
	if p := s.state().Printer; p.Paper != "near-end" || p.Cover != "open" || p.Cutter != "jammed" || p.Power != "on" {
		t.Errorf("printer is %+v", p)
	}
	s.ok("/api/printer", map[string]string{"paper": "out@6", "cover": "closed", "cutter": "ok", "power": "off"}, done)
	if p := s.state().Printer; p.Cover != "closed" || p.Cutter != "ok" || p.Power != "off" {
		t.Errorf("printer is %+v", p)
	}
	for _, state := range []string{"open", "jammed", "closed"} {
		s.ok("/api/drawer", map[string]string{"state": state}, done)
		if got := s.state().Drawer.State; got != state {
			t.Errorf("drawer is %s, want %s", got, state)
		}
	}
	for _, link := range []string{"down", "slow", "up"} {
		s.ok("/api/cloud", map[string]string{"link": link}, done)
		if got := s.state().Cloud.Link; got != link {
			t.Errorf("link is %s, want %s", got, link)
		}
	}
}

func TestCableOut(t *testing.T) {
	s := setUp(t)
	s.drain("scanner")
	unplug := map[string]string{"name": "scanner", "action": "unplug"}
	s.ok("/api/device", unplug, done)
	s.ok("/api/device", unplug, done)
	if v := s.state(); v.Devices["scanner"] != "unplugged" || !slices.Equal(v.Unplugged, []string{"scanner"}) {
		t.Errorf("devices %v, unplugged %v", v.Devices, v.Unplugged)
	}
	status, said := s.post("/api/scan", map[string]string{"data": "4901234567894"})
	if status != http.StatusConflict || !strings.Contains(said, "plug it in") {
		t.Errorf("scan without a cable: %d %s", status, said)
	}
	s.ok("/api/device", map[string]string{"name": "scanner", "action": "plug"}, done)
	s.drain("scanner")
	s.ok("/api/scan", map[string]string{"data": "4901234567894"}, wasRead)
	if v := s.state(); len(v.Unplugged) != 0 {
		t.Errorf("unplugged %v", v.Unplugged)
	}
}

func TestPowerAndKill(t *testing.T) {
	s := setUp(t)
	if _, err := s.register("display").WriteString("\x1b@\x0cHELLO"); err != nil {
		t.Fatal(err)
	}
	if v := s.state(); v.Power != "off" || v.Till != "OFF" {
		t.Errorf("before the first start: %+v", v)
	}
	s.ok("/api/power", map[string]string{"action": "restore"}, done)
	v := s.await("running register", func(v view) bool { return v.Till == "IDLE" && len(v.Roles) == 3 })
	if v.Power != "on" || v.Outbox != 2 || v.Acknowledged != 3 || v.Head != 5 || !v.Cloud.Session ||
		v.Devices["scanner"] != "up" || v.Devices["printer"] != "paper out" {
		t.Errorf("running: %+v", v)
	}
	s.await("text on the display", func(v view) bool { return strings.HasPrefix(v.Displays["operator"][0], "HELLO") })

	for _, role := range []string{"capture", "uplink"} {
		s.ok("/api/kill", map[string]string{"role": role}, done)
		s.await("end of "+role, func(v view) bool { return v.Roles[role] == 0 })
	}
	s.ok("/api/power", map[string]string{"action": "cut"}, done)
	for role, pid := range v.Roles {
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && len(line) > 0 { // a zombie has none
			t.Errorf("%s outlived the power cut", role)
		}
	}
	v = s.state()
	dark := strings.Repeat(" ", 20)
	if v.Power != "off" || v.Till != "OFF" || v.Cloud.Session || len(v.Roles) != 0 || v.Displays["operator"] != [2]string{dark, dark} || v.Devices["scanner"] != "off" {
		t.Errorf("without power: %+v", v)
	}
	if v.Printer.Power != "on" {
		t.Error("the printer has a supply of its own, but lost it")
	}
}

// TestSomebodyElsesRegister is --no-register.
func TestSomebodyElsesRegister(t *testing.T) {
	s := setUp(t, func(c *counter.Counter) { c.Power = nil })
	for path, body := range map[string]map[string]string{
		"/api/power": {"action": "cut"}, "/api/kill": {"role": "register"},
	} {
		if status, said := s.post(path, body); status != http.StatusConflict || !strings.Contains(said, "--no-register") {
			t.Errorf("%s: %d %s", path, status, said)
		}
	}
	s.drain("scanner")
	s.await("an open scanner", func(v view) bool {
		return v.Power == "external" && v.Devices["scanner"] == "up" && v.Devices["card"] == "not open"
	})
}

func TestOnlyItsMethods(t *testing.T) {
	s := setUp(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodGet, "/api/scan", 405, "POST"},
		{http.MethodPut, "/api/keys", 405, "POST"},
		{http.MethodDelete, "/api/drawer", 405, "POST"},
		{http.MethodPost, "/api/state", 405, "GET"},
		{http.MethodPost, "/api/ledger", 405, "GET"},
		{http.MethodPost, "/", 405, "GET"},
		{http.MethodGet, "/api", 404, ""},
		{http.MethodGet, "/api/nothing", 404, ""},
		{http.MethodGet, "/page/", 404, ""},
		{http.MethodGet, "/page/index.html", 404, ""},
		{http.MethodGet, "/page/..%2fcounter.go", 404, ""},
	} {
		resp, err := http.DefaultClient.Do(s.request(c.method, c.path, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		var e struct{ Error string }
		if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || e.Error == "" {
			t.Errorf("%s %s: no error in JSON: %v", c.method, c.path, err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, allow %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

// TestOtherWebPagesAreKeptOut: another page in the same browser may send here,
// and its name may be made to mean 127.0.0.1.
func TestOtherWebPagesAreKeptOut(t *testing.T) {
	s := setUp(t)
	own := strings.TrimPrefix(s.url, "http://")
	_, port, _ := strings.Cut(own, ":")
	for _, c := range []struct {
		method, host, origin, site string
		status                     int
	}{
		{http.MethodGet, own, "", "", 200},
		{http.MethodGet, "localhost:" + port, "", "", 200},
		{http.MethodGet, "localhost", "", "", 200},
		{http.MethodGet, "[::1]:" + port, "", "", 200},
		{http.MethodGet, "evil.example:" + port, "", "", 403},
		{http.MethodGet, "127.0.0.1.evil.example", "", "", 403},
		{http.MethodGet, "localhost.evil.example", "", "", 403},
		{http.MethodGet, "127.0.0.1@evil.example", "", "", 403},
		{http.MethodPost, own, "", "", 200},
		{http.MethodPost, own, "http://" + own, "", 200},
		{http.MethodPost, own, "http://" + own, "same-origin", 200},
		{http.MethodPost, own, "http://evil.example", "", 403},
		{http.MethodPost, own, "http://127.0.0.1:1", "", 403},
		{http.MethodPost, own, "null", "", 403},
		{http.MethodPost, own, "http://evil.example", "cross-site", 403},
		{http.MethodPost, own, "http://127.0.0.1:1", "same-site", 403},
		{http.MethodPost, "evil.example", "http://evil.example", "same-origin", 403},
	} {
		path := "/api/drawer"
		if c.method == http.MethodGet {
			path = "/api/state"
		}
		r := s.request(c.method, path, `{"state":"closed"}`)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if status, said := s.do(r); status != c.status {
			t.Errorf("%s with host %q, origin %q, site %q: %d %s, want %d", c.method, c.host, c.origin, c.site, status, said, c.status)
		}
	}
}

// FuzzCalls: whatever is sent, the answer is JSON and never the counter's fault.
func FuzzCalls(f *testing.F) {
	paths := []string{"scan", "swipe", "keys", "printer", "drawer", "cloud", "device"}
	for i, body := range []string{
		`{"data":"4901234567894","aim":"]E0"}`, `{"track2":";1=2?"}`, `{"keys":["1","CASH"]}`, `{"paper":"out@6"}`,
		`{"state":"open"}`, `{"link":"slow"}`, `{"name":"scanner","action":"plug"}`, `{"data":"\u0000\ud800"}`, `[]`, "", "\xff",
	} {
		f.Add(uint8(i), []byte(body))
	}
	s := setUp(f)
	s.drain("scanner", "card", "keypad")
	f.Fuzz(func(t *testing.T, path uint8, body []byte) {
		s.t = t
		call := "/api/" + paths[int(path)%len(paths)]
		status, said := s.post(call, string(body))
		if status >= http.StatusInternalServerError || !json.Valid([]byte(said)) {
			t.Errorf("%s %q: %d %q", call, body, status, said)
		}
	})
}
