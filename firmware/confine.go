package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"regi/board"
	"regi/board/port"
	"regi/firmware/boot"
	"regi/firmware/landlock"
	"regi/firmware/register"
	"regi/firmware/role"
	"regi/firmware/uplink"
)

// spawnerPaths are what the roles open before each enters its own, narrower
// domain: the lines of the counter, the state folder with the key files, the
// cloud's CA and credentials, and what names are found by. The credentials'
// folders, since a file that was replaced is another file.
func spawnerPaths(c *Config) []landlock.Path {
	paths := []landlock.Path{
		{Path: "/dev", Access: landlock.Device},
		{Path: c.Register.State, Access: landlock.Read | landlock.Write},
		{Path: "/etc/localtime", Access: landlock.Read},
	}
	if c.Drawer.Via == viaGPIO {
		// The chips of the lines are found by looking through the folder.
		paths[0].Access |= landlock.Read
	}
	for _, file := range []string{c.Cloud.CA, c.Cloud.Creds} {
		if file != "" {
			paths = append(paths, landlock.Path{Path: filepath.Dir(file), Access: landlock.Read})
		}
	}
	for _, serial := range c.serials() {
		if dir := portFolder(serial.Port, c); dir != "" {
			paths = append(paths, landlock.Path{Path: dir, Access: landlock.Device})
		}
	}
	return slices.Concat(paths, namePaths(), sysPaths(c))
}

// namePaths are the files by which a host is found.
func namePaths() (paths []landlock.Path) {
	for _, path := range []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"} {
		paths = append(paths, landlock.Path{Path: path, Access: landlock.Read})
	}
	return paths
}

// sysPaths are where a line is found by its socket or maker.
func sysPaths(c *Config) (paths []landlock.Path) {
	dirs := port.SysPaths()
	if c.Keypad.HID.ID != "" {
		dirs = append(dirs, board.HIDSysPaths()...)
	}
	for _, dir := range dirs {
		paths = append(paths, landlock.Path{Path: dir, Access: landlock.Read})
	}
	return paths
}

// registerLimits are what a running register may still open: the folders that
// its records are in, not the key files beside them, and no device: the spawner
// opens those of the counter for it, by their names. Everything else it has read
// by now.
func registerLimits(c *Config) role.Limits {
	var l role.Limits
	for _, dir := range register.Folders(c.Register.State) {
		l.Paths = append(l.Paths, landlock.Path{Path: dir, Access: landlock.Read | landlock.Write})
	}
	l.Paths = append(
		l.Paths,
		landlock.Path{Path: consoleFolder(c), Access: landlock.Read | landlock.Write},
		// Where the next version is put; on a flashed board alone it is there.
		landlock.Path{Path: filepath.Dir(boot.Incoming), Access: landlock.Read | landlock.Write},
	)
	return l
}

// isFlashed says whether this is a board whose first process is this binary.
func isFlashed() bool { return os.Getenv("REGI_BOOT") != "" }

// portFolder is where a port outside /dev is or may appear; "": it needs no rule
// of its own, or gets none. A flashed board has all its lines in /dev.
func portFolder(path string, c *Config) string {
	dir, ok := lineFolder(path)
	if !ok || isFlashed() || under(dir, "/dev") || isForbidden(dir, c) {
		return ""
	}
	return dir
}

// lineFolder is the folder that a port's path leads to, if it is a path.
func lineFolder(path string) (string, bool) {
	if !strings.Contains(path, "/") || strings.HasPrefix(path, usbName) {
		return "", false // none, or a name of something in /dev
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return filepath.Dir(real), true
	}
	dir := filepath.Dir(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real, true
	}
	return dir, true
}

// usbName begins the names of lines that are found by their maker.
const usbName = "usb:"

// systemFolders and what is below them hold no line of a counter.
var systemFolders = [...]string{"/proc", "/sys", "/run", "/etc"} //nolint:gochecknoglobals // a constant table

// isForbidden: who may write a folder for the sake of a port in it could do more
// than use a line.
func isForbidden(dir string, c *Config) bool {
	if slices.ContainsFunc(systemFolders[:], func(f string) bool { return under(dir, f) || under(f, dir) }) {
		return true
	}
	state := unlinked(c.Register.State)
	if under(state, dir) || under(dir, state) {
		return true
	}
	for _, file := range []string{c.Cloud.CA, c.Cloud.Creds, c.Cloud.SealTo, c.Cloud.SignedBy, c.Cloud.CustomerKey, c.Console.Owner, c.Catalog.File} {
		if file != "" && under(filepath.Join(unlinked(filepath.Dir(file)), filepath.Base(file)), dir) {
			return true
		}
	}
	return false
}

// unlinked is a folder's path from the root without links; one that is not there
// is taken as it is.
func unlinked(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// checkPorts refuses ports that cannot be a line.
func (c *Config) checkPorts() error {
	for name, serial := range c.serials() {
		path := serial.Port
		if path == "" || strings.HasPrefix(path, usbName) || name == "card" && c.Card.Reader == "msr-ttl" {
			continue
		}
		if isFlashed() && !under(filepath.Clean(path), "/dev") {
			return fmt.Errorf("%s.port = %q: a port is a tty: on a board use one under /dev, or \"usb:...\"", name, path)
		}
		if dir, ok := lineFolder(path); ok && !under(dir, "/dev") && isForbidden(dir, c) {
			return fmt.Errorf("%s.port = %q: a port is a tty: nothing in %s is one for a register", name, path, dir)
		}
	}
	return nil
}

func under(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// uplinkLimits are what the uplink may still open: the cloud's port, and the
// files by which its host is found. Its CA and credentials are open by now.
func uplinkLimits(c uplink.Config) role.Limits {
	l := role.Limits{UID: role.UplinkUID, Paths: namePaths()}
	u, err := url.Parse(c.URL)
	if err != nil {
		return l
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		l.Connect = []uint16{uint16(port)}
	}
	return l
}

// confineUplink confines this process and reports how well: what is off goes to
// the log, and everything to whoever asks by a descriptor.
func confineUplink(c uplink.Config) {
	controls := role.Confine(uplinkLimits(c))
	logControls(slog.New(slog.NewJSONHandler(os.Stderr, nil)), role.Uplink, controls)
	if link, err := role.Link(role.ReportFD); err == nil {
		if report, err := json.Marshal(controlStates(controls)); err == nil {
			link.Write(report) //nolint:errcheck,gosec // then nobody asks any more
		}
		link.Close() //nolint:errcheck,gosec // said what there is to say
	}
}

// logControls logs what is not in force. The counter goes on without it.
func logControls(log *slog.Logger, who string, controls []role.Control) {
	for _, c := range controls {
		if c.Err != nil {
			log.Error("confinement", "role", who, "control", c.Name, "err", c.Err.Error())
		}
	}
}
