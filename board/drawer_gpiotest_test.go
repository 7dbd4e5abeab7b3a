package board_test

import (
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"regi/board"
)

// A drawer on periph's own test pins: the kick line is low from the moment it
// is taken, and its switch is an input with a pull-up whose edges are heard.
func TestDrawerOnGpiotest(t *testing.T) {
	kick := &gpiotest.Pin{N: "GPIO17", L: gpio.High} // as a crash left it
	sense := &gpiotest.Pin{N: "GPIO27", EdgesChan: make(chan gpio.Level, 1)}
	lines, err := board.NewDrawer(kick, sense)
	if err != nil {
		t.Fatal(err)
	}
	if kick.L != gpio.Low {
		t.Error("the coil is on")
	}
	for _, high := range []bool{true, false} {
		if err := lines.Kick.Set(high); err != nil || kick.L != gpio.Level(high) {
			t.Errorf("set %v: %v, %v", high, kick.L, err)
		}
	}
	if sense.P != gpio.PullUp || !lines.Sense.High() {
		t.Errorf("the switch: pull %v, high %v", sense.P, lines.Sense.High())
	}
	if lines.Sense.WaitForEdge(time.Millisecond) || lines.Sense.WaitForEdge(0) {
		t.Error("an edge that was none")
	}
	sense.EdgesChan <- gpio.Low
	if !lines.Sense.WaitForEdge(time.Second) || lines.Sense.High() {
		t.Error("the edge was not heard")
	}
}
