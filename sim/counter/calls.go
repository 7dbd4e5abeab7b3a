package counter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"regi/sim/device/card"
	"regi/sim/device/keypad"
	"regi/sim/device/printer"
	"regi/sim/device/scanner"
	"regi/sim/keyhost"
	"regi/sim/wire"
)

// Limits of the calls.
const (
	bodyBytesMax = 64 << 10
	// readWithin is how long a call waits for the register to read.
	readWithin = 2 * time.Second
)

// fault is an error that the caller can do something about.
type fault struct {
	status int
	text   string
}

func (f fault) Error() string { return f.text }

func badRequest(format string, args ...any) error {
	return fault{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return fault{http.StatusConflict, fmt.Sprintf(format, args...)}
}

// answer to a call that went well. Read tells whether the register took the
// bytes in time; calls that send none leave it out.
type answer struct {
	OK   bool  `json:"ok"`
	Read *bool `json:"read,omitempty"`
}

// post makes a handler of a call. An error of the body says what usage is, and
// never repeats the body: it may hold a card.
func post[B any](c *Counter, do func(context.Context, B) (answer, error), usage string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body B
		err := decode(w, r, &body, usage)
		var a answer
		if err == nil {
			a, err = do(r.Context(), body)
		}
		c.Bell.Ring()
		var f fault
		switch {
		case err == nil:
			writeJSON(w, http.StatusOK, a)
		case errors.As(err, &f):
			refuse(w, f.status, f.text)
		default:
			c.Log("%s: %v", r.URL.Path, err)
			refuse(w, http.StatusInternalServerError, err.Error()+": see the simulator's log")
		}
	}
}

func decode(w http.ResponseWriter, r *http.Request, body any, usage string) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	d.DisallowUnknownFields()
	err := d.Decode(body)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.Join(err, errTrailing)
	}
	var tooLarge *http.MaxBytesError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		return fault{http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d bytes: send less at once", bodyBytesMax)}
	case errors.As(err, &kind):
		return badRequest("a field has the wrong type: send %s", usage)
	case strings.HasPrefix(err.Error(), "json: unknown field"): // encoding/json has no type for it
		return badRequest("unknown field: send %s", usage)
	}
	return badRequest("not one JSON object: send %s", usage)
}

var errTrailing = errors.New("bytes after the object")

type scanCall struct {
	Data string `json:"data"`
	AIM  string `json:"aim"`
}

func (c *Counter) scan(ctx context.Context, b scanCall) (answer, error) {
	if b.Data == "" || len(b.AIM) > scanner.AIMMax {
		return answer{}, badRequest(`nothing to scan: "data" holds the code, "aim" its AIM identifier (]E0) or nothing`)
	}
	return c.send(ctx, "scanner", func(ctx context.Context) error { return c.Scanner.Scan(ctx, b.Data, b.AIM) })
}

func (c *Counter) swipe(ctx context.Context, t card.Tracks) (answer, error) {
	if t == (card.Tracks{}) || max(len(t.Track1), len(t.Track2), len(t.Track3)) > card.TrackMax {
		return answer{}, badRequest(`no card: send "track1", "track2", "track3" or any of them, each at most %d bytes`, card.TrackMax)
	}
	return c.send(ctx, "card", func(ctx context.Context) error { return c.Card.Swipe(ctx, t) })
}

type keysCall struct {
	Keys []string `json:"keys"`
}

func (c *Counter) press(ctx context.Context, b keysCall) (answer, error) {
	if len(b.Keys) == 0 || len(b.Keys) > keypad.KeysMax {
		return answer{}, badRequest(`"keys" holds 1 to %d names of keys`, keypad.KeysMax)
	}
	names := keypad.Names()
	for i, name := range b.Keys {
		if name == "." { // what stands on the key
			name = "DOT"
			b.Keys[i] = name
		}
		if !slices.Contains(names, name) {
			return answer{}, badRequest("no key %.16q: there are %s", name, strings.Join(names, " "))
		}
	}
	return c.send(ctx, "keypad", func(ctx context.Context) error { return c.Keypad.Press(ctx, b.Keys...) })
}

// send puts bytes on a wire and waits until the register has read them, or not.
func (c *Counter) send(ctx context.Context, name string, write func(context.Context) error) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	err := c.awaitLine(ctx, name)
	if err == nil {
		err = write(ctx)
	}
	switch {
	case errors.Is(err, wire.ErrUnplugged):
		return answer{}, conflict("%[1]s のケーブルが抜けています。先に差してください / the %[1]s is unplugged: plug it in first", name)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return answer{OK: true, Read: new(bool)}, nil
	case err != nil:
		return answer{}, fmt.Errorf("counter: %s: %w", name, err)
	}
	read := true
	return answer{OK: true, Read: &read}, nil
}

// awaitLine waits until a register that is starting or finding its cable again
// has the line open: it empties a line that it opens, which on a pty looks as if
// it had read. To a line that stays shut nothing is sent.
func (c *Counter) awaitLine(ctx context.Context, name string) error {
	if c.Power == nil || !c.Power.State().On || slices.Contains(c.cables.out(), name) {
		return nil
	}
	return c.Power.Await(ctx, name)
}

