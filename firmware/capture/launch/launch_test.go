package launch_test

import (
	"bytes"
	"errors"
	"regexp"
	"testing"

	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/launch"
)

func sealedRead() *link.Read {
	return &link.Read{
		KSN: []byte("\x12\x34\x56\x78\x90\x12\x34\x56\x00\x00\x00\x01"), First: []byte("411111"), Brand: "visa",
		Service: []byte("101"), Tracks: 0b101, Luhn: true, Cipher: []byte{1, 2, 3}, MAC: bytes.Repeat([]byte{9}, 16), Last: []byte("1111"),
	}
}

func TestDecodeRead(t *testing.T) {
	packet := link.AppendRead(nil, sealedRead())
	e, err := launch.Decode(packet)
	if err != nil || e.Read == nil || e.Failed != "" || e.Status != nil {
		t.Fatalf("%+v, %v", e, err)
	}
	clear(packet) // the event must not live in the caller's buffer
	r := e.Read
	if r.Suite != "AES128-DUKPT-CTR-CMAC" || r.KSN != "123456789012345600000001" || r.Source != "msr" || r.BIN != "411111" ||
		r.Last4 != "1111" || r.Brand != "visa" || r.ServiceCode != "101" || r.Tracks != "13" || !r.Luhn || r.Entry != "swipe" ||
		!bytes.Equal(r.CT, []byte{1, 2, 3}) || !bytes.Equal(r.MAC, bytes.Repeat([]byte{9}, 16)) {
		t.Errorf("%+v", r)
	}
}

