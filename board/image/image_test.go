package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regi/board"
	"regi/board/image/rom"
	"regi/firmware/update"
	"regi/firmware/update/fat"
)

// sample is a slot of a board with little in it.
func sample(t testing.TB, name, version string) parts {
	t.Helper()
	b, err := board.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return parts{
		board: b, release: update.Release{Board: name, Version: version, Epoch: 1, Built: time.Unix(1_800_000_000, 0)},
		binary: []byte("\x7fELF binary"), kernel: bytes.Repeat([]byte("kernel"), 50_000),
		dtbs: []fat.File{{Name: "bcm2711-rpi-4-b.dtb", Data: []byte("tree")}}, firmware: []fat.File{{Name: "start4.elf", Data: []byte("elf")}},
	}
}

func TestBootImageIsReproducible(t *testing.T) {
	t.Parallel()
	for _, name := range board.Names() {
		b, err := board.ByName(name)
		if err != nil || b.Image == nil {
			continue
		}
		one, err := bootImage(sample(t, name, "v1"))
		if err != nil {
			t.Fatal(name, err)
		}
		two, err := bootImage(sample(t, name, "v1"))
		if err != nil || sha256.Sum256(one) != sha256.Sum256(two) {
			t.Errorf("%s: two builds differ, %v", name, err)
		}
		other, err := bootImage(sample(t, name, "v2"))
		if err != nil || bytes.Equal(one, other) {
			t.Errorf("%s: another version is the same, %v", name, err)
		}
		if checked, err := checkFAT(t.Context(), t.TempDir(), one); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !checked {
			t.Log("fsck.vfat is not here (apt install dosfstools)")
		}
	}
}

// What the firmware of a Raspberry Pi starts, the kernel must feed: one that has
// no driver for it would be reset for ever.
func TestEarlyWatchdog(t *testing.T) {
	t.Parallel()
	driver := append(bytes.Repeat([]byte("kernel"), 50_000), "\x00bcm2835_wdt.nowayout\x00"...)
	packed, err := compress(driver)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		board  string
		kernel []byte
		want   bool
	}{
		{"rpi3", driver, true},
		{"rpi4", driver, true},
		{"rpi5", driver, true},
		{"rpi4", packed, true},
		{"rpi4", packed[:len(packed)/2], false},
		{"rpi4", bytes.ReplaceAll(driver, []byte("bcm2835_wdt.nowayout"), []byte("bcm2835-wdt")), false}, // as its parent names it
		{"qemu-virt", driver, false},
	} {
		p := sample(t, c.board, "v1")
		p.kernel = c.kernel
		config := string(configText(p))
		// Above all filters: it is for both slots.
		common, _, _ := strings.Cut(config, "[")
		if strings.Contains(common, "\n"+earlyWatchdog+"\n") != c.want || strings.Contains(config, earlyWatchdog) != c.want {
			t.Errorf("%s, kernel of %d bytes: the firmware starts the watchdog: %v\n%s", c.board, len(c.kernel), !c.want, config)
		}
	}
}

// Our own kernel has no command after a break, and would complain of the word.
func TestCommandLineOfOwnKernel(t *testing.T) {
	t.Parallel()
	p := sample(t, "rpi4", "v1")
	if line := string(commandLine(p, update.A)); !strings.Contains(line, " "+noSysRq+" ") {
		t.Error(line)
	}
	p.ownKernel = true
	if line := string(commandLine(p, update.A)); strings.Contains(line, noSysRq) || strings.Contains(line, noTracer) {
		t.Error(line)
	}
}

