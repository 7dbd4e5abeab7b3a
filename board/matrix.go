package board

import (
	"fmt"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
)

// matrixSideMax bounds the rows and columns of a matrix of keys.
const matrixSideMax = 8

// Matrix is the lines of a keypad of contacts: rows that are pulled low or left
// alone, and columns with a pull-up. It has not run on hardware.
type Matrix struct {
	rows    []gpio.PinIO
	columns []gpio.PinIO
	pulled  uint8
}

// OpenMatrix takes the lines of a matrix by the kernel's names for them. The
// process may be confined after it.
func OpenMatrix(rows, columns []string) (*Matrix, error) {
	if _, err := driverreg.Init(); err != nil {
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	pins := make([]gpio.PinIO, 0, len(rows)+len(columns))
	for _, names := range [][]string{rows, columns} {
		for _, name := range names {
			pin := gpioreg.ByName(name)
			if pin == nil {
				return nil, fmt.Errorf("board: %.32q: %w", name, ErrNoLine)
			}
			pins = append(pins, pin)
		}
	}
	return NewMatrix(pins[:len(rows)], pins[len(rows):])
}

// NewMatrix is OpenMatrix for pins that are at hand.
func NewMatrix(rows, columns []gpio.PinIO) (*Matrix, error) {
	if len(rows) < 1 || len(rows) > matrixSideMax || len(columns) < 1 || len(columns) > matrixSideMax {
		return nil, fmt.Errorf("board: a matrix of %d × %d lines, at most %d × %[3]d", len(rows), len(columns), matrixSideMax)
	}
	m := &Matrix{rows: rows, columns: columns}
	for y := range rows {
		if err := m.release(y); err != nil {
			return nil, err
		}
	}
	for _, c := range columns {
		if err := c.In(gpio.PullUp, gpio.NoEdge); err != nil {
			return nil, fmt.Errorf("board: matrix column: %w", err)
		}
	}
	return m, nil
}

// Rows is how many rows there are.
func (m *Matrix) Rows() int { return len(m.rows) }

// Columns is how many columns there are.
func (m *Matrix) Columns() int { return len(m.columns) }

// Pull pulls the rows of the set low and makes inputs of the others. Those that
// are to float come first: no two rows may ever be at odds over one column.
func (m *Matrix) Pull(rows uint8) error {
	for y := range m.rows {
		if bit := uint8(1) << y; m.pulled&bit != 0 && rows&bit == 0 {
			if err := m.release(y); err != nil {
				return err
			}
			m.pulled &^= bit
		}
	}
	for y := range m.rows {
		if bit := uint8(1) << y; rows&bit != 0 && m.pulled&bit == 0 {
			if err := m.rows[y].Out(gpio.Low); err != nil {
				return fmt.Errorf("board: matrix row: %w", err)
			}
			m.pulled |= bit
		}
	}
	return nil
}

// release lets a row float; the pull-up brings its columns back in time.
func (m *Matrix) release(row int) error {
	if err := m.rows[row].In(gpio.PullUp, gpio.NoEdge); err != nil {
		return fmt.Errorf("board: matrix row: %w", err)
	}
	return nil
}

// Low is the set of columns that are low.
func (m *Matrix) Low() (set uint8, err error) {
	for x, c := range m.columns {
		if c.Read() == gpio.Low {
			set |= 1 << x
		}
	}
	return set, nil
}
