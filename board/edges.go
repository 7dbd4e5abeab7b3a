package board

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"regi/drivers"
	"regi/drivers/msr/ttl"
)

// From linux/gpio.h, where x/sys has the structures only.
const (
	getChipInfo = 0x8044B401 // GPIO_GET_CHIPINFO_IOCTL
	lineInput   = 1 << 2     // GPIO_V2_LINE_FLAG_INPUT
	lineRising  = 1 << 4
	lineFalling = 1 << 5
	linePullUp  = 1 << 8
	eventRises  = 1 // GPIO_V2_LINE_EVENT_RISING_EDGE
	eventBytes  = 48
	// eventsKept is as much as the kernel keeps: 20 ms of three tracks at
	// 150 cm/s. What is more is lost, which the times of the rest show.
	eventsKept = 1024
	// chipLinesMax bounds how many lines of a chip are looked at.
	chipLinesMax = 512
)

// headLines are the words of a head's lines.
//
//nolint:gochecknoglobals // a constant table
var headLines = map[string]ttl.Line{
	"cls": ttl.CardPresent, "rdt1": ttl.Data1, "rdt2": ttl.Data2, "rdt3": ttl.Data3,
	"rcl1": ttl.Strobe1, "rcl2": ttl.Strobe2, "rcl3": ttl.Strobe3,
}

// Head is the lines of a magnetic head without a decoder, with the kernel's
// time of each edge. It has not run on hardware.
type Head struct {
	file    *os.File
	lines   map[uint32]ttl.Line // by offset on the chip
	strobed bool
	event   [eventBytes]byte
}

var _ ttl.Edges = (*Head)(nil)

// ParseHead reads which line of the head is which line of the board by the
// kernel's names: "cls=GPIO22 rdt2=GPIO23 rcl2=GPIO24". A track needs its rdt;
// cls may be missing; rcl is there for all tracks or for none.
func ParseHead(text string) (map[ttl.Line]string, error) {
	lines, used := map[ttl.Line]string{}, map[string]bool{}
	for _, word := range strings.Fields(text) {
		name, pin, found := strings.Cut(word, "=")
		line, known := headLines[name]
		if !found || !known || pin == "" || lines[line] != "" || used[pin] {
			return nil, fmt.Errorf("board: %q: a head's lines are like \"cls=GPIO22 rdt2=GPIO23 rcl2=GPIO24\"", word)
		}
		lines[line], used[pin] = pin, true
	}
	data, strobes := 0, 0
	for t := range ttl.Line(ttl.Tracks) {
		d, s := lines[ttl.Data1+t] != "", lines[ttl.Strobe1+t] != ""
		if s && !d {
			return nil, fmt.Errorf("board: rcl%d without rdt%d", t+1, t+1)
		}
		if d {
			data++
		}
		if s {
			strobes++
		}
	}
	if data == 0 || strobes > 0 && strobes != data {
		return nil, errors.New("board: a head needs rdt1, rdt2 or rdt3, and rcl for all of them or for none")
	}
	return lines, nil
}

