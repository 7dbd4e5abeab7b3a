package scrape_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"regi/sim/drill/scrape"
)

const (
	number = "9123456789012347" // nobody has issued it; its check digit is right
	other  = "9876543298765431"
	decoy  = "9123459876512347" // the same first six and last four
)

func wanted() *scrape.Wanted {
	return scrape.New([]scrape.Card{{Number: number, Issued: true}, {Number: other, Issued: true}, {Number: decoy}})
}

func search(w *scrape.Wanted, b []byte) scrape.Count {
	f := scrape.NewFound()
	w.Search(b, f)
	return w.Count(f)
}

func wide(s string, order binary.AppendByteOrder) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func bcd(s string, shift bool) (b []byte) {
	if shift {
		s = "f" + s + "f"
	}
	for i := 0; i+1 < len(s); i += 2 {
		var c byte
		fmt.Sscanf(s[i:i+2], "%02x", &c)
		b = append(b, c)
	}
	return b
}

// A whole number is found in each form, wherever it stands and whatever is
// about it.
func TestWhole(t *testing.T) {
	w := wanted()
	forms := map[string][]byte{
		"ascii": []byte(number), "utf-16le": wide(number, binary.LittleEndian), "utf-16be": wide(number, binary.BigEndian),
		"bcd": bcd(number, false), "bcd, half a byte on": bcd(number, true), "among digits": []byte("73" + number + "55"),
	}
	for name, form := range forms {
		for before := range 20 {
			for after := range 20 {
				b := append(append(fill(before), form...), fill(after)...)
				if got := search(w, b); got.Numbers != 1 || got.Fragments != 9 || got.DecoyNumbers != 0 || got.Cards != 1 {
					t.Fatalf("%s, %d bytes before and %d after: %+v", name, before, after, got)
				}
			}
		}
	}
}

func fill(n int) []byte { return []byte(strings.Repeat("\xfa", n)) }

// What may be shown is no find: seven digits in a row neither.
func TestFragments(t *testing.T) {
	w := wanted()
	for b, want := range map[string]int{
		"912345": 0, "2347": 0, "9123456": 0, "912345 2347": 0, "9123452347": 0,
		"x91234567": 1, "89012347": 1, "123456789": 2, "1234567-8901234": 0,
	} {
		if got := search(w, []byte(b)); got.Fragments != want || got.Numbers != 0 {
			t.Errorf("%q: %+v, want %d fragments", b, got, want)
		}
	}
	if got := search(w, []byte(decoy)); got.DecoyNumbers != 1 || got.DecoyFragments != 9 || got.Numbers+got.Fragments != 0 {
		t.Errorf("a decoy counts as %+v", got)
	}
}

