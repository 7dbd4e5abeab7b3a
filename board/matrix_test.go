package board_test

import (
	"fmt"
	"testing"

	"periph.io/x/conn/v3/gpio"

	"regi/board"
	"regi/drivers/keypad"
)

var _ keypad.Lines = (*board.Matrix)(nil)

// wired is a pin that writes down how it is driven; z is floating, with a pull-up.
type wired struct {
	gpio.PinIO
	name   string
	driven *string
	level  gpio.Level
}

func (w *wired) In(p gpio.Pull, e gpio.Edge) error {
	if p != gpio.PullUp || e != gpio.NoEdge {
		return fmt.Errorf("pull %v, edge %v", p, e)
	}
	*w.driven += w.name + "z "
	return nil
}

func (w *wired) Out(l gpio.Level) error {
	*w.driven += fmt.Sprintf("%s%v ", w.name, l)
	return nil
}

func (w *wired) Read() gpio.Level { return w.level }

// TestMatrixLines: rows are low or float, never high; one that was low floats
// before the next one is pulled.
func TestMatrixLines(t *testing.T) {
	log := ""
	rows, columns := make([]gpio.PinIO, 3), make([]gpio.PinIO, 2)
	for i := range rows {
		rows[i] = &wired{name: fmt.Sprintf("R%d", i), driven: &log}
	}
	for i := range columns {
		columns[i] = &wired{name: fmt.Sprintf("C%d", i), driven: &log, level: gpio.High}
	}
	m, err := board.NewMatrix(rows, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []uint8{7, 7, 1, 2, 4, 0} {
		if err := m.Pull(set); err != nil {
			t.Fatal(err)
		}
	}
	want := "R0z R1z R2z C0z C1z R0Low R1Low R2Low R1z R2z R0z R1Low R1z R2Low R2z "
	if log != want {
		t.Errorf("driven\n%s, want\n%s", log, want)
	}
	columns[1].(*wired).level = gpio.Low //nolint:forcetypeassert // made above
	if low, err := m.Low(); low != 2 || err != nil || m.Rows() != 3 || m.Columns() != 2 {
		t.Errorf("%b, %v", low, err)
	}
	for _, pins := range [][]gpio.PinIO{nil, make([]gpio.PinIO, 9)} {
		if _, err := board.NewMatrix(pins, columns); err == nil {
			t.Errorf("%d rows were taken", len(pins))
		}
	}
	if _, err := board.OpenMatrix([]string{"no such line"}, []string{"nor this"}); err == nil {
		t.Error("lines were found that are not there")
	}
}
