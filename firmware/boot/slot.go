package boot

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"regi/board"
	"regi/firmware/update"
)

// Files of updates on the data partition.
const (
	// Incoming is where the register puts a bundle for OpInstall.
	Incoming = Data + "/update/incoming"
	// floorName holds the lowest epoch that may run, as decimal digits.
	floorName    = "floor"
	incomingName = "update/incoming"
	// triedName holds the version that the other slot was tried with. It is beside
	// the floor, not in the update's folder, which the register may write.
	triedName = "tried"
	// stickName is where this process alone puts the bundle of a stick.
	stickName = "stick.upd"
	// oldPattern are folders that the register wrote in an earlier boot.
	oldPattern = "old-*"
)

// trialWithin is how long a version on trial has to prove itself.
const trialWithin = 10 * time.Minute

var (
	errNoRelease = errors.New("this image does not say what it is: it cannot be updated, only flashed")
	errNoSlot    = errors.New("the board's firmware does not say which slot it booted: it cannot be updated, only flashed")
	errBusy      = errors.New("an update is being written")
	errNoUpdate  = errors.New("there is no update")
	errBelow     = errors.New("this version may not run here any more")
	errTrial     = errors.New("the version on trial did not prove itself: back to the one before")
)

// SlotState is what a technician is told of versions.
type SlotState struct {
	Board, Version string
	Epoch, Floor   uint64
	Slot           string // "a" or "b", "" where it is not known
	// Trial: a reset boots the other slot, and one is due if this is not committed.
	Trial bool
	// Fault says why this board cannot be updated, or why the register does not
	// run; "" if all is well.
	Fault string
	// Update says what became of the last update.
	Update string
	// Damaged names the slots that are not what was signed.
	Damaged []string `json:",omitempty"`
	// Failed is a version that was tried and did not prove itself.
	Failed string
	// Busy: an update is being checked or written.
	Busy bool
	// Ready: the other slot holds an update that can be tried.
	Ready bool
}

// slots are the version that runs, and the other one.
type slots struct {
	log   *log
	dir   string // the data partition
	keys  update.Keys
	store update.SlotStore // nil where there is none
	built time.Time        // when this version was

	media sync.Mutex // held by who reads or writes whole slots

	mu       sync.Mutex
	state    SlotState
	busy     bool
	next     string        // the version that was written
	proven   chan struct{} // closed when this version is committed
	unproven bool          // it is not closed yet
}

// newSlots looks what runs. Whatever is amiss, the register of this slot sells.
func newSlots(l *log, dir string, r update.Release, k update.Keys, s update.SlotStore, fault error) *slots {
	n := &slots{log: l, dir: dir, keys: k, store: s, built: r.Built, proven: make(chan struct{}), unproven: true}
	n.state = SlotState{Board: r.Board, Version: r.Version, Epoch: r.Epoch}
	if s != nil {
		n.state.Slot = string(s.Active())
		trial, err := s.Trying()
		n.state.Trial = trial && err == nil
		fault = errors.Join(fault, err)
	}
	if fault != nil {
		n.state.Fault = fault.Error()
	}
	n.state.Floor = n.readFloor()
	n.readTried()
	if err := n.clearUpdate(); err != nil {
		l.say("update: %v", err)
	}
	if !n.state.Trial {
		n.unproven = false
		close(n.proven)
		// A commit that was cut before it raised the floor.
		n.raise()
	}
	if n.state.Epoch < n.state.Floor {
		n.state.Fault = fmt.Sprintf("%v: its epoch is %d, at least %d is needed: take the newest version", errBelow, n.state.Epoch, n.state.Floor)
	}
	return n
}

// below says that this version may not run.
func (n *slots) below() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state.Epoch < n.state.Floor
}

func (n *slots) report() SlotState {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.state
	s.Busy = n.busy
	return s
}

// readFloor returns the floor; a file that says nothing is no reason to stand
// still, and none to run something older than this.
func (n *slots) readFloor() uint64 {
	b, err := readSmall(filepath.Join(n.dir, floorName))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	floor, errDigits := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil || errDigits != nil {
		n.log.say("update: the floor cannot be read: %d, this version's, is taken", n.state.Epoch)
		return n.state.Epoch
	}
	return floor
}

// readTried finds out what became of the last trial.
func (n *slots) readTried() {
	b, err := readSmall(filepath.Join(n.dir, triedName))
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			n.log.say("update: what was tried last cannot be read: %v", err)
		}
		return
	}
	if tried := clean(strings.TrimSpace(string(b))); tried != n.state.Version {
		n.state.Failed = tried
		n.state.Update = tried + " was tried and did not prove itself: " + n.state.Version + " runs again"
	}
}

