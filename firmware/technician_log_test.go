package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLogZone: the log says its times as the shop's clocks do, the board's part
// of it, too.
func TestLogZone(t *testing.T) {
	zone := time.FixedZone("JST", 9*60*60)
	tail := &logTail{zone: zone}
	slog.New(tail.handler()).Info("x")
	if lines := tail.tail(1); !strings.Contains(lines[0], "+09:00 ") {
		t.Errorf("%q", lines)
	}
	got := inZone([]string{"2026-11-25T20:30:00Z net: up", "no time", ""}, zone)
	if want := []string{"2026-11-26T05:30:00+09:00 net: up", "no time", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
