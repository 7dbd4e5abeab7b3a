package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"regi/drivers"
)

// LogoBytesMax bounds the file of a logo. One as wide as the paper and a third
// as high is under 100 KiB.
const LogoBytesMax = 1 << 20

// LogoHeightMax bounds what a logo takes of every receipt, in dots: 5 cm.
const LogoHeightMax = 400

// ErrLogo is a logo that cannot be printed; the message says what would be
// right.
var ErrLogo = errors.New("logo")

// ParseLogo reads a PNG image. What is transparent is white, as the paper is.
func ParseLogo(file []byte) (*drivers.Picture, error) {
	if len(file) > LogoBytesMax {
		return nil, fmt.Errorf("receipt: %w: the file is over %d KiB: save it smaller, black on white", ErrLogo, LogoBytesMax>>10)
	}
	c, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("receipt: %w: %w: it must be a PNG image", ErrLogo, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > drivers.PictureSideMax || c.Height > LogoHeightMax {
		return nil, fmt.Errorf("receipt: %w: %d × %d dots: at most %d × %d, 384 wide is well for most papers", ErrLogo, c.Width, c.Height, drivers.PictureSideMax, LogoHeightMax)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("receipt: %w: %w: save it again as PNG", ErrLogo, err)
	}
	return &drivers.Picture{Gray: onWhite(img), Width: c.Width, Align: drivers.Center, Keep: true}, nil
}

// onWhite is the image in greys, a byte a pixel.
func onWhite(img image.Image) []byte {
	b := img.Bounds()
	grey := make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := img.At(x, y)
			_, _, _, alpha := c.RGBA()
			// The colours are multiplied by alpha: what is clear is black there.
			light := uint32(color.Gray16Model.Convert(c).(color.Gray16).Y) + 0xFFFF - alpha
			grey = append(grey, byte(min(light, 0xFFFF)>>8))
		}
	}
	return grey
}