// The kernel's words of an initramfs are those of cpio(1).
func TestArchive(t *testing.T) {
	t.Parallel()
	image, err := bootImage(sample(t, "rpi4", "v1"))
	if err != nil {
		t.Fatal(err)
	}
	fs, err := fat.Open(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	e, err := fs.Find(initramfsFile)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(e.Reader())
	if err != nil {
		t.Fatal(err)
	}
	archive, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(archive, []byte("board=rpi4\nversion=v1\nepoch=1\n")) {
		t.Error("it does not say what it is")
	}
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Log("cpio is not here: it did NOT list the archive (apt install cpio)")
		return
	}
	c := exec.Command("cpio", "-itv")
	c.Stdin = bytes.NewReader(archive)
	list, err := c.Output()
	if err != nil || !strings.Contains(string(list), "5,   1") || strings.Count(string(list), "\n") != 7 {
		t.Errorf("%v\n%s", err, list)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	p := sample(t, "rpi4", "v1")
	p.firmware = []fat.File{{Name: "big", Data: make([]byte, update.ImageMax)}}
	if _, err := bootImage(p); !errors.Is(err, update.ErrTooLarge) {
		t.Error(err)
	}
}

// disk makes a disk whose slots hold versions; an empty one is no version.
func disk(t testing.TB, name string, versions ...string) string {
	t.Helper()
	if _, err := tool("mke2fs", ""); err != nil {
		t.Skip("mke2fs is not here (apt install e2fsprogs)")
	}
	var slots [][]byte
	for _, v := range versions {
		image, err := bootImage(sample(t, name, v))
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, image)
	}
	first, err := selector(sample(t, name, "").board, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "disk")
	if err := writeDisk(t.Context(), path, first, slots[0], "1800000000"); err != nil {
		t.Fatal(err)
	}
	if len(slots) > 1 {
		overwrite(t, path, slotBBytes, slots[1])
	}
	return path
}

func overwrite(t testing.TB, path string, at int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(data, at)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// request asks for one boot of the other slot.
func request(t testing.TB, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, selectorBytes)
	if _, err := f.ReadAt(b, firstByte); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, update.Try(false))
	if at < 0 {
		t.Fatal("no place for a request")
	}
	if _, err := f.WriteAt(update.Try(true), firstByte+int64(at)); err != nil {
		t.Fatal(err)
	}
}

