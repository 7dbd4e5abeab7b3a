package judge_test

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"regi/sim/device/printer"
)

// cp932 says each character of Shift_JIS as Python reads it: the code, and the
// character's number or nothing.
const cp932 = `
for lead in [*range(0x81,0xa0),*range(0xe0,0xfd)]:
    for trail in [*range(0x40,0x7f),*range(0x80,0xfd)]:
        b = bytes([lead, trail])
        try: c = b.decode('cp932')
        except UnicodeDecodeError: c = ''
        print(b.hex(), '%x' % ord(c) if len(c) == 1 else '')
for b in range(0xa1,0xe0): print('%02x' % b, '%x' % ord(bytes([b]).decode('cp932')))
`

// private are characters without a meaning of their own.
func private(r rune) bool { return r >= 0xE000 && r <= 0xF8FF }

// TestCP932: every cell prints what Python's codec says, and 〓 where it says
// nothing.
func TestCP932(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here: the kanji table was NOT compared (apt install python3)")
	}
	out, err := exec.Command(python, "-c", cp932).Output()
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	var want []rune
	for l := range strings.Lines(string(out)) {
		code, char, _ := strings.Cut(strings.TrimSuffix(l, "\n"), " ")
		r := rune(0)
		if char != "" {
			if _, err := fmt.Sscanf(char, "%x", &r); err != nil {
				t.Fatal(err)
			}
		}
		if r == 0 || private(r) {
			r = '〓'
		}
		want, codes = append(want, r), append(codes, code)
	}
	if len(want) != 60*188+63 {
		t.Fatalf("Python says something of %d codes", len(want))
	}
	wrong := 0
	for len(codes) > 0 { // the printer keeps so many records
		n := min(len(codes), printer.RecordsMax/2)
		var in strings.Builder
		in.WriteString("\x1cC1\x1bt\x01")
		for _, c := range codes[:n] {
			b, err := hex.DecodeString(c)
			if err != nil {
				t.Fatal(err)
			}
			in.Write(append(b, '\n'))
		}
		got := play(t, in.String()).Records(0)
		if len(got) != n {
			t.Fatalf("%d lines for %d codes", len(got), n)
		}
		for i, r := range got {
			if r.Text != strings.TrimRight(string(want[i]), " ") {
				if wrong++; wrong <= 20 {
					t.Errorf("%s prints %q, Python says %q", codes[i], r.Text, want[i])
				}
			}
		}
		codes, want = codes[n:], want[n:]
	}
}
