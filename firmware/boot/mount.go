package boot

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mount is one line of the table below.
type mount struct {
	source, target, kind string
	flags                uintptr
	options              string
}

const (
	// folder is how folders of the root are made; other users pass through them.
	folder = 0o755

	noExec  = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	devices = unix.MS_NOSUID | unix.MS_NOEXEC
)

//nolint:gochecknoglobals // a constant table
var mounts = []mount{
	{"devtmpfs", "/dev", "devtmpfs", devices, "mode=0755"},
	{"proc", "/proc", "proc", noExec, "hidepid=2"},
	{"sysfs", "/sys", "sysfs", noExec, ""},
	{"securityfs", "/sys/kernel/security", "securityfs", noExec, ""},
	{"tmpfs", Run, "tmpfs", noExec, "mode=0755,size=4m"},
	{"tmpfs", "/tmp", "tmpfs", noExec, "mode=0700,size=8m"},
	{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "ptmxmode=0600,mode=0600"},
}

// mountAll makes the kernel's folders, and the root read-only: it is in memory,
// and nothing belongs there but the binary.
func mountAll() error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, folder); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("mount: %w", err)
		}
		err := unix.Mount(m.source, m.target, m.kind, m.flags, m.options)
		// EBUSY: the kernel has mounted /dev already. A kernel without securityfs
		// or pseudo-terminals is no reason not to sell.
		if err != nil && !errors.Is(err, unix.EBUSY) && m.kind != "securityfs" && m.kind != "devpts" {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := os.MkdirAll(Data, folder); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	if err := linkNames(); err != nil {
		return err
	}
	// Before anything of ours is started: a file that was slipped into the root
	// could not be run from there, and none can be written.
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("mount / read-only: %w", err)
	}
	return nil
}

// linkNames leads the files by which names are found to the folder in memory,
// where the network's side writes them.
func linkNames() error {
	if err := os.MkdirAll("/etc", folder); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	for _, name := range []string{"hosts", "resolv.conf"} {
		if err := os.Symlink(Run+"/"+name, "/etc/"+name); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("mount: %w", err)
		}
		if err := os.WriteFile(Run+"/"+name, nil, 0o644); err != nil { //nolint:gosec // the uplink, another user, reads it
			return fmt.Errorf("mount: %w", err)
		}
	}
	return nil
}
