package capture

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/launch"
)

// platter is a disk under the key files. It can be cut: the write under way is
// then torn, and nothing is written after it.
type platter struct {
	random *rand.Rand
	data   []byte
	left   int   // writes until the cut; negative: none
	fails  error // of every write; it may have done anything to its sectors
	cut    bool
}

var errCut = errors.New("power cut")

const sector = 512

func (d *platter) ReadAt(b []byte, at int64) (int, error) { return copy(b, d.data[at:]), nil }

func (d *platter) WriteAt(b []byte, at int64) (int, error) {
	switch {
	case d.cut:
		return 0, errCut
	case d.fails != nil:
		d.tear(b, at)
		return 0, d.fails
	case d.left == 0:
		d.cut = true
		d.tear(b, at)
		return 0, errCut
	}
	d.left--
	copy(d.data[at:], b)
	return len(b), nil
}

// tear leaves each sector old, new, in parts new, or with garbage in it.
func (d *platter) tear(b []byte, at int64) {
	end := d.random.Intn(len(b) + 1) // where the plain cut is
	plain := d.random.Intn(2) == 0
	for from := 0; from < len(b); from += sector {
		old := d.data[at+int64(from):][:min(sector, len(b)-from)]
		part := b[from:][:len(old)]
		switch {
		case plain:
			copy(old, part[:max(0, min(len(part), end-from))])
		case d.random.Intn(3) == 0:
			copy(old, part)
		case d.random.Intn(2) == 0:
			d.random.Read(old)
		}
	}
}

// shelf is a state folder on a platter.
type shelf struct {
	random       *rand.Rand
	keys, device *platter
}

func newShelf(t testing.TB, seed int64) *shelf {
	t.Helper()
	dir := t.TempDir()
	files, err := keystore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	files.Close()
	s := &shelf{random: rand.New(rand.NewSource(seed))} //nolint:gosec // a seed replays a failure
	for name, p := range map[string]**platter{keystore.KeysName: &s.keys, keystore.DeviceName: &s.device} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		*p = &platter{random: s.random, data: data, left: -1}
	}
	return s
}

// power starts a process on the shelf; offer is the key it may ask for, if any.
func (s *shelf) power(t testing.TB, offer string) (*process, *parent) {
	t.Helper()
	s.keys.cut, s.device.cut, s.device.left = false, false, -1
	far := &parent{}
	p := &process{link: far}
	if err := p.lay(new(vault)); err != nil { // an arena takes milliseconds to be had
		t.Fatal(err)
	}
	var err error
	if p.store, err = keystore.New(s.keys, s.device, &p.v.store); err != nil {
		t.Fatal(err)
	}
	if offer != "" {
		p.key = &offered{key: offer}
	}
	p.acquire()
	return p, far
}

// offered is a key channel.
type offered struct {
	key   string
	asked int
}

func (o *offered) Write(b []byte) (int, error) { o.asked++; return len(b), nil }
func (o *offered) Read(b []byte) (int, error)  { return copy(b, o.key), nil }

// TestPowerCut cuts the power in every write of a life of starts, windows and
// swipes, in every way a sector can be left, and reopens what is left: no
// counter of an initial key is ever handed out twice, and the device always
// goes on.
func TestPowerCut(t *testing.T) {
	lives := 300
	if testing.Short() {
		lives = 50
	}
	handed, cuts := 0, 0
	for seed := range int64(lives) {
		s := newShelf(t, seed)
		used := map[string]bool{}
		for range 12 {
			s.keys.left = s.random.Intn(7)
			p, _ := s.power(t, testKey)
			n, limit := 0, s.random.Intn(200)
			for ; n < limit && !s.keys.cut; n++ {
				p.prepare()
				if p.v.laid == 0 {
					break
				}
				ksn := string(p.v.ksn[:])
				if used[ksn] {
					t.Fatalf("seed %d: counter % X is handed out twice", seed, ksn[8:])
				}
				used[ksn] = true
				handed++
				p.wipe()
			}
			if s.keys.cut {
				cuts++
			}
			if s.keys.left = -1; p.status.Reason != link.None && p.status.Reason != link.NotWritten {
				t.Fatalf("seed %d: %v", seed, p.status.Reason)
			}
		}
	}
	t.Logf("%d counters over %d cuts", handed, cuts)
	if handed < 100*lives || cuts < 5*lives {
		t.Errorf("%d counters over %d cuts: the test tests nothing", handed, cuts)
	}
}

