package scanner_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"regi/board/port" //nolint:depguard // the suite runs over a real line too
	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/scanner"
)

// suffixes is what the documentation promises.
var suffixes = map[string]string{"cr": "\r", "lf": "\n", "crlf": "\r\n", "tab": "\t", "honeywell": "\r"} //nolint:gochecknoglobals // a constant table

// frameOf is a scan on the wire.
func frameOf(framing string) func(data string) []byte {
	switch framing {
	case "stx-etx":
		return func(data string) []byte { return []byte("\x02" + data + "\x03") }
	case "ssi":
		return func(data string) []byte { return packets(0, data) }
	}
	return func(data string) []byte { return []byte(data + suffixes[framing]) }
}

// packets are DECODE_DATA messages of a type, 255 bytes at most.
func packets(kind byte, data string) (all []byte) {
	for {
		n := min(len(data), 250)
		status := byte(2)
		if n == len(data) {
			status = 0
		}
		all = append(all, packet(append([]byte{0xf3, 0, status, kind}, data[:n]...)...)...)
		if data = data[n:]; data == "" {
			return all
		}
	}
}

// packet puts a length before and a checksum behind.
func packet(b ...byte) []byte {
	b = append([]byte{byte(len(b) + 1)}, b...)
	sum := uint16(0)
	for _, c := range b {
		sum -= uint16(c)
	}
	return append(b, byte(sum>>8), byte(sum))
}

func openPort(path string) (drivers.Port, error) { return port.Open(port.Options{Path: path}) }

func newScanner(t testing.TB, p drivers.Port, framing string) *scanner.Scanner {
	t.Helper()
	s, err := scanner.New(p, scanner.Options{Framing: framing})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	for _, framing := range []string{"cr", "lf", "crlf", "tab", "honeywell", "stx-etx", "ssi"} {
		d := driverstest.ScannerDriver{
			New:   func(p drivers.Port) drivers.Scanner { return newScanner(t, p, framing) },
			Frame: frameOf(framing), Idle: scanner.Idle,
		}
		if framing == "ssi" {
			d.Replies, d.GiveUp = true, scanner.Idle+ssiWait
		}
		t.Run(framing+"/pipe", func(t *testing.T) { driverstest.Scanner(t, driverstest.Simulated(), d) })
		if framing == "lf" || framing == "tab" || framing == "honeywell" {
			continue // to a line they are what cr is
		}
		t.Run(framing+"/pty", func(t *testing.T) {
			t.Parallel() // it waits for the clock
			driverstest.Scanner(t, driverstest.Kernel(openPort), d)
		})
	}
}

// ssiWait is what the documentation of SSI promises.
const ssiWait = 3 * time.Second

func TestOptions(t *testing.T) {
	for name, o := range map[string]scanner.Options{
		"CR, LF, crlf": {Framing: "CR"}, "usb": {Framing: "usb"}, "space": {Framing: "cr "},
		"prefix": {Prefix: "123456789"}, "ids": {IDs: "symbol"}, "commands": {Commands: "zebra"},
		"commands of another": {Framing: "ssi", Commands: "honeywell"}, "commands twice": {Framing: "honeywell", Commands: "honeywell"},
		"repeat": {Repeat: scanner.RepeatMax + 1}, "negative repeat": {Repeat: -1},
	} {
		if s, err := scanner.New(nil, o); s != nil || err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	_, err := scanner.New(nil, scanner.Options{Framing: "usb"})
	for _, name := range []string{"cr", "lf", "crlf", "tab", "honeywell", "stx-etx", "ssi"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%v: does not name %q", err, name)
		}
	}
	// The default is the carriage return of a scanner as delivered.
	s := newScanner(t, &script{chunks: []string{"1\r"}}, "")
	if scan, err := s.Read(t.Context()); scan.Data != "1" || err != nil {
		t.Errorf("%q, %v", scan.Data, err)
	}
}

