package order_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regi/sim/guest/order"
)

func disk(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(order.DiskBytes); err != nil {
		t.Fatal(err)
	}
	return f
}

func side(d order.Disk, asks bool) *order.Side {
	return &order.Side{Disk: d, Buffer: make([]byte, order.MessageMax), Asks: asks}
}

// Each message arrives once, in both directions, and not before it is whole.
func TestSides(t *testing.T) {
	t.Parallel()
	d := disk(t)
	here, there := side(d, true), side(d, false)
	var got order.Order
	if heard, err := there.Hear(&got); heard || err != nil {
		t.Fatalf("an empty disk says %v, %v", heard, err)
	}
	for i, do := range []string{order.Sockets, order.Run} {
		if err := here.Say(order.Order{Do: do, PID: i, Targets: make([]order.Target, 3000*i)}); err != nil {
			t.Fatal(err)
		}
		if heard, err := there.Hear(&got); !heard || err != nil || got.Do != do || got.PID != i || len(got.Targets) != 3000*i {
			t.Fatalf("heard %v, %v: %s of %d", heard, err, got.Do, got.PID)
		}
		if heard, _ := there.Hear(&got); heard {
			t.Error("heard twice")
		}
		var answer order.Answer
		if heard, _ := here.Hear(&answer); heard {
			t.Error("an answer before there is one")
		}
		if err := there.Say(order.Answer{Err: do}); err != nil {
			t.Fatal(err)
		}
		if heard, err := here.Hear(&answer); !heard || err != nil || answer.Err != do {
			t.Errorf("answer %v, %v: %q", heard, err, answer.Err)
		}
	}
	if err := here.Say(order.Order{Do: order.Run}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.WriteAt([]byte{0xFF}, 20); err != nil {
		t.Fatal(err)
	}
	if heard, err := there.Hear(&got); heard || err != nil {
		t.Errorf("half a message: %v, %v", heard, err)
	}
	if err := here.Say(order.Order{Do: strings.Repeat("x", order.MessageMax)}); err == nil {
		t.Error("said what is too long")
	}
}

// What the guest writes is not trusted.
func FuzzHear(f *testing.F) {
	d := disk(f)
	if err := side(d, false).Say(order.Answer{Err: "none"}); err != nil {
		f.Fatal(err)
	}
	head := make([]byte, 64)
	d.ReadAt(head, order.DiskBytes/2)
	f.Add(head)
	f.Add([]byte{1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > order.DiskBytes/2 {
			return
		}
		d := disk(t)
		d.WriteAt(b, order.DiskBytes/2)
		var a order.Answer
		if heard, err := side(d, true).Hear(&a); heard && err != nil {
			t.Error("heard, and failed")
		}
	})
}