type printerCall struct {
	Paper  string `json:"paper"`
	Cover  string `json:"cover"`
	Cutter string `json:"cutter"`
	Power  string `json:"power"`
}

func (c *Counter) setPrinter(_ context.Context, b printerCall) (answer, error) {
	if b == (printerCall{}) {
		return answer{}, badRequest(`nothing to change: send at least one of "paper", "cover", "cutter", "power"`)
	}
	if err := c.Printer.Set(printer.Change(b)); err != nil {
		return answer{}, badRequest("%v: paper is ok, near-end, out or out@N, cover closed or open, cutter ok or jammed, power on or off", err)
	}
	return answer{OK: true}, nil
}

type drawerCall struct {
	State string `json:"state"`
}

func (c *Counter) setDrawer(_ context.Context, b drawerCall) (answer, error) {
	if !slices.Contains([]string{"closed", "open", "jammed"}, b.State) {
		return answer{}, badRequest(`"state" is closed, open or jammed`)
	}
	if err := c.Drawer.Set(b.State); err != nil {
		return answer{}, conflict("%v: try another state first", err)
	}
	return answer{OK: true}, nil
}

type linkCall struct {
	Link string `json:"link"`
}

func (c *Counter) setLink(_ context.Context, b linkCall) (answer, error) {
	if !slices.Contains([]string{"up", "down", "slow"}, b.Link) {
		return answer{}, badRequest(`"link" is up, down or slow`)
	}
	if err := c.Cloud.SetLink(b.Link); err != nil {
		return answer{}, fmt.Errorf("counter: link: %w", err)
	}
	return answer{OK: true}, nil
}

type powerCall struct {
	Action string `json:"action"`
}

// switchPower cuts or restores the register's supply. The printer has its own;
// the display is fed by the register and goes dark with it.
func (c *Counter) switchPower(_ context.Context, b powerCall) (answer, error) {
	switch {
	case b.Action != "cut" && b.Action != "restore":
		return answer{}, badRequest(`"action" is cut or restore`)
	case c.Power == nil:
		return answer{}, errNotOurs
	case b.Action == "cut":
		c.Power.Cut()
		return answer{OK: true}, nil
	}
	if err := c.Power.On(); err != nil {
		return answer{}, fmt.Errorf("counter: power: %w", err)
	}
	return answer{OK: true}, nil
}

var errNotOurs = conflict("this simulator did not start the register (--no-register): do it where it was started")

type deviceCall struct {
	Name   string `json:"name"`
	Action string `json:"action"`
}

// cables remembers which are pulled, and moves one at a time.
type cables struct {
	mu     sync.Mutex
	pulled map[string]bool
}

func (c *Counter) plug(_ context.Context, b deviceCall) (answer, error) {
	tty := c.Wires[b.Name]
	if tty == nil {
		return answer{}, badRequest(`"name" is one of %s`, strings.Join(c.wireNames(), ", "))
	}
	c.cables.mu.Lock()
	defer c.cables.mu.Unlock()
	var err error
	switch b.Action {
	case "unplug":
		err = tty.Unplug()
	case "plug":
		err = tty.Plug()
	default:
		return answer{}, badRequest(`"action" is unplug or plug`)
	}
	if err != nil {
		return answer{}, fmt.Errorf("counter: %s: %w", b.Name, err)
	}
	c.cables.pulled[b.Name] = b.Action == "unplug"
	return answer{OK: true}, nil
}

type killCall struct {
	Role string `json:"role"`
}

func (c *Counter) kill(_ context.Context, b killCall) (answer, error) {
	if !slices.Contains(roles(), b.Role) {
		return answer{}, badRequest(`"role" is one of %s`, strings.Join(roles(), ", "))
	}
	if c.Power == nil {
		return answer{}, errNotOurs
	}
	if err := c.Power.Kill(b.Role); err != nil {
		return answer{}, conflict("%v: it may be starting, try again", err)
	}
	return answer{OK: true}, nil
}

// roles are the processes of a running register.
func roles() []string { return []string{"register", "capture", "uplink"} }

// writeJSON answers with one object. What cannot be sent has no reader any more.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("counter: internal error: " + err.Error()) // all our types can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck,gosec // the reader is gone
}

func refuse(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, struct {
		Error string `json:"error"`
	}{text})
}

// keyloadCall is what a register that has an owner asks.
type keyloadCall struct {
	Challenge string `json:"challenge"`
}

// postKeyload makes what the key loading office sends for one register: the
// answer is the two officers' letters and the block, for "regi keys inject", and
// the owner's permit if the register's challenge comes with the call.
func (c *Counter) postKeyload(w http.ResponseWriter, r *http.Request) {
	var asked keyloadCall
	if r.ContentLength != 0 {
		if err := decode(w, r, &asked, `nothing, or {"challenge":"AIDT-…"}, as keys inject shows it`); err != nil {
			var f fault
			errors.As(err, &f)
			refuse(w, f.status, f.text)
			return
		}
	}
	letters, err := c.Letters()
	if err == nil && asked.Challenge != "" {
		err = c.Cloud.PermitKey(&letters, asked.Challenge)
	}
	if errors.Is(err, keyhost.ErrChallenge) {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, letters)
}
