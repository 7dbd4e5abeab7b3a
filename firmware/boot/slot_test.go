package boot

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// shelf is a store whose partitions are files.
func shelf(t *testing.T, active, committed update.Slot) *update.QEMU {
	t.Helper()
	dir := t.TempDir()
	selector, err := fat.Build("SEL", 4<<20, []fat.File{{Name: update.AutobootName, Data: update.Autoboot(committed)}, {Name: update.TryName, Data: update.Try(false)}})
	if err != nil {
		t.Fatal(err)
	}
	d := update.Disk{Active: active}
	for name, p := range map[string]*update.Partition{"selector": &d.Selector, "a": &d.A, "b": &d.B} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, selector, 0o600); err != nil {
			t.Fatal(err)
		}
		device, err := update.OpenDevice(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { device.Close() })
		*p = device
	}
	return update.NewQEMU(d)
}

// made is when the version of signed was.
var made = time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)

// signed is a bundle, and the keys that it is good for.
func signed(t *testing.T, epoch uint64) (data []byte, k update.Keys) {
	t.Helper()
	image, err := fat.Build("REGI", 3<<20, []fat.File{{Name: "kernel.img", Data: []byte("k")}})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(image)
	m := update.Manifest{Board: "qemu-virt", Version: "v2", Epoch: epoch, Built: made, Size: int64(len(image)), SHA256: hex.EncodeToString(sum[:])}
	encoded, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var all []update.Signature
	for i := range k {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i)}, ed25519.SeedSize))
		k[i] = key.Public().(ed25519.PublicKey)
		if i < update.Needed {
			all = append(all, update.Sign(update.Domain, encoded, i, key))
		}
	}
	var b bytes.Buffer
	if err := update.Write(&b, m, all, image); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), k
}

// release is the version that runs in these tests.
func release(epoch uint64) update.Release {
	return update.Release{Board: "qemu-virt", Version: "v1", Epoch: epoch}
}

func put(t *testing.T, dir string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, incomingName)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// settled waits until an update was written or refused. Whoever sees that nothing
// is under way any more must see what became of it.
func settled(t *testing.T, n *slots) SlotState {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); runtime.Gosched() {
		s := n.report()
		if s.Busy {
			continue
		}
		if s.Update == "checking" || strings.HasPrefix(s.Update, "writing") {
			t.Errorf("it has ended, and is still %s", s.Update)
		}
		return s
	}
	t.Fatal("it does not end")
	return SlotState{}
}

func TestInstall(t *testing.T) {
	t.Parallel()
	good, keys := signed(t, 3)
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	older, _ := signed(t, 1)
	// Its manifest and the number of its signatures, and then those, of 65 bytes.
	count := 8 + 4 + int(binary.BigEndian.Uint32(good[8:]))
	one := slices.Concat(good[:count], []byte{1}, good[count+1:count+1+65], good[count+1+2*65:])
	other := release(2)
	other.Board = "rpi4"
	for name, c := range map[string]struct {
		data []byte
		keys update.Keys
		runs update.Release
		want error // nil: written
	}{
		"good": {good, keys, release(2), nil}, "damaged": {bad, keys, release(2), update.ErrCorrupted}, "older": {older, keys, release(2), update.ErrOlder},
		"one signature": {one, keys, release(2), update.ErrSignatures}, "another board's": {good, keys, other, update.ErrBoard},
		"no keys": {good, update.Keys{}, release(2), update.ErrNoKeys}, "none": {nil, keys, release(2), errNoUpdate},
		"too large": {bytes.Repeat([]byte{0}, int(update.BundleMax)+1), keys, release(2), update.ErrTooLarge},
	} {
		dir := t.TempDir()
		n := newSlots(newLog(), dir, c.runs, c.keys, shelf(t, update.A, update.A), nil)
		if c.data != nil {
			put(t, dir, c.data)
		}
		n.install()
		s := settled(t, n)
		if c.want == nil && (!s.Ready || n.try() != nil) || c.want != nil && (s.Ready || !strings.Contains(s.Update, c.want.Error())) {
			t.Errorf("%s: %+v", name, s)
		}
		if _, err := os.Stat(filepath.Join(dir, incomingName)); err == nil {
			t.Errorf("%s: the bundle is still there", name)
		}
		if s.Floor != 2 {
			t.Errorf("%s: floor %d", name, s.Floor)
		}
		// What the next boot knows: the old version after a trial that failed, the
		// new one after one that has not ended.
		back := newSlots(newLog(), dir, release(2), c.keys, shelf(t, update.A, update.A), nil).report()
		next := newSlots(newLog(), dir, update.Release{Board: "qemu-virt", Version: "v2", Epoch: 3}, c.keys, shelf(t, update.B, update.A), nil).report()
		if failed := c.want == nil; (back.Failed == "v2") != failed || next.Failed != "" {
			t.Errorf("%s: after it %+v, %+v", name, back, next)
		}
	}
}

