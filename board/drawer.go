package board

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
)

// DrawerLines are the two GPIO lines of a cash drawer. The kick line is low from
// the moment it is taken. Between the start of the board and then it is what
// the chip's reset makes it, and after the end of the process what the chip's
// driver leaves: the board's table names lines that reset pulls down, and a
// resistor at the driver stage's input does the rest.
type DrawerLines struct {
	Kick  *KickLine
	Sense *SenseLine
}

// OpenDrawer takes the lines by the kernel's names for them. The process may be
// confined after it.
func OpenDrawer(kick, sense string) (*DrawerLines, error) {
	if _, err := driverreg.Init(); err != nil {
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	out, in := gpioreg.ByName(kick), gpioreg.ByName(sense)
	switch {
	case out == nil:
		return nil, fmt.Errorf("board: %.32q: %w", kick, ErrNoLine)
	case in == nil:
		return nil, fmt.Errorf("board: %.32q: %w", sense, ErrNoLine)
	}
	return NewDrawer(out, in)
}

// NewDrawer is OpenDrawer for pins that are at hand.
func NewDrawer(kick gpio.PinOut, sense gpio.PinIn) (*DrawerLines, error) {
	k := &KickLine{pin: kick}
	if err := k.Set(false); err != nil {
		return nil, err
	}
	// The switch closes to ground or to nothing; one that drives the line itself
	// overcomes the pull.
	if err := sense.In(gpio.PullUp, gpio.BothEdges); err != nil {
		return nil, fmt.Errorf("board: sense line: %w", err)
	}
	return &DrawerLines{Kick: k, Sense: &SenseLine{pin: sense}}, nil
}

// KickLine is the line of a drawer's coil. It cannot be read: periph's Read
// would make it an input with a pull-up, and its Func and String may read.
type KickLine struct{ pin gpio.PinOut }

// Set drives the line.
func (k *KickLine) Set(high bool) error {
	if err := k.pin.Out(gpio.Level(high)); err != nil {
		return fmt.Errorf("board: kick line: %w", err)
	}
	return nil
}

// SenseLine is the line of a drawer's switch.
type SenseLine struct{ pin gpio.PinIn }

// High is its level.
func (s *SenseLine) High() bool { return s.pin.Read() == gpio.High }

// WaitForEdge returns true at an edge, false after d, which is positive: zero
// is for ever on some of periph's drivers.
func (s *SenseLine) WaitForEdge(d time.Duration) bool { return d > 0 && s.pin.WaitForEdge(d) }
