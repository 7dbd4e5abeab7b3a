package day_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// scene is a counter with a cashier and no faults but those of the test.
func scene(t *testing.T) *cashier {
	t.Helper()
	t.Parallel()
	c := open(t, t.TempDir())
	random := rand.New(rand.NewPCG(1, 1))
	p := &cashier{counter: c, random: random, weather: newWeather(c, random), began: time.Now()}
	t.Cleanup(func() {
		if t.Failed() {
			keep(t, c, p.story(), 0)
			t.Log(p.story())
		}
	})
	return p
}

// sell rings up one article.
func (p *cashier) sell() {
	p.scan(labels[0])
	p.Await("a line", func() bool { return p.state().Till == "SALE" })
	p.keys("CASH")
	p.Await("an idle till", func() bool { return p.state().Till == "IDLE" })
}

func (p *cashier) drawer(state string) { p.touch("/api/drawer", map[string]string{"state": state}) }

func (p *cashier) kind(kind string) (n int) {
	for _, e := range p.Ledger(0) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// A line that is lost under a job must not lose the job: it ends in the books.
func TestPrinterLostInMidReceipt(t *testing.T) {
	p := scene(t)
	set("/api/printer", "paper", "out@9")(p.weather)
	p.sell()
	p.Await("a pause", func() bool { return p.count("paper out") > 0 })
	set("/api/printer", "power", "off")(p.weather)
	time.Sleep(900 * time.Millisecond)
	set("/api/device", "name", "printer", "action", "unplug")(p.weather)
	p.Await("the loss", func() bool { return p.count("printer: unplugged") > 0 })
	set("/api/printer", "power", "on", "paper", "ok")(p.weather)
	set("/api/device", "name", "printer", "action", "plug")(p.weather)
	p.sell()
	p.settle()
	p.judge()
}

// What the drawer does while nobody can see it is in the books afterwards.
func TestDrawerShutWhileThePrinterWasAway(t *testing.T) {
	p := scene(t)
	p.keys("NOSALE")
	p.Await("the opening", func() bool { return p.kind("drawer.opened") == 1 })
	set("/api/device", "name", "printer", "action", "unplug")(p.weather)
	p.Await("the loss", func() bool { return p.count("printer: unplugged") > 0 })
	p.drawer("closed")
	set("/api/device", "name", "printer", "action", "plug")(p.weather)
	p.Await("the closing", func() bool { return p.kind("drawer.closed") == 1 })
	p.did("forced")
	p.drawer("open")
	p.Await("the alarm", func() bool { return p.kind("drawer.forced") == 1 })
	p.settle()
	p.judge()
}

// A second kick that comes to nothing does not make the first one's opening a
// break-in.
func TestTwoKicksOfASlowDrawer(t *testing.T) {
	p := scene(t)
	p.drawer("jammed")
	pulses := p.state().Drawer.Pulses
	p.keys("NOSALE", "NOSALE")
	p.Await("the second try", func() bool { return p.state().Drawer.Pulses >= pulses+2 })
	p.Await("the end of the second kick", func() bool { return p.count("drawer busy") > 0 })
	p.drawer("open") // with the key
	p.Await("the end of both", func() bool { return p.kind("drawer.opened")+p.kind("drawer.forced") > 0 })
	p.settle()
	if n := p.kind("drawer.forced"); n != 0 {
		t.Errorf("%d break-ins", n)
	}
	p.judge()
}

// A kick whose line was lost is answered once the switch can be read again.
func TestKickLostWithItsLine(t *testing.T) {
	p := scene(t)
	p.drawer("jammed")
	pulses := p.state().Drawer.Pulses
	p.keys("NOSALE")
	p.Await("the kick", func() bool { return p.state().Drawer.Pulses > pulses })
	set("/api/device", "name", "printer", "action", "unplug")(p.weather)
	p.drawer("closed")
	p.Await("the loss", func() bool { return p.count("printer: unplugged") > 0 })
	set("/api/device", "name", "printer", "action", "plug")(p.weather)
	p.Await("the printer", func() bool { return p.state().Devices["printer"] == "up" })
	p.Await("the end of the kick", func() bool { return p.count(`"code":"D05"`) > 0 })
	p.did("forced")
	p.drawer("open")
	p.Await("the alarm", func() bool { return p.kind("drawer.forced") == 1 })
	p.settle()
	p.judge()
}

// A printer that is switched off is away once, however often its port opens.
func TestPrinterOffWhenItsPortOpens(t *testing.T) {
	p := scene(t)
	set("/api/device", "name", "printer", "action", "unplug")(p.weather)
	p.Await("the loss", func() bool { return p.count("printer: unplugged") > 0 })
	set("/api/printer", "power", "off")(p.weather)
	set("/api/device", "name", "printer", "action", "plug")(p.weather)
	time.Sleep(7 * time.Second) // several times the longest pause between two attempts
	if s := p.state(); s.Devices["printer"] == "up" {
		t.Error("a printer that is off is up")
	}
	set("/api/printer", "power", "on")(p.weather)
	p.settle()
	if up, down := p.kind("device.up"), p.kind("device.down"); up > 1 || down > 3 {
		t.Errorf("the printer came %d times and went %d times", up, down)
	}
	p.judge()
}