// TestTryAfterRefusal: a version that was written cannot be booted after another
// update was refused: nobody would know afterwards that it was tried, so that it
// would be fetched again for ever.
func TestTryAfterRefusal(t *testing.T) {
	t.Parallel()
	good, keys := signed(t, 3)
	dir := t.TempDir()
	n := newSlots(newLog(), dir, release(2), keys, shelf(t, update.A, update.A), nil)
	put(t, dir, good)
	n.install()
	if s := settled(t, n); !s.Ready {
		t.Fatalf("%+v", s)
	}
	n.install() // there is none
	if s := settled(t, n); s.Ready {
		t.Fatalf("%+v", s)
	}
	if err := n.try(); !errors.Is(err, update.ErrNotWritten) {
		t.Errorf("it is tried, and nobody knows of it: %v", err)
	}
}

// A link that leads elsewhere is not followed: the register may write that folder.
// A register that asks for everything, over and over, washes nothing of what
// PID 1 has said out of its log.
func TestFlood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, keys := signed(t, 3)
	l := newLog()
	l.say("boot")
	m := &machine{log: l, changed: make(chan struct{}, 1)}
	m.slots = newSlots(l, dir, release(2), keys, shelf(t, update.A, update.A), nil)
	m.clock = newClock(time.Now(), filepath.Join(dir, "clock"), l)
	m.clock.set = func(time.Time) error { return nil }
	m.usb = newUSB(l, func() []string { return nil })
	m.usb.sys = dir
	m.slots.store = refusing{m.slots.store}
	m.slots.unproven = true
	none := func(error) { t.Error("it ends") }
	for i := range 2 * logLines {
		for _, op := range []string{OpTry, OpCommit, OpInstall, OpTime, "nonsense"} {
			m.do(nil, Ask{Op: op, Stick: i%2 == 0, Time: time.Now().Add(time.Hour * time.Duration(i))}, none)
		}
	}
	settled(t, m.slots)
	if n := len(l.own); n > causedLines+10 || !strings.HasSuffix(l.own[0].text, " boot") {
		t.Errorf("%d own lines, the first %q", n, l.own[0].text)
	}
}

// refusing is a disk that takes nothing.
type refusing struct{ update.SlotStore }

var errWorn = errors.New("worn out")

func (refusing) TryOnce() error                          { return errWorn }
func (refusing) Commit() error                           { return errWorn }
func (refusing) Write(*update.Bundle, func(int64)) error { return errWorn }

func TestInstallFollowsNoLink(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "bundle")
	n := newSlots(newLog(), dir, release(2), keys, shelf(t, update.A, update.A), nil)
	if err := errors.Join(os.WriteFile(other, data, 0o600), os.Symlink(other, filepath.Join(dir, incomingName))); err != nil {
		t.Fatal(err)
	}
	n.install()
	if s := settled(t, n); s.Ready {
		t.Errorf("%+v", s)
	}
}

// A folder in the place of a bundle is refused, and is not there for the next.
func TestInstallAfterFolder(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	dir := t.TempDir()
	n := newSlots(newLog(), dir, release(2), keys, shelf(t, update.A, update.A), nil)
	if err := os.MkdirAll(filepath.Join(dir, incomingName, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	n.install()
	if s := settled(t, n); s.Ready {
		t.Errorf("%+v", s)
	}
	put(t, dir, data)
	n.install()
	if s := settled(t, n); !s.Ready {
		t.Errorf("%+v", s)
	}
}

// What the register left in the update's folder is gone at the next boot, and
// says nothing to it.
func TestClearUpdate(t *testing.T) {
	t.Parallel()
	_, keys := signed(t, 3)
	dir := t.TempDir()
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			n := newSlots(newLog(), dir, release(2), keys, nil, errNoSlot)
			if s := n.report(); s.Failed != "" || len(n.log.own) != 0 {
				t.Errorf("%+v, %v", s, n.log.own)
			}
		}) // ends when what is deleted beside the start is
		left, err := filepath.Glob(filepath.Join(dir, "*/*"))
		info, errStat := os.Stat(filepath.Join(dir, "update"))
		if len(left) != 0 || err != nil || errStat != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%q, %v, %v", left, err, errStat)
		}
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "update/tried"), []byte("v9"), 0o600), os.MkdirAll(filepath.Join(dir, "update/incoming/deep"), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
}

