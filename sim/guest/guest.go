// Package guest runs the image of the board qemu-virt or rpi3 in QEMU, with the
// simulated counter's devices on its lines and the simulated cloud as the only
// host that it reaches.
package guest

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"regi/sim/guest/order"
)

// Lines are the devices of the counter on the guest's USB sockets, from 1 on.
// The console is the board's own line.
//
//nolint:gochecknoglobals // a constant table
var Lines = []string{"scanner", "printer", "card", "keypad", "display"}

// onBoard is the line that is not on USB.
const onBoard = "card"

// Options of a guest.
type Options struct {
	// Image is the command board/image; Disk the unpacked image, which the guest
	// writes to.
	Image, Disk string
	// Dev is the counter's folder of ttys.
	Dev string
	// Cloud is the port of the cloud on this machine; Forward a program that
	// connects its standard input and output to the address it is given.
	Cloud   int
	Forward string
	// Dir is for the sockets of this guest.
	Dir string
	Log io.Writer
	// Pi: the image is a Raspberry Pi 3's. In QEMU that has no network, no display
	// and no clock, but the pins of its drawer.
	Pi bool
	// More are further arguments of QEMU.
	More []string
	// Infected is what is booted in place of the disk's slot; Orders the file
	// that the intruder has its orders from.
	Infected *Infected
	Orders   string
	// Network is between the guest and all others; nil: nothing is.
	Network *Network
}

// CloudAddress is where the guest finds the cloud: the simulated cloud's
// certificate names it.
const CloudAddress = "10.0.2.100"

// Guest is a running machine.
type Guest struct {
	cmd    *exec.Cmd
	socket string
	ended  chan struct{}
	err    error

	mu      sync.Mutex // one question at a time
	monitor net.Conn
	answers *bufio.Scanner
	events  []string // that it told of since the machine was started
}

// Start switches the machine on.
func Start(ctx context.Context, o Options) (*Guest, error) {
	socket := filepath.Join(o.Dir, "monitor")
	os.Remove(socket) //nolint:errcheck,gosec // of a guest before this one
	args, err := o.arguments(socket)
	if err != nil {
		return nil, err
	}
	g := &Guest{cmd: exec.CommandContext(ctx, o.Image, args...), socket: socket, ended: make(chan struct{})} //nolint:gosec // words of ours
	g.cmd.Stdout, g.cmd.Stderr = o.Log, o.Log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // QEMU is the command's child
	g.cmd.Cancel = func() error { return syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) }
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("guest: %w", err)
	}
	go func() {
		defer close(g.ended)
		g.err = g.cmd.Wait()
	}()
	if err := g.connect(ctx); err != nil {
		return nil, errors.Join(err, g.Kill())
	}
	return g, nil
}

// arguments are those of the command board/image.
func (o Options) arguments(socket string) ([]string, error) {
	args := []string{"qemu", o.Disk, "--", "-qmp", "unix:" + socket + ",server=on,wait=off", "-monitor", "none"}
	if !o.Pi {
		args = append(args, o.ethernet()...)
	}
	if o.Infected != nil {
		args = append(args, "-initrd", o.Infected.Initramfs, "-append", o.Infected.CommandLine,
			"-drive", "if=none,id=orders,format=raw,file="+o.Orders, "-device", "virtio-blk-pci,drive=orders,addr=8,serial="+order.Serial)
	}
	for i, name := range append([]string{"console"}, Lines...) {
		path, err := filepath.EvalSymlinks(filepath.Join(o.Dev, name))
		if err != nil {
			return nil, fmt.Errorf("guest: %w", err)
		}
		args = append(args, "-chardev", "serial,id="+name+",path="+path)
		if i == 0 {
			args = append(args, "-serial", "chardev:console")
		} else {
			args = append(args, "-device", device(name, o.Pi))
		}
	}
	return append(args, o.More...), nil
}

// ethernet is a network on which the cloud is, and nothing else.
func (o Options) ethernet() []string {
	host := fmt.Sprintf("user,id=host,restrict=on,guestfwd=tcp:%s:4222-cmd:%s 127.0.0.1:%d", CloudAddress, o.Forward, o.Cloud)
	nic := "virtio-net-pci,id=ethernet,addr=3,netdev="
	if o.Network == nil {
		return []string{"-netdev", host, "-device", nic + "host"}
	}
	return append(o.Network.arguments(host), "-device", nic+"net")
}

// device is a converter on the USB socket of a line, or the board's 16550. The
// sockets of a Raspberry Pi are 2 to 5 of the hub on it, and here one more.
func device(name string, pi bool) string {
	if pi {
		return "usb-serial,id=usb-" + name + ",chardev=" + name + ",port=1." + strconv.Itoa(2+slices.Index(Lines, name))
	}
	if name == onBoard {
		return "pci-serial,id=pci-" + name + ",chardev=" + name + ",addr=7"
	}
	return "usb-serial,id=usb-" + name + ",chardev=" + name + ",port=" + strconv.Itoa(1+slices.Index(Lines, name))
}

