package register

import (
	"strings"
	"testing"

	"regi/firmware/journal"
	"regi/firmware/till"
)

// TestFullJournal sells without a cloud until nothing fits any more. The last
// sale is whole, no new one begins, the register starts again as often as it
// must, and goes on selling once the cloud has signed.
func TestFullJournal(t *testing.T) {
	s := newShop(t)
	s.journal = journal.Options{SegmentSlots: 256, BytesMax: 3 << 20}
	r := s.open(t)
	do := func(es ...till.Event) {
		t.Helper()
		for _, e := range es {
			if err := r.handle(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	full := func() bool { return strings.Contains(r.screen.now().Upper, "N03") }
	do(keys("1", "OPEN")...)
	for range 1000 {
		do(s.scan("4901234567894"))
		if full() {
			break
		}
		do(till.Key{Name: "CASH"}, till.DrawerOpened{}, till.DrawerClosed{}, till.Printed{Job: r.till.State().Counters.Job})
		for len(r.jobs) > 0 {
			<-r.jobs
		}
	}
	sold := r.till.State().Counters.Receipt
	if !full() || sold < 50 || r.till.State().Phase() != till.Idle {
		t.Fatalf("%d sales, then %+v in %s", sold, r.screen.now(), r.till.State().Phase())
	}
	if took, err := r.take(t.Context(), s.scan("4901234567894")); took || err != nil {
		t.Errorf("a scan that nothing can be sold by was taken: %v", err)
	}
	for range 300 { // each start takes a little of what was kept in reserve
		if err := r.ledger.close(); err != nil {
			t.Fatal(err)
		}
		r = s.open(t)
		do(s.scan("4901234567894"))
		if !full() || r.till.State().Counters.Receipt != sold {
			t.Fatalf("after a restart: %+v", r.screen.now())
		}
	}
	if err := r.ledger.journal.Trim(r.ledger.journal.Head()); err != nil {
		t.Fatal(err)
	}
	do(s.scan("4901234567894"), till.Key{Name: "CASH"})
	if r.till.State().Counters.Receipt != sold+1 {
		t.Errorf("the cloud has signed, but: %+v", r.screen.now())
	}
	if err := r.ledger.close(); err != nil {
		t.Fatal(err)
	}
}
