package stand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client dials for each request anew: a connection that is kept, dialled for a
// request that another one took, is closed by the server before its first.
//
//nolint:gochecknoglobals // a constant
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// Try makes a call that may be refused, or find no simulator. Without a body
// nothing is sent.
func (s *Counter) Try(path string, body any) (status int, said []byte, err error) {
	var sent []byte
	if body != nil {
		if sent, err = json.Marshal(body); err != nil {
			return 0, nil, fmt.Errorf("stand: POST %s: %w", path, err)
		}
	}
	return s.call(http.MethodPost, path, sent)
}

func (s *Counter) call(method, path string, body []byte) (status int, said []byte, err error) {
	ctx := context.WithoutCancel(s.t.Context()) // a test that ends calls too
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("stand: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("stand: the simulator is gone: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if said, err = io.ReadAll(answer.Body); err != nil {
		return 0, nil, fmt.Errorf("stand: %s %s: %w", method, path, err)
	}
	return answer.StatusCode, said, nil
}

// Post makes a call that the counter must agree to, and returns its answer.
func (s *Counter) Post(path string, body any) []byte {
	s.t.Helper()
	status, said, err := s.Try(path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if status >= http.StatusMultipleChoices {
		s.t.Fatalf("POST %s: %d: %s", path, status, said)
	}
	return said
}

// Get returns what the counter says.
func (s *Counter) Get(path string) []byte {
	s.t.Helper()
	status, said, err := s.call(http.MethodGet, path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d: %s", path, status, said)
	}
	return said
}

// Read reads an answer in JSON.
func (s *Counter) Read(path string, to any) {
	s.t.Helper()
	if err := json.Unmarshal(s.Get(path), to); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// Paper is the text of everything that was printed.
func (s *Counter) Paper() string {
	s.t.Helper()
	return string(s.Get("/api/paper.txt"))
}

// Picture is how the counter stands, for whoever reads of a failure.
func (s *Counter) Picture() string {
	if s.URL == "" {
		return "no address yet"
	}
	_, state, err := s.call(http.MethodGet, "/api/state", nil)
	if err != nil {
		return err.Error()
	}
	_, paper, err := s.call(http.MethodGet, "/api/paper.txt", nil)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("state %s\npaper\n%s", state, paper)
}

// Entry is one record as the cloud's receiver opened it.
type Entry struct {
	Seq  uint64          `json:"seq"`
	Time time.Time       `json:"time"`
	Kind string          `json:"kind"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// ledgerMax is the most records of one answer.
const ledgerMax = 100_000

// Ledger is the cloud's list from a sequence number on: 0 for all.
func (s *Counter) Ledger(from int) (all []Entry) {
	s.t.Helper()
	s.Read(fmt.Sprintf("/api/ledger?from=%d", from), &all)
	if len(all) >= ledgerMax {
		s.t.Fatal("the ledger is longer than one answer of the counter")
	}
	return all
}