// OpenHead takes the lines of a head, as ParseHead reads them, for this process
// alone. All must be on one GPIO chip. The process may be confined after it.
func OpenHead(text string) (*Head, error) {
	lines, err := ParseHead(text)
	if err != nil {
		return nil, err
	}
	chips, err := filepath.Glob("/dev/gpiochip*")
	if err != nil {
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	for _, chip := range chips {
		h, err := openOn(chip, lines)
		if !errors.Is(err, ErrNoLine) {
			return h, err
		}
	}
	return nil, fmt.Errorf("board: head: %w on one chip: %w", ErrNoLine, os.ErrNotExist)
}

// openOn takes the lines if the chip has them all.
func openOn(chip string, lines map[ttl.Line]string) (*Head, error) {
	f, err := os.OpenFile(chip, os.O_RDWR, 0) //nolint:gosec // found in /dev
	if err != nil {
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	defer f.Close() //nolint:errcheck // the lines have a descriptor of their own
	offsets, err := offsetsOf(f, lines)
	if err != nil {
		return nil, err
	}
	request := unix.GPIOV2LineRequest{Num_lines: uint32(len(offsets)), Event_buffer_size: eventsKept} //nolint:gosec // at most 7
	request.Config.Flags = lineInput | lineRising | lineFalling | linePullUp
	copy(request.Consumer[:], "regi card head")
	at := 0
	for offset := range offsets {
		request.Offsets[at] = offset
		at++
	}
	if err := ioctl(f, unix.GPIO_V2_GET_LINE_IOCTL, unsafe.Pointer(&request)); err != nil { //nolint:gosec // what the call takes
		if errors.Is(err, unix.EBUSY) {
			err = drivers.ErrBusy
		}
		return nil, fmt.Errorf("board: head: %w", err)
	}
	fd := int(request.Fd)
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("board: head: %w", err), unix.Close(fd))
	}
	return newHead(os.NewFile(uintptr(fd), chip), offsets), nil
}

// offsetsOf finds the lines of a chip by their names.
func offsetsOf(f *os.File, lines map[ttl.Line]string) (map[uint32]ttl.Line, error) {
	var chip unix.GPIOChipInfo
	if err := ioctl(f, getChipInfo, unsafe.Pointer(&chip)); err != nil { //nolint:gosec // what the call takes
		return nil, fmt.Errorf("board: GPIO: %w", err)
	}
	found := map[uint32]ttl.Line{}
	for offset := range min(chip.Lines, chipLinesMax) {
		info := unix.GPIOV2LineInfo{Offset: offset}
		if err := ioctl(f, unix.GPIO_V2_GET_LINEINFO_IOCTL, unsafe.Pointer(&info)); err != nil { //nolint:gosec // what the call takes
			return nil, fmt.Errorf("board: GPIO: %w", err)
		}
		for line, name := range lines {
			if unix.ByteSliceToString(info.Name[:]) == name {
				found[offset] = line
			}
		}
	}
	if len(found) != len(lines) {
		return nil, ErrNoLine
	}
	return found, nil
}

func ioctl(f *os.File, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// newHead is a head whose events can be read from f.
func newHead(f *os.File, lines map[uint32]ttl.Line) *Head {
	h := &Head{file: f, lines: lines}
	for _, line := range lines {
		h.strobed = h.strobed || line >= ttl.Strobe1
	}
	return h
}

// Strobed reports whether the head has RCL lines.
func (h *Head) Strobed() bool { return h.strobed }

// SetReadDeadline bounds Next; zero is no bound.
func (h *Head) SetReadDeadline(t time.Time) error { return h.fail(h.file.SetReadDeadline(t)) }

// Next waits for an edge (struct gpio_v2_line_event). No more than one is
// taken from the kernel at a time, and none is kept here.
func (h *Head) Next() (ttl.Edge, error) {
	n, err := h.file.Read(h.event[:])
	defer clear(h.event[:])
	if err != nil {
		return ttl.Edge{}, h.fail(err)
	}
	line, known := h.lines[binary.NativeEndian.Uint32(h.event[12:])]
	if n != len(h.event) || !known {
		return ttl.Edge{}, fmt.Errorf("board: head: event: %w", drivers.ErrFrame)
	}
	return ttl.Edge{
		Line: line, High: binary.NativeEndian.Uint32(h.event[8:]) == eventRises,
		At: time.Duration(binary.NativeEndian.Uint64(h.event[:])), //nolint:gosec // nanoseconds since the start
	}, nil
}

// Close gives the lines back and ends a blocked Next.
func (h *Head) Close() error { return h.fail(h.file.Close()) }

func (h *Head) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrDeadlineExceeded
	case errors.Is(err, os.ErrClosed):
		err = drivers.ErrClosed
	case errors.Is(err, io.EOF), errors.Is(err, unix.ENODEV):
		err = drivers.ErrUnplugged
	}
	return fmt.Errorf("board: head: %w", err)
}
