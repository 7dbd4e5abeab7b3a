package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"regi/sim/drill/reach"
	"regi/sim/guest/order"
)

// processes are those of users, but this one's.
func processes() (list []order.Process) {
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name, err := os.ReadFile(entry) //nolint:gosec // of /proc
		pid, errPID := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		name, _, _ = bytes.Cut(name, []byte{0})
		if err != nil || errPID != nil || len(name) == 0 || string(name) == resident || string(name) == errand {
			continue // of the kernel, or just ended
		}
		p := order.Process{PID: pid, Name: string(name)}
		status, err := os.ReadFile(filepath.Dir(entry) + "/status")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "\nUid:")
		if _, err := fmt.Sscan(rest, &p.User); err != nil {
			continue
		}
		list = append(list, p)
	}
	return list
}

// sockets are those that a packet from anywhere could come to: TCP's that listen,
// and all others that have no peer.
func sockets() (list []string, err error) {
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "sctp/eps", "mptcp"} {
		b, err := os.ReadFile("/proc/net/" + name) //nolint:gosec // of the names above
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return list, err
		}
		for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			f := strings.Fields(line)
			const local, remote, state, listening = 1, 2, 3, "0A"
			switch {
			case i == 0 || len(f) <= state: // the title
			case name == "packet":
				list = append(list, "packet "+line)
			case strings.HasPrefix(name, "tcp") && f[state] != listening:
			case strings.HasPrefix(name, "udp") && !strings.HasSuffix(f[remote], ":0000"):
			default:
				list = append(list, name+" "+where(f[local]))
			}
		}
	}
	return list, nil
}

// where reads an address as the kernel lists it: words of the machine's order.
func where(text string) string {
	address, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(address)
	n, errPort := strconv.ParseUint(port, 16, 16)
	if err != nil || errPort != nil || len(b)%4 != 0 {
		return text
	}
	for i := 0; i < len(b); i += 4 {
		binary.BigEndian.PutUint32(b[i:], binary.LittleEndian.Uint32(b[i:]))
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return text
	}
	return netip.AddrPortFrom(a, uint16(n)).String()
}

// devices are those on USB, and the nodes and links that the kernel has made of
// anything.
func devices() (list []order.Device, nodes []string) {
	read := func(path string) string {
		b, err := os.ReadFile(path) //nolint:gosec // of sysfs
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	const usb = "/sys/bus/usb/devices/"
	entries, err := os.ReadDir(usb)
	if err == nil {
		for _, e := range entries {
			if strings.Contains(e.Name(), ":") {
				continue // an interface
			}
			dir := usb + e.Name()
			d := order.Device{Name: e.Name(), ID: read(dir+"/idVendor") + ":" + read(dir+"/idProduct"), Authorized: read(dir + "/authorized")}
			links, _ := filepath.Glob(dir + "/" + e.Name() + ":*/driver") //nolint:errcheck // a pattern of ours
			for _, link := range links {
				if driver, err := os.Readlink(link); err == nil {
					d.Drivers = append(d.Drivers, filepath.Base(driver))
				}
			}
			list = append(list, d)
		}
	}
	for _, pattern := range []string{"/sys/class/net/*", "/sys/class/input/*", "/sys/class/hidraw/*", "/sys/class/block/*", "/sys/class/tty/ttyUSB*", "/sys/class/tty/ttyACM*", "/sys/class/usbmisc/*"} {
		found, _ := filepath.Glob(pattern) //nolint:errcheck // a pattern of ours
		nodes = append(nodes, found...)
	}
	slices.Sort(nodes)
	return list, nodes
}

// peek tries to read a process. Whoever does not see it does not know its
// addresses either.
func peek(pid int) []reach.Attempt {
	at, err := reach.Address(pid)
	if err != nil {
		at = 0x10000 // where the linker puts a program
	}
	return reach.Peek(pid, uintptr(at))
}
