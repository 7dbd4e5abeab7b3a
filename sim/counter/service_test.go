package counter_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
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

func (s *stand) say(path, body string) (status int, said string) {
	return s.do(s.request(http.MethodPost, path, body))
}
