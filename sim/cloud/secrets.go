package cloud

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nkeys"

	"regi/firmware/record"
)

// certificateLife is that of the CA and the server's certificate: a simulator
// is not there to show how certificates are renewed.
const certificateLife = 10 * 365 * 24 * time.Hour

// secrets are the office's keys, made once.
type secrets struct {
	files  Files
	creds  map[record.ID]string // paths of the registers' seeds
	users  map[record.ID]string // their public keys
	hsm    string               // its public key
	tls    tls.Certificate
	roots  *x509.CertPool
	opener *record.Opener
	signer ed25519.PrivateKey
	owner  ed25519.PrivateKey // of the registers
	staff  staff
}

func loadSecrets(dir string, id record.ID, others []record.ID) (*secrets, error) {
	in := func(name string) string { return filepath.Join(dir, name) }
	s := &secrets{
		files: Files{
			CA: in("ca.pem"), Creds: in("register.creds"), SealTo: in("ledger.pub"), SignedBy: in("receiver.pub"),
			HSMCreds: in("hsm.creds"),
		},
		creds: map[record.ID]string{id: in("register.creds")}, users: map[record.ID]string{},
	}
	if err := s.loadCertificates(in("server.pem"), in("server.key")); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	if err := s.loadKeys(in("ledger.key"), in("receiver.key")); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if err := s.loadOwner(in("owner.key")); err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	for _, other := range others {
		s.creds[other] = in(other.Store + "-" + other.Register + ".creds")
	}
	for id, path := range s.creds {
		user, err := loadUser(path)
		if err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
		if s.users[id], err = user.PublicKey(); err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
	}
	return s, s.loadStaff(in("admin.creds"))
}

// loadCertificates reads the CA's and the server's certificate, or makes both.
// The CA's key is thrown away: it signs nothing else.
func (s *secrets) loadCertificates(certPath, keyPath string) error {
	if _, err := os.Stat(keyPath); errors.Is(err, fs.ErrNotExist) {
		if err := makeCertificates(s.files.CA, certPath, keyPath); err != nil {
			return err
		}
	}
	ca, err := os.ReadFile(s.files.CA)
	if err != nil {
		return err
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(ca) {
		return errors.New("ca.pem holds no certificate")
	}
	s.tls, err = tls.LoadX509KeyPair(certPath, keyPath)
	return err
}

func makeCertificates(caPath, certPath, keyPath string) error {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Regi simulator CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Regi simulator cloud"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"},
		// The second is where a QEMU guest is given the cloud (guestfwd).
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 2, 100)},
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, leafKey.Public(), caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	// The key comes last: it says that the others are complete.
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{caPath, "CERTIFICATE", caDER}, {certPath, "CERTIFICATE", leafDER}, {keyPath, "PRIVATE KEY", keyDER}} {
		if err := os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// loadKeys reads the key that opens the ledger and the one that signs
// acknowledgements, or makes them, and writes their public halves.
func (s *secrets) loadKeys(openPath, signPath string) error {
	file, err := readOrMake(openPath, func() ([]byte, error) {
		key, err := hpke.MLKEM768X25519().GenerateKey()
		if err != nil {
			return nil, err
		}
		return record.MarshalSealPrivate(key)
	})
	if err != nil {
		return err
	}
	open, err := record.ParseSealPrivate(file)
	if err != nil {
		return err
	}
	s.opener = record.NewOpener(open)
	file, err = readOrMake(signPath, func() ([]byte, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return record.MarshalSignPrivate(key), err
	})
	if err != nil {
		return err
	}
	if s.signer, err = record.ParseSignPrivate(file); err != nil {
		return err
	}
	public := s.signer.Public().(ed25519.PublicKey) //nolint:forcetypeassert // by its documentation
	if err := os.WriteFile(s.files.SealTo, record.MarshalSealPublic(open.PublicKey()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.files.SignedBy, record.MarshalSignPublic(public), 0o600)
}

func (s *secrets) loadStaff(adminPath string) error {
	hsm, err := loadUser(s.files.HSMCreds)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	if s.hsm, err = hsm.PublicKey(); err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	if s.staff.admin, err = loadUser(adminPath); err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	if s.staff.receiver, err = nkeys.CreateUser(); err != nil {
		return err
	}
	s.staff.clock, err = nkeys.CreateUser()
	return err
}

// loadUser reads an NKEY seed, or makes one.
func loadUser(path string) (nkeys.KeyPair, error) {
	seed, err := readOrMake(path, func() ([]byte, error) {
		user, err := nkeys.CreateUser()
		if err != nil {
			return nil, err
		}
		return user.Seed()
	})
	if err != nil {
		return nil, err
	}
	user, err := nkeys.FromSeed(seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return user, nil
}

func readOrMake(path string, make func() ([]byte, error)) ([]byte, error) {
	data, err := os.ReadFile(path) //nolint:gosec // in the office's own folder
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = make(); err != nil {
		return nil, err
	}
	return data, os.WriteFile(path, data, 0o600)
}
