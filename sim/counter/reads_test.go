package counter_test

import (
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/firmware/record"
	"regi/sim/device/keypad"
)

func TestPaper(t *testing.T) {
	s := setUp(t)
	if _, err := s.register("printer").WriteString("\x1b@HELLO\n"); err != nil {
		t.Fatal(err)
	}
	s.await("a printed line", func(v view) bool { return v.Printer.Lines > 0 })
	if text := s.get("/api/paper.txt"); !strings.Contains(text, "HELLO") {
		t.Errorf("paper is %q", text)
	}
	if image, err := png.Decode(strings.NewReader(s.get("/api/paper.png"))); err != nil || image.Bounds().Dy() == 0 {
		t.Errorf("picture: %v", err)
	}
}

func TestLedger(t *testing.T) {
	s := setUp(t)
	if got := strings.TrimSpace(s.get("/api/ledger")); got != "[]" {
		t.Errorf("an empty ledger is %s", got)
	}
	for n := range 3 {
		s.publish(record.LineAdd, map[string]any{"N": n, "Name": "<茶>"})
	}
	for query, want := range map[string][]uint64{"": {1, 2, 3}, "?from=0": {1, 2, 3}, "?from=1": {1, 2, 3}, "?from=3": {3}, "?from=4": {}, "?from=9223372036854775807": {}} {
		var rows []struct {
			Register, Kind, Time, Prev, Hash string
			Seq                              uint64
			Body                             map[string]any
		}
		if err := json.Unmarshal([]byte(s.get("/api/ledger"+query)), &rows); err != nil {
			t.Fatal(err)
		}
		seqs := []uint64{}
		for _, r := range rows {
			seqs = append(seqs, r.Seq)
			if r.Register != "0001/01" || r.Kind != "line.add" || r.Body["N"] != float64(r.Seq-1) || r.Body["Name"] != "<茶>" || len(r.Hash) != 64 || len(r.Prev) != 64 {
				t.Errorf("record %+v", r)
			}
			if _, err := time.Parse(time.RFC3339, r.Time); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(seqs, want) {
			t.Errorf("ledger%s holds %v, want %v", query, seqs, want)
		}
	}
	for _, query := range []string{"?from=", "?from=-1", "?from=x", "?from=99999999999999999999"} {
		if status, said := s.do(s.request(http.MethodGet, "/api/ledger"+query, "")); status != http.StatusBadRequest || !strings.Contains(said, "from") {
			t.Errorf("ledger%s: %d %s", query, status, said)
		}
	}
}

func TestEvents(t *testing.T) {
	s := setUp(t)
	s.publish(record.SaleOpen, map[string]string{"TransactionID": "1"})
	events := s.listen("")
	first, open := <-events
	if !open || first.name != "state" || decodeView(t, first.data).Drawer.State != "closed" {
		t.Fatalf("the first event is %+v, want the state", first)
	}
	s.ok("/api/drawer", map[string]string{"state": "open"}, done)
	next(t, events, "state", func(data string) bool { return decodeView(t, data).Drawer.State == "open" })
	if _, err := s.register("printer").WriteString("\x1b@HELLO\n"); err != nil {
		t.Fatal(err)
	}
	next(t, events, "paper", func(data string) bool {
		return data != `{"lines":0}` && data == fmt.Sprintf(`{"lines":%d}`, s.state().Printer.Lines)
	})
	s.publish(record.LineAdd, map[string]int{"N": 2})
	s.publish(record.LineAdd, map[string]int{"N": 3})
	for _, want := range []string{"2", "3"} { // 1 was there before
		if e := next(t, events, "record", func(string) bool { return true }); e.id != want || !strings.Contains(e.data, `"N":`+want) {
			t.Errorf("record event %+v, want record %s", e, want)
		}
	}
	again := s.listen("1") // a browser that was away
	for _, want := range []string{"2", "3"} {
		if e := next(t, again, "record", func(string) bool { return true }); e.id != want {
			t.Errorf("after its return: %+v, want record %s", e, want)
		}
	}
}

// TestEventsAreCoalesced: a drawer that flutters does not flood the pages.
func TestEventsAreCoalesced(t *testing.T) {
	s := setUp(t)
	events := s.listen("")
	begin := time.Now()
	const changes = 300
	for n := range changes {
		s.ok("/api/drawer", map[string]string{"state": []string{"open", "closed"}[n%2]}, done)
	}
	s.ok("/api/drawer", map[string]string{"state": "jammed"}, done)
	seen := 0
	next(t, events, "state", func(data string) bool { seen++; return decodeView(t, data).Drawer.State == "jammed" })
	if most := int(time.Since(begin)/(50*time.Millisecond)) + 2; seen > most {
		t.Errorf("%d state events for %d changes in %v, want at most %d", seen, changes, time.Since(begin), most)
	}
}

func TestPagesAreBounded(t *testing.T) {
	s := setUp(t)
	const most = 16
	for range most {
		<-s.listen("")
	}
	resp, err := http.DefaultClient.Do(s.request(http.MethodGet, "/api/events", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("page %d: %s", most+1, resp.Status)
	}
}

// TestStreamGivesItsPlaceBack: a page that is closed makes room for another.
func TestStreamGivesItsPlaceBack(t *testing.T) {
	s := setUp(t)
	for range 40 {
		resp, err := http.DefaultClient.Do(s.request(http.MethodGet, "/api/events", ""))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for deadline := time.Now().Add(patience); resp.StatusCode != http.StatusOK && time.Now().Before(deadline); {
			resp, err = http.DefaultClient.Do(s.request(http.MethodGet, "/api/events", ""))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("closed pages keep their places: %s", resp.Status)
		}
	}
}

func TestPage(t *testing.T) {
	s := setUp(t)
	resp, err := http.DefaultClient.Do(s.request(http.MethodGet, "/", ""))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	policy := resp.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q lacks %s", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("policy %q is loose", policy)
	}
	page := s.get("/")
	for _, name := range keypad.Names() {
		if n := strings.Count(page, fmt.Sprintf(`data-key=%q`, name)); n != 1 {
			t.Errorf("the page has %d keys %s", n, name)
		}
	}
	if n := strings.Count(page, "data-key="); n != len(keypad.Names()) {
		t.Errorf("the page has %d keys, the keypad %d", n, len(keypad.Names()))
	}
	for _, part := range []string{
		`data-scan="4901234567894"`, `ノート &lt;A5&gt;`, "¥1,220", "¥128", `data-card="visa-ok"`, `data-kill="uplink"`, `data-device="console"`,
		`id="display"`, `id="paper"`, `id="ledger"`, `id="drawer"`, `id="outbox"`, `id="cloud-state"`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	for _, file := range regexp.MustCompile(`(?:src|href)="(/page/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		page += s.get(file[1])
	}
	page = strings.ReplaceAll(page, "http://www.w3.org/", "") // names of SVG, never fetched
	if at := regexp.MustCompile(`https?:|url\(|//[a-z]+\.[a-z]|style=|onclick|eval\(|innerHTML`).FindString(page); at != "" {
		t.Errorf("the page reaches outside, or breaks its own policy: %q", at)
	}
}
