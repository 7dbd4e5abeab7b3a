package counter_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"regi/firmware/permit"
	"regi/sim/keyhost"
)

// TestTyping: what a person types comes out of the register's end of the line.
func TestTyping(t *testing.T) {
	s := setUp(t)
	line := s.register("console")
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 64)
		n, _ := io.ReadAtLeast(line, b, len("status\r"))
		got <- string(b[:n])
	}()
	if status, said := s.say("/api/console", `{"text":"status\r"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	select {
	case text := <-got:
		if text != "status\r" {
			t.Errorf("%q", text)
		}
	case <-time.After(patience):
		t.Error("nothing comes out")
	}
	for _, bad := range []string{`{}`, `{"text":""}`, `{"line":"x"}`, `{"text":"` + strings.Repeat("x", 5000) + `"}`} {
		if status, said := s.say("/api/console", bad); status != http.StatusBadRequest || !strings.Contains(said, "text") {
			t.Errorf("%.30s: %d %s", bad, status, said)
		}
	}
}

// TestEnrollRefused: what nobody has signed is refused in words, and is not
// repeated.
func TestEnrollRefused(t *testing.T) {
	s := setUp(t)
	for _, bad := range []string{`{}`, `{"code":"AAAA","request":"x"}`, `{"pin":"secret"}`, `[]`} {
		status, said := s.say("/api/enroll", bad)
		if status != http.StatusBadRequest || strings.Contains(said, "secret") {
			t.Errorf("%s: %d %s", bad, status, said)
		}
	}
}

// TestKeyload: the office sends letters, and the owner's permit with them where
// a register's challenge comes along.
func TestKeyload(t *testing.T) {
	s := setUp(t)
	if status, said := s.say("/api/keyload", ""); status != http.StatusOK || strings.Contains(said, "permit") {
		t.Errorf("%d %s", status, said)
	}
	c := permit.Challenged("0001/01")
	status, said := s.say("/api/keyload", `{"challenge":"`+c.String()+`"}`)
	var l keyhost.Letters
	if err := json.Unmarshal([]byte(said), &l); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s, %v", status, said, err)
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := permit.Open(l.Permit, private.Public().(ed25519.PublicKey), c)
	if !errors.Is(err, permit.ErrSignature) || l.PermitID == "" {
		t.Errorf("of another owner: %+v, %v", p, err)
	}
	for _, bad := range []string{`{"challenge":"AAAA"}`, `{"key":1}`, `[]`} {
		if status, said := s.say("/api/keyload", bad); status != http.StatusBadRequest || !strings.Contains(said, "challenge") {
			t.Errorf("%s: %d %s", bad, status, said)
		}
	}
}

func (s *stand) say(path, body string) (status int, said string) {
	return s.do(s.request(http.MethodPost, path, body))
}
