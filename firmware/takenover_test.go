package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"regi/drivers"
	"regi/firmware/capture/launch"
	"regi/firmware/permit"
	"regi/firmware/record"
	"regi/firmware/role"
	simwire "regi/sim/wire"
)

// takenOver is a register that an attacker plays: it has the spawner's link and
// all that a register has, and wants its own card key in.
type takenOver struct {
	*office
	owner ed25519.PrivateKey
	spawn *role.Spawner
}

func takeOver(t *testing.T, settings string) *takenOver {
	t.Helper()
	public, owner, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &takenOver{office: newOffice(t), owner: owner}
	text, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "[console]\nowner=\"owner.pub\"\n"+settings...)
	for path, data := range map[string][]byte{r.config: text, filepath.Join(filepath.Dir(r.config), "owner.pub"): record.MarshalSignPublic(public)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := LoadConfig(r.config)
	if err != nil {
		t.Fatal(err)
	}
	if r.spawn, err = startSpawner(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.spawn.Close)
	return r
}

// ceremony is a process for keys on a terminal of the attacker's. It takes the
// record of a key as made.
func (r *takenOver) ceremony() (s *sitting, ended chan error) {
	r.t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		r.t.Skipf("no pseudo-terminal: %v", err)
	}
	s, ended = newSitting(r.t, master, slave), make(chan error, 1)
	start := func() (*role.Child, error) { return r.spawn.Start(role.Keys, slave) }
	go func() { ended <- askKeys(r.t.Context(), start, opInject, nil) }()
	return s, ended
}

// officers are both: each a name, a component and its check value.
func (s *sitting) officers(h keyHost, one, two string) {
	s.t.Helper()
	s.answer("Officer 1, your name: ", one+"\r")
	s.answer("component (not shown): ", partOne+"\r")
	s.answer("Its check value: ", h.kcv[0]+"\r")
	s.answer("Officer 2, your name: ", two+"\r")
	s.answer("component (not shown): ", partTwo+"\r")
	s.answer("Its check value: ", h.kcv[1]+"\r")
}

// refused sees a ceremony end with reason, and no key in the register.
func (r *takenOver) refused(s *sitting, ended chan error, reason string) {
	r.t.Helper()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), reason) {
			r.t.Errorf("%v, want %q\n%s", err, reason, s.shown)
		}
	case <-time.After(20 * time.Second):
		r.t.Fatalf("no end\n%s", s.shown)
	}
	if out, err := r.regi("status"); err != nil || !strings.Contains(out, "no card key") {
		r.t.Errorf("%s, %v", out, err)
	}
}