// A disk that does not take the reservation: cards are refused with that
// reason, nothing is used, and when the disk is in order they are read again.
func TestDiskFull(t *testing.T) {
	s := newShelf(t, 1)
	p, far := s.power(t, testKey)
	swipe := func() launch.Event {
		far.packets = nil
		if err := p.play(t.Context(), &tape{data: []byte(two + "\r")}); err != nil {
			t.Fatal(err)
		}
		return far.events(t)[0]
	}
	for range 63 {
		if e := swipe(); e.Read == nil {
			t.Fatalf("%+v", e)
		}
	}
	s.keys.fails = os.ErrPermission // as ENOSPC, EIO or EROFS
	for range 3 {
		if e := swipe(); e.Failed != "key file cannot be written" || p.status.Reason != link.NotWritten {
			t.Fatalf("%+v", e)
		}
	}
	s.keys.fails = nil
	e := swipe()
	if e.Read == nil || e.Read.KSN[16:] != "00000040" || p.status.Reason != link.None || p.reported {
		t.Errorf("%+v, %v", e.Read, p.status.Reason)
	}
	// The same at the very first key: it is not used, and asked for again.
	s = newShelf(t, 2)
	s.keys.fails = os.ErrPermission
	if p, _ = s.power(t, testKey); p.status.Reason != link.NotWritten {
		t.Fatalf("%v", p.status.Reason)
	}
	s.keys.fails = nil
	p.prepare()
	if p.status.Reason != link.None || p.v.laid == 0 || p.key.(*offered).asked != 2 { //nolint:forcetypeassert // it is one
		t.Errorf("%v", p.status.Reason)
	}
}

// The key file wins over an offered key; one that cannot be used is not
// replaced by an offered one, unless it has none or a used up one.
func TestOfferedKey(t *testing.T) {
	other := "\xF0therIKD" + "another AES key!"
	long := "\xF1ong IKD" + "an AES-256 key, twice as long!!!"
	for name, c := range map[string]struct {
		change func(*testing.T, *shelf)
		offer  string
		want   link.Reason
		asked  int
		ikid   string
	}{
		"goes on":        {func(*testing.T, *shelf) {}, other, link.None, 0, testIKID},
		"nothing yet":    {func(t *testing.T, s *shelf) { *s = *newShelf(t, 3) }, other, link.None, 1, other[:8]},
		"AES-256":        {func(t *testing.T, s *shelf) { *s = *newShelf(t, 3) }, long, link.None, 1, long[:8]},
		"used up":        {usedUp, other, link.None, 1, other[:8]},
		"used up again":  {usedUp, testKey, link.KeysUsedUp, 1, ""},
		"zeroised":       {zeroised, other, link.Zeroised, 0, ""},
		"other device":   {func(_ *testing.T, s *shelf) { s.device.data[3] ^= 1 }, other, link.OtherDevice, 0, ""},
		"damaged":        {func(_ *testing.T, s *shelf) { s.keys.data[70] ^= 1; s.keys.data[4096+70] ^= 1 }, other, link.Damaged, 0, ""},
		"sealed damaged": {resealed, other, link.Damaged, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, 1)
			s.power(t, testKey)
			c.change(t, s)
			p, far := s.power(t, c.offer)
			if asked := p.key.(*offered).asked; p.status.Reason != c.want || asked != c.asked { //nolint:forcetypeassert // it is one
				t.Fatalf("%v, asked %d times", p.status.Reason, asked)
			}
			for range 2 {
				if err := p.play(t.Context(), &tape{data: []byte(two + "\r")}); err != nil {
					t.Fatal(err)
				}
			}
			switch e := far.events(t)[0]; {
			case c.want == link.None && (e.Read == nil || !strings.HasPrefix(strings.ToUpper(e.Read.KSN), hexOf(c.ikid))):
				t.Errorf("%+v", e)
			case c.want != link.None && e.Failed != c.want.String():
				t.Errorf("%+v", e)
			}
		})
	}
}

