package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"
	"testing/synctest"

	"regi/drivers"
	"regi/drivers/driverstest"
	"regi/drivers/scanner"
	far "regi/sim/device/scanner" //nolint:depguard // tests may cross: another reading of the protocols is the judge
)

// scansPerFraming is how many scans go through each noisy cable.
const scansPerFraming = 10_000

// pipeWire is the far end of a pipe: what was written was read.
type pipeWire struct{ net.Conn }

func (w pipeWire) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // net.Pipe would wait for a reader
	}
	return w.Conn.Write(b)
}

func (w pipeWire) WaitRead(context.Context) error { return nil }

// pair is a driver, and a simulated scanner at the other end of a pipe.
func pair(t *testing.T, o scanner.Options, set far.Settings) (*scanner.Scanner, *far.Scanner, net.Conn) {
	t.Helper()
	near, conn := driverstest.Pipe(t)
	set.Framing = o.Framing
	remote, err := far.NewSet(pipeWire{conn}, set)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- remote.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	s, err := scanner.New(near, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, remote, conn
}

// article is a code that no other scan of a run has. Some are long enough for
// several packets, no two of which are the same.
func article(i int) far.Code {
	data := fmt.Appendf(nil, "%013d", i)
	for n := 0; i%23 == 0 && n < i%701; n++ {
		data = strconv.AppendInt(data, int64(n), 10)
	}
	return far.Code{Data: string(data), AIM: []string{"", "]C0", "]Q1"}[i%3]}
}

// TestNoise: over a cable that disturbs many of the transmissions, every scan
// that came through whole is delivered once and in order, every other is
// reported, and none is joined to its neighbour.
func TestNoise(t *testing.T) {
	for _, framing := range far.Framings() {
		t.Run(framing, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { throughNoise(t, framing) })
		})
	}
}

func throughNoise(t *testing.T, framing string) {
	share := 0.3
	if framing == "ssi" { // of the acknowledgements, too
		share = 0.1
	}
	s, remote, conn := pair(t, scanner.Options{Framing: framing, Prefix: "*"},
		far.Settings{Pieces: 3, Prefix: "*", PacketMax: 100, Noise: far.Noise{Share: share, Seed: 1}})
	var got []string
	bad := 0
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			scan, err := s.Read(t.Context())
			if errors.Is(err, drivers.ErrUnplugged) {
				return
			}
			if err != nil {
				bad++
			} else {
				got = append(got, scan.Label)
			}
			if err := s.Answer(t.Context(), err == nil); err != nil {
				t.Error(err)
			}
		}
	}()
	var want []string
	disturbed, lost := 0, 0
	for i := range scansPerFraming {
		c := article(i)
		o, err := remote.Read(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		disturbed += o.Disturbed
		if o.Whole {
			want = append(want, c.Data)
		} else {
			lost++
		}
		if answer := map[bool]far.Answer{true: far.Good, false: far.Refused}[o.Whole]; framing == "honeywell" && o.Answer != answer {
			t.Errorf("scan %d was answered %q, want %q", i, o.Answer, answer)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	<-read
	t.Logf("%d scans, %d transmissions disturbed: %d delivered, %d bad reads, %d scans lost", scansPerFraming, disturbed, len(got), bad, lost)
	if disturbed < scansPerFraming/10 {
		t.Errorf("only %d transmissions were disturbed", disturbed)
	}
	doubtful := inOrder(t, got, want)
	if framing != "ssi" && (doubtful > 0 || bad != disturbed) {
		t.Errorf("%d bad reads and %d scans missing of %d disturbed", bad, doubtful, disturbed)
	}
	// With SSI a disturbed packet may come well the second time, and one that may
	// be the same once more is reported.
	if framing == "ssi" && (bad < lost+doubtful || bad > lost+scansPerFraming/100 || doubtful > scansPerFraming/500) {
		t.Errorf("%d bad reads, %d scans lost, %d doubtful", bad, lost, doubtful)
	}
}

// inOrder checks that got is want but for some that are missing, and counts them.
func inOrder(t *testing.T, got, want []string) (missing int) {
	t.Helper()
	for _, w := range want {
		if len(got) > 0 && got[0] == w {
			got = got[1:]
		} else {
			missing++
		}
	}
	if len(got) > 0 {
		t.Errorf("%d deliveries are doubled, joined, out of order or nobody's; the first has %d bytes", len(got), len(got[0]))
	}
	return missing
}

// TestTogether: several scans in one read, and one in many, are still several
// and one.
func TestTogether(t *testing.T) {
	for _, framing := range []string{"cr", "lf", "crlf", "tab", "stx-etx"} {
		synctest.Test(t, func(t *testing.T) {
			s, remote, _ := pair(t, scanner.Options{Framing: framing}, far.Settings{Pieces: 10})
			codes := []far.Code{article(1), article(2), article(3), {Data: "4901234567894", AIM: "]E0"}}
			sent := make(chan error, 1)
			go func() {
				for _, c := range codes { // each in ten pieces
					if err := remote.Scan(t.Context(), c.Data, c.AIM); err != nil {
						t.Error(err)
					}
				}
				sent <- remote.Together(t.Context(), codes...)
			}()
			for i := range 2 * len(codes) {
				scan, err := s.Read(t.Context())
				if want := codes[i%len(codes)]; err != nil || scan.Label != want.Data || scan.AIM != want.AIM {
					t.Errorf("%s: scan %d: %q %q, %v", framing, i, scan.AIM, scan.Label, err)
				}
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}
