package stand

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// atOnce is how many counters run at once, on however few processors: they wait
// for wires and timers more than they work.
const atOnce = 4

// Main runs the tests of a package with commands that were built once. It is
// for TestMain, and returns the exit code.
func Main(m *testing.M, built *Commands) int {
	dir, err := os.MkdirTemp("", "regi-stand-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // of the system's temporary folder
	if *built, err = Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flag.Parse()
	if runtime.GOMAXPROCS(0) < atOnce {
		if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}
