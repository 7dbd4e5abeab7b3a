package board

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	_ "periph.io/x/host/v3/gpioioctl" // the kernel's GPIO character device, on every board
)

// edgeWait is how long one wait for an edge lasts. It is positive: in periph a
// negative one is over at once on some drivers and never on others, and none
// of them ends with a context.
const edgeWait = 500 * time.Millisecond

// ErrNoLine says that the board has no such GPIO line.
var ErrNoLine = errors.New("no such GPIO line")

// Tamper is a switch that is closed to ground while the case is shut.
type Tamper struct{ pin gpio.PinIn }

// OpenTamper takes the line of a tamper switch by the kernel's name for it. The
// process may be confined after it.
func OpenTamper(name string) (*Tamper, error) {
	if _, err := driverreg.Init(); err != nil {
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	pin := gpioreg.ByName(name)
	if pin == nil {
		return nil, fmt.Errorf("board: %s: %w", name, ErrNoLine)
	}
	return NewTamper(pin)
}

// NewTamper is OpenTamper for a pin that is at hand.
func NewTamper(pin gpio.PinIn) (*Tamper, error) {
	if err := pin.In(gpio.PullUp, gpio.BothEdges); err != nil {
		return nil, fmt.Errorf("board: tamper line: %w", err)
	}
	return &Tamper{pin: pin}, nil
}

// Wait returns nil once the case is open: at once if it is already, since it
// may have been opened without power, and at any edge, however short. It
// returns the context's error when that ends first.
func (t *Tamper) Wait(ctx context.Context) error {
	for t.pin.Read() == gpio.Low {
		if t.pin.WaitForEdge(edgeWait) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("board: tamper line: %w", err)
		}
	}
	return nil
}
