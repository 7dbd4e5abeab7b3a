package boot

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// struct input_event of linux/input.h on 64 bits: two times, type, code, value.
const (
	inputBytes = 24
	inputType  = 16
	inputCode  = 18
	inputValue = 20

	eventKey = 1
	keyPower = 116
)

// power ends the machine by its power key. What other keys there are is not
// read: a keyboard is no part of a register's machine.
func (m *machine) power(ctx context.Context, end context.CancelCauseFunc) {
	paths, err := filepath.Glob("/dev/input/event*")
	if err != nil {
		return
	}
	for _, path := range paths {
		f, err := os.Open(path) //nolint:gosec // a device of this machine
		if err != nil {
			continue
		}
		go func() {
			defer f.Close()                                      //nolint:errcheck // only read from
			defer context.AfterFunc(ctx, func() { f.Close() })() //nolint:errcheck,gosec // only read from
			event := make([]byte, inputBytes)
			for {
				if n, err := f.Read(event); err != nil || n != inputBytes {
					return
				}
				if isPowerKey(event) {
					end(errPowerOff)
					return
				}
			}
		}()
	}
}

func isPowerKey(event []byte) bool {
	return len(event) == inputBytes && binary.NativeEndian.Uint16(event[inputType:]) == eventKey &&
		binary.NativeEndian.Uint16(event[inputCode:]) == keyPower && binary.NativeEndian.Uint32(event[inputValue:]) == 1
}

// tryFile says, in the folder in memory, that the next boot is to be of the
// other slot, once.
const tryFile = Run + "/try"

// restart leaves the machine to the kernel; "0 tryboot" is what the firmware of
// a Raspberry Pi takes for one boot of the other slot.
func restart(how int) error {
	if _, err := os.Stat(tryFile); err != nil || how != unix.LINUX_REBOOT_CMD_RESTART {
		return unix.Reboot(how)
	}
	argument, err := unix.BytePtrFromString("0 tryboot")
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall6(unix.SYS_REBOOT, unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2, unix.LINUX_REBOOT_CMD_RESTART2, uintptr(unsafe.Pointer(argument)), 0, 0) //nolint:gosec // a string for the kernel
	if errno != 0 {
		return errors.Join(errno, unix.Reboot(how))
	}
	return nil
}
