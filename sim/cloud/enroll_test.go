package cloud_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regi/firmware/console"
	"regi/firmware/record"
	"regi/sim/cloud"
)

// request is what a register's console shows.
func request(t *testing.T, name string, key ed25519.PrivateKey) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// TestCredentials: the register's own reader takes what the office answers, for
// the code that was asked with, and for no other.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	id := record.ID{Store: "0001", Register: "01"}
	c, err := cloud.Open(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	code := console.Challenge{ID: id, Nonce: [8]byte{1, 2, 3}, Time: time.Unix(1_790_000_000, 0)}
	good := cloud.Enrolment{Request: request(t, "0001/01", key), Code: code.String()}
	answer, err := c.Credentials(good)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := record.ParseSignPublic([]byte(answer.Owner))
	if err != nil {
		t.Fatal(err)
	}
	packet, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(answer.Text, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	k, err := console.OpenCredentials(packet, owner, code)
	if err != nil || k.URL != c.URL() || !strings.Contains(k.CA, "CERTIFICATE") || k.Creds == "" || k.SealTo == "" || k.SignedBy == "" {
		t.Errorf("%+v, %v", k, err)
	}
	other := code
	other.Nonce[0]++
	if _, err := console.OpenCredentials(packet, owner, other); !errors.Is(err, console.ErrSignature) {
		t.Errorf("for another code: %v", err)
	}
	if file, err := os.ReadFile(filepath.Join(dir, "owner.pub")); err != nil || string(file) != answer.Owner {
		t.Errorf("owner.pub: %q, %v", file, err)
	}
	stranger := console.Challenge{ID: record.ID{Store: "0001", Register: "99"}}
	for name, bad := range map[string]struct {
		e    cloud.Enrolment
		want error
	}{
		"no code":          {cloud.Enrolment{Request: good.Request}, cloud.ErrCode},
		"a letter wrong":   {cloud.Enrolment{Request: good.Request, Code: "B" + good.Code[1:]}, cloud.ErrCode},
		"no request":       {cloud.Enrolment{Code: good.Code}, cloud.ErrRequest},
		"another's name":   {cloud.Enrolment{Request: request(t, "0001/02", key), Code: good.Code}, cloud.ErrRequest},
		"a changed one":    {cloud.Enrolment{Request: strings.Replace(good.Request, "MI", "MJ", 1), Code: good.Code}, cloud.ErrRequest},
		"too long":         {cloud.Enrolment{Request: good.Request, Code: strings.Repeat("A", 9000)}, cloud.ErrRequest},
		"unknown register": {cloud.Enrolment{Request: request(t, "0001/99", key), Code: stranger.String()}, cloud.ErrUnknown},
	} {
		if _, err := c.Credentials(bad.e); !errors.Is(err, bad.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzCredentials: whatever is typed, the office answers or refuses.
func FuzzCredentials(f *testing.F) {
	c, err := cloud.Open(f.TempDir(), record.ID{Store: "0001", Register: "01"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { c.Close() })
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", "AEDT-AMBQ")
	f.Add("", console.Challenge{ID: record.ID{Store: "0001", Register: "01"}}.String())
	f.Fuzz(func(t *testing.T, request, code string) {
		if a, err := c.Credentials(cloud.Enrolment{Request: request, Code: code}); err == nil && a.Register != "0001/01" {
			t.Errorf("%q", a.Register)
		}
	})
}
