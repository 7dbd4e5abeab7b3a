package jail_test

import (
	"testing"

	"regi/firmware/capture/internal/jail"

	"golang.org/x/sys/unix"
)

func TestEnter(t *testing.T) {
	on := map[string]bool{}
	for range 2 { // a second time does no harm
		for _, c := range jail.Enter() {
			on[c.Name] = c.On
		}
	}
	for _, name := range []string{"no-dump", "no-core", "no-new-privileges"} {
		if !on[name] {
			t.Errorf("%s is off", name)
		}
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("core limit %+v, %v", core, err)
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || n != 1 {
		t.Errorf("no_new_privs %d, %v", n, err)
	}
	// What only the parent can give is not claimed here.
	t.Setenv("GODEBUG", "")
	for _, c := range jail.Enter() {
		if c.Name == "no-preempt-signal" && c.On {
			t.Error("asyncpreemptoff is claimed without being set")
		}
	}
	t.Setenv("GODEBUG", "madvdontneed=1,asyncpreemptoff=1")
	for _, c := range jail.Enter() {
		if c.Name == "no-preempt-signal" && !c.On {
			t.Error("asyncpreemptoff is set and not reported")
		}
	}
}