// clearUpdate makes the folder that the register puts an update into, anew at
// each boot: what it left there in the one before is nobody's any more. A full
// one is moved away at once and deleted beside the start, which it may not hold up.
func (n *slots) clearUpdate() error {
	path := filepath.Join(n.dir, filepath.Dir(incomingName))
	err := os.Remove(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		old, errOld := os.MkdirTemp(n.dir, oldPattern)
		if errOld != nil {
			return errOld
		}
		if err := os.Rename(path, filepath.Join(old, "update")); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(n.dir, oldPattern))
	if err != nil {
		return err
	}
	for _, o := range old {
		go os.RemoveAll(o) //nolint:errcheck // the next boot tries again
	}
	return errors.Join(os.RemoveAll(filepath.Join(n.dir, stickName)), os.Mkdir(path, 0o700))
}

// raise raises the floor to this version's epoch. n.mu is held, or n is new.
func (n *slots) raise() {
	if n.state.Floor >= n.state.Epoch {
		return
	}
	path := filepath.Join(n.dir, floorName)
	err := writeWhole(path, fmt.Appendf(nil, "%d\n", n.state.Epoch), 0o600)
	if err != nil {
		n.log.say("update: floor: %v", err)
		return
	}
	n.state.Floor = n.state.Epoch
}

// install checks the bundle that the register has put onto the data partition and
// writes it to the other slot; it returns at once, and what became of it is in
// the state.
func (n *slots) install() {
	n.carryOut(func() (update.Manifest, error) { return n.write(incomingName, false) })
}

// installStick does so with the bundle that fetch puts where this process alone
// writes. Who holds a stick in his hand may go back to an older version.
func (n *slots) installStick(fetch func() error) {
	n.carryOut(func() (update.Manifest, error) {
		if err := fetch(); err != nil {
			return update.Manifest{}, err
		}
		return n.write(stickName, true)
	})
}

func (n *slots) carryOut(write func() (update.Manifest, error)) {
	if err := n.begin(); err != nil {
		n.say(err.Error())
		return
	}
	go func() {
		n.media.Lock()
		m, err := write()
		n.media.Unlock()
		said := fmt.Sprintf("%s (epoch %d) is written: try it", m.Version, m.Epoch)
		if err != nil {
			said = err.Error()
		}
		// At once: whoever waits for the end reads then what became of it.
		n.mu.Lock()
		n.busy, n.state.Ready, n.next, n.state.Update = false, err == nil, m.Version, said
		n.mu.Unlock()
		n.log.caused("update: %s", said)
	}()
}

func (n *slots) begin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.busy:
		return errBusy
	case n.store == nil:
		return errors.New(n.state.Fault)
	}
	n.busy, n.state.Ready, n.state.Update = true, false, "checking"
	return nil
}

func (n *slots) say(what string) {
	n.mu.Lock()
	n.state.Update = what
	n.mu.Unlock()
	n.log.caused("update: %s", what)
}

// write reads the bundle once: what was checked is what is written. One that was
// refused is deleted; one that may be used later is kept.
func (n *slots) write(name string, fromStick bool) (m update.Manifest, err error) {
	path := filepath.Join(n.dir, name)
	defer func() {
		if fromStick || !errors.Is(err, update.ErrNotYet) {
			err = errors.Join(err, os.RemoveAll(path)) // whatever it is: the next one must find its place free
		}
	}()
	f, info, err := openPlain(path)
	if err != nil {
		return m, fmt.Errorf("%w: %w", errNoUpdate, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	if info.Size() > update.BundleMax {
		return m, update.ErrTooLarge
	}
	b, err := update.Read(f)
	if err != nil {
		return m, err
	}
	if err := b.Check(&n.keys, n.running(fromStick)); err != nil {
		return m, err
	}
	return b.Manifest, n.store.Write(b, func(done int64) {
		n.mu.Lock()
		n.state.Update = fmt.Sprintf("writing, %d %%", 100*done/b.Size)
		n.mu.Unlock()
	})
}

// running is what an update is checked against. What comes over the network may
// be replayed by whoever has the register or the cloud: it must lead on.
func (n *slots) running(fromStick bool) update.Running {
	s := n.report()
	r := update.Running{Board: s.Board, Floor: s.Floor, Now: time.Now()}
	if !fromStick {
		r.Version, r.Failed, r.Built = s.Version, s.Failed, n.built
	}
	return r
}

// try has the next boot be of the other slot.
func (n *slots) try() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.busy:
		return errBusy
	case n.store == nil:
		return errors.New(n.state.Fault)
	case !n.state.Ready:
		// The slot may hold one that was written before, and whose name is forgotten.
		return fmt.Errorf("update: try: %w", update.ErrNotWritten)
	}
	// First: a trial that is not known of would be repeated.
	if err := writeWhole(filepath.Join(n.dir, triedName), []byte(n.next+"\n"), 0o600); err != nil {
		return fmt.Errorf("update: try: %w", err)
	}
	return n.store.TryOnce()
}

// commit has this version be booted from now on. The floor comes second: a cut
// between the two leaves a floor that is too low until the next boot, the other
// way round would leave a version that may not run.
func (n *slots) commit() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.unproven {
		return
	}
	if err := n.store.Commit(); err != nil {
		n.log.caused("update: commit: %v", err)
		return
	}
	n.raise()
	n.state.Trial, n.unproven = false, false
	close(n.proven)
	n.log.say("update: %s is committed", n.state.Version)
}