func checksum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:16]
}

func hexOf(s string) string {
	const digits = "0123456789ABCDEF"
	var b []byte
	for i := range len(s) {
		b = append(b, digits[s[i]>>4], digits[s[i]&15])
	}
	return string(b)
}

// usedUp brings the device in the file to its end.
func usedUp(t *testing.T, s *shelf) {
	t.Helper()
	p, _ := s.power(t, "")
	counter := reflect.ValueOf(&p.v.keys).Elem().FieldByName("counter")
	*(*uint32)(counter.Addr().UnsafePointer()) = 0xFFFF0001
	p.v.ahead = p.v.keys
	p.ahead.Advance(0xFFFF0040)
	if err := p.store.Reserve(p.ahead); err != nil {
		t.Fatal(err)
	}
}

func zeroised(t *testing.T, s *shelf) {
	t.Helper()
	p, _ := s.power(t, "")
	if err := p.zeroise(); err != nil {
		t.Fatal(err)
	}
}

// resealed changes the sealed part and makes the checksum right again: by hand
// that is what somebody with the disk can do.
func resealed(_ *testing.T, s *shelf) {
	for slot := range 2 {
		b := s.keys.data[slot*4096:][:4096]
		b[100] ^= 1
		copy(b[4080:], checksum(b[:4080]))
	}
}

// Each restart of a killed process goes on with counters of its own.
func TestKilledMidSwipe(t *testing.T) {
	s := newShelf(t, 4)
	last := uint32(0)
	for start := range 40 {
		p, _ := s.power(t, testKey)
		for range start % 5 {
			p.prepare()
			p.wipe()
		}
		p.prepare() // and killed with the keystream laid down
		c := binary.BigEndian.Uint32(p.v.ksn[8:])
		if c <= last || c > last+2*keystore.WindowCounters {
			t.Fatalf("start %d: counter %08X after %08X", start, c, last)
		}
		last = c
	}
}

// A wipe leaves nothing in the arena and in the files, and no offered key ends
// it.
func TestZeroise(t *testing.T) {
	s := newShelf(t, 5)
	p, far := s.power(t, testKey)
	if err := p.play(t.Context(), &tape{data: []byte(two + "\r")}); err != nil {
		t.Fatal(err)
	}
	p.prepare()
	secrets := append(bytes.Clone(s.keys.data), s.device.data...)
	state := p.device.AppendState(nil)
	if err := p.zeroise(); err != nil {
		t.Fatal(err)
	}
	if *p.v != (vault{}) {
		t.Error("something is left in the arena")
	}
	files := append(bytes.Clone(s.keys.data), s.device.data...)
	for _, secret := range [][]byte{secrets, state, []byte(testIK)} {
		for i := 0; i+8 <= len(secret); i++ {
			// The first 64 bytes of a slot are its open part.
			if part := secret[i : i+8]; !bytes.Equal(part, make([]byte, 8)) && bytes.Contains(files, part) && !bytes.Contains(files[:64], part) {
				t.Fatalf("bytes %d of a secret are left in a file", i)
			}
		}
	}
	p.prepare()
	if p.v.laid != 0 || p.status.Reason != link.Zeroised {
		t.Errorf("%v", p.status.Reason)
	}
	if e := far.events(t); e[len(e)-1].Status == nil || e[len(e)-1].Status.Reason != launch.Zeroised() {
		t.Errorf("%+v", e[len(e)-1])
	}
	// A disk that does not take it ends the process, which must not go on.
	s = newShelf(t, 6)
	p, _ = s.power(t, testKey)
	s.keys.fails, s.device.fails = os.ErrPermission, os.ErrPermission
	if err := p.zeroise(); !errors.Is(err, errWipe) || p.v.keys != (dukpt.Registers{}) {
		t.Errorf("%v", err)
	}
}

