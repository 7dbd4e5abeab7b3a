package uplink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

func TestJudge(t *testing.T) {
	id := record.ID{Store: "0001", Register: "01"}
	flight := &record.Sealed{Header: record.Header{Kind: record.SaleCommit, Seq: 10, Prev: record.Hash{9}, ID: id}}
	first := &record.Sealed{Header: record.Header{Kind: record.SaleCommit, Seq: 1, ID: id}}
	known := head{at: 90, seq: 9, hash: record.Hash{9}}
	for _, test := range []struct {
		name string
		r    *record.Sealed
		now  head
		top  uint64
		want verdict
	}{
		{"it is the head", flight, head{91, 10, flight.Hash()}, 9, delivered},
		{"nothing has changed", flight, known, 9, resend},
		{"predecessor elsewhere in the stream", flight, head{400, 9, record.Hash{9}}, 9, resend},
		{"another predecessor", flight, head{91, 9, record.Hash{8}}, 9, forked},
		{"another record in our place", flight, head{91, 10, record.Hash{7}}, 9, forked},
		{"somebody is ahead of us", flight, head{95, 14, record.Hash{7}}, 9, forked},
		{"the stream lost its tail", flight, head{80, 8, record.Hash{8}}, 9, moved},
		{"the stream was emptied", flight, head{}, 9, moved},
		{"the first record into an empty stream", first, head{}, 0, resend},
		{"its tail, while it got old records again", flight, head{300, 30, record.Hash{3}}, 30, moved},
	} {
		if got := judge(test.r, known, test.now, test.top); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := judge(flight, head{}, head{}, 0); got != resend {
		t.Errorf("sent to an empty stream that is still empty: %v", got)
	}
}

func TestReasons(t *testing.T) {
	first := map[string]string{}
	for _, test := range []struct {
		err  error
		word string
	}{
		{x509.UnknownAuthorityError{}, "certificate"},
		{fmt.Errorf("uplink: connect: %w", x509.CertificateInvalidError{Reason: x509.Expired}), "certificate refused: expired"},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, "certificate refused: made for another"},
		{nats.ErrSecureConnWanted, "certificate refused: the server offers no TLS"},
		{nats.ErrAuthorization, "authorization"},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), "refused"},
		{nats.ErrTimeout, "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "timeout"},
		{&net.DNSError{Name: "h", IsNotFound: true}, "name not found"},
		{syscall.ENETUNREACH, "no network"},
		{fmt.Errorf("%w: %w", errClosed, nats.ErrStaleConnection), "timeout"},
		{syscall.ECONNRESET, "connection lost"},
		{fmt.Errorf("x: %w", errFork), "fork"},
	} {
		if got := reason(test.err); !strings.HasPrefix(got, test.word) {
			t.Errorf("%v: %q, want %q first", test.err, got, test.word)
		}
		word, _, _ := strings.Cut(reason(test.err), " ")
		first[word] = word
	}
	if len(first) < 7 {
		t.Errorf("only %d distinct first words: %v", len(first), first)
	}
	long := errors.New(strings.Repeat("残", 200) + "\x1b")
	if m := (Message{Op: opState, Detail: clip(reason(long))}); m.check() != nil {
		t.Error("a long reason cannot be told")
	}
}

func TestPubAck(t *testing.T) {
	for data, want := range map[string]error{
		`{"stream":"LEDGER","seq":4}`:                   nil,
		`{"error":{"code":400,"err_code":10071}}`:       errLook,
		`{"error":{"code":400,"err_code":10164}}`:       errLook,
		`{"stream":"OTHER","seq":4}`:                    errProtocol,
		`{"stream":"LEDGER","seq":0}`:                   errProtocol,
		`{"stream":"LEDGER","seq":"4"}`:                 errProtocol,
		"":                                              errProtocol,
		strings.Repeat(" ", pubAckMax) + `{"stream":1}`: errProtocol,
	} {
		if _, err := parsePubAck([]byte(data)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", data, err, want)
		}
	}
	if _, err := parsePubAck([]byte(`{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`)); err == nil || errors.Is(err, errLook) {
		t.Errorf("a full stream: %v", err)
	}
}

func FuzzPubAck(f *testing.F) {
	f.Add([]byte(`{"stream":"LEDGER","seq":4}`))
	f.Add([]byte(`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if seq, err := parsePubAck(data); (seq == 0) == (err == nil) {
			t.Fatalf("%d, %v", seq, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"id":"a","result":"approved","approval":"1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseReply(data, "a")
		if err == nil && (r.ID != "a" || (&Message{Op: opReply, Reply: &r}).check() != nil) {
			t.Fatalf("%+v", r)
		}
	})
}
