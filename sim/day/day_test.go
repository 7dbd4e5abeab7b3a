package day_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// number reads a setting of the environment.
func number(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestDay plays shop days with faults in between. The short form is the same
// day each time; other days are a campaign of their own (REGI_DAY_SEED).
func TestDay(t *testing.T) {
	t.Parallel()
	seed := number(t, "REGI_DAY_SEED", 1)
	sales := int(number(t, "REGI_DAY_SALES", 12))
	for i := range number(t, "REGI_DAYS", 1) {
		seed := seed + i
		t.Run(strconv.FormatInt(seed, 10), func(t *testing.T) {
			t.Logf("REGI_DAY_SEED=%d REGI_DAY_SALES=%d", seed, sales)
			play(t, seed, sales)
		})
	}
}

func play(t *testing.T, seed int64, sales int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	c := open(t, t.TempDir())
	w := newWeather(c, rand.New(rand.NewPCG(uint64(seed), 1)))
	p := &cashier{counter: c, random: random, weather: w, began: time.Now()}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d\n%s", seed, p.story())
			keep(t, c, p.story(), seed)
		}
	})
	for range sales {
		p.sale()
		p.between()
	}
	p.tell("closing time")
	w.clear()
	p.home()
	p.settle()
	p.judge()
	p.closeShop()
	p.settle()
	p.judge()
	t.Logf("%v, %s", time.Since(p.began).Round(time.Second), p.summary())
	if t.Failed() {
		keep(t, c, p.story(), seed)
	}
	p.leaveNoTrace()
}

// keep lays what is needed to understand a failure beside the test.
func keep(t *testing.T, c *counter, story string, seed int64) {
	dir := os.Getenv("REGI_DAY_KEEP")
	if dir == "" || c.Stopped() {
		return
	}
	base := fmt.Sprintf("%s/%d-", dir, seed)
	os.WriteFile(base+"log", []byte(c.Log.String()), 0o600)
	os.WriteFile(base+"story", []byte(story), 0o600)
	os.WriteFile(base+"paper", c.Get("/api/paper.txt"), 0o600)
	os.WriteFile(base+"ledger", c.Get("/api/ledger?from=0"), 0o600)
	os.WriteFile(base+"state", c.Get("/api/state"), 0o600)
	t.Logf("kept %s*", base)
}
