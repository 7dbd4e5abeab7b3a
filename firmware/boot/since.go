package boot

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sinceKernel says how long the kernel has been running, for the log: what a
// start takes is seen on every board.
func sinceKernel() string {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.2f s after the kernel", float64(t.Nano())/1e9)
}
