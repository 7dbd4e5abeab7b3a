package keypad

import (
	"fmt"
	"sync"
	"time"
)

// matrixSideMax bounds the rows and columns of a matrix.
const matrixSideMax = 8

// bounceEvery is how long a bouncing contact stays on one side.
const bounceEvery = 2 * time.Millisecond

// Matrix is a keypad of bare contacts between row and column wires, without
// diodes: what is pulled low spreads over every closed contact, so that three
// corners of a rectangle close its fourth. Its methods are safe from any
// goroutine.
type Matrix struct {
	rows, columns int
	bounce        time.Duration

	mu       sync.Mutex
	contacts [matrixSideMax][matrixSideMax]contact
	pulled   uint8 // rows that are low; the others float
}

// contact is one key's.
type contact struct {
	closed bool
	moved  time.Time
}

// NewMatrix returns a keypad with no key pressed, whose contacts bounce for a
// time after each change.
func NewMatrix(rows, columns int, bounce time.Duration) (*Matrix, error) {
	if rows < 1 || rows > matrixSideMax || columns < 1 || columns > matrixSideMax {
		return nil, fmt.Errorf("keypad: a matrix of %d × %d, at most %d × %[3]d", rows, columns, matrixSideMax)
	}
	return &Matrix{rows: rows, columns: columns, bounce: bounce}, nil
}

// Bounce changes for how long the contacts bounce.
func (m *Matrix) Bounce(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bounce = d
}

// Press closes the contact of a row and a column, Release opens it.
func (m *Matrix) Press(row, column int) { m.set(row, column, true) }

// Release see Press.
func (m *Matrix) Release(row, column int) { m.set(row, column, false) }

func (m *Matrix) set(row, column int, closed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := &m.contacts[row][column]; c.closed != closed {
		*c = contact{closed, time.Now()}
	}
}

// Rows is how many row wires there are.
func (m *Matrix) Rows() int { return m.rows }

// Columns is how many column wires there are.
func (m *Matrix) Columns() int { return m.columns }

// Pull pulls the rows of the set low and lets the others float.
func (m *Matrix) Pull(rows uint8) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pulled = rows
	return nil
}

// Low is the set of columns that are low now.
func (m *Matrix) Low() (uint8, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	rows, columns := m.pulled, uint8(0)
	for range m.rows + m.columns { // as far as it spreads
		for y := range m.rows {
			for x := range m.columns {
				if !m.touches(now, y, x) {
					continue
				}
				if rows&(1<<y) != 0 {
					columns |= 1 << x
				}
				if columns&(1<<x) != 0 {
					rows |= 1 << y
				}
			}
		}
	}
	return columns, nil
}

// touches says whether a contact conducts at a moment.
func (m *Matrix) touches(now time.Time, row, column int) bool {
	c := m.contacts[row][column]
	since := now.Sub(c.moved)
	if !c.moved.IsZero() && since < m.bounce && since/bounceEvery%2 == 1 {
		return !c.closed
	}
	return c.closed
}
