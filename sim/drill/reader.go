package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"regi/firmware/record"
	"regi/sim/device/card"
	"regi/sim/wire"
)

// bareReader is a card reading process of its own, on its own tty: the naive
// one. The drill plays the parent and the source of its keys.
type bareReader struct {
	path, dir string
	wire      *wire.TTY
	cmd       *exec.Cmd
	link, key *os.File
	log       *os.File
	ik        map[string]key // by IKID
	reads     []record.CardRead
	inFlight  atomic.Int64
	pid       atomic.Int64
}

// said is what the process tells of a swipe.
type said struct {
	Ready  bool             `json:"ready"`
	Read   *record.CardRead `json:"read"`
	Failed string           `json:"failed"`
}

func openBare(dir, path string) (_ *bareReader, err error) {
	b := &bareReader{path: path, dir: dir, ik: map[string]key{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if b.wire, err = wire.Open(filepath.Join(dir, "card")); err != nil {
		return nil, err
	}
	if b.log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil { //nolint:gosec // in the drill's own folder
		return nil, err
	}
	return b, b.start()
}

// packets is a pair of sockets that keep the borders of packets.
func packets() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	// Only this end: the naive process uses plain blocking reads.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}

func (b *bareReader) start() error {
	link, theirLink, err := packets()
	if err != nil {
		return err
	}
	defer theirLink.Close() //nolint:errcheck // the process has its own
	keys, theirKeys, err := packets()
	if err != nil {
		return errors.Join(err, link.Close())
	}
	defer theirKeys.Close() //nolint:errcheck // as above
	b.link, b.key = link, keys
	b.cmd = &exec.Cmd{
		Path: b.path, Args: []string{"naive", b.wire.String()}, Env: []string{"GOTRACEBACK=crash"}, Dir: b.dir,
		ExtraFiles: []*os.File{theirLink, theirKeys}, Stderr: b.log,
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if err := b.cmd.Start(); err != nil {
		return err
	}
	if err := b.giveKey(); err != nil {
		return err
	}
	s, err := b.hear()
	if err == nil && !s.Ready {
		err = errors.New("is not ready")
	}
	b.pid.Store(int64(b.cmd.Process.Pid))
	return err
}

// giveKey answers the request for an initial key with a new one.
func (b *bareReader) giveKey() error {
	ask := make([]byte, 8)
	if err := b.key.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if n, err := b.key.Read(ask); err != nil || string(ask[:n]) != "K" {
		return fmt.Errorf("request for a key: %q, %w", ask[:n], err)
	}
	packet := make([]byte, ikidBytes+len(key{}))
	rand.Read(packet)
	b.ik[string(packet[:ikidBytes])] = key(packet[ikidBytes:])
	_, err := b.key.Write(packet)
	return err
}

func (b *bareReader) hear() (s said, err error) {
	if err := b.link.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return s, err
	}
	packet := make([]byte, 4096)
	n, err := b.link.Read(packet)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(packet[:n], &s)
}

// end ends the process by a signal.
func (b *bareReader) end(s syscall.Signal) error {
	if b.cmd == nil || b.cmd.Process == nil || b.cmd.ProcessState != nil {
		return nil
	}
	b.pid.Store(0)
	if err := b.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	b.cmd.Wait() //nolint:errcheck,gosec // it was killed
	return errors.Join(b.link.Close(), b.key.Close())
}

// swipe moves a card through and waits for what the process says.
func (b *bareReader) swipe(t card.Tracks) error {
	swipe := bytesOf(t)
	b.inFlight.Store(int64(len(swipe)))
	defer b.inFlight.Store(0)
	if _, err := b.wire.Write(swipe); err != nil {
		return err
	}
	s, err := b.hear()
	if err == nil && s.Read != nil {
		b.reads = append(b.reads, *s.Read)
	}
	return err
}

// run is the same mix of swipes as the register's traffic, as far as a reader
// without a till can have it. Each waits until the attacker has looked, too.
func (b *bareReader) run(ctx context.Context, numbers []string, passes func() int) error {
	for i, number := range numbers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := b.one(i, number)
		if err != nil {
			return fmt.Errorf("swipe %d of %d: %w", i+1, len(numbers), err)
		}
		seen := passes()
		if err := await(ctx, "a pass", func() bool { return passes() > seen }); err != nil {
			return err
		}
	}
	return nil
}

func (b *bareReader) one(i int, number string) error {
	switch {
	case i%everyKill == everyKill/2:
		swipe := bytesOf(tracks(number))
		if _, err := b.wire.Write(swipe[:len(swipe)/2]); err != nil {
			return err
		}
		if err := b.end(syscall.SIGKILL); err != nil {
			return err
		}
		if err := errors.Join(b.wire.Unplug(), b.wire.Plug()); err != nil { // the half swipe goes with it
			return err
		}
		return b.start()
	case i%everyBad == 1:
		return b.swipe(damaged(number, i/everyBad))
	}
	return b.swipe(tracks(number))
}

func (b *bareReader) close() error {
	err := b.end(syscall.SIGKILL)
	if b.wire != nil {
		err = errors.Join(err, b.wire.Close())
	}
	if b.log != nil {
		err = errors.Join(err, b.log.Close())
	}
	return err
}
