package seccomp_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"regi/firmware/seccomp"

	"golang.org/x/sys/unix"
)

const actEnv = "SECCOMP_TEST_ACT"

func TestMain(m *testing.M) {
	if act := os.Getenv(actEnv); act != "" {
		os.Exit(filtered(act))
	}
	os.Exit(m.Run())
}

// filtered is a process under a filter that allows everything but some calls.
func filtered(act string) int {
	old := make(chan error) // a thread that was there before the filter
	ask := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		<-ask
		_, err := unix.Getsid(0)
		old <- err
	}()
	err := seccomp.Enter([]seccomp.Rule{
		{Call: unix.SYS_GETPRIORITY, Tests: []seccomp.Test{seccomp.Equal(1, 7)}, Do: seccomp.Allow},
		{Call: unix.SYS_GETPRIORITY, Do: seccomp.Fail(unix.EXDEV)},
		{Call: unix.SYS_GETSID, Do: seccomp.Fail(unix.EDOM)},
		{Call: unix.SYS_GETPGID, Do: seccomp.Kill},
	}, seccomp.Allow)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch act {
	case "fails":
		_, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		_, sid := unix.Getsid(0)
		close(ask)
		if before := <-old; !errors.Is(err, unix.EXDEV) || !errors.Is(sid, unix.EDOM) || !errors.Is(before, unix.EDOM) {
			fmt.Println(err, sid, before)
			return 2
		}
	case "passes":
		if _, err := unix.Getpriority(unix.PRIO_PROCESS, 7); errors.Is(err, unix.EXDEV) {
			return 3
		}
	case "kills":
		unix.Getpgid(0) //nolint:errcheck,gosec // it does not return
	case "foreign call":
		unix.Syscall(0x40000000+39, 0, 0, 0) //nolint:errcheck // x32 getpid: it does not return
	}
	return 0
}

func TestEnter(t *testing.T) {
	for act, want := range map[string]syscall.Signal{"fails": 0, "passes": 0, "kills": unix.SIGSYS, "foreign call": unix.SIGSYS} {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Env = []string{actEnv + "=" + act, "GORACE=atexit_sleep_ms=0"}
		out, err := cmd.CombinedOutput()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if want == 0 && err != nil || want != 0 && (!status.Signaled() || status.Signal() != want) {
			t.Errorf("%s: %v: %s", act, cmd.ProcessState, out)
		}
	}
}
