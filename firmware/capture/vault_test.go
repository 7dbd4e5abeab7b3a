package capture

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"regi/drivers"
	"regi/drivers/msr"
	"regi/firmware/capture/internal/arena"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/link"
	"regi/firmware/capture/internal/track"
	"regi/firmware/capture/launch"
)

const (
	one = "%B4111111111111111^TEST/CARD^28121010000000000?"
	two = ";4111111111111111=28121010000000000?"
)

// tape is a port that plays a byte sequence and calls seen before each byte.
type tape struct {
	drivers.Port
	data []byte
	seen func(played int)
	at   int
}

func (p *tape) SetReadDeadline(time.Time) error { return nil }

func (p *tape) Read(b []byte) (int, error) {
	if p.seen != nil {
		p.seen(p.at)
	}
	if p.at == len(p.data) {
		return 0, drivers.ErrUnplugged
	}
	b[0] = p.data[p.at]
	p.at++
	return 1, nil
}

// parent is the far end of the link.
type parent struct{ packets [][]byte }

func (p *parent) Write(b []byte) (int, error) {
	p.packets = append(p.packets, bytes.Clone(b))
	return len(b), nil
}
func (p *parent) Read([]byte) (int, error) { select {} }

func (p *parent) events(t testing.TB) []launch.Event {
	t.Helper()
	events := make([]launch.Event, 0, len(p.packets))
	for _, b := range p.packets {
		e, err := launch.Decode(b)
		if err != nil {
			t.Fatalf("% x: %v", b, err)
		}
		events = append(events, e)
	}
	return events
}

const (
	testIKID = "\x00\x01\x02\x03\x04\x05\x06\x07"
	testIK   = "an AES-128 key!\xA7"
	testKey  = testIKID + testIK
)

// keyed returns a process with a key, without a reader.
func keyed(t testing.TB) (*process, *parent) {
	t.Helper()
	far := &parent{}
	p := &process{link: far}
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	if err := p.device.Load((*[8]byte)([]byte(testIKID)), []byte(testIK)); err != nil {
		t.Fatal(err)
	}
	return p, far
}

func (p *process) play(ctx context.Context, port *tape) error {
	p.reader = msr.New(port, msr.Options{})
	p.prepare()
	return p.swipe(ctx)
}

func (v *vault) memory() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) //nolint:gosec // to look at it as a scraper does
}

// fragment reports whether memory holds seven digits in a row that stand in a
// row in data, too. First six and last four are within the limit.
func fragment(memory, data []byte) string {
	run := 0
	for i, c := range data {
		if run++; c < '0' || c > '9' {
			run = 0
		}
		if run >= 7 && bytes.Contains(memory, data[i-6:i+1]) {
			return string(data[i-6 : i+1])
		}
	}
	return ""
}

// At each instant of a swipe the vault holds neither seven digits of a number
// nor the data key; after it, nothing of it.
func TestVaultHoldsNoNumber(t *testing.T) {
	p, far := keyed(t)
	data := []byte("%B4000056655665556^TEST/CARD^28121010000000000?;4000056655665556=28121010000000000?\r")
	port := &tape{data: data}
	port.seen = func(played int) {
		if f := fragment(p.v.memory(), data); f != "" {
			t.Fatalf("after %d bytes the vault holds seven digits of the number", played)
		}
		if p.v.data != ([64]uint64{}) || p.v.mac == p.v.data {
			t.Fatal("the data key is there during the swipe")
		}
		if p.v.char[0] != 0 {
			t.Fatal("the last byte was not wiped")
		}
	}
	if err := p.play(t.Context(), port); err != nil {
		t.Fatal(err)
	}
	if e := far.events(t); len(e) != 1 || e[0].Read == nil {
		t.Fatalf("%+v", e)
	}
	for _, b := range far.packets {
		if f := fragment(b, data); f != "" {
			t.Error("the packet holds seven digits of the number")
		}
	}
	left := *p.v
	left.keys = vault{}.keys
	if left != (vault{}) {
		t.Error("the vault is not wiped after the swipe")
	}
}