// TestWrongFraming: a scanner set otherwise is found out, not half-understood.
func TestWrongFraming(t *testing.T) {
	for _, c := range []struct{ framing, sent string }{
		{"crlf", "1\r2\r\n"},
		{"crlf", "1\n2\r\n"},
		{"crlf", "1\r\r\n"},
		{"crlf", "\n1\r\n"},
		{"cr", "1\n2\r"},
		{"cr", "\n1\r"},
		{"lf", "1\r\n"},
		{"lf", "\r\n"},
	} {
		s := newScanner(t, &script{chunks: []string{c.sent}}, c.framing)
		if scan, err := s.Read(t.Context()); !errors.Is(err, drivers.ErrControl) {
			t.Errorf("%s framing, %q sent: %q, %v", c.framing, c.sent, scan.Data, err)
		}
	}
}

// script is a port that delivers its chunks, then is unplugged.
type script struct {
	drivers.Port
	chunks []string
	// late is how many reads find their time over although bytes wait, as when
	// the process was held up.
	late int
	// said is what the driver wrote.
	said []byte
}

func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

func (s *script) Write(b []byte) (int, error) {
	s.said = append(s.said, b...)
	return len(b), nil
}

func (s *script) Read(b []byte) (int, error) {
	if len(s.chunks) == 0 {
		return 0, drivers.ErrUnplugged
	}
	if s.late > 0 && len(s.chunks) == 1 {
		s.late--
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; s.chunks[0] == "" {
		s.chunks = s.chunks[1:]
	}
	return n, nil
}

// TestHeldUp: a frame whose bytes wait in the kernel is not broken because this
// process did not run in time.
func TestHeldUp(t *testing.T) {
	s := newScanner(t, &script{chunks: []string{"49", "01\r"}, late: 1}, "cr")
	if scan, err := s.Read(t.Context()); scan.Data != "4901" || err != nil {
		t.Errorf("%q, %v", scan.Data, err)
	}
	s = newScanner(t, &script{chunks: []string{"49", "01\r"}, late: 2}, "cr")
	if scan, err := s.Read(t.Context()); !errors.Is(err, drivers.ErrFrame) {
		t.Errorf("%q, %v", scan.Data, err)
	}
}

type deaf struct {
	drivers.Port
	err error
}

func (d deaf) SetReadDeadline(time.Time) error { return nil }
func (d deaf) Read([]byte) (int, error)        { return 0, d.err }

func TestPortErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct{ port, want error }{
		{nil, io.ErrNoProgress}, {broken, broken}, {drivers.ErrClosed, drivers.ErrClosed},
	} {
		s := newScanner(t, deaf{err: c.port}, "cr")
		if _, err := s.Read(t.Context()); !errors.Is(err, c.want) || errors.Is(err, drivers.ErrFrame) {
			t.Errorf("%v: %v", c.port, err)
		}
	}
}

// result is one Read, comparable.
type result struct {
	scan drivers.Scan
	err  error
}

// results reads until the port is unplugged.
func results(t testing.TB, framing string, chunks []string) []result {
	t.Helper()
	s := newScanner(t, &script{chunks: chunks}, framing)
	var all []result
	for {
		scan, err := s.Read(t.Context())
		if errors.Is(err, drivers.ErrUnplugged) {
			return all
		}
		var kind error
		for _, k := range []error{drivers.ErrTooLong, drivers.ErrControl, drivers.ErrFrame} {
			if errors.Is(err, k) {
				kind = k
			}
		}
		if err != nil && kind == nil {
			t.Fatalf("unexpected error: %v", err)
		}
		scan.Type = 0 // TestTypes
		all = append(all, result{scan, kind})
	}
}

var identifier = regexp.MustCompile(`^\][A-Za-z][0-9A-Za-z]`)

// expected is the package comment once more, slower: split, then judge.
func expected(stream, suffix string) []result {
	frames := strings.Split(stream, suffix)
	var all []result
	for _, f := range frames[:len(frames)-1] { // the last one has no suffix
		switch {
		case f == "":
		case len(f) > scanner.FrameMax:
			all = append(all, result{err: drivers.ErrTooLong})
		case strings.ContainsFunc(f, func(r rune) bool { return unicode.IsControl(r) && r != 0x1d }):
			all = append(all, result{err: drivers.ErrControl})
		case !utf8.ValidString(f):
			all = append(all, result{err: drivers.ErrFrame})
		default:
			aim := identifier.FindString(f)
			all = append(all, result{scan: drivers.Scan{Data: f, AIM: aim, Label: strings.TrimPrefix(f, aim)}})
		}
	}
	return all
}

