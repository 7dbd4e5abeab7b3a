package main

import (
	"encoding/json"
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
	for _, file := range []string{c.Cloud.CA, c.Cloud.Creds} {
		if file != "" {
			paths = append(paths, landlock.Path{Path: filepath.Dir(file), Access: landlock.Read})
		}
	}
	for _, serial := range c.serials() {
		if dir := portFolder(serial.Port, c.Register.State); dir != "" {
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

// portFolder is where a port outside /dev is or may appear; "": it needs no rule
// of its own. No folder that holds the state is given for it.
func portFolder(path, state string) string {
	if !strings.Contains(path, "/") { // none, or a name of something in /dev
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	if under(dir, "/dev") || under(state, dir) {
		return ""
	}
	return dir
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
