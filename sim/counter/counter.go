// Package counter is the simulated counter as people see and work it: one page,
// and the HTTP calls behind it that tests and scripts use too.
package counter

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"strings"

	"regi/sim/cloud"
	"regi/sim/device/card"
	"regi/sim/device/console"
	"regi/sim/device/display"
	"regi/sim/device/drawer"
	"regi/sim/device/keypad"
	"regi/sim/device/power"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	"regi/sim/keyhost"
	"regi/sim/wire"
)

// Counter is everything that stands on the counter, and the cloud behind it.
type Counter struct {
	Scanner *scanner.Scanner
	Card    CardReader
	Keypad  *keypad.Keypad
	Printer Printer
	Drawer  *drawer.Drawer
	Display *display.Display
	// Customer is the customer's own display; nil: Display is for both.
	Customer *display.Display
	Console  *console.Console
	Power    *power.Power // nil: somebody else runs the register
	Cloud    *cloud.Cloud
	// Wires by name ("scanner" …) are the cables that can be pulled.
	Wires map[string]*wire.TTY
	// Bell is rung by whatever changes; nil: the page follows a second behind.
	Bell *Bell
	// Goods to scan and Cards to swipe, in the page's order.
	Goods []Good
	Cards []TestCard
	// Letters are what the key loading office sends for one more register.
	Letters func() (keyhost.Letters, error)
	// Alarms are what the cloud warns of; nil: nothing.
	Alarms func() []string
	// Log takes what a developer should know of failed calls; nil: nobody does.
	// Card data never gets there.
	Log func(format string, args ...any)

	page   []byte
	cables *cables
}

// Printer is a receipt printer of any make.
type Printer interface {
	Run(context.Context) error
	Set(printer.Change) error
	State() printer.State
	Text() string
	PNG(io.Writer) error
	Refresh()
}

// CardReader is one of package card's, with or without a key of its own.
type CardReader interface {
	Swipe(context.Context, card.Tracks) error
}

// Good is one article on the shelf: what its label says, not what the register
// asks for it.
type Good struct {
	GTIN  string // 8 or 13 digits, as printed
	Name  string
	Kana  string // for a display
	Price int64  // minor units
	Rate  string // "standard" or "reduced"
	// Label is what its code holds, if that is more than the GTIN, and AIM the
	// identifier that goes out in front of it, if any.
	Label, AIM string
}

// Scan is what a scanner reads off it.
func (g Good) Scan() string { return cmp.Or(g.Label, g.GTIN) }

// TestCard is a card that no issuer has issued.
type TestCard struct {
	ID    string // "visa-ok"
	Label string // "Visa •••• 1111"
	Says  string // what the hsm will say: "approved", "declined" …

	Track1, Track2, Track3 string
}

// New finishes a counter. Its Handler may be used once.
func New(c Counter) *Counter {
	if c.Bell == nil {
		c.Bell = &Bell{}
	}
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	if c.Alarms == nil {
		c.Alarms = func() []string { return nil }
	}
	c.cables = &cables{pulled: map[string]bool{}}
	c.page = render(&c)
	return &c
}

// route is one call: a method, a path, and nothing else under either.
type route struct {
	method, path string
	handle       http.HandlerFunc
}

func (c *Counter) routes() []route {
	return []route{
		{http.MethodPost, "/api/scan", post(c, c.scan, `{"data":"4901234567894","aim":"]E0"}`)},
		{http.MethodPost, "/api/swipe", post(c, c.swipe, `{"track1":"…","track2":"…","track3":"…"}, any of them`)},
		{http.MethodPost, "/api/keys", post(c, c.press, `{"keys":["1","0","0","CASH"]}`)},
		{http.MethodPost, "/api/printer", post(c, c.setPrinter, `{"paper":"ok|near-end|out","cover":"closed|open","cutter":"ok|jammed","power":"on|off"}, any of them`)},
		{http.MethodPost, "/api/drawer", post(c, c.setDrawer, `{"state":"closed|open|jammed"}`)},
		{http.MethodPost, "/api/cloud", post(c, c.setLink, `{"link":"up|down|slow"}`)},
		{http.MethodPost, "/api/power", post(c, c.switchPower, `{"action":"cut|restore"}`)},
		{http.MethodPost, "/api/device", post(c, c.plug, `{"name":"scanner","action":"unplug|plug"}`)},
		{http.MethodPost, "/api/kill", post(c, c.kill, `{"role":"register|capture|uplink"}`)},
		{http.MethodPost, "/api/keyload", c.postKeyload},
		{http.MethodPost, "/api/console", post(c, c.typeText, `{"text":"status\r"}`)},
		{http.MethodPost, "/api/enroll", c.postEnroll},
		{http.MethodGet, "/api/state", c.getState},
		{http.MethodGet, "/api/paper.png", c.getPaperPNG},
		{http.MethodGet, "/api/paper.txt", c.getPaperText},
		{http.MethodGet, "/api/ledger", c.getLedger},
		{http.MethodGet, "/api/events", c.getEvents},
		{http.MethodGet, "/page/{file}", getFile},
		{http.MethodGet, "/{$}", c.getPage},
	}
}

// Handler serves the page and the calls. An event stream ends with its request:
// the server that uses the handler must close its connections at the end.
func (c *Counter) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range c.routes() {
		mux.HandleFunc(r.path, only(r.method, r.handle))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "no such call: the page is at /, the calls are listed in README.md")
	})
	return guard(mux)
}

func only(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			refuse(w, http.StatusMethodNotAllowed, "use "+method)
			return
		}
		handle(w, r)
	}
}

// policy: the page loads nothing but itself, and nobody frames it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard keeps other web pages, open in the same browser, away from the counter:
// one that points its own name at 127.0.0.1 has a foreign Host, one that posts
// here has a foreign Origin.
func guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !loopback(r.Host) {
			refuse(w, http.StatusForbidden, "this is not its name: use http://127.0.0.1 and the port")
			return
		}
		if origin.Check(r) != nil {
			refuse(w, http.StatusForbidden, "another web page may not work the counter: use its own page, or a program")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback knows this machine's own names, with or without a port.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1" || host == "[::1]"
}
