package update_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// owner is the three keys, the same each time.
type owner struct {
	public  update.Keys
	private [update.KeysMax]ed25519.PrivateKey
}

func newOwner(seed byte) (o owner) {
	for i := range o.private {
		o.private[i] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed + byte(i)}, ed25519.SeedSize))
		o.public[i] = o.private[i].Public().(ed25519.PublicKey)
	}
	return o
}

var noon = time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)

// bootImage is a slot that names its version.
func bootImage(t testing.TB, version string) []byte {
	t.Helper()
	image, err := fat.Build("REGI", 3<<20, []fat.File{
		{Name: "config.txt", Data: []byte("kernel=kernel.img\ninitramfs initramfs.gz followkernel\n[boot_partition=2]\ncmdline=a\n[boot_partition=3]\ncmdline=b\n[all]\n")},
		{Name: "a", Data: []byte("regi.slot=a")},
		{Name: "b", Data: []byte("regi.slot=b")},
		{Name: "kernel.img", Data: []byte(version)},
		{Name: "initramfs.gz", Data: bytes.Repeat([]byte(version), 40_000)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func manifest(image []byte) update.Manifest {
	sum := sha256.Sum256(image)
	return update.Manifest{Board: "rpi4", Version: "v2", Epoch: 5, Built: noon, Size: int64(len(image)), SHA256: hex.EncodeToString(sum[:]), NotBefore: noon}
}

func bundle(t testing.TB, o owner, m update.Manifest, image []byte, signers ...int) []byte {
	t.Helper()
	encoded, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var all []update.Signature
	for _, n := range signers {
		all = append(all, update.Sign(update.Domain, encoded, n, o.private[n]))
	}
	var b bytes.Buffer
	if err := update.Write(&b, m, all, image); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// accept is what a register does, up to writing.
func accept(data []byte, k update.Keys, r update.Running) ([]byte, error) {
	b, err := update.Read(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := b.Check(&k, r); err != nil {
		return nil, err
	}
	var image []byte
	err = b.Image(func(at int64, chunk []byte) error {
		if at != int64(len(image)) {
			return errors.New("a chunk out of order")
		}
		image = append(image, chunk...)
		return nil
	})
	return image, err
}

func TestBundle(t *testing.T) {
	t.Parallel()
	o, image := newOwner(1), bootImage(t, "v2")
	m := manifest(image)
	running := update.Running{Board: "rpi4", Floor: 5, Now: noon}
	good := bundle(t, o, m, image, 0, 2)
	with := func(change func(r *update.Running)) update.Running { r := running; change(&r); return r }
	flip := func(at int) []byte { b := slices.Clone(good); b[at] ^= 1; return b }
	head := len(good) - len(image)
	signer := head - 2*65
	twice := slices.Clone(good)
	copy(twice[head-65:], twice[signer:signer+65])
	stranger := newOwner(9)
	mixed := owner{public: o.public, private: o.private}
	mixed.private[2] = stranger.private[2]
	large := slices.Clone(good)
	binary.BigEndian.PutUint32(large[8:], 1<<31)
	spaced := bytes.Replace(good, []byte(`{"board"`), []byte(`{ "board"`), 1)
	binary.BigEndian.PutUint32(spaced[8:], binary.BigEndian.Uint32(spaced[8:])+1)
	for name, c := range map[string]struct {
		data []byte
		keys update.Keys
		r    update.Running
		want error
	}{
		"two of three":           {good, o.public, running, nil},
		"all three":              {bundle(t, o, m, image, 0, 1, 2), o.public, running, nil},
		"one of three":           {bundle(t, o, m, image, 1), o.public, running, update.ErrSignatures},
		"none of three":          {bundle(t, o, m, image), o.public, running, update.ErrSignatures},
		"one twice":              {twice, o.public, running, update.ErrSignatures},
		"one of a stranger":      {bundle(t, mixed, m, image, 0, 2), o.public, running, update.ErrSignatures},
		"strangers":              {bundle(t, stranger, m, image, 0, 1), o.public, running, update.ErrSignatures},
		"no keys here":           {good, update.Keys{}, running, update.ErrNoKeys},
		"another board":          {good, o.public, with(func(r *update.Running) { r.Board = "rpi3" }), update.ErrBoard},
		"older":                  {good, o.public, with(func(r *update.Running) { r.Floor = 6 }), update.ErrOlder},
		"not yet":                {good, o.public, with(func(r *update.Running) { r.Now = noon.Add(-time.Second) }), update.ErrNotYet},
		"made before":            {good, o.public, with(func(r *update.Running) { r.Built = noon.Add(time.Second) }), update.ErrOlder},
		"made as late":           {good, o.public, with(func(r *update.Running) { r.Built = noon }), nil},
		"what runs":              {good, o.public, with(func(r *update.Running) { r.Version = "v2" }), update.ErrRuns},
		"what failed":            {good, o.public, with(func(r *update.Running) { r.Failed = "v2" }), update.ErrFailed},
		"bit of boot.img":        {flip(len(good) - 1), o.public, running, update.ErrCorrupted},
		"bit of a signature":     {flip(head - 1), o.public, running, update.ErrSignatures},
		"bit of the version":     {flip(bytes.Index(good, []byte(`"v2"`)) + 2), o.public, running, update.ErrSignatures},
		"another magic":          {flip(0), o.public, running, update.ErrCorrupted},
		"cut in boot.img":        {good[:len(good)-1], o.public, running, update.ErrCorrupted},
		"cut in the head":        {good[:head-1], o.public, running, update.ErrCorrupted},
		"nothing":                {nil, o.public, running, update.ErrCorrupted},
		"more behind":            {append(slices.Clone(good), 0), o.public, running, update.ErrCorrupted},
		"endless manifest":       {large, o.public, running, update.ErrCorrupted},
		"the same, otherwise":    {spaced, o.public, running, update.ErrCorrupted},
		"board before its words": {bundle(t, stranger, m, image, 0, 1), o.public, with(func(r *update.Running) { r.Board = "rpi3" }), update.ErrSignatures},
	} {
		got, err := accept(c.data, c.keys, c.r)
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || !bytes.Equal(got, image)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestManifestTooLarge(t *testing.T) {
	t.Parallel()
	m := manifest(bootImage(t, "v2"))
	m.Size = update.ImageMax + 1
	if _, err := m.Encode(); !errors.Is(err, update.ErrTooLarge) {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	o := newOwner(1)
	k, err := update.ParseKeys(o.public.Encode())
	if err != nil || k.None() || !k[2].Equal(o.public[2]) {
		t.Fatal(err)
	}
	if k, err := update.ParseKeys(nil); err != nil || !k.None() {
		t.Error("no keys:", err)
	}
	same := o.public
	same[2] = same[0]
	for name, text := range map[string][]byte{
		"two are one": same.Encode(), "two": o.public.Encode()[:100], "words": []byte("a\nb\nc\n"), "long": bytes.Repeat([]byte("\n"), 2000),
	} {
		if _, err := update.ParseKeys(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := []update.Signature{update.Sign("X", []byte("b"), 0, o.private[0]), update.Sign("X", []byte("b"), 1, o.private[1])}
	again, err := update.ParseSignatures(update.EncodeSignatures(s))
	if err != nil || k.Verify("X", []byte("b"), again) != nil {
		t.Error(err)
	}
	if k.Verify("Y", []byte("b"), again) == nil {
		t.Error("a signature of one thing is one of another")
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	r := update.Release{Board: "qemu-virt", Version: "v1.2-3-gabc", Epoch: 7, Built: noon}
	if got, err := update.ParseRelease(r.Encode()); err != nil || got != r {
		t.Error(got, err)
	}
	for _, text := range []string{"", "board=x\n", "board=x\nversion=v\nepoch=-1\nbuilt=1\n", "board=\nversion=v\nepoch=1\nbuilt=1\n", "version=v\nboard=x\nepoch=1\nbuilt=1\n", "board=x\nversion=v\nepoch=1\nbuilt=1\nmore=1\n"} {
		if _, err := update.ParseRelease([]byte(text)); err == nil {
			t.Errorf("%q: taken", text)
		}
	}
}

func FuzzRead(f *testing.F) {
	o, image := newOwner(1), bootImage(f, "v2")
	good := bundle(f, o, manifest(image), image, 0, 2)
	f.Add(good[:len(good)-len(image)+100])
	f.Add(good[:60])
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := update.Read(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, update.ErrCorrupted) && !errors.Is(err, update.ErrTooLarge) {
				t.Errorf("no words for it: %v", err)
			}
			return
		}
		if err := b.Check(&o.public, update.Running{Board: b.Board, Now: noon.AddDate(1000, 0, 0)}); err == nil && (b.Version != "v2" || b.Epoch != 5) {
			t.Error("taken, and not what was signed")
		}
	})
}

func FuzzKeys(f *testing.F) {
	o := newOwner(1)
	f.Add(o.public.Encode(), update.EncodeSignatures([]update.Signature{update.Sign("X", nil, 0, o.private[0])}), update.Release{Board: "b", Version: "v"}.Encode())
	f.Fuzz(func(t *testing.T, keys, signatures, release []byte) {
		if k, err := update.ParseKeys(keys); err == nil && !k.None() {
			again, err := update.ParseKeys(k.Encode())
			if err != nil || !again[0].Equal(k[0]) {
				t.Error(err)
			}
		}
		if s, err := update.ParseSignatures(signatures); err == nil && len(s) > update.KeysMax {
			t.Error("too many signatures")
		}
		if r, err := update.ParseRelease(release); err == nil {
			if again, err := update.ParseRelease(r.Encode()); err != nil || again != r {
				t.Error(again, err)
			}
		}
	})
}