// TestTakenOverRegisterLoadsNoKey: a register process that was taken over plays
// both officers, the key host and its own terminal, and gets no key in: not
// without a permit, with one of another owner, of an earlier ceremony, for
// another register, for another key, or an expired one.
func TestTakenOverRegisterLoadsNoKey(t *testing.T) {
	r, h := takeOver(t, ""), newKeyHost(t, partOne, partTwo)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(owner ed25519.PrivateKey, challenge string, minutes uint16) string {
		t.Helper()
		text, _, err := h.letters().Sign(owner, challenge, minutes)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s, ended := r.ceremony()
	asked := s.challenge()
	earlier := sign(r.owner, asked, 30)
	s.answer("", "\x03")
	r.refused(s, ended, "no key was loaded")

	s, ended = r.ceremony()
	now := s.challenge()
	for _, typed := range []string{"", sign(stranger, now, 30), earlier} {
		s.answer("", typed+"\r")
		s.until("Permit refused: ")
	}
	r.refused(s, ended, "too many tries")

	s, ended = r.ceremony()
	now = s.challenge()
	other, err := permit.ParseChallenge(now)
	if err != nil {
		t.Fatal(err)
	}
	other.Register = "0001/02"
	s.answer("", sign(r.owner, other.String(), 30)+"\r")
	s.until("not signed by the owner for this register")
	s.until("The owner's permit: ")
	s.answer("", sign(r.owner, now, 0)+"\r")
	s.until("has expired")
	s.answer("The owner's permit: ", sign(r.owner, now, 30)+"\r")
	s.officers(h, "Sato", "Suzuki")
	for range 3 {
		s.answer("Key block (not shown): ", h.blockOf(t, []byte("a key of his own"))+"\r")
		s.until("not the key that the owner permits")
	}
	r.refused(s, ended, "too many tries")

	s, ended = r.ceremony() // and the owner's own, by the same way
	s.permit(h, r.owner)
	s.officers(h, "Sato", "Suzuki")
	s.answer("Key block (not shown): ", h.block+"\r")
	s.answer("Type yes to load it: ", "yes\r")
	if err := <-ended; err != nil {
		t.Fatalf("%v\n%s", err, s.shown)
	}
	if out, err := r.regi("status"); err != nil || !strings.Contains(out, h.ikid) {
		t.Errorf("%s, %v", out, err)
	}
}

// What the register says beside its three words is not heard, and there is no
// fourth.
func TestTakenOverRegisterSaysMore(t *testing.T) {
	r := takeOver(t, "")
	for _, said := range []string{`{"Op":"inject","State":"/tmp","Owned":false}`, "inject\n", "", strings.Repeat("inject", 100)} {
		err := askKeys(t.Context(), func() (*role.Child, error) { return r.spawn.Start(role.Keys, nil) }, said, nil)
		if err == nil {
			t.Errorf("%q: obeyed", said)
		}
	}
}

// TestTakenOverRegisterBringsNoKeyFile: a key file that it wrote itself, in a
// folder of its own, is not what the card process reads, whatever it is asked.
func TestTakenOverRegisterBringsNoKeyFile(t *testing.T) {
	line := filepath.Join(t.TempDir(), "card")
	tty, err := simwire.Open(line)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer tty.Close()
	r := takeOver(t, "[card]\nport=\""+line+"\"\n")
	forged := filepath.Join(r.state, "journal")
	if err := os.MkdirAll(forged, 0o700); err != nil {
		t.Fatal(err)
	}
	old := `{"Port":"` + line + `","Baud":9600,"Reader":"msr","State":"` + forged + `"}`
	for said, want := range map[string]bool{captureCards: true, captureJail: true, old: false, "X": false} {
		child, err := r.spawn.Start(role.Capture, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(child.Link, said); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		packet, err := hear(ctx, child.Link)
		cancel()
		if (err == nil) != want {
			t.Errorf("%q: %q, %v", said, packet, err)
		}
		if e, decoded := launch.Decode(packet); err == nil && (decoded != nil || e.Status == nil) {
			t.Errorf("%q: %+v, %v", said, e, decoded)
		}
		over, stop := context.WithCancel(t.Context())
		stop()
		child.Wait(over)
	}
	if made, err := filepath.Glob(filepath.Join(forged, "card.*")); err != nil || len(made) > 0 {
		t.Errorf("in the attacker's folder: %q, %v", made, err)
	}
	if made, err := filepath.Glob(filepath.Join(r.state, "card.*")); err != nil || len(made) == 0 {
		t.Errorf("where the key file is: %q, %v", made, err)
	}
}

// TestTakenOverRegisterReadsNoCard: the reader's line under another name is not
// opened for it as the scanner's.
func TestTakenOverRegisterReadsNoCard(t *testing.T) {
	dir := t.TempDir()
	tty, err := simwire.Open(filepath.Join(dir, "card"))
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer tty.Close()
	if err := os.Symlink("card", filepath.Join(dir, "alias")); err != nil {
		t.Fatal(err)
	}
	for reader, want := range map[string]error{"msr": drivers.ErrBusy, "none": nil} {
		r := takeOver(t, fmt.Sprintf("[card]\nport=%q\nreader=%q\n[scanner]\nport=%q\n", filepath.Join(dir, "card"), reader, filepath.Join(dir, "alias")))
		c, err := LoadConfig(r.config)
		if err != nil {
			t.Fatal(err)
		}
		p, err := openSerial(r.spawn, "scanner", c.Scanner.Serial)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", reader, err, want)
		}
		if err == nil {
			p.Close()
		}
	}
}

// An owner whose key cannot be read is not as none.
func TestOwnerKeyLost(t *testing.T) {
	r := takeOver(t, "")
	if err := os.WriteFile(filepath.Join(filepath.Dir(r.config), "owner.pub"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := r.sit()
	s.until(errOwnerKey.Error())
	if err := s.cmd.Wait(); err == nil {
		t.Error("it says that it went well")
	}
}

// The check says whose word counts, and that nobody's does.
func TestCheckOwner(t *testing.T) {
	r := takeOver(t, "")
	c, err := LoadConfig(r.config)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := checkOwner(t.Context(), &bench{Config: c}); err != nil || !strings.Contains(said, "permit alone") {
		t.Errorf("%q, %v", said, err)
	}
	c.Console.Owner = ""
	if _, err := checkOwner(t.Context(), &bench{Config: c}); !errors.Is(err, errNone) || !strings.Contains(err.Error(), "takes over the register") {
		t.Errorf("%v", err)
	}
	c.Console.Owner = r.config
	if _, err := checkOwner(t.Context(), &bench{Config: c}); err == nil || errors.Is(err, errNone) {
		t.Errorf("%v", err)
	}
}

// challenge is what a ceremony shows the owner.
func (s *sitting) challenge() string {
	s.t.Helper()
	s.until("The owner's permit: ")
	all := challenge.FindAll(s.shown, -1)
	return string(bytes.Clone(all[len(all)-1]))
}