// The order to wipe comes over the link in the middle of a swipe, and before
// the first one.
func TestWipeOrder(t *testing.T) {
	dir := t.TempDir()
	keys, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, keyPacket(testKey), func(o *Options) { o.Keys = keys })
	c.ready()
	c.swipe(one + two + "\r")
	if r := c.event().Read; r == nil || r.KSN[16:] != "00000001" {
		t.Fatalf("%+v", r)
	}
	c.swipe(two[:12])
	if _, err := c.link.Write(launch.Wipe()); err != nil {
		t.Fatal(err)
	}
	if e := c.event(); e.Failed == "" {
		t.Errorf("%+v", e)
	}
	if e := c.event(); e.Status == nil || e.Status.Reason != launch.Zeroised() {
		t.Fatalf("%+v", e)
	}
	c.swipe(two + "\r")
	if e := c.event(); e.Failed != launch.Zeroised() {
		t.Errorf("%+v", e)
	}
	if info, err := keystore.Inspect(dir); err != nil || info.State != keystore.Zeroised {
		t.Errorf("%+v, %v", info, err)
	}
	c.cancel()
	c.end()
	keys.Close()
	if keys, err = OpenKeys(dir); err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	c = start(t, func(t *testing.T, far *os.File) {
		if n, _ := far.Read(make([]byte, 1)); n > 0 {
			t.Error("it asks for a key")
		}
	}, func(o *Options) { o.Keys = keys })
	if s := c.event().Status; s == nil || s.Reason != launch.Zeroised() {
		t.Errorf("%+v", s)
	}
}

// TestWipedProcess wipes the key of a live process and then searches its memory
// and its files for every key there was: the initial key, what was derived from
// it, and the device key. That the search finds is shown by this process, which
// knows them.
func TestWipedProcess(t *testing.T) {
	if os.Geteuid() != 0 || raced {
		t.Skip("needs root, to read another process's memory, and no race detector, whose shadow is too large")
	}
	dir := t.TempDir()
	b := startBox(t, nil, childState+"="+dir)
	b.ready()
	used := keys{}
	for i := range 80 { // over a reservation
		if e := b.card(canary(t)); e.Read == nil {
			t.Fatalf("%+v", e)
		}
		ksn := append(bytes.Clone(b.ikid), 0, 0, 0, byte(i+1))
		used.add(hostKey(t, b.ik, ksn, 0x3000))
	}
	device, err := os.ReadFile(filepath.Join(dir, keystore.DeviceName))
	if err != nil {
		t.Fatal(err)
	}
	used.add(b.ik)
	used.add(device[:16])
	used.add(device[16:])
	future := new(dukpt.Registers)
	d, err := dukpt.New(future)
	if err == nil {
		err = d.Load((*[8]byte)(b.ikid), b.ik)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Advance(128)
	for state := d.AppendState(nil)[9:]; len(state) > 0; state = state[16:] {
		if !bytes.Equal(state[:16], make([]byte, 16)) {
			used.add(bytes.Clone(state[:16]))
		}
	}
	if _, err := b.link.Write(launch.Wipe()); err != nil {
		t.Fatal(err)
	}
	if e := b.event(); e.Status == nil || e.Status.Reason != launch.Zeroised() {
		t.Fatalf("%+v", e)
	}
	count := func(pid int) (found int) {
		if _, err := scrape(pid, func(m []byte) { found += used.count(m) }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	in, own := count(b.cmd.Process.Pid), count(os.Getpid())
	files := 0
	for _, name := range []string{keystore.KeysName, keystore.DeviceName} {
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files += used.count(file)
	}
	t.Logf("%d keys: %d found in the process, %d in its files, %d in the test itself", len(used), in, files, own)
	if in != 0 || files != 0 || own < len(used) {
		t.Error("keys are left, or the search does not find")
	}
}

// BenchmarkReserve is what a swipe costs more in one case of 64: the device at
// the end of the next window, sealed and written twice, synced.
func BenchmarkReserve(b *testing.B) {
	files, err := keystore.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer files.Close()
	p, _ := keyed(b)
	if p.store, err = keystore.New(files.Keys, files.Device, &p.v.store); err != nil {
		b.Fatal(err)
	}
	if err := p.write(func() error { return p.store.Put(p.ahead, [3]byte{}) }); err != nil {
		b.Fatal(err)
	}
	b.Run("once", func(b *testing.B) {
		for b.Loop() {
			p.reserved = 0
			if err := p.reserve(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("amortised", func(b *testing.B) {
		for b.Loop() {
			p.prepare()
			p.wipe()
		}
	})
}