// trial resets the board if this version does not prove itself in time.
func (n *slots) trial(ctx context.Context, end context.CancelCauseFunc) {
	select {
	case <-n.proven:
	case <-ctx.Done():
	case <-time.After(trialWithin):
		end(errTrial)
	}
}

// openSlots looks for the slots of this machine.
func openSlots(l *log) *slots {
	var k update.Keys
	text, err := os.ReadFile(update.ReleasePath)
	if err != nil {
		return newSlots(l, Data, update.Release{}, k, nil, errNoRelease)
	}
	r, err := update.ParseRelease(text)
	if err != nil {
		return newSlots(l, Data, update.Release{}, k, nil, errNoRelease)
	}
	keys, err := os.ReadFile(update.KeysPath)
	if err == nil {
		k, err = update.ParseKeys(keys)
	}
	if err != nil || k.None() {
		l.say("update: %v", errors.Join(err, update.ErrNoKeys))
	}
	s, err := openStore(r.Board, "/sys/class/block", "/dev")
	n := newSlots(l, Data, r, k, s, err)
	state := n.report()
	l.say("slot: %s, version %s for %s, epoch %d, floor %d", state.Slot, state.Version, state.Board, state.Epoch, state.Floor)
	if state.Trial {
		l.say("slot: on trial: it has %v to prove itself", trialWithin)
	}
	if state.Fault != "" {
		l.say("slot: %s", state.Fault)
	}
	return n
}

// openStore opens the partitions beside the data partition.
func openStore(name, sys, dev string) (update.SlotStore, error) {
	slot, err := bootedSlot("/proc/cmdline", "/proc/device-tree/chosen/bootloader/partition")
	if err != nil {
		return nil, err
	}
	b, err := board.ByName(name)
	if err != nil {
		return nil, err
	}
	if b.Image == nil {
		return nil, errNoSlot
	}
	data, _, err := findData(sys, dev)
	if err != nil {
		return nil, err
	}
	paths, err := siblings(sys, dev, filepath.Base(data))
	if err != nil {
		return nil, err
	}
	d := update.Disk{Active: slot}
	for _, p := range []struct {
		number int
		to     *update.Partition
	}{{update.SelectorPartition, &d.Selector}, {update.A.Partition(), &d.A}, {update.B.Partition(), &d.B}} {
		device, err := update.OpenDevice(paths[p.number])
		if err != nil {
			return nil, err
		}
		*p.to = device
	}
	if b.Image.Select == board.SelectQEMU {
		return update.NewQEMU(d), nil
	}
	return update.NewPi(d, func() error { return os.WriteFile(tryFile, nil, 0o600) }), nil
}

// siblings are the partitions of the disk that one of them is on, by number.
func siblings(sys, dev, one string) (map[int]string, error) {
	place, err := filepath.EvalSymlinks(filepath.Join(sys, one))
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	entries, err := os.ReadDir(filepath.Dir(place))
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	paths := map[int]string{}
	for _, e := range entries {
		number, err := strconv.Atoi(word(filepath.Join(filepath.Dir(place), e.Name()), "partition"))
		if err == nil {
			paths[number] = filepath.Join(dev, e.Name())
		}
	}
	for _, number := range []int{update.SelectorPartition, update.A.Partition(), update.B.Partition()} {
		if paths[number] == "" {
			return nil, fmt.Errorf("disk: no partition %d: %w", number, update.ErrSelector)
		}
	}
	return paths, nil
}

// bootedSlot is what the kernel's command line says, and the firmware of a
// Raspberry Pi in its device tree. Where both do, they must agree: a slot that
// is taken for the other one would be overwritten while it runs.
func bootedSlot(cmdline, tree string) (update.Slot, error) {
	var slot update.Slot
	line, err := os.ReadFile(cmdline) //nolint:gosec // a file of the kernel
	if err != nil {
		return "", errNoSlot
	}
	for w := range strings.FieldsSeq(string(line)) {
		if said, ok := strings.CutPrefix(w, update.SlotArgument); ok {
			slot = update.Slot(said)
		}
	}
	if slot != update.A && slot != update.B && slot != "" {
		return "", errNoSlot
	}
	f, err := os.Open(tree) //nolint:gosec // a file of the kernel
	if err == nil {
		defer f.Close() //nolint:errcheck // only read from
		var b [4]byte
		if _, err := io.ReadFull(f, b[:]); err != nil {
			return "", errNoSlot
		}
		for _, s := range []update.Slot{update.A, update.B} {
			if binary.BigEndian.Uint32(b[:]) == uint32(s.Partition()) && (slot == "" || slot == s) { //nolint:gosec // 2 or 3
				return s, nil
			}
		}
		return "", errNoSlot
	}
	if slot == "" {
		return "", errNoSlot
	}
	return slot, nil
}
