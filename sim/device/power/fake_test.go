package power_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/device/power"
)

// lifetime bounds every process of these tests, whatever goes wrong.
const lifetime = 2 * time.Minute

// TestMain lets this binary play the register and its processes too.
func TestMain(m *testing.M) {
	switch {
	case strings.HasPrefix(os.Args[0], "regi-"):
		time.Sleep(lifetime)
	case len(os.Args) > 2 && os.Args[1] == "fake-register":
		os.Exit(fakeRegister(os.Args[2]))
	case len(os.Args) > 1 && os.Args[1] == "fake-simulator":
		os.Exit(fakeSimulator())
	default:
		os.Exit(m.Run())
	}
}

const idle = `{"time":"2026-11-25T10:00:00Z","level":"INFO","msg":"state","till":"IDLE","outbox":3,"acked":4,"head":7,"cloud":true,` +
	`"scanner":"up","printer":"paper out","card":"up","keypad":"up","display":""}` + "\n"

// fakeRegister behaves, or misbehaves, as its argument says.
func fakeRegister(manner string) int {
	runtime.LockOSThread()
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	var deathSignal syscall.Signal
	switch manner {
	case "dies":
		fmt.Fprint(os.Stderr, idle)
		return 3
	case "key":
		return askForKey()
	case "noisy":
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 200<<10))
	case "steady", "stubborn":
		deathSignal = syscall.SIGKILL
	case "orphans", "strays": // their children survive them
	}
	for _, role := range []string{"regi-capture", "regi-uplink"} {
		child := &exec.Cmd{
			Path: "/proc/self/exe", Args: []string{role}, Stderr: os.Stderr,
			SysProcAttr: &syscall.SysProcAttr{Pdeathsig: deathSignal, Setpgid: manner == "strays"},
		}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Fprint(os.Stderr, idle)
	select {
	case <-terminated:
		if manner == "stubborn" {
			time.Sleep(lifetime)
		}
		return 0
	case <-time.After(lifetime):
		return 1
	}
}

// askForKey says the length of what came for a "K", and never the key.
func askForKey() int {
	if os.Getenv("REGI_CARD_KEY_FD") != "3" {
		fmt.Fprintf(os.Stderr, "REGI_CARD_KEY_FD is %q\n", os.Getenv("REGI_CARD_KEY_FD"))
		return 1
	}
	key := os.NewFile(3, "key")
	if _, err := key.WriteString("K"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b := make([]byte, 64)
	n, err := key.Read(b)
	fmt.Fprintln(os.Stderr, "key of", n, "bytes,", err)
	time.Sleep(lifetime)
	return 0
}

// fakeSimulator turns the power on, says so, and waits for its own death.
func fakeSimulator() int {
	p := power.New(options("steady"))
	if err := p.On(); err != nil {
		fmt.Println(err)
		return 1
	}
	for len(p.State().Roles) < 3 {
		time.Sleep(time.Millisecond)
	}
	for _, pid := range p.State().Roles {
		fmt.Println(pid)
	}
	fmt.Println("on")
	time.Sleep(lifetime)
	return 0
}

func options(manner string) power.Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return power.Options{Path: self, Args: []string{"fake-register", manner}}
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && unix.Kill(pid, 0) == nil
}