// monitorWithin bounds the wait for QEMU's monitor, and for each answer.
const monitorWithin = 20 * time.Second

// connect takes the monitor (QEMU Machine Protocol).
func (g *Guest) connect(ctx context.Context) error {
	until := time.Now().Add(monitorWithin)
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", g.socket)
		if err == nil {
			g.mu.Lock()
			g.monitor, g.answers = c, bufio.NewScanner(c)
			g.mu.Unlock()
			break
		}
		select {
		case <-g.ended:
			return fmt.Errorf("guest: ended: %w", g.err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			return fmt.Errorf("guest: monitor: %w", err)
		}
	}
	return g.Ask("qmp_capabilities", nil)
}

// Ask has the monitor do something.
func (g *Guest) Ask(command string, arguments map[string]any) error {
	return g.hear(command, arguments, nil)
}

// hear is Ask for what has an answer.
func (g *Guest) hear(command string, arguments map[string]any, to any) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ask := map[string]any{"execute": command}
	if arguments != nil {
		ask["arguments"] = arguments
	}
	packet, err := json.Marshal(ask)
	if err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	if err := g.monitor.SetDeadline(time.Now().Add(monitorWithin)); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	if _, err := g.monitor.Write(append(packet, '\n')); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	return g.listen(command, to)
}

// listen reads what the monitor says until it has answered. g.mu is held.
func (g *Guest) listen(command string, to any) error {
	for g.answers.Scan() {
		var answer struct {
			Event  string          `json:"event"`
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := json.Unmarshal(g.answers.Bytes(), &answer); err != nil {
			return fmt.Errorf("guest: %w", err)
		}
		switch {
		case answer.Event != "":
			g.events = append(g.events, answer.Event)
		case answer.Error != nil:
			return fmt.Errorf("guest: %s: %s", command, answer.Error.Desc)
		case answer.Return != nil && to != nil:
			return json.Unmarshal(answer.Return, to)
		case answer.Return != nil:
			return nil
		}
	}
	return fmt.Errorf("guest: %s: no answer: %w", command, errors.Join(g.answers.Err(), io.ErrUnexpectedEOF))
}

// Unplug pulls a line's converter out, Plug puts it back.
func (g *Guest) Unplug(name string) error {
	return g.Ask("device_del", map[string]any{"id": "usb-" + name})
}

// Plug is the other half of Unplug. QEMU gives a line free a moment after it has
// said that its converter is gone.
func (g *Guest) Plug(name string) error {
	socket := slices.Index(Lines, name)
	if socket < 0 {
		return fmt.Errorf("guest: no line %q", name)
	}
	add := map[string]any{"driver": "usb-serial", "id": "usb-" + name, "chardev": name, "port": strconv.Itoa(socket + 1)}
	for until := time.Now().Add(monitorWithin); ; time.Sleep(20 * time.Millisecond) {
		err := g.Ask("device_add", add)
		if err == nil || time.Now().After(until) || !strings.Contains(err.Error(), "in use") && !strings.Contains(err.Error(), "Duplicate") {
			return err
		}
	}
}

// Memory writes all of the guest's RAM to a file.
func (g *Guest) Memory(path string) error {
	const begin, size = 0x4000_0000, 512 << 20
	return g.Ask("pmemsave", map[string]any{"val": uint64(begin), "size": uint64(size), "filename": path})
}

// PowerKey presses it.
func (g *Guest) PowerKey() error { return g.Ask("system_powerdown", nil) }

// Kill cuts the power.
func (g *Guest) Kill() error {
	err := syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL)
	<-g.ended
	if g.monitor != nil {
		g.monitor.Close() //nolint:errcheck,gosec // nothing is left to say
	}
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Wait waits for the machine to switch itself off.
func (g *Guest) Wait(within time.Duration) error {
	select {
	case <-g.ended:
		return g.err
	case <-time.After(within):
		return errors.New("guest: it is still on")
	}
}

// WriteData puts the files of a folder into the data partition of a disk, the
// fourth, in place of what is there. Its file system has kib KiB, and with 0 all
// that the partition has.
func WriteData(ctx context.Context, disk, folder string, kib int64) error {
	f, err := os.Open(disk) //nolint:gosec // named by the caller
	if err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	table := make([]byte, 512)
	_, err = f.ReadAt(table, 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	const fourth, sector = 446 + 3*16, 512
	begin := int64(binary.LittleEndian.Uint32(table[fourth+8:])) * sector
	if kib == 0 {
		kib = int64(binary.LittleEndian.Uint32(table[fourth+12:])) * sector / 1024
	}
	out, err := exec.CommandContext(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-L", "regi-data", "-m", "0", "-d", folder, //nolint:gosec // words of ours
		"-E", "offset="+strconv.FormatInt(begin, 10), disk, strconv.FormatInt(kib, 10)+"k").CombinedOutput()
	if err != nil {
		return fmt.Errorf("guest: mke2fs: %w: %s", err, out)
	}
	return nil
}