func TestForms(t *testing.T) {
	w := wanted()
	for b, want := range map[string][2]int{ // patterns, framed
		"%B4111111111111111^X/Y": {1, 1}, ";4111111111111111=2812": {1, 1}, "4111111111111112": {0, 0},
		"B4111111111111111^": {1, 0}, "000": {0, 0}, "123456789012": {0, 0}, "41111111111111114111": {0, 0},
	} {
		if got := search(w, []byte(b)); got.Patterns != want[0] || got.Framed != want[1] {
			t.Errorf("%q: %+v, want %v", b, got, want)
		}
		if got := search(w, wide(b, binary.LittleEndian)); got.Patterns != want[0] || got.Framed != want[1] {
			t.Errorf("%q in UTF-16: %+v, want %v", b, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	w := wanted()
	var key [16]byte
	for i := range key {
		key[i] = byte(16*i + 7)
	}
	w.AddKey(key)
	swapped := make([]byte, 16)
	for i := range key {
		swapped[i] = key[i/4*4+3-i%4]
	}
	for at := range 40 {
		for _, form := range [][]byte{key[:], swapped} {
			b := append(append(make([]byte, at), form...), make([]byte, at%9)...)
			if got := search(w, b); got.Keys != 1 {
				t.Fatalf("at %d: %+v", at, got)
			}
		}
		if got := search(w, append(make([]byte, at), key[:15]...)); got.Keys != 0 {
			t.Fatalf("15 bytes at %d: %+v", at, got)
		}
	}
}

// FuzzSearch: nothing is found that is not there, and no input ends the search.
func FuzzSearch(f *testing.F) {
	w := wanted()
	w.AddKey([16]byte{1, 2, 3})
	for _, seed := range []string{"", "9", number, "\x91\x23\x45\x67", "9\x001\x002\x003\x00", ";1=", string(bcd(decoy, true))} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := search(w, b)
		if got.Numbers > 2 || got.Fragments > 18 || got.Numbers > got.Cards {
			t.Fatalf("%+v", got)
		}
	})
}

// A file is searched over its chunks' borders, and by its name.
func TestTree(t *testing.T) {
	dir, w := t.TempDir(), wanted()
	const border = 64 + 4<<20
	for _, at := range []int{0, border - 8, border - 1, border + 3, 2 * border} {
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, append(fill(at), other...), 0o600); err != nil {
			t.Fatal(err)
		}
		f := scrape.NewFound()
		files, err := w.Tree(dir, f)
		if got := w.Count(f); err != nil || files != 1 || got.Numbers != 1 {
			t.Fatalf("at %d: %d files, %+v, %v", at, files, got, err)
		}
	}
	if err := os.Rename(filepath.Join(dir, "file"), filepath.Join(dir, number)); err != nil {
		t.Fatal(err)
	}
	f := scrape.NewFound()
	if _, err := w.Tree(dir, f); err != nil || w.Count(f).Numbers != 2 {
		t.Fatalf("%+v, %v", w.Count(f), err)
	}
}

// TestMain is the victim of TestProcess when it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv("SCRAPE_TEST_VICTIM") != "" {
		victim()
		return
	}
	os.Exit(m.Run())
}

// victim holds numbers in its memory and takes new ones from its input.
func victim() {
	var held [][]byte
	for {
		var line string
		if _, err := fmt.Scanln(&line); err != nil {
			return
		}
		held = append(held, []byte(strings.Repeat("-", len(held)*5000)+line))
		fmt.Println(len(held))
	}
}

func TestProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to read another process's memory")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"SCRAPE_TEST_VICTIM=1"}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	digits := func() string { return fmt.Sprintf("9%015d", rand.Int64N(1e15)) }
	// Numbers of this test's own binary are in the victim's binary, too.
	cards := []scrape.Card{{digits(), true, 0}, {digits(), true, 0}, {digits(), true, 0}, {digits(), false, 0}}
	w := scrape.New(cards)
	p, err := scrape.Open(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f := scrape.NewFound()
	for i := range 3 {
		fmt.Fprintln(in, cards[i].Number)
		var n int
		if _, err := fmt.Fscan(out, &n); err != nil || n != i+1 {
			t.Fatal(n, err)
		}
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		pass, err := p.Search(w, f)
		if err != nil {
			t.Fatal(err)
		}
		again, err := p.Search(w, scrape.NewFound())
		if err != nil || again.Changed != 0 || again.Pages != pass.Pages {
			t.Fatalf("a second pass over a stopped process: %+v, %v", again, err)
		}
		if err := p.Continue(); err != nil {
			t.Fatal(err)
		}
		if got := w.Count(f); got.Numbers != i+1 || got.DecoyNumbers != 0 || pass.Pages == 0 {
			t.Fatalf("%d given: %+v in %+v", i+1, got, pass)
		}
	}
	in.Close()
	cmd.Wait()
	if err := p.Stop(); err == nil {
		t.Error("a process that is gone was stopped")
	}
}

func BenchmarkSearch(b *testing.B) {
	w := wanted()
	for range 5000 {
		var k [16]byte
		for i := range k {
			k[i] = byte(rand.IntN(256))
		}
		w.AddKey(k)
	}
	memory, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(memory)))
	for b.Loop() {
		w.Search(memory, scrape.NewFound())
	}
}
