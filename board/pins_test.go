package board_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"

	"regi/board"
)

// line is a GPIO line with a switch on it. (gpiotest.Pin sets its own level
// when it is configured, and so is always open.)
type line struct {
	gpio.PinIn
	open  atomic.Bool
	edges chan struct{}
	pull  gpio.Pull
	edge  gpio.Edge
	fails error
	t     *testing.T
}

func newLine(t *testing.T) *line { return &line{edges: make(chan struct{}, 1), t: t} }

func (l *line) In(pull gpio.Pull, edge gpio.Edge) error {
	l.pull, l.edge = pull, edge
	return l.fails
}

func (l *line) Read() gpio.Level { return gpio.Level(l.open.Load()) }

func (l *line) WaitForEdge(d time.Duration) bool {
	if d <= 0 {
		l.t.Errorf("a wait of %v", d)
		return false
	}
	select {
	case <-l.edges:
		return true
	case <-time.After(d):
		return false
	}
}

func TestTamper(t *testing.T) {
	for name, c := range map[string]func(*line){
		"opened":          func(l *line) { time.Sleep(time.Hour); l.open.Store(true); l.edges <- struct{}{} },
		"opened and shut": func(l *line) { time.Sleep(time.Hour); l.edges <- struct{}{} },
		"edge missed":     func(l *line) { time.Sleep(time.Hour); l.open.Store(true) },
		"open at start":   func(l *line) { l.open.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t)
				w, err := board.NewTamper(l)
				if err != nil {
					t.Fatal(err)
				}
				if l.pull != gpio.PullUp || l.edge != gpio.BothEdges {
					t.Errorf("pull %v, edge %v", l.pull, l.edge)
				}
				began := time.Now()
				go c(l)
				if err := w.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); name != "open at start" && (took < time.Hour || took > time.Hour+time.Second) {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}

func TestTamperEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := board.NewTamper(newLine(t))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := w.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 11*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
	l := newLine(t)
	l.fails = errors.New("busy")
	if _, err := board.NewTamper(l); !errors.Is(err, l.fails) {
		t.Errorf("%v", err)
	}
	if _, err := board.OpenTamper("NO-SUCH-LINE"); err == nil {
		t.Error("a line from nowhere")
	}
}
