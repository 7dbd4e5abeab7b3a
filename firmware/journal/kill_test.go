package journal_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"regi/firmware/journal"
)

// childEnv makes this test binary append to the journal in the directory that
// it names, until it is killed.
const childEnv = "REGI_JOURNAL_CHILD"

// killed has small segments, to rotate often, and room for all that the child
// leaves unacknowledged: it must never meet ErrFull.
var killed = journal.Options{SegmentSlots: 8, BytesMax: 64 * 8 * journal.SlotSize} //nolint:gochecknoglobals // a constant

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// known is record seq of a chain that is the same in every process.
func known(seq uint64) journal.Entry {
	r := source(seq)
	payload := make([]byte, 1+r.Uint64()%6000)
	_, _ = r.Read(payload)
	e := journal.Entry{Seq: seq, Payload: payload, Aux: payload[:len(payload)%90]}
	binary.BigEndian.PutUint64(e.Hash[:], seq)
	if seq > 1 {
		binary.BigEndian.PutUint64(e.Prev[:], seq-1)
	}
	return e
}

// child appends batches, acknowledges, prepares and tells each sequence that
// is durable, and each that may be acknowledged, for as long as it lives.
func child(dir string) error {
	j, err := journal.Open(dir, killed)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(uint64(os.Getpid()), 0)) //nolint:gosec // a test
	for {
		head, _ := j.Head()
		es := make([]journal.Entry, 0, 3)
		for n := range 1 + r.Uint64N(3) {
			es = append(es, known(head+n+1))
		}
		if err := j.Append(context.Background(), es...); err != nil {
			return err
		}
		head += uint64(len(es))
		fmt.Printf("durable %d\n", head)
		if acked, _ := j.Acked(); head > acked+15 {
			e := known(acked + 1 + r.Uint64N(head-acked))
			fmt.Printf("acked %d\n", e.Seq)
			if err := j.Trim(e.Seq, e.Hash); err != nil {
				return err
			}
		}
		if err := j.Prepare(); err != nil {
			return err
		}
	}
}

// TestKill kills a process that appends at random moments, and looks for every
// record that it said to be durable. REGI_JOURNAL_KILLS sets how often.
func TestKill(t *testing.T) {
	kills := setting(t, "REGI_JOURNAL_KILLS", 20)
	dir := t.TempDir() // on a disk
	var durable, acked uint64
	for n := range kills {
		said, ackedTo := appendAndKill(t, dir, time.Duration(rand.IntN(25_000))*time.Microsecond) //nolint:gosec // a moment
		durable, acked = max(durable, said), max(acked, ackedTo)
		j, err := journal.Open(dir, killed)
		if err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		head, _ := j.Head()
		if got, _ := j.Acked(); head < durable || got > acked {
			t.Errorf("kill %d: head is %d of %d, acknowledged %d of %d", n, head, durable, got, acked)
		}
		for seq := acked + 1; seq <= head; seq++ {
			e, err := j.Read(seq)
			if err != nil {
				t.Fatalf("kill %d: %v", n, err)
			}
			if err := same(e, known(seq)); err != nil {
				t.Fatalf("kill %d: %v", n, err)
			}
		}
		if err := j.Crash(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d records durable, %d acknowledged", durable, acked)
	if durable == 0 {
		t.Error("no child lived long enough to append")
	}
}

// appendAndKill starts a child, kills it some time after its first word, and
// returns what it said last.
func appendAndKill(t *testing.T, dir string, after time.Duration) (durable, acked uint64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test binary
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for first := true; ; first = false {
		line, err := lines.ReadString('\n')
		if err == io.EOF { //nolint:errorlint // as documented
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if first {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if word == "acked" {
			acked = n
		} else {
			durable = n
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return durable, acked
}
