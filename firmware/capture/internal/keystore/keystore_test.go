package keystore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/keystore"
)

// desk is a key file with the devices over it.
type desk struct {
	t           *testing.T
	dir         string
	files       *keystore.Files
	room        *keystore.Room
	store       *keystore.Store
	keys, ahead *dukpt.Registers
	d, a        *dukpt.Device
	data        *aeskey.Cipher
}

var ikid = [8]byte{0xF0, 1, 2, 3, 4, 5, 6, 7}

func open(t *testing.T, dir string) *desk {
	t.Helper()
	k := &desk{t: t, dir: dir, room: new(keystore.Room), keys: new(dukpt.Registers), ahead: new(dukpt.Registers)}
	var err error
	if k.files, err = keystore.Open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.close)
	if k.store, err = keystore.New(k.files.Keys, k.files.Device, k.room); err != nil {
		t.Fatal(err)
	}
	if k.d, err = dukpt.New(k.keys); err != nil {
		t.Fatal(err)
	}
	if k.a, err = dukpt.New(k.ahead); err != nil {
		t.Fatal(err)
	}
	if k.data, err = aeskey.New(new(aeskey.Room)); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *desk) close() { k.files.Close() }

func (k *desk) put(ik []byte) {
	k.t.Helper()
	k.putAs(ikid, ik)
}

func (k *desk) putAs(id [8]byte, ik []byte) {
	k.t.Helper()
	if err := k.d.Load(&id, ik); err != nil {
		k.t.Fatal(err)
	}
	*k.ahead = *k.keys
	k.a.Advance(keystore.WindowEnd(1))
	if err := k.store.Put(k.a, [3]byte{1, 2, 3}); err != nil {
		k.t.Fatal(err)
	}
	k.d.Limit(k.a.Counter())
}

func (k *desk) reserve() error {
	*k.ahead = *k.keys
	k.a.Advance(keystore.WindowEnd(k.d.Counter()))
	err := k.store.Reserve(k.a)
	if err == nil {
		k.d.Limit(k.a.Counter())
	}
	return err
}