// A keystream is never used twice, and never used before it is there.
func TestKeystreamIsFresh(t *testing.T) {
	p, far := keyed(t)
	seen := map[string]bool{}
	for range 50 {
		port := &tape{data: []byte(two + "\r")}
		port.seen = func(played int) {
			if played == 0 {
				stream := string(p.v.stream[:])
				if seen[stream] || strings.Contains(stream, string(make([]byte, 32))) {
					t.Fatal("keystream used twice or missing")
				}
				seen[stream] = true
			}
		}
		if err := p.play(t.Context(), port); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range far.events(t) {
		ksn, err := hex.DecodeString(e.Read.KSN)
		if err != nil || binary.BigEndian.Uint32(ksn[8:]) != uint32(i+1) {
			t.Fatalf("read %d has KSN %s", i, e.Read.KSN)
		}
		if got := hostOpen(t, []byte(testIK), e.Read); got != two {
			t.Errorf("opened %q", got)
		}
	}
}

func TestKeysUsedUp(t *testing.T) {
	p, far := keyed(t)
	exhaust(&p.v.keys)
	for range 2 {
		if err := p.play(t.Context(), &tape{data: []byte(two + "\r")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range far.events(t) {
		if e.Failed != "card keys used up" {
			t.Errorf("%+v", e)
		}
	}
	if p.status.Reason != link.KeysUsedUp || p.reported {
		t.Error("not to be reported")
	}
}

// exhaust puts the device past its last counter. The counter is the package's
// own, so its place is found by its name.
func exhaust(keys *dukpt.Registers) {
	f := reflect.ValueOf(keys).Elem().FieldByName("counter")
	*(*uint32)(f.Addr().UnsafePointer()) = 0xFFFF0001
}

// Without a key the bytes of a card are dropped, not stored.
func TestRefusedCardIsNotStored(t *testing.T) {
	p, far := keyed(t)
	p.device.Wipe()
	p.status.Reason = link.NoKey
	data := []byte(one + two + "\r")
	port := &tape{data: data}
	port.seen = func(int) {
		if p.v.swipe != (track.Machine{}) || p.v.stream != [link.CipherMax]byte{} {
			t.Fatal("a byte of the card was stored")
		}
	}
	if err := p.play(t.Context(), port); err != nil {
		t.Fatal(err)
	}
	if e := far.events(t); len(e) != 1 || e[0].Failed != "no key" {
		t.Errorf("%+v", e)
	}
}

// An arena may hold no pointer.
func TestVaultHoldsNoPointer(t *testing.T) {
	var check func(ty reflect.Type, path string)
	check = func(ty reflect.Type, path string) {
		switch ty.Kind() { //nolint:exhaustive // anything else may hold one
		case reflect.Bool, reflect.Int, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		case reflect.Array:
			check(ty.Elem(), path+"[]")
		case reflect.Struct:
			for i := range ty.NumField() {
				check(ty.Field(i).Type, path+"."+ty.Field(i).Name)
			}
		default:
			t.Errorf("%s is a %v", path, ty)
		}
	}
	check(reflect.TypeFor[vault](), "vault")
}

// Any bytes as a swipe: one packet, and what it seals is what was swiped.
func FuzzSwipe(f *testing.F) {
	for _, s := range []string{one + two, two, "%E?" + two + "8", ";E?", "4111111111111111", one[:20], ";1=?\n", strings.Repeat("%", 600)} {
		f.Add([]byte(s))
	}
	p, far := keyed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) >= swipeMax || bytes.ContainsAny(data, "\r") || data[0] == '\n' {
			return
		}
		far.packets = nil
		if err := p.play(t.Context(), &tape{data: append(bytes.Clone(data), '\r')}); err != nil {
			t.Fatal(err)
		}
		events := far.events(t)
		if len(events) != 1 || events[0].Status != nil {
			t.Fatalf("%d events", len(events))
		}
		if r := events[0].Read; r != nil {
			if got := hostOpen(t, []byte(testIK), r); !strings.HasPrefix(string(data), got) || got[len(got)-1] != '?' {
				t.Errorf("sealed %q of %q", got, data)
			}
		}
		left := *p.v
		left.keys = vault{}.keys
		if left != (vault{}) {
			t.Error("the vault is not wiped")
		}
	})
}

// BenchmarkNextKey is all that must happen before the next swipe: both keys,
// the registers, 512 bytes of keystream, the MAC's subkeys, and what is left
// behind erased, but for the garbage collection.
func BenchmarkNextKey(b *testing.B) {
	p, _ := keyed(b)
	b.ReportAllocs()
	for b.Loop() {
		arena.Do(p.prepare)
	}
	if p.v.laid != track.BytesMax || p.status.Reason != link.None {
		b.Fatal("no keystream")
	}
}

// BenchmarkBareKeystream is the baseline: 512 bytes of AES-CTR under a new key,
// as the standard library makes them.
func BenchmarkBareKeystream(b *testing.B) {
	key, out := make([]byte, 16), make([]byte, track.BytesMax)
	b.ReportAllocs()
	for b.Loop() {
		bareKeystream(b, key, out)
	}
}

func bareKeystream(b *testing.B, key, out []byte) {
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	clear(out)
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(out, out) //nolint:gosec // a new key each time
}

// BenchmarkSwipe is one swipe of 85 bytes from the first byte to the packet.
func BenchmarkSwipe(b *testing.B) {
	p, far := keyed(b)
	data := []byte(one + two + "\r")
	for b.Loop() {
		far.packets = far.packets[:0]
		if err := p.play(b.Context(), &tape{data: data}); err != nil {
			b.Fatal(err)
		}
	}
	if len(far.packets) != 1 {
		b.Fatal("no packet")
	}
}
