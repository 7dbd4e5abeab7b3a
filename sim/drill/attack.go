package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"regi/sim/drill/scrape"
	"regi/sim/wire"
)

// results are what an attack got, on whichever reader.
type results struct {
	options
	seconds        float64
	passes         map[string]int
	mid            int
	refused, pages int
	live, left     scrape.Count
	keys           used
	keysWanted     int
	crash          crash
	written        written
	domains        []domain
	others         []others
	mix            string
	hsm            scrape.Count
}

// rosterEvery is how old a list of processes may be.
const rosterEvery = 50 * time.Millisecond

// attackRegister is the whole attack on the real register.
func attackRegister(ctx context.Context, o options) (r *results, err error) {
	numbers, cards, err := deck(o.swipes + o.crashes())
	if err != nil {
		return nil, err
	}
	c, err := openCounter(ctx, filepath.Join(o.dir, "counter"), o.regi)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	w := scrape.New(cards)
	t := &traffic{counter: c, numbers: numbers[:o.swipes]}
	h := newHunt(w, roster(c.roles), func() bool { return taking(c.wires["card"], &t.inFlight) })
	t.passes = h.count
	r = &results{options: o}
	begin := time.Now()
	if err := during(ctx, h, t.run); err != nil {
		return nil, err
	}
	r.seconds = time.Since(begin).Seconds()
	r.mix = fmt.Sprintf("%d sold, %d damaged, %d too early, %d killed in mid-swipe; between them %d declined, %d cash sales",
		t.sold, t.bad, t.early, t.kills, t.refused, t.cash)
	r.took(h)
	if err := r.leftInRegister(ctx, c, cards, numbers); err != nil {
		return nil, err
	}
	if r.others, err = peekAll(ctx, c.roles()); err != nil {
		return nil, err
	}
	if r.domains, err = fromDomains(ctx, c.roles()); err != nil {
		return nil, err
	}
	if r.crash, err = crashRegister(ctx, o, t, w, numbers[o.swipes:]); err != nil {
		return nil, err
	}
	r.written, err = searchWritten(ctx, c, w)
	return r, err
}

// during runs work while the hunt is on.
func during(ctx context.Context, h *hunt, work func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := h.run(ctx)
		if err != nil {
			stop()
		}
		ended <- err
	}()
	err := work(ctx)
	stop()
	return errors.Join(err, <-ended)
}

// roster lists the processes to search, the reading one first.
func roster(roles func() map[string]int) func() []target {
	var at time.Time
	var list []target
	return func() []target {
		if time.Since(at) < rosterEvery {
			return list
		}
		at, list = time.Now(), targets(roles())
		return list
	}
}

// processNames are the processes that a register must have, the one that reads
// cards first. It may have more.
//
//nolint:gochecknoglobals // a constant table
var processNames = []string{reading, "register", "uplink"}

// targets are all processes, in that order.
func targets(roles map[string]int) (list []target) {
	for name, pid := range roles {
		list = append(list, target{name, pid})
	}
	rank := func(t target) int { return slices.Index(processNames, t.name) }
	slices.SortFunc(list, func(a, b target) int {
		return cmp.Or(cmp.Compare(uint(rank(a)), uint(rank(b))), strings.Compare(a.name, b.name))
	})
	return list
}

// taking reports whether a part of a swipe is read and a part is not.
func taking(w *wire.TTY, inFlight *atomic.Int64) bool {
	all := inFlight.Load()
	if all == 0 {
		return false
	}
	n, err := w.Unread()
	return err == nil && n > 0 && int64(n) < all
}

func (r *results) took(h *hunt) {
	r.passes, r.mid, r.refused, r.pages = h.passes, h.mid, h.refused, h.pages
	r.live = h.wanted.Count(h.found)
}

// leftInRegister searches every process for what the swipes have left: numbers,
// and all keys used.
func (r *results) leftInRegister(ctx context.Context, c *counter, cards []scrape.Card, numbers []string) error {
	// Everything is in the cloud before the keys' numbers are read there.
	if err := await(ctx, "an empty outbox", func() bool { return c.log.now().Outbox == 0 }); err != nil {
		return err
	}
	reads, _, err := sealedReads(ctx, c.office)
	if err != nil {
		return err
	}
	bdk, err := readBDK(filepath.Join(c.dir, "cloud", "hsm", "bdk"))
	if err != nil {
		return err
	}
	w := scrape.New(cards)
	if r.keys, err = usedKeys(w, reads, known(numbers), func(ikid string) (key, bool) { return initial(bdk, []byte(ikid)), true }); err != nil {
		return err
	}
	f, err := last(w, targets(c.roles()))
	if err != nil {
		return err
	}
	r.left, r.keysWanted = w.Count(f), w.Keys()
	if f, err = last(w, []target{{"hsm", c.hsm.PID()}}); err != nil {
		return err
	}
	r.hsm = w.Count(f)
	return nil
}

// known are numbers that a read may hold; the test numbers are no canaries.
func known(numbers []string) map[string]bool {
	m := map[string]bool{numberDeclined: true, numberNoFunds: true}
	for _, n := range numbers {
		m[n] = true
	}
	return m
}

// attackNaive is the same on the naive reader.
func attackNaive(ctx context.Context, o options) (r *results, err error) {
	numbers, cards, err := deck(o.swipes)
	if err != nil {
		return nil, err
	}
	b, err := openBare(filepath.Join(o.dir, "naive"), o.naive)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	w := scrape.New(cards)
	list := func() []target {
		if pid := int(b.pid.Load()); pid != 0 {
			return []target{{reading, pid}}
		}
		return nil
	}
	h := newHunt(w, list, func() bool { return taking(b.wire, &b.inFlight) })
	r = &results{options: o}
	begin := time.Now()
	if err := during(ctx, h, func(ctx context.Context) error { return b.run(ctx, numbers, h.count) }); err != nil {
		return nil, err
	}
	r.seconds = time.Since(begin).Seconds()
	r.took(h)
	keyed := scrape.New(cards)
	given := func(ikid string) (key, bool) { k, ok := b.ik[ikid]; return k, ok }
	if r.keys, err = usedKeys(keyed, b.reads, known(numbers), given); err != nil {
		return nil, err
	}
	f, err := last(keyed, list())
	if err != nil {
		return nil, err
	}
	r.left, r.keysWanted = keyed.Count(f), keyed.Keys()
	r.crash, err = crashNaive(ctx, o, b, w)
	return r, err
}
