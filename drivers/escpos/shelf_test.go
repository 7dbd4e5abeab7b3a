package escpos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"regi/drivers"
	"regi/drivers/raster"
	"regi/sim/device/printer" //nolint:depguard // tests may cross: another reading of ESC/POS is the judge
)

// desk is a simulated printer at the other end of a line.
type desk struct {
	line net.Conn
	sim  *printer.Printer
	sent int
}

func newDesk(t *testing.T, model string) *desk {
	t.Helper()
	near, far := net.Pipe()
	d := &desk{line: near, sim: printer.New(far, printer.Options{Model: simModel(t, model)})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		near.Close()
		<-ended
	})
	return d
}

func (d *desk) send(_ context.Context, b []byte) error {
	d.sent += len(b)
	_, err := d.line.Write(b)
	return err
}

func (d *desk) ask(ctx context.Context, command, beginning string) (string, error) {
	if err := d.send(ctx, []byte(command)); err != nil {
		return "", err
	}
	if err := d.line.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return "", err
	}
	var said []byte // also the answers to a document's fences
	for b := make([]byte, 64); ; {
		if _, block, begun := strings.Cut(string(said), beginning); begun {
			if block, _, ended := strings.Cut(block, "\x00"); ended {
				return beginning + block, nil
			}
		}
		n, err := d.line.Read(b)
		if err != nil {
			return "", fmt.Errorf("%w: %w", drivers.ErrTimeout, err)
		}
		said = append(said, b[:n]...)
	}
}

// TestShelfOnce: a logo costs its bytes once for each printer, whatever becomes
// of the register.
func TestShelfOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "tm-t88v")
	m, _ := modelByName("tm-t88v")
	doc := drivers.Document{Items: []drivers.Item{gradient(384, 128), drivers.TextLine{Text: "a"}}}
	const bytesOfLogo = 384 / 8 * 128
	var s shelf
	for i := range 4 {
		if i == 2 {
			s = shelf{} // the register restarts
		}
		d.sent = 0
		out, err := encode(m, doc, 1)
		if err != nil || len(out.Bytes) > 100 {
			t.Fatalf("%d bytes, %v", len(out.Bytes), err)
		}
		if kept, err := s.keep(t.Context(), out.logos, d.ask, d.send); err != nil || !kept {
			t.Fatalf("%v, %v", kept, err)
		}
		if stored := d.sent > bytesOfLogo; stored != (i == 0) {
			t.Errorf("print %d sent %d bytes before the document", i, d.sent)
		}
		if err := d.send(t.Context(), out.Bytes); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ask(t.Context(), printFence+"done", processHead+"done"); err != nil {
			t.Fatal(err)
		}
	}
	img := picture(t, d.sim, "logos")
	once := picture(t, onPaper(t, "tm-t88v", doc), "logo")
	if got, want := ink(img, img.Bounds()), 4*ink(once, once.Bounds()); got != want {
		t.Errorf("%d dots, want %d", got, want)
	}
}

// TestShelfWithout: a printer that does not list the logo does not keep it.
func TestShelfWithout(t *testing.T) {
	t.Parallel()
	d, err := raster.Picture(gradient(384, 128), 384)
	if err != nil {
		t.Fatal(err)
	}
	logos := []logo{newLogo(d)}
	send := func(context.Context, []byte) error { return nil }
	for name, test := range map[string]struct {
		said string
		err  error
	}{
		"no answer": {"", drivers.ErrTimeout}, "no room": {logosHead + "\x40", nil}, "nonsense": {logosHead, nil},
	} {
		var s shelf
		kept, err := s.keep(t.Context(), logos, func(context.Context, string, string) (string, error) { return test.said, test.err }, send)
		if kept || !errors.Is(err, test.err) {
			t.Errorf("%s: %v, %v", name, kept, err)
		}
	}
}

// TestLogoKeys: other pictures have other keys, and lists of several blocks are
// read to their end.
func TestLogoKeys(t *testing.T) {
	t.Parallel()
	seen := map[logoKey]bool{}
	for width := range 60 {
		d, err := raster.Picture(gradient(width+8, 40), 384)
		if err != nil {
			t.Fatal(err)
		}
		key := newLogo(d).key
		if key != newLogo(d).key || key[0] < 32 || key[0] > 126 || key[1] < 32 || key[1] > 126 {
			t.Errorf("% x", key)
		}
		seen[key] = true
	}
	if len(seen) < 58 {
		t.Errorf("%d keys for 60 pictures", len(seen))
	}
	said := []string{"\x41abcd", "\x41ef", "\x40gh"}
	var sent []string
	keys, err := listLogos(t.Context(), func(_ context.Context, command, _ string) (string, error) {
		sent = append(sent, command)
		block := said[len(sent)-1]
		return logosHead + block, nil
	})
	if err != nil || len(keys) != 4 || !keys[logoKey{'g', 'h'}] || strings.Join(sent, "|") != askLogos+"|\x06|\x06" {
		t.Errorf("%v, %v, %q", keys, err, sent)
	}
}

// FuzzLogos: whatever the printer lists, the driver comes to an end.
func FuzzLogos(f *testing.F) {
	f.Add("\x41abcd\x00\x40gh")
	f.Fuzz(func(t *testing.T, said string) {
		blocks := strings.Split(said, "\x00")
		n := 0
		keys, err := listLogos(t.Context(), func(context.Context, string, string) (string, error) {
			n++
			return logosHead + blocks[n%len(blocks)], nil
		})
		if err != nil || n > logoBlocksMax || len(keys) > logoBlocksMax*len(said) {
			t.Errorf("%d questions, %d keys, %v", n, len(keys), err)
		}
	})
}
