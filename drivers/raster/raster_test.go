package raster_test

import (
	"bytes"
	"errors"
	"testing"

	"regi/drivers"
	"regi/drivers/barcode"
	"regi/drivers/raster"
)

// TestPicture: what is black and white stays so, and stands where it should.
func TestPicture(t *testing.T) {
	t.Parallel()
	gray := bytes.Repeat([]byte{255}, 8*30)
	gray[0], gray[8*29+7] = 0, 0
	d, err := raster.Picture(drivers.Picture{Gray: gray, Width: 8}, 576)
	if err != nil || d.Stride != 1 || d.Height != 30 || d.Bits[0] != 0x80 || d.Bits[29] != 0x01 || bytes.Count(d.Bits, []byte{0}) != 28 {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = raster.Picture(drivers.Picture{Gray: make([]byte, 2000*100), Width: 2000}, 576)
	if err != nil || d.Width != 576 || d.Height != 29 || !d.Black(575, 28) {
		t.Errorf("%d × %d, %v", d.Width, d.Height, err)
	}
}

// TestCode: a code is as high and wide as was asked for, or fits, or is refused.
func TestCode(t *testing.T) {
	t.Parallel()
	paper := raster.Paper{Dots: 384, DPI: 203}
	for _, test := range []struct {
		b             drivers.Barcode
		width, height int
		want          error
	}{
		{drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894"}, 3 * 95, 79, nil},
		{drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894", Module: 2, Height: 20}, 2 * 95, 159, nil},
		{drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894", Module: 4}, 0, 0, drivers.ErrTooLong},
		{drivers.Barcode{Symbology: drivers.QRCode, Data: "REGI", Module: 4}, 4 * 29, 4 * 29, nil},
		{drivers.Barcode{Symbology: drivers.QRCode, Data: "REGI", Module: 17}, 0, 0, drivers.ErrUnsupported},
		{drivers.Barcode{Symbology: drivers.DataBar, Data: "0490123456789"}, 0, 0, drivers.ErrUnsupported},
	} {
		code, err := barcode.New(test.b.Symbology, test.b.Data)
		if err != nil {
			t.Fatal(err)
		}
		d, err := paper.Code(test.b, code)
		if !errors.Is(err, test.want) || d.Width != test.width || d.Height != test.height {
			t.Errorf("%+v: %d × %d, %v", test.b, d.Width, d.Height, err)
		}
	}
}

// FuzzPicture: no picture is larger than the paper, or than its limit.
func FuzzPicture(f *testing.F) {
	f.Add([]byte{0, 255, 128, 64}, 2, uint16(1))
	f.Fuzz(func(t *testing.T, gray []byte, width int, across uint16) {
		d, err := raster.Picture(drivers.Picture{Gray: gray, Width: width}, max(1, int(across)))
		if err == nil && (d.Width > max(1, int(across)) || len(d.Bits) > drivers.PictureBytesMax || len(d.Bits) != d.Stride*d.Height) {
			t.Errorf("%d × %d, %d bytes", d.Width, d.Height, len(d.Bits))
		}
	})
}