func TestDecodeBits(t *testing.T) {
	r := sealedRead()
	r.Bits = true
	if e, err := launch.Decode(link.AppendRead(nil, r)); err != nil || e.Read == nil || e.Read.Source != "msr-ttl" || e.Read.Tracks != "13" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestDecodePassed(t *testing.T) {
	p := &link.Passed{
		Suite: 3, KSN: []byte("\xff\xff\x98\x76\x54\x32\x10\xe0\x00\x08"), First: []byte("411111"), Brand: "visa", Service: []byte("101"),
		Tracks: 2, Cipher: [3][]byte{1: bytes.Repeat([]byte{7}, 40)}, Last: []byte("1111"),
	}
	packet := link.AppendPassed(nil, p)
	e, err := launch.Decode(packet)
	if err != nil || e.Read == nil {
		t.Fatalf("%+v, %v", e, err)
	}
	clear(packet)
	want := append(append([]byte{0, 0, 0, 40}, bytes.Repeat([]byte{7}, 40)...), 0, 0)
	r := e.Read
	if r.Suite != "MAGTEK-TDES-DUKPT-CBC" || r.KSN != "ffff9876543210e00008" || r.Source != "encrypting-reader" || r.BIN != "411111" || r.Last4 != "1111" ||
		r.Brand != "visa" || r.ServiceCode != "101" || r.Tracks != "2" || !r.Luhn || r.Entry != "swipe" || !bytes.Equal(r.CT, want) || len(r.MAC) != 0 {
		t.Errorf("%+v", r)
	}
	p.Brand = "amex"
	if _, err := launch.Decode(link.AppendPassed(nil, p)); !errors.Is(err, launch.ErrPacket) {
		t.Error(err)
	}
}

func TestDecodeStatus(t *testing.T) {
	e, err := launch.Decode(link.AppendStatus(nil, &link.Status{SecretMem: true, Controls: []link.Control{{Name: "no-dump", State: link.On}}}))
	if err != nil || e.Status == nil {
		t.Fatalf("%+v, %v", e, err)
	}
	s := e.Status
	if !s.Ready || s.Reason != "" || !s.SecretMem || s.SecretDo || s.Suite != "AES128-DUKPT-CTR-CMAC" || len(s.Controls) != 1 || s.Controls[0] != (launch.Control{Name: "no-dump", State: launch.On}) {
		t.Errorf("%+v", s)
	}
	for reason, want := range map[link.Reason]string{
		link.NoKey: "no key", link.Unplugged: "reader unplugged", link.KeysUsedUp: "card keys used up", link.Internal: "internal fault",
		link.OtherDevice: "key file of another device", link.Damaged: "key file damaged", link.NotWritten: "key file cannot be written",
		link.Zeroised: launch.Zeroised(),
	} {
		e, err := launch.Decode(link.AppendStatus(nil, &link.Status{Reason: reason}))
		if err != nil || e.Status.Ready || e.Status.Reason != want {
			t.Errorf("%+v, %v", e.Status, err)
		}
	}
}

func TestDecodeCBC(t *testing.T) {
	r := sealedRead()
	r.Suite, r.Cipher = link.CBC, make([]byte, 32)
	e, err := launch.Decode(link.AppendRead(nil, r))
	if err != nil || e.Read == nil || e.Read.Suite != "AES128-DUKPT-CBC-CMAC" {
		t.Errorf("%+v, %v", e, err)
	}
}

// Every reason has words of its own.
func TestReasons(t *testing.T) {
	words := launch.Reasons()
	seen := map[string]bool{}
	for _, w := range words {
		seen[w] = true
	}
	if len(words) != link.Refusals-1 || len(seen) != len(words) || !seen[launch.Zeroised()] {
		t.Errorf("%q", words)
	}
	if string(launch.Wipe()) != "W" {
		t.Errorf("%q", launch.Wipe())
	}
}

func TestDecodeFailed(t *testing.T) {
	for _, c := range []struct {
		f    link.Failed
		want string
	}{
		{link.Failed{Track: 2, Fault: 1}, "track 2: parity/LRC"},
		{link.Failed{Refused: link.NoKey}, "no key"},
	} {
		if e, err := launch.Decode(link.AppendFailed(nil, c.f)); err != nil || e.Failed != c.want {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if _, err := launch.Decode(link.AppendFailed(nil, link.Failed{Fault: 200})); !errors.Is(err, launch.ErrPacket) {
		t.Errorf("an unknown fault: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*link.Read){
		"a brand that is not the number's": func(r *link.Read) { r.Brand = "amex" },
		"a brand that is none":             func(r *link.Read) { r.Brand = "visas" },
		"more digits":                      func(r *link.Read) { r.Last = []byte("11111") },
		"no ciphertext":                    func(r *link.Read) { r.Cipher = nil },
		"too much ciphertext":              func(r *link.Read) { r.Cipher = make([]byte, 529) },
		"a letter in the number":           func(r *link.Read) { r.First = []byte("41111A") },
		"no track with a number":           func(r *link.Read) { r.Tracks = 0b100 },
	} {
		r := sealedRead()
		change(r)
		if _, err := launch.Decode(link.AppendRead(nil, r)); !errors.Is(err, launch.ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What comes out of any packet cannot be a card number.
func FuzzDecode(f *testing.F) {
	f.Add(link.AppendRead(nil, sealedRead()))
	f.Add(link.AppendFailed(nil, link.Failed{Track: 2, Fault: 1}))
	digits := regexp.MustCompile(`[0-9]{7,}`)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := launch.Decode(b)
		if err != nil {
			return
		}
		set := 0
		if e.Failed != "" {
			set++
		}
		if e.Status != nil {
			set++
		}
		if r := e.Read; r != nil {
			set++
			for _, s := range []string{r.BIN, r.Last4, r.ServiceCode, r.Brand, r.Tracks} {
				if digits.MatchString(s) {
					t.Errorf("%q", s)
				}
			}
			if r.Source == "encrypting-reader" {
				if len(r.KSN) != 20 || len(r.MAC) != 0 || len(r.CT) < 14 || len(r.CT) > 342 {
					t.Errorf("%+v", r)
				}
			} else if len(r.KSN) != 24 || len(r.MAC) != 16 || len(r.CT) == 0 || len(r.CT) > 528 {
				t.Errorf("%+v", r)
			}
		}
		if set != 1 {
			t.Errorf("%d fields are set", set)
		}
	})
}