func same(t interface {
	Helper()
	Errorf(string, ...any)
}, got, want []result,
) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("result %d of %d, want %d, differs", i, len(got), len(want))
			return
		}
	}
}

// pieces cuts stream; sizes are used in turn, 0 is one byte.
func pieces(stream string, sizes []byte) []string {
	var chunks []string
	for i := 0; stream != ""; i++ {
		n := len(stream)
		if len(sizes) > 0 {
			n = min(n, int(sizes[i%len(sizes)])+1)
		}
		chunks = append(chunks, stream[:n])
		stream = stream[n:]
	}
	return chunks
}

// FuzzFrames: any bytes, in any pieces, are the frames of the package comment.
func FuzzFrames(f *testing.F) {
	f.Add("4901234567894\r]E04912345678904\r\r\x1d\r", []byte{0})
	f.Add("]d20104901234567894\x1d10A\r\n1\r2\r\n\n\n", []byte{1, 0, 4})
	f.Add(strings.Repeat("9", 4096)+"\r\n"+strings.Repeat("9", 4097)+"\r\r\n1\r\n", []byte{255})
	f.Add(strings.Repeat("9", 5000)+"\r\n1\r\n", []byte{0})
	f.Add("\xff\r\x80\n\u009b\r\n", []byte{})
	f.Fuzz(func(t *testing.T, stream string, sizes []byte) {
		for framing, suffix := range suffixes {
			same(t, results(t, framing, pieces(stream, sizes)), expected(stream, suffix))
			same(t, results(t, framing, pieces(stream, nil)), expected(stream, suffix))
		}
	})
}

// TestChunkings is FuzzFrames with streams that look like a scanner's.
func TestChunkings(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		framing := rapid.SampledFrom([]string{"cr", "lf", "crlf", "tab"}).Draw(r, "framing")
		frame := rapid.OneOf(
			rapid.StringMatching(`[0-9]{8,14}`),
			rapid.StringMatching(`\][A-Za-z][0-9a-z][0-9A-Z\x1d]{0,40}`),
			rapid.Map(rapid.IntRange(4090, 12_300), func(n int) string { return strings.Repeat("7", n) }),
			rapid.SampledFrom([]string{"", "\r", "\n", "\n\r", "\x00", "\x7f", "\u009b", "\xff", "レジ", "\x1d"}),
			rapid.String(),
		)
		var stream strings.Builder
		for _, f := range rapid.SliceOfN(frame, 0, 12).Draw(r, "frames") {
			stream.WriteString(f + suffixes[framing])
		}
		stream.WriteString(rapid.SampledFrom([]string{"", "12", "\r"}).Draw(r, "rest"))
		sizes := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(r, "sizes")
		same(r, results(t, framing, pieces(stream.String(), sizes)), expected(stream.String(), suffixes[framing]))
	})
}

// endless is a port that delivers the same frame for ever, one a read.
type endless struct {
	drivers.Port
	frame []byte
}

func (e endless) SetReadDeadline(time.Time) error { return nil }
func (e endless) Read(b []byte) (int, error)      { return copy(b, e.frame), nil }

// TestAllocations: a frame may cost its text and the watch on its context.
func TestAllocations(t *testing.T) {
	const allocsMax = 5
	s := newScanner(t, endless{frame: []byte("]E04901234567894\r")}, "cr")
	n := testing.AllocsPerRun(1000, func() {
		if _, err := s.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if n > allocsMax {
		t.Errorf("%v allocations a frame, at most %d", n, allocsMax)
	}
}

// scanCR is bufio.ScanLines for carriage returns.
func scanCR(data []byte, _ bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\r'); i >= 0 {
		return i + 1, data[:i], nil
	}
	return 0, nil, nil
}
