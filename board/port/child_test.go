package port_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"regi/board/port"
)

// childEnv makes this test binary another process with a task: "fds" or
// "open PATH".
const childEnv = "PORT_TEST_CHILD"

func TestMain(m *testing.M) {
	task, path, _ := strings.Cut(os.Getenv(childEnv), " ")
	switch task {
	case "":
		os.Exit(m.Run())
	case "fds":
		printDescriptors()
	case "open":
		if _, err := port.Open(port.Options{Path: path}); err != nil {
			fmt.Print(err)
			return
		}
		fmt.Print("opened")
	}
}

func printDescriptors() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			fmt.Println(to)
		}
	}
}

func child(t *testing.T, task string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	// The race detector would wait 1 s at each exit.
	cmd.Env = append(os.Environ(), childEnv+"="+task, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// childOpens is what another process gets when it opens path: "opened" or the
// error.
func childOpens(t *testing.T, path string) string {
	t.Helper()
	return child(t, "open "+path)
}

// childDescriptors is what a child process finds open: never empty.
func childDescriptors(t *testing.T) []string {
	t.Helper()
	fds := strings.Fields(child(t, "fds"))
	if len(fds) < 3 {
		t.Fatalf("the child lists %q: not even its standard descriptors", fds)
	}
	return fds
}
