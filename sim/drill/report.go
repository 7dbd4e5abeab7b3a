package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"regi/sim/drill/reach"
	"regi/sim/drill/scrape"
)

// report is what both attacks gave.
type report struct{ regi, naive *results }

// row is one line of the verdict.
type row struct {
	drill, what, found string
	ok                 bool
}

// Bars of the drill.
const (
	// naiveShare of the cards must be found on the naive reader while it works:
	// a scraper that finds less proves nothing.
	naiveShare = 0.9
	// sigmas and spare are how far over the decoys' rate chance may go: what is
	// found by chance is over its own mean half of the time.
	sigmas = 4
	spare  = 3
)

// rate is how many finds chance gives for as many numbers as were issued, and
// how much that varies: as the sets do, and as counts do at least.
func rate(c scrape.Count) (mean, sd float64) {
	mean = float64(c.DecoyFragments) / decoysEach
	for _, n := range c.Decoys {
		sd += (float64(n) - mean) * (float64(n) - mean) / (decoysEach - 1)
	}
	return mean, math.Sqrt(max(sd, mean))
}

// chance says whether finds of issued cards may be chance.
func chance(c scrape.Count) bool {
	mean, sd := rate(c)
	return float64(c.Fragments) <= mean+sigmas*sd+spare
}

// fragments says how finds of issued cards compare with those of the decoys.
func fragments(c scrape.Count) string {
	mean, sd := rate(c)
	return fmt.Sprintf("fragments %d (decoys %.1f ± %.1f, %d to %d)", c.Fragments, mean, sd, slices.Min(c.Decoys[:]), slices.Max(c.Decoys[:]))
}

// none says that nothing was found in an attack but what chance finds.
func none(c scrape.Count) bool {
	return c.Numbers == 0 && c.Framed == 0 && c.Keys == 0 && chance(c)
}

func (r *report) rows() []row {
	g, n := r.regi, r.naive
	total := 0
	for _, passes := range g.passes {
		total += passes
	}
	rows := []row{
		{"D1", "RAM scraped after the swipes", fmt.Sprintf("%d numbers, %d framings, %d of %d used keys, %s",
			g.left.Numbers, g.left.Framed, g.left.Keys, g.keysWanted, fragments(g.left)), none(g.left)},
		{
			"D1", "  the drill has the keys that were used", fmt.Sprintf("opened %d of %d reads with them", g.keys.opened, g.keys.reads),
			g.keys.reads > 0 && g.keys.opened == g.keys.reads,
		},
		{"D2", "RAM scraped while cards are swiped", fmt.Sprintf("%d numbers, %d framings, %s",
			g.live.Numbers, g.live.Framed, fragments(g.live)), none(g.live)},
		{
			"D2", "  every process, stopped each pass", fmt.Sprintf("%d passes, %d of them in mid-swipe", total, g.mid),
			total >= g.swipes && g.mid > 0 && g.passesOverAll(),
		},
		{"D2", "  arena refused to root", fmt.Sprintf("%d pages, %d others read", g.refused, g.pages), g.refused > 0 && g.pages > 0},
	}
	rows = append(rows, g.lookRows()...)
	rows = append(rows, g.crashRows()...)
	return append(rows, row{"ctl", "the same scraper on a naive reader", fmt.Sprintf("%d of %d numbers live, %d left, %d used keys",
		n.live.Numbers, n.swipes, n.left.Numbers, n.left.Keys), n.finds()})
}

func (r *results) passesOverAll() bool {
	return !slices.ContainsFunc(processNames, func(name string) bool { return r.passes[name] == 0 })
}

func (r *results) dumpedAll() bool {
	return !slices.ContainsFunc(processNames, func(name string) bool { return r.dumps(name) && !slices.Contains(r.crash.dumped, name) })
}

// finds says that the attack gets what is there.
func (r *results) finds() bool {
	return float64(r.live.Numbers) >= naiveShare*float64(r.swipes) && r.left.Numbers > 0 && r.left.Keys > 0 && r.live.Framed > 0 &&
		(len(r.crash.dumped) == 0 || r.crash.inDumps.Numbers > 0) && (r.crash.elsewhere || r.crash.cores > 0 && r.crash.inCores.Numbers > 0)
}

// lookRows are D3.
func (r *results) lookRows() (rows []row) {
	for i, o := range r.others {
		what := fmt.Sprintf("%s, looked at as user %d", o.role, o.uid)
		if i > 0 && r.others[i-1].role == o.role && slices.Equal(r.others[i-1].attempts, o.attempts) {
			last := &rows[len(rows)-1]
			last.what += fmt.Sprintf(", %d", o.uid)
			continue
		}
		rows = append(rows, row{"D3", what, list(o.attempts), o.refused()})
	}
	for _, d := range r.domains {
		rows = append(rows, d.row())
	}
	return rows
}

func (d domain) row() row {
	found := fmt.Sprintf("%s (%d threads)", list(d.Attempts), d.Threads)
	if d.Err != "" {
		found = d.Err
	}
	return row{"D3", reading + ", looked at by " + d.Role + "'s own threads", found, d.refused()}
}

