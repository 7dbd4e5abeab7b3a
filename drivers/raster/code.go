package raster

import (
	"fmt"

	"regi/drivers"
	"regi/drivers/barcode"
)

// Paper is what a code must fit on: Dots across, DPI both ways.
type Paper struct{ Dots, DPI int }

// Sizes of codes.
const (
	ModuleMax     = 6  // dots of the narrowest part of a linear code
	SquareMax     = 16 // and of a matrix code
	QuietSquare   = 4  // modules that stay white around a matrix code
	HeightMax     = 255
	heightDefault = 10 // mm
	squareMin     = 3
	// squareShare is the part of the paper's width, in %, that a matrix code
	// takes if it may choose.
	squareShare = 45
	quietLinear = 20 // modules, both sides together
)

// Linear is the width of the narrowest part of a code of so many modules, in
// dots: the wish, or the widest of 3, 2 and 1 that fits.
func (p Paper) Linear(b drivers.Barcode, modules int) (int, error) {
	fits := func(module int) bool { return (modules+quietLinear)*module <= p.Dots }
	if b.Module > 0 {
		if b.Module > ModuleMax || !fits(b.Module) {
			return 0, fmt.Errorf("a bar code of %d modules of %d dots does not fit: %w", modules, b.Module, drivers.ErrTooLong)
		}
		return b.Module, nil
	}
	for _, module := range []int{3, 2, 1} {
		if fits(module) {
			return module, nil
		}
	}
	return 0, fmt.Errorf("a bar code of %d modules does not fit: %w", modules, drivers.ErrTooLong)
}

// Height is that of a linear code, in dots.
func (p Paper) Height(b drivers.Barcode) int {
	const tenthsOfInch = 254
	mm := b.Height
	if mm == 0 {
		mm = heightDefault
	}
	return min(HeightMax, min(mm, HeightMax)*10*p.DPI/tenthsOfInch)
}

// Square is the size of a module of a matrix code with so many in a row.
func (p Paper) Square(b drivers.Barcode, size int) (int, error) {
	if b.Module > SquareMax {
		return 0, fmt.Errorf("modules of %d dots, at most %d: %w", b.Module, SquareMax, drivers.ErrUnsupported)
	}
	fits := func(module int) bool { return (size+2*QuietSquare)*module <= p.Dots }
	module := b.Module
	if module == 0 {
		module = min(squareMin*2, max(squareMin, p.Dots*squareShare/100/size))
		for module > 1 && !fits(module) {
			module--
		}
	}
	if !fits(module) {
		return 0, fmt.Errorf("a code of %d modules does not fit: %w", size, drivers.ErrTooLong)
	}
	return module, nil
}

// Code draws a code. Its error wraps drivers.ErrUnsupported for those that are
// not drawn (DataBar, PDF417), or drivers.ErrTooLong.
func (p Paper) Code(b drivers.Barcode, code barcode.Code) (Dots, error) {
	if bars, ok := code.Modules(); ok {
		module, err := p.Linear(b, len(bars))
		if err != nil {
			return Dots{}, err
		}
		return linear(bars, module, p.Height(b)), nil
	}
	m, err := code.Matrix()
	if err != nil {
		return Dots{}, err
	}
	module, err := p.Square(b, m.Size)
	if err != nil {
		return Dots{}, err
	}
	return matrix(m, module), nil
}

func linear(bars []bool, module, height int) Dots {
	d := newDots(len(bars)*module, height)
	for i, black := range bars {
		for x := i * module; black && x < (i+1)*module; x++ {
			for y := range height {
				d.set(x, y)
			}
		}
	}
	return d
}

// matrix is the modules in their quiet zone.
func matrix(m barcode.Matrix, module int) Dots {
	side := (m.Size + 2*QuietSquare) * module
	d := newDots(side, side)
	for y := range m.Size * module {
		for x := range m.Size * module {
			if m.Black(x/module, y/module) {
				d.set(x+QuietSquare*module, y+QuietSquare*module)
			}
		}
	}
	return d
}
