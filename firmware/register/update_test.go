package register

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/update"
	"regi/firmware/uplink"
)

// offering is an uplink process with an update to pass on.
type offering struct {
	version string
	size    uint64 // as it says
	chunks  [][]byte
}

func (o offering) serve(conn *uplink.Conn) {
	for {
		m, err := conn.Recv()
		if err != nil {
			return
		}
		switch m.Op {
		case "update":
			conn.Send(uplink.Message{Op: "update", Detail: o.version, Seq: o.size})
		case "fetch":
			answer := uplink.Message{Op: "chunk", Seq: m.Seq, Detail: "no more"}
			if m.Seq <= uint64(len(o.chunks)) {
				answer.Record, answer.Detail = o.chunks[m.Seq-1], ""
			}
			conn.Send(answer)
		}
	}
}

func TestPull(t *testing.T) {
	t.Parallel()
	chunk := bytes.Repeat([]byte("u"), 1000)
	for name, c := range map[string]struct {
		offer offering
		want  bool
	}{
		"whole":       {offering{"v2", 2500, [][]byte{chunk, chunk, chunk[:500]}}, true},
		"none":        {offering{}, false},
		"what runs":   {offering{"v1", 1000, [][]byte{chunk}}, false},
		"ends early":  {offering{"v2", 2500, [][]byte{chunk, chunk}}, false},
		"more":        {offering{"v2", 1500, [][]byte{chunk, chunk}}, false},
		"too large":   {offering{"v2", uint64(update.BundleMax) + 1, [][]byte{chunk}}, false},
		"of no bytes": {offering{"v2", 0, nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			r := s.open(t)
			conn, _, _ := s.linked(t, r)
			go c.offer.serve(conn)
			r.CloudState(t.Context(), true, "")
			u := Updates{Board: "rpi4", Version: "v1", Path: filepath.Join(t.TempDir(), "update", "incoming")}
			v, err := r.pull(t.Context(), u, true)
			data, _ := os.ReadFile(u.Path)
			if got := v == "v2" && len(data) == 2500; got != c.want {
				t.Errorf("%q, %d bytes, %v", v, len(data), err)
			}
			if _, err := os.Stat(u.Path + ".part"); err == nil {
				t.Error("a part is left")
			}
			if v, err := r.pull(t.Context(), u, true); c.want && (v != "" || err != nil) {
				t.Errorf("once more: %q, %v", v, err)
			}
			// A technician may want what was fetched before, and what had failed.
			u.Failed = "v2"
			if v, err := r.FetchUpdate(t.Context(), u); (v == "v2" && err == nil) != c.want {
				t.Errorf("by hand: %q, %v", v, err)
			}
			r.CloudState(t.Context(), false, "")
			if _, err := r.FetchUpdate(t.Context(), u); !errors.Is(err, ErrOffline) {
				t.Errorf("by hand without a cloud: %v", err)
			}
			if v, err := r.pull(t.Context(), u, true); v != "" || err != nil {
				t.Errorf("without a cloud: %q, %v", v, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			r.PullUpdates(ctx, u)
		})
	}
}

// trickle is an uplink in strange hands, which sends a byte each time just
// before it would be given up.
type trickle struct {
	sink
	r *Register
}

func (w trickle) Write(packet []byte) (int, error) {
	asked, err := uplink.NewConn(&timed{packet: packet}).Recv()
	if err != nil {
		return 0, err
	}
	answer := uplink.Message{Op: "update", Detail: "v2", Seq: 1 << 20}
	if asked.Op == "fetch" {
		answer = uplink.Message{Op: "chunk", Seq: asked.Seq, Record: []byte{0}}
	}
	time.AfterFunc(chunkWithin-1, func() { w.r.pulled <- answer })
	return len(packet), nil
}

// An update that comes for ever is given up, and the next one can be fetched.
func TestPullGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		r := s.open(t)
		r.link = &peer{Conn: uplink.NewConn(trickle{r: r}), link: sink{}}
		r.online = true
		u := Updates{Board: "rpi4", Version: "v1", Path: filepath.Join(t.TempDir(), "update", "incoming")}
		begun := time.Now()
		_, err := r.pull(t.Context(), u, true)
		if lasted := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || lasted > fetchWithin+2*chunkWithin {
			t.Errorf("%v after %v", err, lasted)
		}
		if _, err := os.Stat(u.Path + ".part"); err == nil {
			t.Error("a part is left")
		}
		time.Sleep(chunkWithin) // its last word
		if err := r.ledger.close(); err != nil {
			t.Fatal(err)
		}
	})
}
