package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"regi/firmware/record"
)

// Names and limits of the streams.
const (
	streamLedger   = "LEDGER"
	streamAcks     = "ACKS"
	ledgerSubjects = "regi.v1.*.*.ledger"
	ackSubjects    = "regi.v1.*.*.ack"
	askSubjects    = "regi.v1.*.*.authorize"
	timeSubjects   = "regi.v1.*.*.time"

	ledgerBytesMax = 4 << 30 // on disk; a full stream refuses, it deletes nothing
	acksBytesMax   = 64 << 20
	payloadMax     = 128 << 10
)

const (
	startWithin = 20 * time.Second
	// answerWithin is how long the hsm and the clock may answer a question.
	answerWithin = 10 * time.Second
)

// staff are the office's own users. The administrator's seed is a file, for
// tools; those of the receiver and of the clock live as long as the server.
type staff struct{ admin, receiver, clock nkeys.KeyPair }

// startServer runs the JetStream server and makes its streams.
func startServer(dir string, s *secrets) (*server.Server, error) {
	users, err := s.permissions()
	if err != nil {
		return nil, err
	}
	srv, err := server.NewServer(&server.Options{
		ServerName: "regi-cloud", Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoLog: true, NoSigs: true,
		TLS: true, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{s.tls}},
		TLSTimeout: 10, AuthTimeout: 20, // seconds; a slow line must get through
		Nkeys:     users,
		JetStream: true, StoreDir: filepath.Join(dir, "jetstream"), DisableJetStreamBanner: true,
		JetStreamMaxMemory: 2 * acksBytesMax, JetStreamMaxStore: 2 * ledgerBytesMax,
		SyncAlways: true, // every acknowledged publish is on disk
		MaxPayload: payloadMax,
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(startWithin) {
		srv.Shutdown()
		return nil, errors.New("server: did not start")
	}
	if err := makeStreams(srv.Addr().String(), s); err != nil {
		srv.Shutdown()
		return nil, fmt.Errorf("streams: %w", err)
	}
	return srv, nil
}

// permissions says what each user may do; nothing else is possible.
func (s *secrets) permissions() ([]*server.NkeyUser, error) {
	may := func(public string, p *server.Permissions) *server.NkeyUser {
		return &server.NkeyUser{Nkey: public, Permissions: p}
	}
	admin, err := s.staff.admin.PublicKey()
	if err != nil {
		return nil, err
	}
	receiver, err := s.staff.receiver.PublicKey()
	if err != nil {
		return nil, err
	}
	clock, err := s.staff.clock.PublicKey()
	if err != nil {
		return nil, err
	}
	answers := func(subject string) *server.Permissions {
		return &server.Permissions{
			// Each question may be answered once, nothing else may be said.
			Publish:   &server.SubjectPermission{Allow: []string{}},
			Response:  &server.ResponsePermission{MaxMsgs: 1, Expires: answerWithin},
			Subscribe: &server.SubjectPermission{Allow: []string{subject}},
		}
	}
	users := []*server.NkeyUser{
		may(admin, nil),
		may(receiver, &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{
				ackSubjects, "$JS.API.INFO", "$JS.API.STREAM.INFO." + streamLedger,
				"$JS.API.CONSUMER.*." + streamLedger + ".>", "$JS.API.CONSUMER.MSG.NEXT." + streamLedger + ".>", "$JS.ACK." + streamLedger + ".>",
			}},
			Subscribe: &server.SubjectPermission{Allow: []string{receiverInbox + ".>"}},
		}),
		may(s.hsm, answers(askSubjects)),
		may(clock, answers(timeSubjects)),
	}
	for id, public := range s.users {
		users = append(users, may(public, registerMay(id)))
	}
	return users, nil
}

// registerMay is a register's whole world: its own subjects, its own inbox, and
// a look at its own newest messages.
func registerMay(id record.ID) *server.Permissions {
	const direct = "$JS.API.DIRECT.GET."
	ledger, ack, inbox := id.Subject("ledger"), id.Subject("ack"), id.Subject("inbox")+".>"
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			direct + "OBJ_" + updatesBucket(id.Store), direct + "OBJ_" + updatesBucket(id.Store) + ".>",
			ledger, id.Subject("authorize"), id.Subject("time"), inbox, direct + streamLedger + "." + ledger, direct + streamAcks + "." + ack,
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{ack, inbox}},
	}
}

// receiverInbox is where the receiver's own answers go.
const receiverInbox = "_INBOX_receiver"

// connect opens a connection for one of the staff.
func (s *secrets) connect(address string, user nkeys.KeyPair, options ...nats.Option) (*nats.Conn, error) {
	public, err := user.PublicKey()
	if err != nil {
		return nil, err
	}
	return nats.Connect("tls://"+address, append([]nats.Option{
		nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: s.roots, ServerName: "127.0.0.1"}),
		nats.Nkey(public, user.Sign),
		nats.IgnoreDiscoveredServers(),
		nats.MaxReconnects(-1),
	}, options...)...)
}

func makeStreams(address string, s *secrets) error {
	nc, err := s.connect(address, s.staff.admin)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	for _, config := range []jetstream.StreamConfig{
		{
			Name: streamLedger, Subjects: []string{ledgerSubjects}, Storage: jetstream.FileStorage, AllowDirect: true,
			Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxBytes: ledgerBytesMax,
		},
		{
			// The newest acknowledgement of each register, for one that was away.
			// The receiver can say all of them again, so memory will do.
			Name: streamAcks, Subjects: []string{ackSubjects}, Storage: jetstream.MemoryStorage, AllowDirect: true,
			Retention: jetstream.LimitsPolicy, MaxMsgsPerSubject: 1, MaxBytes: acksBytesMax,
		},
	} {
		if _, err := js.CreateOrUpdateStream(ctx, config); err != nil {
			return fmt.Errorf("%s: %w", config.Name, err)
		}
	}
	return s.makeBuckets(ctx, js)
}
