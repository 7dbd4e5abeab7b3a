package uplink

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"regi/firmware/record"
)

// day is that of certificates.
const day = 24 * time.Hour

// A board whose clock is behind its cloud's certificate gets as far as being told
// the time.
func TestCertificateToCome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		ca, server  time.Duration // begin, from now
		ends        time.Duration
		want        string
		strangersCA bool
	}{
		{name: "now", ca: -day, server: -day, ends: day},
		{name: "the server's in a month", ca: -day, server: 30 * day, ends: 60 * day},
		{name: "both to come", ca: 20 * day, server: 30 * day, ends: 60 * day},
		{name: "the CA's after the server's", ca: 40 * day, server: 30 * day, ends: 60 * day},
		{name: "over", ca: -9 * day, server: -9 * day, ends: -day, want: "expired"},
		{name: "over before the CA's begins", ca: 40 * day, server: -day, ends: 20 * day, want: "expired"},
		{name: "in another year", ca: -day, server: 401 * day, ends: 500 * day, want: "expired"},
		{name: "a stranger's to come", ca: -day, server: 30 * day, ends: 60 * day, strangersCA: true, want: "not signed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now, dir := time.Now(), t.TempDir()
			ca, caKey := certify(t, nil, nil, now.Add(test.ca), now.Add(1000*day))
			server, key := certify(t, ca, caKey, now.Add(test.server), now.Add(test.ends))
			if test.strangersCA {
				ca, _ = certify(t, nil, nil, now.Add(test.ca), now.Add(1000*day))
			}
			address := serve(t, tls.Certificate{Certificate: [][]byte{server.Raw}, PrivateKey: key})
			c := Config{
				ID: record.ID{Store: "0001", Register: "01"}, URL: "tls://" + address,
				CA: filepath.Join(dir, "ca.pem"), Creds: filepath.Join(dir, "creds"),
			}
			write(t, c.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
			user, err := nkeys.CreateUser()
			if err != nil {
				t.Fatal(err)
			}
			seed, err := user.Seed()
			if err != nil {
				t.Fatal(err)
			}
			write(t, c.Creds, seed)
			f := openFiles(c)
			nc, err := dial(t.Context(), c, &f, func(error) {})
			if err == nil {
				nc.Close()
			}
			said := ""
			if err != nil {
				said = reason(err)
			}
			if (err == nil) != (test.want == "") || !strings.Contains(said, test.want) {
				t.Errorf("%q (%v), not %q", said, err, test.want)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// certify makes a certificate, a CA's if nobody signs it.
func certify(t *testing.T, by *x509.Certificate, byKey *ecdsa.PrivateKey, begins, ends time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begins, NotAfter: ends, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	if by == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		by, byKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), byKey)
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// serve is the beginning of a NATS server.
func serve(t *testing.T, certificate tls.Certificate) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go greet(c, certificate)
		}
	}()
	return l.Addr().String()
}

func greet(c net.Conn, certificate tls.Certificate) {
	defer c.Close()
	c.Write([]byte(`INFO {"server_id":"S","version":"2.12.0","proto":1,"headers":true,"max_payload":1048576,"tls_required":true,"nonce":"bm9uY2U"}` + "\r\n"))
	secure := tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}})
	for said := bufio.NewScanner(secure); said.Scan(); {
		if said.Text() == "PING" {
			secure.Write([]byte("PONG\r\n"))
		}
	}
}