func list(attempts []reach.Attempt) string {
	var s []string
	for i, a := range attempts {
		// The same answer again needs no second word.
		if i > 0 && attempts[i-1].Errno == a.Errno {
			last, code, _ := strings.Cut(s[len(s)-1], " ")
			s[len(s)-1] = last + "," + a.Name + " " + code
			continue
		}
		s = append(s, a.String())
	}
	return strings.Join(s, "; ")
}

// crashRows are D4.
func (r *results) crashRows() []row {
	c := r.crash
	cores := fmt.Sprintf("%d core files after %d signals", c.cores, c.signals)
	if c.elsewhere {
		cores = fmt.Sprintf("%d signals; this kernel takes core files elsewhere, so only the limits were looked at", c.signals)
	}
	limited := !slices.Contains(c.limits, reading)
	if !limited {
		cores += ", its core limit is not 0"
	}
	others := fmt.Sprintf("%d core files: %d numbers, %s", c.otherCores, c.inOthers.Numbers, fragments(c.inOthers))
	if len(c.limits) > 0 {
		others += "; core limit is not 0: " + strings.Join(c.limits, ", ")
	}
	dumps := fmt.Sprintf("%s (%s in mid-swipe: %v): %d numbers, %s", strings.Join(c.dumped, ", "), reading, c.frozen,
		c.inDumps.Numbers, fragments(c.inDumps))
	if c.noGcore {
		dumps = "not on this machine: nothing shown"
	}
	w := r.written
	return []row{
		{"D4", "SIGSEGV, SIGQUIT, SIGABRT in mid-swipe", cores, c.cores == 0 && c.signals == r.crashes() && limited},
		{"D4", "SIGABRT to the register and the uplink", others, none(c.inOthers)},
		{"D4", "dumped by gcore as root", dumps, c.noGcore || none(c.inDumps) && c.frozen && r.dumpedAll()},
		{"D4", "swap", fmt.Sprintf("%d kB", c.swapped), c.swapped == 0},
		{
			"D4", "state, journal, log, cloud's store, paper, displays, console",
			fmt.Sprintf("%d files, %d records: %d numbers, %d framings, %s",
				w.files, w.records, w.found.Numbers, w.found.Framed, fragments(w.found)),
			none(w.found) && w.files > 0 && w.records > r.swipes,
		},
	}
}

// passed says that every drill was.
func (r *report) passed() bool {
	for _, row := range r.rows() {
		if !row.ok {
			return false
		}
	}
	return true
}

// legend stands between the tables.
const legend = `
The register's swipes: %s.
Used keys: initial keys, derivation, data and MAC keys, first blocks of keystream, each also as a key schedule.
Fragments: any eight digits in a row of an issued number, as ASCII, UTF-16 or packed BCD. Decoys: what chance
finds of numbers that nobody swiped, with the same first six and last four digits, in %d sets as large as the cards';
mean ± deviation, and the range of the sets.
Numbers of other things that look like a card's (13 to 19 digits, good check digit): %d.
Not searched: the drill itself, which swipes the cards; the hsm, which opens them (numbers in it now: %d); a card
in flight in the kernel's tty buffer, which no process of the register holds and only an encrypting reader head avoids.

`

// print writes the tables. The terminal may be gone: nothing hangs on it.
func (r *report) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nscraped by root\tregi\tnaive reader\n") //nolint:errcheck // see above
	g, n := r.regi, r.naive
	line := func(what string, a, b any) { fmt.Fprintf(t, "%s\t%v\t%v\n", what, a, b) } //nolint:errcheck // see above
	line("swipes", g.swipes, n.swipes)
	line("seconds", fmt.Sprintf("%.0f", g.seconds), fmt.Sprintf("%.0f", n.seconds))
	for _, name := range slices.Sorted(maps.Keys(g.passes)) {
		line("passes over "+name, g.passes[name], n.passes[name])
	}
	line("  in mid-swipe", g.mid, n.mid)
	line("PANs live", g.live.Numbers, n.live.Numbers)
	line("PANs left", g.left.Numbers, n.left.Numbers)
	line("track framings live", g.live.Framed, n.live.Framed)
	line("used keys left", fmt.Sprintf("%d of %d", g.left.Keys, g.keysWanted), fmt.Sprintf("%d of %d", n.left.Keys, n.keysWanted))
	both := func(a, b any) string { return fmt.Sprintf("%v / %v", a, b) }
	line("live", fragments(g.live), fragments(n.live))
	line("left", fragments(g.left), fragments(n.left))
	line("processes dumped, PANs in the dumps", both(len(g.crash.dumped), g.crash.inDumps.Numbers), both(len(n.crash.dumped), n.crash.inDumps.Numbers))
	line("core files, PANs in them", both(g.crash.cores, g.crash.inCores.Numbers), both(n.crash.cores, n.crash.inCores.Numbers))
	t.Flush()                                                                   //nolint:errcheck,gosec // see above
	fmt.Fprintf(out, legend, g.mix, decoysEach, g.live.Patterns, g.hsm.Numbers) //nolint:errcheck // see above
	for _, row := range r.rows() {
		word := "FAIL"
		if row.ok {
			word = "pass"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", row.drill, word, row.what, row.found) //nolint:errcheck // see above
	}
	t.Flush() //nolint:errcheck,gosec // see above
}
