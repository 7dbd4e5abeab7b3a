// Package landlock puts this process into a Landlock domain, Linux's sandbox
// that even root cannot leave: it opens what its rules name and nothing else,
// and looks into no process that is not in the same domain or one nested in it.
package landlock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrAbsent says that this kernel has no Landlock, or was started without it.
var ErrAbsent = errors.New("landlock: not in this kernel")

// The versions of the kernel's interface (landlock(7), "ABI versions") with
// which more can be forbidden.
const (
	abiRefer    = 2 // Linux 5.19: renaming from one folder to another
	abiTruncate = 3 // 6.2
	abiTCP      = 4 // 6.7
	abiIoctl    = 5 // 6.10: ioctl on devices
	abiScope    = 6 // 6.12: signals, abstract Unix sockets
	abiTSync    = 8 // one call restricts all threads
	abiResolve  = 9 // connecting to Unix sockets that have a path
	abiUDP      = 10
)

// Access is what a rule allows below a path.
type Access uint64

// The accesses that a rule may give.
const (
	// Read: existing files, and the names in folders.
	Read Access = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	// Write: making, changing and removing files and folders.
	Write Access = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR
	// Device: opening a device to read and write, and its ioctl requests.
	Device Access = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV

	// Execute: running a file as a program, for which the kernel reads it.
	Execute Access = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE

	// onFile are the accesses that the kernel takes for what is no folder.
	onFile Access = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_IOCTL_DEV | unix.LANDLOCK_ACCESS_FS_EXECUTE
)

// Path is one rule: Access to Path and everything below it. A path that does
// not exist gives nothing.
type Path struct {
	Path   string
	Access Access
}

// Domain is what stays allowed. The zero Domain allows nothing at all.
type Domain struct {
	Paths []Path
	// Connect are TCP ports. A domain with one may use UDP, for the name of the
	// host behind it.
	Connect []uint16
	// Network leaves it to the domains nested in this one to forbid ports.
	Network bool
}

// ruleset is struct landlock_ruleset_attr.
type ruleset struct{ fs, net, scoped uint64 }

// ABI is the version of the kernel's interface, 0 where there is none.
func ABI() int {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// TCP says whether this kernel's Landlock can forbid TCP ports.
func TCP() bool { return ABI() >= abiTCP }

// Signals says whether it can forbid signals to other processes.
func Signals() bool { return handles(ABI()).scoped&unix.LANDLOCK_SCOPE_SIGNAL != 0 }

// Enter confines all threads of this process, and every child of it, for good.
// What this kernel cannot forbid it leaves out; ErrAbsent: that is everything.
//
// Before ABI 8 the kernel confines one thread at a time. Package syscall can do
// that for all threads of a process without cgo only: with it, Enter fails.
// no_new_privs is set on the way.
func Enter(d Domain) error {
	abi := ABI()
	if abi == 0 {
		return ErrAbsent
	}
	handled := handles(abi)
	if d.Network {
		handled.net = 0
	} else if abi >= abiUDP && len(d.Connect) == 0 {
		handled.net |= unix.LANDLOCK_ACCESS_NET_BIND_UDP | unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), handled.size(abi), 0) //nolint:gosec // a struct for the kernel
	if errno != 0 {
		return fmt.Errorf("landlock: ruleset: %w", errno)
	}
	defer unix.Close(int(fd)) //nolint:errcheck // the domain keeps its rules
	for _, p := range d.Paths {
		if err := p.add(int(fd), handled.fs); err != nil {
			return fmt.Errorf("landlock: %s: %w", p.Path, err)
		}
	}
	if abi >= abiTCP {
		for _, port := range d.Connect {
			if err := addPort(int(fd), port); err != nil {
				return fmt.Errorf("landlock: port %d: %w", port, err)
			}
		}
	}
	if err := restrict(fd, abi); err != nil {
		return fmt.Errorf("landlock: restrict: %w", err)
	}
	return nil
}

// handles lists what a domain forbids where no rule allows it.
func handles(abi int) ruleset {
	r := ruleset{fs: unix.LANDLOCK_ACCESS_FS_REFER - 1} // the thirteen of ABI 1
	for _, f := range []struct {
		since int
		fs    uint64
	}{
		{abiRefer, unix.LANDLOCK_ACCESS_FS_REFER},
		{abiTruncate, unix.LANDLOCK_ACCESS_FS_TRUNCATE},
		{abiIoctl, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
		{abiResolve, unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX},
	} {
		if abi >= f.since {
			r.fs |= f.fs
		}
	}
	if abi >= abiTCP {
		r.net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= abiScope {
		r.scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		// Entered thread by thread each thread is in a domain of its own, and only
		// with this erratum mended may the runtime's signals pass between them.
		if abi >= abiTSync || errata()&erratumSignal != 0 {
			r.scoped |= unix.LANDLOCK_SCOPE_SIGNAL
		}
	}
	return r
}

// size is how much of the structure a kernel knows.
func (r *ruleset) size(abi int) uintptr {
	switch {
	case abi < abiTCP:
		return unsafe.Offsetof(r.net)
	case abi < abiScope:
		return unsafe.Offsetof(r.scoped)
	}
	return unsafe.Sizeof(*r)
}

// erratumSignal: threads of one process may signal each other (erratum 2).
const erratumSignal = 1 << 1

// errata are the mended ones; 0 on kernels that cannot say.
func errata() uintptr {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	if errno != 0 {
		return 0
	}
	return n
}

func (p Path) add(ruleset int, handled uint64) error {
	fd, err := unix.Open(p.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // the rule keeps the file
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return err
	}
	access := uint64(p.Access) & handled
	if s.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= uint64(onFile)
	}
	// struct landlock_path_beneath_attr is packed: 12 bytes.
	var rule [12]byte
	*(*uint64)(unsafe.Pointer(&rule[0])) = access                                   //nolint:gosec // as the kernel lays it out
	*(*int32)(unsafe.Pointer(&rule[8])) = int32(fd)                                 //nolint:gosec // as the kernel lays it out
	return addRule(ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule)) //nolint:gosec // a struct for the kernel
}

// ruleNetPort is LANDLOCK_RULE_NET_PORT, which x/sys does not name.
const ruleNetPort = 2

func addPort(ruleset int, port uint16) error {
	rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
	return addRule(ruleset, ruleNetPort, unsafe.Pointer(&rule)) //nolint:gosec // a struct for the kernel
}

func addRule(ruleset, kind int, rule unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), uintptr(kind), uintptr(rule), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func restrict(ruleset uintptr, abi int) error {
	if abi >= abiTSync {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		_, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, unix.LANDLOCK_RESTRICT_SELF_TSYNC, 0)
		if errno != 0 {
			return errno
		}
		return nil
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