// What the network brings leads on; a stick may lead back.
func TestReplay(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		version string
		after   time.Duration // what runs was made so much after the bundle
		failed  string
		want    error
	}{
		"newer": {"v1", -day, "", nil}, "older": {"v1", day, "", update.ErrOlder},
		"the same": {"v2", 0, "", update.ErrRuns}, "failed": {"v1", -day, "v2", update.ErrFailed},
	} {
		for _, stick := range []bool{false, true} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, triedName), []byte(c.failed+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := update.Release{Board: "qemu-virt", Version: c.version, Epoch: 3, Built: made.Add(c.after)}
			n := newSlots(newLog(), dir, r, keys, shelf(t, update.A, update.A), nil)
			if stick {
				n.installStick(func() error { return os.WriteFile(filepath.Join(dir, stickName), data, 0o600) })
			} else {
				put(t, dir, data)
				n.install()
			}
			if s := settled(t, n); s.Ready != (stick || c.want == nil) || !s.Ready && !strings.Contains(s.Update, c.want.Error()) {
				t.Errorf("%s, stick %v: %+v", name, stick, s)
			}
		}
	}
}

func TestFloor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, keys := signed(t, 3)
	// On trial the floor stays: the version before must still run.
	n := newSlots(newLog(), dir, release(1), keys, shelf(t, update.A, update.A), nil)
	if n.report().Floor != 1 || n.below() {
		t.Errorf("%+v", n.report())
	}
	n = newSlots(newLog(), dir, release(4), keys, shelf(t, update.B, update.A), nil)
	if s := n.report(); s.Floor != 1 || !s.Trial || s.Slot != "b" {
		t.Errorf("on trial: %+v", s)
	}
	n.commit()
	n.commit()
	if s := n.report(); s.Floor != 4 || s.Trial {
		t.Errorf("committed: %+v", s)
	}
	n = newSlots(newLog(), dir, release(1), keys, shelf(t, update.A, update.A), nil)
	if !n.below() || !strings.Contains(n.report().Fault, errBelow.Error()) {
		t.Errorf("the older one: %+v", n.report())
	}
	// A cut between commit and floor: the next boot raises it.
	n = newSlots(newLog(), dir, release(9), keys, shelf(t, update.B, update.B), nil)
	if n.report().Floor != 9 {
		t.Errorf("%+v", n.report())
	}
	if err := os.WriteFile(filepath.Join(dir, floorName), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	n = newSlots(newLog(), dir, release(7), keys, shelf(t, update.A, update.A), nil)
	if s := n.report(); s.Floor != 7 || n.below() {
		t.Errorf("a damaged floor: %+v", s)
	}
}

func TestTrial(t *testing.T) {
	t.Parallel()
	_, keys := signed(t, 3)
	for _, proves := range []bool{false, true} {
		store := shelf(t, update.B, update.A)
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			n := newSlots(newLog(), dir, release(3), keys, store, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go n.trial(ctx, cancel)
			time.Sleep(trialWithin - time.Second)
			if ctx.Err() != nil {
				t.Error("back before its time")
			}
			if proves {
				n.commit()
			}
			time.Sleep(time.Minute)
			if back := errors.Is(context.Cause(ctx), errTrial); back == proves {
				t.Errorf("proves %v, back %v", proves, back)
			}
		})
	}
}

