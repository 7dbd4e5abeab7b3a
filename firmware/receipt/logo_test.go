package receipt

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParseLogo(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	img.Set(0, 0, color.Black)
	img.Set(1, 0, color.White)
	img.Set(0, 1, color.NRGBA{A: 0x80}) // half clear black
	img.Set(1, 1, color.NRGBA{R: 0x80, G: 0x80, B: 0x80, A: 0xFF})
	logo, err := ParseLogo(pngOf(t, img))
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{0, 0xFF, 0xFF, 0x7F, 0x80, 0xFF}; logo.Width != 3 || !bytes.Equal(logo.Gray, want) || !logo.Keep {
		t.Errorf("%v, want %v", logo.Gray, want)
	}
	whole := pngOf(t, img)
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"no picture":     {[]byte("GIF89a"), "PNG"},
		"nothing":        {nil, "PNG"},
		"10 MB":          {make([]byte, 10<<20), "KiB"},
		"very wide":      {pngOf(t, image.NewGray(image.Rect(0, 0, 4097, 1))), "4097 × 1"},
		"very high":      {pngOf(t, image.NewGray(image.Rect(0, 0, 1, LogoHeightMax+1))), "384 wide"},
		"cut off":        {whole[:len(whole)-20], "again"},
		"20,000 by four": {pngOf(t, image.NewGray(image.Rect(0, 0, 20_000, 4))), "20000"},
	} {
		if _, err := ParseLogo(c.file); !errors.Is(err, ErrLogo) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseLogo(f *testing.F) {
	f.Add(pngOf(f, image.NewGray(image.Rect(0, 0, 8, 8))))
	f.Fuzz(func(t *testing.T, file []byte) {
		logo, err := ParseLogo(file)
		if err != nil {
			return
		}
		if logo.Width < 1 || len(logo.Gray)%logo.Width != 0 || len(logo.Gray)/logo.Width > LogoHeightMax {
			t.Fatalf("%d bytes, %d wide", len(logo.Gray), logo.Width)
		}
	})
}
