package fat_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regi/firmware/update/fat"
)

func files() []fat.File {
	return []fat.File{
		{Name: "autoboot.txt", Data: bytes.Repeat([]byte("x"), fat.SectorBytes)},
		{Name: "empty", Data: nil},
		{Name: "KERNEL.IMG", Data: bytes.Repeat([]byte("kernel "), 100_000)},
		{Name: "bcm2710-rpi-3-b.dtb", Data: []byte("one")},
		{Name: "bcm2710-rpi-3-b-plus.dtb", Data: []byte("two")},
	}
}

func build(t testing.TB, size int) []byte {
	t.Helper()
	disk, err := fat.Build("regi-a", size, files())
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, size := range []int{4 << 20, 8 << 20, 32<<20 + 512*3, 40 << 20, 64 << 20, 200 << 20} {
		disk := build(t, size)
		fs, err := fat.Open(bytes.NewReader(disk))
		if err != nil {
			t.Fatal(size, err)
		}
		for _, f := range files() {
			e, err := fs.Find(strings.ToUpper(f.Name))
			if err != nil {
				t.Fatal(size, err)
			}
			got, err := io.ReadAll(e.Reader())
			if err != nil || !bytes.Equal(got, f.Data) {
				t.Errorf("%d: %s: %d bytes, %v", size, f.Name, len(got), err)
			}
		}
		if _, err := fs.Find("none"); !errors.Is(err, fat.ErrNoFile) {
			t.Error(err)
		}
		e, err := fs.Find("autoboot.txt")
		if err != nil {
			t.Fatal(err)
		}
		if at, err := e.Offset(); err != nil || at%fat.SectorBytes != 0 || !bytes.Equal(disk[at:at+fat.SectorBytes], files()[0].Data) {
			t.Error("Offset:", at, err)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(build(t, 8<<20), build(t, 8<<20)) {
		t.Error("two builds differ")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size  int
		files []fat.File
	}{
		"too small":    {1 << 20, nil},
		"does not fit": {4 << 20, []fat.File{{Name: "big", Data: make([]byte, 4<<20)}}},
		"no name":      {4 << 20, []fat.File{{Name: ""}}},
		"a path":       {4 << 20, []fat.File{{Name: "a/b"}}},
		"long name":    {4 << 20, []fat.File{{Name: strings.Repeat("n", fat.NameMax+1)}}},
	} {
		if _, err := fat.Build("x", c.size, c.files); err == nil {
			t.Errorf("%s: built", name)
		}
	}
	var many []fat.File
	for i := range 400 {
		many = append(many, fat.File{Name: fmt.Sprintf("n%d", i)})
	}
	if _, err := fat.Build("x", 4<<20, many); !errors.Is(err, fat.ErrFull) {
		t.Error("many files:", err)
	}
}

// Two readers that share no code with this package: Debian's fsck.vfat and
// mtools.
func TestOthersReadIt(t *testing.T) {
	t.Parallel()
	fsck, err := exec.LookPath("fsck.vfat")
	if err != nil {
		fsck = "/usr/sbin/fsck.vfat"
	}
	if _, err := os.Stat(fsck); err != nil {
		t.Log("no fsck.vfat here: what this package wrote was NOT read by another (apt install dosfstools mtools)")
		return
	}
	for _, size := range []int{4 << 20, 40 << 20, 64 << 20} {
		path := filepath.Join(t.TempDir(), "disk")
		if err := os.WriteFile(path, build(t, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(fsck, "-n", path).CombinedOutput(); err != nil || bytes.Contains(out, []byte("differ")) {
			t.Errorf("fsck.vfat of %d bytes: %v\n%s", size, err, out)
		}
		if _, err := exec.LookPath("mtype"); err != nil {
			t.Log("no mtype here: it did NOT read what this package wrote (apt install mtools)")
			continue
		}
		for _, f := range files() {
			out, err := exec.Command("mtype", "-i", path, "::"+f.Name).Output()
			if err != nil || !bytes.Equal(out, f.Data) {
				t.Errorf("mtype %s: %d bytes, %v", f.Name, len(out), err)
			}
		}
	}
}

// What others write is read: FAT32 in clusters that do not follow each other.
func TestReadsOthers(t *testing.T) {
	t.Parallel()
	mkfs := "/usr/sbin/mkfs.vfat"
	if _, err := os.Stat(mkfs); err != nil {
		t.Log("no mkfs.vfat here: FAT32 of others was NOT read")
		return
	}
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	run := func(name string, args ...string) {
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run(mkfs, "-C", "-F", "32", "-s", "1", disk, "65536")
	want := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	hole := filepath.Join(dir, "hole")
	data := filepath.Join(dir, "data")
	if err := errors.Join(os.WriteFile(hole, make([]byte, 20_000), 0o600), os.WriteFile(data, want, 0o600)); err != nil {
		t.Fatal(err)
	}
	run("mcopy", "-i", disk, hole, "::hole")
	run("mcopy", "-i", disk, hole, "::after")
	run("mdel", "-i", disk, "::hole")
	run("mcopy", "-i", disk, data, "::Regi Update (3).bundle")
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fs, err := fat.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	e, err := fs.Find("regi update (3).bundle")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(e.Reader()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func FuzzOpen(f *testing.F) {
	disk := build(f, 4<<20)
	f.Add(disk[:64<<10], "KERNEL.IMG")
	f.Add(disk[:512], "empty")
	wide := slices.Clone(disk[:4096])
	copy(wide[17:], []byte{0, 0, 0, 0}) // no root entries, sectors in 32 bits
	copy(wide[32:], []byte{0, 0, 8, 0, 64})
	wide[13] = 1
	f.Add(wide, "a")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		fs, err := fat.Open(bytes.NewReader(b))
		if err != nil {
			return
		}
		e, err := fs.Find(name)
		if err != nil {
			return
		}
		if _, err := e.Offset(); err != nil && e.Size > 0 && e.Size <= fat.SectorBytes {
			t.Error(err)
		}
		n, err := io.Copy(io.Discard, e.Reader())
		if err == nil && n != e.Size || n > e.Size {
			t.Errorf("%d bytes of %d, %v", n, e.Size, err)
		}
	})
}