func TestBootedSlot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		line string
		tree []byte // nil: none
		want update.Slot
	}{
		"command line": {"quiet regi.slot=b panic=5\n", nil, update.B}, "both": {"regi.slot=a", binary.BigEndian.AppendUint32(nil, 2), update.A},
		"tree": {"quiet", binary.BigEndian.AppendUint32(nil, 3), update.B}, "neither": {"quiet", nil, ""},
		"they differ": {"regi.slot=a", binary.BigEndian.AppendUint32(nil, 3), ""}, "no such": {"regi.slot=c", nil, ""},
		"another partition": {"quiet", binary.BigEndian.AppendUint32(nil, 1), ""}, "short": {"regi.slot=a", []byte{0}, ""},
	} {
		line, tree := filepath.Join(dir, name), filepath.Join(dir, name+" tree")
		err := os.WriteFile(line, []byte(c.line), 0o600)
		if c.tree != nil {
			err = errors.Join(err, os.WriteFile(tree, c.tree, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := bootedSlot(line, tree)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A stick is let in for the moment of reading; what is a keyboard as well is not.
func TestFromStick(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	image, err := fat.Build("STICK", 8<<20, []fat.File{{Name: "REGI.UPD", Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	storage := descriptors([2]byte{classStorage, subclassSCSI})
	storage[len(storage)-9] = protocolBulkOnly // before the interface's last byte, and the endpoint
	for name, c := range map[string]struct {
		descriptors []byte
		image       []byte
		want        bool
	}{
		"stick": {storage, image, true}, "and a keyboard": {append(bytes.Clone(storage), descriptors([2]byte{3, 1})[27:]...), image, false},
	} {
		sys, dev, dir := t.TempDir(), t.TempDir(), t.TempDir()
		plug(t, sys, "1-2", map[string]string{"authorized": "0\n", "idVendor": "0781\n", "idProduct": "5567\n", "descriptors": string(c.descriptors)})
		plug(t, sys, "1-2/1-2:1.0/host0/target0:0:0/0:0:0:0/block/sda/sda1", nil)
		if err := os.WriteFile(filepath.Join(dev, "sda1"), c.image, 0o600); err != nil {
			t.Fatal(err)
		}
		u := newUSB(newLog(), func() []string { return nil })
		u.sys = sys
		u.all()
		n := newSlots(newLog(), dir, release(2), keys, shelf(t, update.A, update.A), nil)
		n.installStick(func() error { return n.fromStick(u, dev) })
		if s := settled(t, n); s.Ready != c.want || !c.want && !strings.Contains(s.Update, errNoStick.Error()) {
			t.Errorf("%s: %+v", name, s)
		}
		if got := word(filepath.Join(sys, "1-2"), "authorized"); got != "0" {
			t.Errorf("%s: still let in: %s", name, got)
		}
	}
}

// One that was taken out and put in as something else is not let in, nor is one
// that the kernel takes for something else.
func TestLetStick(t *testing.T) {
	t.Parallel()
	storage := descriptors([2]byte{classStorage, subclassSCSI})
	storage[len(storage)-9] = protocolBulkOnly
	sys := t.TempDir()
	files := map[string]string{"authorized": "0\n", "idVendor": "0781\n", "idProduct": "5567\n", "descriptors": string(storage)}
	plug(t, sys, "1-2", files)
	plug(t, sys, "1-3", files)
	plug(t, sys, "1-3/1-3:1.0", nil)
	u := newUSB(newLog(), func() []string { return nil })
	u.sys = sys
	u.all()
	if got := u.sticks(); len(got) != 2 {
		t.Fatal(got)
	}
	plug(t, sys, "1-2", map[string]string{"descriptors": string(descriptors([2]byte{3, 1}))})
	if err := os.Symlink("../../drivers/rtl8150", filepath.Join(sys, "1-3/1-3:1.0/driver")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1-2", "1-3"} {
		if err := u.letStick(name); !errors.Is(err, errNoStick) || word(filepath.Join(sys, name), "authorized") != "0" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stick that is not read in time is given up, and nothing is left of it.
func TestSlowStick(t *testing.T) {
	t.Parallel()
	data, keys := signed(t, 3)
	image, err := fat.Build("STICK", 8<<20, []fat.File{{Name: "REGI.UPD", Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	dir, dev := t.TempDir(), filepath.Join(t.TempDir(), "sda1")
	if err := os.WriteFile(dev, image, 0o600); err != nil {
		t.Fatal(err)
	}
	n := newSlots(newLog(), dir, release(2), keys, nil, errNoSlot)
	if err := n.copyFrom(dev, time.Now().Add(-time.Second)); !errors.Is(err, errSlow) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, stickName)); err == nil {
		t.Error("half of it is left")
	}
}

func TestSiblings(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	sys := filepath.Join(root, "class")
	if err := os.Mkdir(sys, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"vda1", "vda2", "vda3", "vda4"} {
		plug(t, root, "vda/"+name, map[string]string{"partition": string(rune('1'+i)) + "\n"})
		if err := os.Symlink(filepath.Join(root, "vda", name), filepath.Join(sys, name)); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := siblings(sys, "/dev", "vda4")
	if err != nil || paths[1] != "/dev/vda1" || paths[3] != "/dev/vda3" {
		t.Error(paths, err)
	}
	if err := os.RemoveAll(filepath.Join(root, "vda/vda3")); err != nil {
		t.Fatal(err)
	}
	if _, err := siblings(sys, "/dev", "vda4"); !errors.Is(err, update.ErrSelector) {
		t.Error(err)
	}
}
