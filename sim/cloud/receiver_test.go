package cloud

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"regi/firmware/record"
)

// TestKilledBetweenCommitAndAck commits messages and forgets to say so, as a
// receiver does that is killed there: after the next start each record is in the
// ledger once and is signed for.
func TestKilledBetweenCommitAndAck(t *testing.T) {
	id := record.ID{Store: "0001", Register: "01"}
	dir := t.TempDir()
	c, err := Open(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Enroll(id, public); err != nil {
		t.Fatal(err)
	}
	c.stop() // the receiver ends here; its transaction is ours
	c.tasks.Wait()
	to, err := record.ParseSealPublic(mustRead(t, c.Files().SealTo))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := record.NewSealer(id, key, to).Seal(record.FwBoot, 1, time.UnixMilli(1), record.Hash{}, struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	out := nats.NewMsg(id.Subject("ledger"))
	out.Data = seal.Body
	for name, value := range seal.NATS() {
		out.Header.Set(name, value)
	}
	admin, err := c.secrets.connect(c.server.Addr().String(), c.secrets.staff.admin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.RequestMsg(out, startWithin); err != nil {
		t.Fatal(err)
	}
	admin.Close()
	for range 2 { // handed out again, it is neither a second record nor a replay
		if _, err := c.receiver.commit(t.Context(), []message{{subject: out.Subject, header: out.Header.Get, body: out.Data, at: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	if c, err = Open(dir, id); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	awaitSigned(t, c, id, 1)
	rs, err := c.Ledger(t.Context(), 0, 0)
	if err != nil || len(rs) != 1 {
		t.Errorf("the ledger holds %d records, %v", len(rs), err)
	}
	if as, err := c.Alarms(t.Context()); err != nil || len(as) != 0 {
		t.Errorf("alarms %+v, %v", as, err)
	}
}

// awaitSigned waits until the newest acknowledgement that is kept is good for seq.
func awaitSigned(t *testing.T, c *Cloud, id record.ID, seq uint64) {
	t.Helper()
	register, err := nats.NkeyOptionFromSeed(c.Files().Creds)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(c.ServerURL(), register, nats.RootCAs(c.Files().CA), nats.CustomInboxPrefix(id.Subject("inbox")))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for deadline := time.Now().Add(startWithin); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		m, err := nc.Request("$JS.API.DIRECT.GET.ACKS."+id.Subject("ack"), nil, startWithin)
		if err != nil {
			t.Fatal(err)
		}
		ack, err := record.ParseAck(m.Data)
		if err == nil && ack.Seq == seq && ack.Verify(c.secrets.signer.Public().(ed25519.PublicKey), id) == nil {
			return
		}
	}
	t.Error("nobody signed for the record")
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := readOrMake(path, func() ([]byte, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	return b
}
