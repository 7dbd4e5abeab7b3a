package hsm_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"regi/sim/counter/stand"
	"regi/sim/hsm"
)

// parentRole is a process that starts an hsm and waits to be killed.
const parentRole = "hsm-test-parent"

func TestMain(m *testing.M) {
	switch {
	case hsm.Role(os.Args[0]):
		os.Exit(hsm.Main())
	case os.Args[0] == headRole:
		os.Exit(headMain())
	case os.Args[0] == parentRole:
		parentMain()
	}
	os.Exit(m.Run())
}

// cloud is a NATS server as the simulator's: TLS, NKEYs, an hsm and a register.
type cloud struct {
	t               *testing.T
	dir             string
	options         *server.Options
	server          *server.Server
	log             *stand.Log
	ca, hsmKey, key string
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, dir: t.TempDir(), log: &stand.Log{}}
	c.ca = filepath.Join(c.dir, "ca.pem")
	hsmPublic := c.seed("hsm.creds", &c.hsmKey)
	regPublic := c.seed("register.creds", &c.key)
	c.options = &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, TLSConfig: c.certificate(),
		Nkeys: []*server.NkeyUser{
			{Nkey: hsmPublic, Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
				Subscribe: &server.SubjectPermission{Allow: []string{"regi.v1.*.*.authorize hsm"}},
			}},
			{Nkey: regPublic},
		},
	}
	return c
}

func (c *cloud) seed(name string, path *string) (public string) {
	c.t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		c.t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		c.t.Fatal(err)
	}
	*path = filepath.Join(c.dir, name)
	if err := os.WriteFile(*path, seed, 0o600); err != nil {
		c.t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		c.t.Fatal(err)
	}
	return public
}

// certificate makes a self-signed server certificate, which is its own CA.
func (c *cloud) certificate() *tls.Config {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// up starts the server, the next time on the same port.
func (c *cloud) up() {
	c.t.Helper()
	s, err := server.NewServer(c.options)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		c.t.Fatal("the server does not start")
	}
	c.server = s
	c.options.Port = s.Addr().(*net.TCPAddr).Port
	c.t.Cleanup(c.down)
}

func (c *cloud) down() {
	c.server.Shutdown()
	c.server.WaitForShutdown()
}

func (c *cloud) url() string { return fmt.Sprintf("tls://127.0.0.1:%d", c.options.Port) }

func (c *cloud) hsmOptions() hsm.Options {
	return hsm.Options{URL: c.url(), CA: c.ca, Creds: c.hsmKey, Dir: filepath.Join(c.dir, "hsm"), Log: c.log}
}

// register connects as registers do, through their uplink.
func (c *cloud) register() *nats.Conn {
	c.t.Helper()
	creds, err := nats.NkeyOptionFromSeed(c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := nats.Connect(c.url(), creds, nats.RootCAs(c.ca), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(time.Millisecond, time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(conn.Close)
	return conn
}
