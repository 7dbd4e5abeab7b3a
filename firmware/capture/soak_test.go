package capture

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"regi/firmware/capture/launch"
)

// TestSoak swipes cards, good and bad, in the real jail: a system call that Go's
// runtime needs once in a while and that is not allowed would kill the process.
// The collector runs after each swipe, and the key file is written to every 64. REGI_CAPTURE_SWIPES=2000 is the long form.
func TestSoak(t *testing.T) {
	swipes := 200
	if n, err := strconv.Atoi(os.Getenv("REGI_CAPTURE_SWIPES")); err == nil {
		swipes = n
	}
	b := startBox(t, nil, childState+"="+t.TempDir())
	status := b.event().Status
	if status == nil || !status.Ready {
		t.Fatalf("%+v", status)
	}
	jailed := false
	for _, c := range status.Controls {
		jailed = jailed || c.Name == "seccomp" && c.State == launch.On
	}
	if !jailed {
		t.Fatalf("no jail to soak: %+v", status.Controls)
	}
	for i := range swipes {
		number := canary(t)
		if i%10 == 9 { // a bad read
			if _, err := b.master.WriteString(";" + number[:9] + "\r"); err != nil {
				t.Fatal(err)
			}
			if e := b.event(); e.Failed == "" {
				t.Fatalf("swipe %d: %+v", i, e)
			}
			continue
		}
		r := b.card(number).Read
		if r == nil || !strings.Contains(hostOpen(t, b.ik, r), number) {
			t.Fatalf("swipe %d: %+v", i, r)
		}
	}
	t.Logf("%d swipes", swipes)
}