func booted(t testing.TB, path string) *rom.Boot {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := rom.Select(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDisk(t *testing.T) {
	t.Parallel()
	path := disk(t, "qemu-virt", "v1", "v2")
	if b := booted(t, path); b.Slot != update.A || !strings.HasSuffix(b.CommandLine, "regi.slot=a") || !strings.Contains(b.CommandLine, " usbcore.authorized_default=0 "+noTracer+" "+noSysRq+" ") {
		t.Errorf("%s: %s", b.Slot, b.CommandLine)
	}
	request(t, path)
	if b := booted(t, path); b.Slot != update.B || !b.Tried || !strings.HasSuffix(b.CommandLine, "regi.slot=b") {
		t.Errorf("%s: %s", b.Slot, b.CommandLine)
	}
	if b := booted(t, path); b.Slot != update.A || b.Tried {
		t.Errorf("after the trial: %s", b.Slot)
	}
	// What is no file system is not booted, whoever asks.
	overwrite(t, path, slotBBytes, make([]byte, sectorBytes))
	request(t, path)
	if b := booted(t, path); b.Slot != update.A {
		t.Errorf("nothing in b, and %s", b.Slot)
	}
	// The data partition is one that the first process finds, and sound.
	fsck, err := tool("e2fsck", "e2fsprogs")
	if err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(t.TempDir(), "data")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, dataBytes)
	if _, err := f.ReadAt(b, dataAtBytes); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(fsck, "-fn", part).CombinedOutput(); err != nil || !bytes.Contains(out, []byte(dataLabel)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// QEMU has a machine for some boards, and the slot says for which it is.
func TestMachine(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"qemu-virt": "virt", "rpi3": "", "rpi4": ""} {
		b := &bench{dir: t.TempDir(), disk: disk(t, name, "v1"), out: io.Discard}
		args, err := b.boot()
		switch {
		case want != "" && (err != nil || !slices.Contains(args, want)):
			t.Errorf("%s: %q, %v", name, args, err)
		case name == "rpi4" && !errors.Is(err, errNoMachine):
			t.Errorf("%s: %v", name, err)
		case name == "rpi3" && !errors.Is(err, fat.ErrNoFile): // this one has no device tree
			t.Errorf("%s: %v", name, err)
		}
	}
}

// run is the command, as it is typed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command(t.Context(), args, &out)
	return out.String(), err
}

func FuzzFind(f *testing.F) {
	f.Add(archive([]entry{{name: "etc", mode: modeFolder}, {name: "etc/regi/release", mode: modeFile, data: []byte("text")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := find(bytes.NewReader(b), "etc/regi/release"); err == nil && (!bytes.Contains(b, got) || !bytes.Contains(b, []byte("etc/regi/release\x00"))) {
			t.Error("found what is not there")
		}
	})
}

func TestBundleByHand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	p := sample(t, "rpi4", "v2")
	p.release.Epoch = 3
	image, err := bootImage(p)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := releaseOf(image); err != nil || !r.Built.Equal(p.release.Built) {
		t.Errorf("%+v, %v", r, err)
	}
	// An interrupted run has left this, which stands in nobody's way.
	if err := os.WriteFile(in("owner-1.key.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(in("boot.img"), image, 0o600), os.WriteFile(in("x.img.zst"), []byte("image"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args []string
		want error
	}{
		{[]string{"keygen", dir}, nil},
		{[]string{"keygen", dir}, os.ErrExist}, // keys are not overwritten
		{[]string{"bundle", "-boot", in("boot.img"), "-board", "rpi4", "-version", "v2", "-epoch", "3", in("b")}, nil},
		{[]string{"verify", "-keys", in(keysFile), in("b")}, update.ErrSignatures},
		{[]string{"sign", "-key", in("owner-3.key"), in("b")}, nil},
		{[]string{"verify", "-keys", in(keysFile), in("b")}, update.ErrSignatures},
		{[]string{"sign", "-key", in("owner-1.key"), in("b")}, nil},
		{[]string{"verify", "-keys", in(keysFile), in("b")}, nil},
		{[]string{"verify", "-keys", in(keysFile), "-floor", "4", in("b")}, update.ErrOlder},
		{[]string{"verify", "-keys", in(keysFile), "-board", "rpi3", in("b")}, update.ErrBoard},
		{[]string{"sign", "-key", in("owner-2.key"), in("x.img.zst")}, nil},
		{[]string{"verify", "-keys", in(keysFile), in("x.img.zst")}, update.ErrSignatures},
		{[]string{"sign", "-key", in("owner-1.key"), in("x.img.zst")}, nil},
		{[]string{"verify", "-keys", in(keysFile), in("x.img.zst")}, nil},
	} {
		if out, err := run(t, step.args...); !errors.Is(err, step.want) || step.want == nil && err != nil {
			t.Errorf("%v: %v, want %v\n%s", step.args, err, step.want, out)
		}
	}
	if out, err := run(t, "sign", "-key", in("owner-1.key"), in("b")); err == nil {
		t.Errorf("signed twice by one: %s", out)
	}
	for _, args := range [][]string{nil, {"bundle", "-boot", in("boot.img"), "-board", "rpi4", "-version", "v2", "-epoch", "4", in("c")}, {"bundle", "-boot", in("x.img.zst"), in("c")}, {"flash"}, {"build", "-board", "beaglebone"}, {"build", "-board", "none"}, {"build", "-board", "none", "x"}, {"sign", "x"}} {
		if _, err := run(t, args...); err == nil {
			t.Errorf("%v: done", args)
		}
	}
}

// TestKeygenBroken: a run that fails leaves nothing that a second one stumbles over.
func TestKeygenBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stone := filepath.Join(dir, keysFile+".new", "x")
	if err := os.MkdirAll(stone, 0o700); err != nil { // the last file cannot be made
		t.Fatal(err)
	}
	if out, err := run(t, "keygen", dir); err == nil {
		t.Fatalf("made:\n%s", out)
	}
	if err := os.RemoveAll(filepath.Dir(stone)); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "keygen", dir); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 4 {
		t.Errorf("%v, %v", files, err)
	}
}

// TestSignDamaged: what is no update, or one whose head was damaged, is signed by
// nobody, least of all as an image.
func TestSignDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	image, err := bootImage(sample(t, "rpi4", "v2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("boot.img"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"keygen", dir}, {"bundle", "-boot", in("boot.img"), "-board", "rpi4", "-version", "v2", in("b")}} {
		if out, err := run(t, args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	good, err := os.ReadFile(in("b"))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "cut": good[:50], "half": good[:len(good)/2], "text": []byte("an update"),
		"other version": bytes.Replace(good, []byte(`"version":"v2"`), []byte(`"version":"v3"`), 1),
		"other board":   bytes.Replace(good, []byte(`"board":"rpi4"`), []byte(`"board":"rpi5"`), 1),
		"longer":        append(slices.Clone(good), 'x'),
	} {
		if err := os.WriteFile(in("bad"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := run(t, "sign", "-key", in("owner-1.key"), in("bad"))
		if !errors.Is(err, update.ErrCorrupted) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if left, err := os.ReadFile(in("bad")); err != nil || !bytes.Equal(left, bad) {
			t.Errorf("%s: it was written, %v", name, err)
		}
		if _, err := os.Stat(in("bad.sig")); err == nil {
			t.Errorf("%s: signed as an image", name)
		}
	}
}

// TestForgottenFlag: the error names it.
func TestForgottenFlag(t *testing.T) {
	t.Parallel()
	for flag, args := range map[string][]string{
		"-keys": {"verify", "x"}, "-key": {"sign", "x"}, "-boot": {"bundle", "x"},
	} {
		if _, err := run(t, args...); err == nil || !strings.Contains(err.Error(), flag+" ") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := run(t, "build", "-h"); err != nil {
		t.Errorf("help: %v", err)
	}
	if _, err := run(t, "build", "-board", "rpi4", "extra", "-out", t.TempDir()); err == nil || !strings.Contains(err.Error(), "extra") {
		t.Errorf("a word too many: %v", err)
	}
}

// TestVersionOfCommit: of one commit every clone says the same, however many
// digits its git shows.
func TestVersionOfCommit(t *testing.T) {
	t.Chdir(t.TempDir())
	said := map[string]bool{}
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", "x"},
		{"config", "core.abbrev", "7"},
		nil,
		{"config", "core.abbrev", "30"},
		nil,
	} {
		if args != nil {
			if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
			continue
		}
		version, _, err := describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		said[version] = true
	}
	if len(said) != 1 {
		t.Errorf("%v", said)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	// A module of another sum is not used, whatever the proxy says.
	m := firmwareModule
	m.sum = kernelModule.sum
	if _, err := m.fetch(t.Context()); err == nil {
		t.Error("taken")
	}
}

// screen is a console whose words are waited for.
type screen struct {
	words chan []byte
	rest  []byte // behind what was waited for last
}

func (s *screen) Write(b []byte) (int, error) {
	s.words <- bytes.Clone(b)
	return len(b), nil
}

func (s *screen) wait(t *testing.T, want string) {
	t.Helper()
	late := time.After(50 * time.Second)
	for {
		if _, after, found := bytes.Cut(s.rest, []byte(want)); found {
			s.rest = after
			return
		}
		select {
		case b := <-s.words:
			s.rest = append(s.rest, b...)
		case <-late:
			t.Fatalf("it does not say %q:\n%s", want, s.rest)
		}
	}
}

// The image as it is built, from its own slots: the binary is the first process
// of both, a trial ends at a reset, and a power key switches it off.
func TestQEMU(t *testing.T) {
	if _, err := exec.LookPath("qemu-system-aarch64"); err != nil {
		t.Skip("qemu-system-aarch64 is not here: the image was not booted (apt install qemu-system-arm)")
	}
	dir, card, slot := signedCard(t)
	keyboard, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	s := &screen{words: make(chan []byte, 4096)}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- (&bench{dir: dir, disk: card, in: keyboard, out: s}).run(ctx) }()
	s.wait(t, "rom: slot b")
	s.wait(t, "slot: on trial")
	keys.WriteString("\x01csystem_reset\n")
	s.wait(t, "rom: slot a")
	s.wait(t, "regi: boot")
	s.wait(t, "slot: a, version ")
	s.wait(t, "epoch 2, floor 2")
	keys.WriteString("\x01csystem_powerdown\n")
	if err := <-ended; err != nil {
		t.Error("it was not switched off:", err)
	}
	// One byte of the committed slot is changed (D6): a board that has the owner's
	// keys in its fuses refuses it and boots the other one, which knows that it was
	// not chosen.
	overwrite(t, card, slotABytes+int64(len(slot))/2, []byte{^slot[len(slot)/2]})
	fused, err := fusedKeys(filepath.Join(dir, "keys", keysFile))
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- (&bench{dir: dir, disk: card, keys: fused, in: keyboard, out: s}).run(ctx) }()
	s.wait(t, "rom: slot a: update: the slot is not what was signed")
	s.wait(t, "rom: slot b")
	s.wait(t, "slot: b, version ")
	s.wait(t, "slot: on trial")
	keys.WriteString("\x01csystem_powerdown\n")
	if err := <-ended; err != nil {
		t.Error("it was not switched off:", err)
	}
}

// signedCard is a card with the same signed version in both slots, of which B is
// to be tried; the keys and what was built lie in dir.
func signedCard(t *testing.T) (dir, card string, slot []byte) {
	t.Helper()
	dir = t.TempDir()
	if out, err := run(t, "keygen", filepath.Join(dir, "keys")); err != nil {
		t.Fatal(out, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1800000000")
	out, err := run(t, "build", "-board", "qemu-virt", "-out", dir, "-keys", filepath.Join(dir, "keys"), "-epoch", "2")
	if err != nil {
		t.Fatal(out, err)
	}
	image := one(t, filepath.Join(dir, "*.img.zst"))
	look(t, image, filepath.Join(dir, "keys", keysFile))
	card, err = unpackTo(image, filepath.Join(dir, "card"))
	if err != nil {
		t.Fatal(err)
	}
	slot, err = os.ReadFile(one(t, filepath.Join(dir, "*.boot.img")))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, card, slotBBytes, slot)
	copySeal(t, card, int64(len(slot)))
	request(t, card)
	return dir, card, slot
}

// one is the only file of a pattern.
func one(t testing.TB, pattern string) string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// copySeal gives slot B, which holds the same, the seal of slot A.
func copySeal(t testing.TB, path string, size int64) {
	t.Helper()
	seal := make([]byte, 4096)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(seal, slotABytes+size); err != nil || !bytes.HasPrefix(seal, []byte("REGIUPD1")) {
		t.Fatalf("slot a has no seal: %q, %v", seal[:8], err)
	}
	overwrite(t, path, slotBBytes+size, seal)
}

// look looks at what lies beside an image.
func look(t *testing.T, image, keys string) {
	t.Helper()
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	const most = 40 << 20
	if len(data) > most {
		t.Errorf("%d bytes, at most %d", len(data), most)
	}
	if out, err := run(t, "verify", "-keys", keys, image); err != nil {
		t.Error(out, err)
	}
	c := exec.Command("sha256sum", "-c", filepath.Base(image)+".sha256")
	c.Dir = filepath.Dir(image)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	text, err := os.ReadFile(strings.TrimSuffix(image, ".img.zst") + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	var s sbom
	if err := json.Unmarshal(text, &s); err != nil || s.Format != "CycloneDX" || !strings.Contains(string(text), kernelModule.version) || !strings.Contains(string(text), "nats.go") {
		t.Errorf("%v\n%s", err, text)
	}
}
