package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

const (
	// fileMax bounds the CA and credentials files, in bytes.
	fileMax = 64 << 10
	// dialWithin bounds each of connecting and the handshake.
	dialWithin = 10 * time.Second
	// pingEvery and pingsMissed bound how long a line may be dead unnoticed.
	pingEvery   = 10 * time.Second
	pingsMissed = 2
)

// Why there is no session, in words for the counter.
var (
	errFork       = errors.New("fork: the cloud holds another chain under this register's name; sending stopped, call service")
	errStream     = errors.New("the cloud has no ledger stream")
	errStalled    = errors.New("timeout: the cloud takes no records")
	errPermission = errors.New("permission denied: the credentials are another register's")
	errURL        = errors.New("cloud.url must be tls://host:port")
	errClosed     = errors.New("connection lost")
	errFiles      = errors.New("uplink: cloud.ca or cloud.creds cannot be opened")
	errProtocol   = errors.New("the cloud answers in an unknown form")
)

// dial opens one connection; ended is called once with the reason when it is
// over. There is no reconnect in it: each session starts with a look.
func dial(ctx context.Context, c Config, f *files, ended func(error)) (*nats.Conn, error) {
	security, host, err := trust(c, f)
	if err != nil {
		return nil, err
	}
	public, sign, err := credentials(f)
	if err != nil {
		return nil, err
	}
	for looks := 1; ; looks++ {
		nc, err := connect(ctx, c, host, security, nats.Nkey(public, sign), ended)
		begins, later := notYet(err, security)
		if !later || looks == looksMax {
			return nc, err
		}
		security.Time = func() time.Time { return begins }
	}
}

// looksMax bounds the attempts: each certificate of a chain may begin later. One
// that nobody has signed is seen to be so in the last of them.
const looksMax = 4

// aheadMax is as far as a board's clock may be behind: what its first process
// lets the cloud's word set it by.
const aheadMax = 400 * 24 * time.Hour

// notYet says whether a certificate of the server's, or the CA's, begins after
// the time it was looked at, and when. A board without a clock may have been
// made, or switched off, before the certificate was, and hears the right time
// from this server alone: it takes the certificate as of its first day. What the
// cloud says of the time is signed by another key.
func notYet(err error, looked *tls.Config) (begins time.Time, later bool) {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	if !ok || invalid.Reason != x509.Expired || invalid.Cert == nil {
		return begins, false
	}
	now := time.Now()
	at := now
	if looked.Time != nil {
		at = looked.Time()
	}
	begins = invalid.Cert.NotBefore
	return begins, begins.After(at) && begins.Before(now.Add(aheadMax))
}

// connect opens it with these credentials.
func connect(ctx context.Context, c Config, host string, security *tls.Config, credentials nats.Option, ended func(error)) (*nats.Conn, error) {
	var dialed error // nats.go hides why a connection was refused
	dial := func(network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: dialWithin}
		conn, err := d.DialContext(ctx, network, address)
		dialed = err
		return conn, err
	}
	nc, err := nats.Connect(
		"tls://"+host,
		nats.Name("regi-uplink "+c.ID.String()),
		nats.Secure(security),
		credentials,
		nats.CustomInboxPrefix(c.ID.Subject("inbox")),
		nats.SetCustomDialer(dialer(dial)),
		nats.SkipHostLookup(),
		nats.IgnoreDiscoveredServers(),
		nats.NoReconnect(),
		nats.NoEcho(),
		nats.Timeout(dialWithin),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(pingsMissed),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			// A refused publish has no other answer than this.
			if errors.Is(err, nats.ErrPermissionViolation) {
				ended(errPermission)
			}
		}),
		nats.ClosedHandler(func(nc *nats.Conn) {
			if err := nc.LastError(); err != nil {
				ended(fmt.Errorf("%w: %w", errClosed, err))
				return
			}
			ended(errClosed)
		}),
	)
	if err != nil && dialed != nil {
		err = dialed
	}
	if err != nil {
		return nil, fmt.Errorf("uplink: connect: %w", err)
	}
	return nc, nil
}

type dialer func(network, address string) (net.Conn, error)

func (d dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// trust says whom this register talks to: one host, certified by one CA.
func trust(c Config, f *files) (security *tls.Config, host string, err error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "tls" || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, "", errURL
	}
	pem, err := f.ca.read()
	if err != nil {
		return nil, "", fmt.Errorf("cloud.ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, "", errors.New("cloud.ca holds no certificate")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: u.Hostname()}, u.Host, nil
}

// credentials are read for each connection: between two of them this process
// does not hold them.
func credentials(f *files) (public string, sign nats.SignatureHandler, err error) {
	seed, err := f.creds.read()
	if err != nil {
		return "", nil, fmt.Errorf("cloud.creds: %w", err)
	}
	defer clear(seed)
	pair, err := nkeys.ParseDecoratedNKey(seed)
	if err != nil {
		return "", nil, errors.New("cloud.creds holds no NKEY seed") // the cause might quote it
	}
	if public, err = pair.PublicKey(); err != nil || !nkeys.IsValidPublicUserKey(public) {
		return "", nil, errors.New("cloud.creds is no user's NKEY seed")
	}
	return public, pair.Sign, nil
}

// reason puts the end of a session into words for the counter. Each class has
// its own first word.
func reason(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		alert   tls.AlertError
		notTLS  tls.RecordHeaderError
		name    *net.DNSError
		network net.Error
	)
	switch {
	case errors.Is(err, errFork), errors.Is(err, errStream), errors.Is(err, errStalled), errors.Is(err, errPermission), errors.Is(err, errURL):
		return innermost(err).Error()
	case errors.As(err, &unknown):
		return "certificate refused: not signed by the configured CA"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate refused: expired, or this clock is wrong"
	case errors.As(err, &host):
		return "certificate refused: made for another host"
	case errors.As(err, &invalid):
		return "certificate refused: " + invalid.Error()
	case errors.Is(err, nats.ErrSecureConnWanted), errors.As(err, &alert), errors.As(err, &notTLS):
		return "certificate refused: the server offers no TLS 1.3"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return "authorization refused: the cloud does not know these credentials"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused: nothing answers at this address"
	case errors.As(err, &name):
		return "name not found"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no network"
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, nats.ErrStaleConnection), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &network) && network.Timeout():
		return "timeout: the cloud does not answer"
	case errors.Is(err, errClosed), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection lost"
	}
	return err.Error()
}

// innermost strips the context that helps a programmer only.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