// use takes the next key; its encrypted zero block stands for it.
func (k *desk) use() (counter uint32, zero [16]byte) {
	k.t.Helper()
	ksn, err := k.d.Next(k.data, k.data, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	k.data.Encrypt(zero[:], zero[:])
	return binary.BigEndian.Uint32(ksn[8:]), zero
}

func (k *desk) file(name string) []byte {
	k.t.Helper()
	b, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// A key goes on over restarts, at the mark, as the host would have it.
func TestGoesOn(t *testing.T) {
	for _, ik := range [][]byte{[]byte("an AES-128 key!!"), []byte("an AES-256 key, twice as long!!!")} {
		dir := t.TempDir()
		k := open(t, dir)
		if err := k.store.Resume(k.d); !errors.Is(err, keystore.ErrEmpty) || k.store.Info().State != keystore.Empty {
			t.Fatalf("a new folder: %v", err)
		}
		k.put(ik)
		straight := new(dukpt.Registers)
		host, err := dukpt.New(straight)
		if err != nil {
			t.Fatal(err)
		}
		for start := range 5 {
			c, zero := k.use()
			if err := host.Load(&ikid, ik); err != nil {
				t.Fatal(err)
			}
			host.Advance(c)
			if _, err := host.Next(k.data, k.data, nil); err != nil {
				t.Fatal(err)
			}
			var want [16]byte
			if k.data.Encrypt(want[:], want[:]); want != zero || c != uint32(max(1, 64*start)) {
				t.Errorf("start %d: counter %08X", start, c)
			}
			k.close()
			k = open(t, dir)
			if err := k.store.Resume(k.d); err != nil {
				t.Fatal(err)
			}
			if _, err := k.d.Next(k.data, k.data, nil); err == nil {
				t.Error("a resumed device has counters that nobody reserved")
			}
			if err := k.reserve(); err != nil {
				t.Fatal(err)
			}
		}
		i := k.store.Info()
		if i.State != keystore.Keyed || i.IKID != ikid || i.KCV != [3]byte{1, 2, 3} || i.Mark != 6*64 {
			t.Errorf("%+v", i)
		}
		if j, err := keystore.Inspect(dir); err != nil || j != i {
			t.Errorf("%+v, %v", j, err)
		}
	}
}

// After a reservation neither slot holds what leads to a key used before it, or
// to one of the window that may be used now.
func TestForwardSecrecy(t *testing.T) {
	k := open(t, t.TempDir())
	k.put(make([]byte, 16))
	for range 300 {
		c, _ := k.use()
		for slot := range 2 {
			b := bytes.Clone(k.file(keystore.KeysName))
			copy(b[(1-slot)*keystore.SlotBytes:], make([]byte, keystore.SlotBytes)) // only this one is left
			dir := t.TempDir()
			for name, content := range map[string][]byte{keystore.KeysName: b, keystore.DeviceName: k.file(keystore.DeviceName)} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			thief := open(t, dir)
			if err := thief.store.Resume(thief.d); err != nil {
				t.Fatalf("slot %d: %v", slot, err)
			}
			if at := thief.d.Counter(); at <= c {
				t.Fatalf("slot %d stands at %08X, and %08X is used", slot, at, c)
			}
			thief.close()
		}
		if keystore.WindowEnd(c) == k.d.Counter() {
			if err := k.reserve(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Nothing of a key is in the file in the clear, and no other user may read it.
func TestSealed(t *testing.T) {
	k := open(t, t.TempDir())
	k.put([]byte("an AES-128 key!!"))
	state := k.a.AppendState(nil)
	file := k.file(keystore.KeysName)
	for i := 0; i+8 <= len(state); i++ {
		if part := state[i : i+8]; !bytes.Equal(part, make([]byte, 8)) && bytes.Contains(file, part) {
			t.Fatalf("state at %d is in the file", i)
		}
	}
	for _, name := range []string{keystore.KeysName, keystore.DeviceName} {
		if info, err := os.Stat(filepath.Join(k.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if bytes.Contains(k.file(keystore.KeysName), k.file(keystore.DeviceName)) {
		t.Error("the device key is in the key file")
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(keys, device []byte) ([]byte, []byte)
		want   error
		state  keystore.State
	}{
		"another device": {func(k, d []byte) ([]byte, []byte) { d[5] ^= 1; return k, d }, keystore.ErrForeign, keystore.Foreign},
		"device lost":    {func(k, d []byte) ([]byte, []byte) { return k, nil }, keystore.ErrForeign, keystore.Foreign},
		"device emptied": {func(k, d []byte) ([]byte, []byte) { return k, make([]byte, 32) }, keystore.ErrForeign, keystore.Foreign},
		"nothing":        {func(k, d []byte) ([]byte, []byte) { return nil, d }, keystore.ErrDamaged, keystore.Damaged},
		"zeros":          {func(k, d []byte) ([]byte, []byte) { return make([]byte, len(k)), d }, keystore.ErrDamaged, keystore.Damaged},
		"both slots": {func(k, d []byte) ([]byte, []byte) {
			k[100] ^= 1
			k[keystore.SlotBytes+2000] ^= 1
			return k, d
		}, keystore.ErrDamaged, keystore.Damaged},
		"cut": {func(k, d []byte) ([]byte, []byte) { return k[:keystore.SlotBytes-1], d }, keystore.ErrDamaged, keystore.Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t, t.TempDir())
			k.put(make([]byte, 16))
			keys, device := c.change(k.file(keystore.KeysName), k.file(keystore.DeviceName))
			dir := t.TempDir()
			for n, b := range map[string][]byte{keystore.KeysName: keys, keystore.DeviceName: device} {
				if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			l := open(t, dir)
			if err := l.store.Resume(l.d); !errors.Is(err, c.want) || l.d.Loaded() || l.store.Info().State != c.state {
				t.Fatalf("%v, %+v", err, l.store.Info())
			}
			if err := l.store.Reserve(l.d); err == nil {
				t.Error("reserved without a key")
			}
			l.putAs([8]byte{0xF1}, []byte("another AES key!")) // the ceremony
			if err := l.store.Resume(l.d); err != nil {
				t.Errorf("after the ceremony: %v", err)
			}
		})
	}
}

// One slot is enough, whichever it is, and the next reservation mends the other.
func TestOneSlotDamaged(t *testing.T) {
	for slot := range 2 {
		k := open(t, t.TempDir())
		k.put(make([]byte, 16))
		if _, err := k.files.Keys.WriteAt([]byte("torn"), int64(slot)*keystore.SlotBytes+512); err != nil {
			t.Fatal(err)
		}
		k.close()
		l := open(t, k.dir)
		if err := l.store.Resume(l.d); err != nil || l.d.Counter() != 64 {
			t.Fatalf("slot %d: %v", slot, err)
		}
		if err := l.reserve(); err != nil {
			t.Fatal(err)
		}
		if b := l.file(keystore.KeysName); !bytes.Equal(b[:keystore.SlotBytes], b[keystore.SlotBytes:]) {
			t.Error("the slots differ")
		}
	}
}

// A wipe leaves no byte of a key in the files, and stays.
func TestWipe(t *testing.T) {
	k := open(t, t.TempDir())
	k.put([]byte("an AES-128 key!!"))
	file, device := k.file(keystore.KeysName), k.file(keystore.DeviceName)
	if err := k.store.Wipe(); err != nil {
		t.Fatal(err)
	}
	after, fresh := k.file(keystore.KeysName), k.file(keystore.DeviceName)
	for i := 64; i+8 <= 1000; i++ {
		if part := file[i : i+8]; !bytes.Equal(part, make([]byte, 8)) && bytes.Contains(after, part) {
			t.Fatalf("bytes %d of the sealed key are left", i)
		}
	}
	for i := range len(device) - 4 {
		if bytes.Contains(fresh, device[i:i+4]) {
			t.Error("a part of the device key is left")
		}
	}
	k.close()
	l := open(t, k.dir)
	if err := l.store.Resume(l.d); !errors.Is(err, keystore.ErrZeroised) || l.d.Loaded() {
		t.Fatalf("%v", err)
	}
	if i := l.store.Info(); i.State != keystore.Zeroised || i.IKID != ikid || i.At.IsZero() {
		t.Errorf("%+v", i)
	}
	if err := l.store.Wipe(); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := l.d.Load(&ikid, []byte("an AES-128 key!!")); err != nil {
		t.Fatal(err)
	}
	if err := l.store.Put(l.d, [3]byte{}); !errors.Is(err, keystore.ErrAgain) {
		t.Errorf("the wiped key again: %v", err)
	}
	l.putAs([8]byte{0xF1}, []byte("another AES key!"))
	l.close()
	m := open(t, k.dir)
	if err := m.store.Resume(m.d); err != nil {
		t.Errorf("keyed again: %v", err)
	}
}

// A wipe that was cut off between the slots is finished at the next start.
func TestWipeCutOff(t *testing.T) {
	k := open(t, t.TempDir())
	k.put(make([]byte, 16))
	keyed := k.file(keystore.KeysName)
	if err := k.store.Wipe(); err != nil {
		t.Fatal(err)
	}
	for slot := range 2 {
		at := int64(slot) * keystore.SlotBytes
		if _, err := k.files.Keys.WriteAt(keyed[at:at+keystore.SlotBytes], at); err != nil {
			t.Fatal(err)
		}
		k.close()
		l := open(t, k.dir)
		if err := l.store.Resume(l.d); !errors.Is(err, keystore.ErrZeroised) {
			t.Errorf("%v", err)
		}
		if b := l.file(keystore.KeysName); bytes.Contains(b, keyed[64:128]) {
			t.Error("the key is left in one slot")
		}
		l.close()
		k = open(t, k.dir)
	}
}

func TestBusy(t *testing.T) {
	k := open(t, t.TempDir())
	if _, err := keystore.Open(k.dir); !errors.Is(err, keystore.ErrBusy) {
		t.Errorf("%v", err)
	}
	k.close()
	open(t, k.dir)
	if _, err := keystore.Open(filepath.Join(k.dir, "nowhere")); err == nil {
		t.Error("opened a folder that is not there")
	}
}

// The room lies in an arena: in three pages, without a pointer.
func TestRoom(t *testing.T) {
	if unsafe.Sizeof(keystore.Room{}) > 3*4096 {
		t.Error("over three pages")
	}
}

// Any two slots: no panic, and no key out of what this device did not write.
func FuzzOpen(f *testing.F) {
	f.Add(make([]byte, 2*keystore.SlotBytes))
	f.Add([]byte("REGIKEYS"))
	f.Fuzz(func(t *testing.T, file []byte) {
		device := bytes.NewReader(bytes.Repeat([]byte{7}, 32))
		s, err := keystore.New(readOnly{bytes.NewReader(file)}, readOnly{device}, new(keystore.Room))
		if err != nil {
			return
		}
		d, err := dukpt.New(new(dukpt.Registers))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Resume(d); err == nil || d.Loaded() {
			t.Fatal("a key from nowhere")
		}
	})
}

type readOnly struct{ *bytes.Reader }

func (readOnly) WriteAt([]byte, int64) (int, error) { return 0, os.ErrPermission }
