package board

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/drivers/msr/ttl"
)

func TestParseHead(t *testing.T) {
	for text, want := range map[string]int{
		"cls=GPIO22 rdt2=GPIO23 rcl2=GPIO24":              3,
		"rdt2=GPIO23":                                     1,
		"rdt1=a rdt2=b rdt3=c":                            3,
		"cls=x rdt1=a rcl1=b rdt2=c rcl2=d rdt3=e rcl3=f": 7,
		"":                     0,
		"cls=GPIO22":           0,
		"rcl2=GPIO24":          0,
		"rdt1=a rdt2=b rcl2=c": 0,
		"rdt2=a rdt2=b":        0,
		"rdt2=a cls=a":         0,
		"rdt4=a":               0,
		"rdt2=":                0,
		"rdt2":                 0,
		"/dev/ttyUSB0":         0,
		"cls=GPIO22 rdt2=GPIO23 rcl2=GPIO24 rcl1=GPIO25 rdt3=x1": 0,
	} {
		lines, err := ParseHead(text)
		if len(lines) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, lines, err)
		}
	}
}

func TestNoSuchLines(t *testing.T) {
	if _, err := OpenHead("rdt2=no-board-has-this-line"); !errors.Is(err, ErrNoLine) {
		t.Error(err)
	}
}

// The structures have the sizes that the numbers of the calls say.
func TestStructures(t *testing.T) {
	for request, size := range map[uint32]uintptr{
		getChipInfo:                     unsafe.Sizeof(unix.GPIOChipInfo{}),
		unix.GPIO_V2_GET_LINE_IOCTL:     unsafe.Sizeof(unix.GPIOV2LineRequest{}),
		unix.GPIO_V2_GET_LINEINFO_IOCTL: unsafe.Sizeof(unix.GPIOV2LineInfo{}),
	} {
		if want := uintptr(request >> 16 & 0x3FFF); size != want {
			t.Errorf("%X: %d bytes, want %d", request, size, want)
		}
	}
	if unsafe.Sizeof(unix.GPIOV2LineEvent{}) != eventBytes {
		t.Error("event")
	}
}

// events plays the kernel's end of a head's descriptor.
func events(t *testing.T) (*Head, *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_DIRECT); err != nil {
		t.Fatal(err)
	}
	h := newHead(os.NewFile(uintptr(fds[0]), "head"), map[uint32]ttl.Line{4: ttl.CardPresent, 17: ttl.Data2, 27: ttl.Strobe2})
	kernel := os.NewFile(uintptr(fds[1]), "kernel")
	t.Cleanup(func() { kernel.Close(); h.Close() }) //nolint:errcheck,gosec // the test is over
	return h, kernel
}

func event(at time.Duration, id, offset uint32) []byte {
	b := make([]byte, eventBytes)
	binary.NativeEndian.PutUint64(b, uint64(at)) //nolint:gosec // positive
	binary.NativeEndian.PutUint32(b[8:], id)
	binary.NativeEndian.PutUint32(b[12:], offset)
	return b
}

func TestEvents(t *testing.T) {
	h, kernel := events(t)
	if !h.Strobed() {
		t.Error("not strobed")
	}
	for _, want := range []ttl.Edge{
		{Line: ttl.CardPresent, At: 5 * time.Second}, {Line: ttl.Data2, High: true, At: 5*time.Second + 1}, {Line: ttl.Strobe2, At: 6 * time.Second},
	} {
		id, offset := uint32(unix.GPIO_V2_LINE_EVENT_FALLING_EDGE), uint32(0)
		if want.High {
			id = unix.GPIO_V2_LINE_EVENT_RISING_EDGE
		}
		for o, l := range h.lines {
			if l == want.Line {
				offset = o
			}
		}
		if _, err := kernel.Write(event(want.At, id, offset)); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Next(); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if h.event != [eventBytes]byte{} {
			t.Error("an edge stays in memory")
		}
	}
	for _, b := range [][]byte{event(1, 1, 99), event(1, 1, 4)[:40]} {
		if _, err := kernel.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Next(); !errors.Is(err, drivers.ErrFrame) {
			t.Error(err)
		}
	}
	if err := h.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := h.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	kernel.Close() //nolint:errcheck,gosec // unplugged
	if _, err := h.Next(); !errors.Is(err, drivers.ErrUnplugged) {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Next(); !errors.Is(err, drivers.ErrClosed) {
		t.Error(err)
	}
}
