package cloud

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"regi/firmware/record"
)

// LedgerMax bounds one answer of Ledger, in records.
const LedgerMax = 100_000

// Record is one record as the receiver opened it.
type Record struct {
	Register string          `json:"register"`
	Seq      uint64          `json:"seq"`
	Kind     string          `json:"kind"`
	Time     string          `json:"time"` // RFC 3339 with milliseconds, UTC
	Prev     record.Hash     `json:"prev"`
	Hash     record.Hash     `json:"hash"`
	Body     json.RawMessage `json:"body"`
}

// Kinds of alarms.
const (
	AlarmFork    = "fork"    // signed twice: two registers share one key; nothing more is accepted
	AlarmForged  = "forged"  // not signed by the register, or altered since
	AlarmGap     = "gap"     // records are missing and were asked for; it goes when they are there
	AlarmReplay  = "replay"  // sent again although nobody asked
	AlarmUnknown = "unknown" // the register is not enrolled
	AlarmVersion = "version" // it runs a version below the floor; nothing more is accepted
)

// Alarm is one kind of trouble of one register.
type Alarm struct {
	Register string    `json:"register"`
	Kind     string    `json:"kind"`
	Seq      uint64    `json:"seq"` // of the newest case, 0 if it cannot be told
	Detail   string    `json:"detail"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    uint64    `json:"count"`
}

// quarantine is why nothing of a register is accepted; 0: it is.
type quarantine int

const (
	forked   quarantine = 1
	outdated quarantine = 2
)

// ledger is the receiver's database.
type ledger struct {
	write *sql.DB // one connection: the receiver's
	read  *sql.DB

	insert, hashAt, setState, setPosition, alarm, clearAlarm *sql.Stmt
}

const schema = `
CREATE TABLE IF NOT EXISTS registers (
	register    TEXT PRIMARY KEY,
	key         BLOB NOT NULL,    -- Ed25519
	head        INTEGER NOT NULL, -- newest record of the chain, 0: none
	hash        BLOB NOT NULL,    -- its hash
	gap         INTEGER NOT NULL, -- newest record that came too early, 0: none
	quarantined INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS records (
	register  TEXT NOT NULL,
	seq       INTEGER NOT NULL,
	kind      TEXT NOT NULL,
	time      INTEGER NOT NULL, -- unix milliseconds
	prev      BLOB NOT NULL,
	hash      BLOB NOT NULL,
	body_hash BLOB NOT NULL,    -- of the sealed body: with it the signature can be checked again
	sig       BLOB NOT NULL,
	body      TEXT NOT NULL,    -- JSON
	PRIMARY KEY (register, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	stream TEXT NOT NULL,    -- when the stream was made: another one counts anew
	seq    INTEGER NOT NULL  -- of the stream's newest message that is accounted for
) STRICT;
CREATE TABLE IF NOT EXISTS alarms (
	register TEXT NOT NULL,
	kind     TEXT NOT NULL,
	seq      INTEGER NOT NULL,
	detail   TEXT NOT NULL,
	first    INTEGER NOT NULL, -- unix milliseconds
	last     INTEGER NOT NULL,
	count    INTEGER NOT NULL,
	PRIMARY KEY (register, kind)
) STRICT;`

func openLedger(dir string) (_ *ledger, err error) {
	dsn := "file:" + filepath.Join(dir, "ledger.db") +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	l := &ledger{}
	defer func() {
		if err != nil {
			err = fmt.Errorf("database: %w", errors.Join(err, l.close()))
		}
	}()
	if l.write, err = sql.Open("sqlite", dsn); err != nil {
		return nil, err
	}
	l.write.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	if _, err := l.write.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	if l.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(true)"); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&l.insert, `INSERT INTO records (register, seq, kind, time, prev, hash, body_hash, sig, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&l.hashAt, `SELECT hash FROM records WHERE register = ? AND seq = ?`},
		{&l.setState, `INSERT INTO registers (register, key, head, hash, gap, quarantined) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (register) DO UPDATE SET key = excluded.key, head = excluded.head, hash = excluded.hash, gap = excluded.gap, quarantined = excluded.quarantined`},
		{&l.setPosition, `INSERT INTO position (one, stream, seq) VALUES (1, ?, ?)
			ON CONFLICT (one) DO UPDATE SET stream = excluded.stream, seq = excluded.seq`},
		{&l.alarm, `INSERT INTO alarms (register, kind, seq, detail, first, last, count) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)
			ON CONFLICT (register, kind) DO UPDATE SET seq = excluded.seq, detail = excluded.detail, last = excluded.last, count = count + 1`},
		{&l.clearAlarm, `DELETE FROM alarms WHERE register = ? AND kind = ?`},
	} {
		if *s.to, err = l.write.PrepareContext(ctx, s.query); err != nil { //nolint:sqlclosecheck // close does
			return nil, err
		}
	}
	return l, nil
}

func (l *ledger) close() error {
	var err error
	for _, db := range [...]*sql.DB{l.read, l.write} {
		if db != nil {
			err = errors.Join(err, db.Close()) // and its statements
		}
	}
	return err
}

// member is what the receiver knows of one register.
type member struct {
	key         ed25519.PublicKey
	head        uint64
	hash        record.Hash
	gap         uint64
	quarantined quarantine
}

func (l *ledger) members(ctx context.Context) (_ map[string]member, err error) {
	rows, err := l.write.QueryContext(ctx, `SELECT register, key, head, hash, gap, quarantined FROM registers`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := map[string]member{}
	for rows.Next() {
		var (
			id   string
			m    member
			hash []byte
		)
		if err := rows.Scan(&id, &m.key, &m.head, &hash, &m.gap, &m.quarantined); err != nil {
			return nil, err
		}
		if copy(m.hash[:], hash) != len(m.hash) {
			return nil, fmt.Errorf("register %s: hash of %d bytes", id, len(hash))
		}
		all[id] = m
	}
	return all, rows.Err()
}

// position is the stream's newest message that the database accounts for: 0 of
// a stream that is not the one it knows.
func (l *ledger) position(ctx context.Context, stream string) (seq uint64, err error) {
	err = l.write.QueryRowContext(ctx, `SELECT seq FROM position WHERE stream = ?`, stream).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// batch is one transaction of the receiver.
type batch struct {
	*ledger
	tx *sql.Tx
}

func (l *ledger) begin(ctx context.Context) (*batch, error) {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &batch{ledger: l, tx: tx}, nil
}

func (b *batch) exec(ctx context.Context, s *sql.Stmt, args ...any) error {
	_, err := b.tx.StmtContext(ctx, s).ExecContext(ctx, args...)
	return err
}

func (b *batch) add(ctx context.Context, id string, r *record.Sealed, body []byte) error {
	hash := r.Hash()
	return b.exec(ctx, b.insert, id, int64(r.Seq), r.Kind.String(), r.Time, r.Prev[:], hash[:], r.Header.Body[:], r.Sig, string(body)) //nolint:gosec // judge bounds Seq
}

// stored returns the hash of a record that is in the database.
func (b *batch) stored(ctx context.Context, id string, seq uint64) (h record.Hash, err error) {
	var hash []byte
	if err := b.tx.StmtContext(ctx, b.hashAt).QueryRowContext(ctx, id, int64(seq)).Scan(&hash); err != nil { //nolint:gosec // not above the head
		return h, fmt.Errorf("record %d of %s: %w", seq, id, err)
	}
	copy(h[:], hash)
	return h, nil
}

func (b *batch) put(ctx context.Context, id string, m member) error {
	return b.exec(ctx, b.setState, id, []byte(m.key), int64(m.head), m.hash[:], int64(m.gap), int64(m.quarantined)) //nolint:gosec // judge bounds both
}

func (b *batch) raise(ctx context.Context, id, kind string, seq uint64, detail string) error {
	if seq > math.MaxInt64 {
		seq = 0
	}
	return b.exec(ctx, b.alarm, id, kind, int64(seq), detail, time.Now().UnixMilli())
}

// settle takes an alarm back, and says whether there was one.
func (b *batch) settle(ctx context.Context, id, kind string) (bool, error) {
	result, err := b.tx.StmtContext(ctx, b.clearAlarm).ExecContext(ctx, id, kind)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

func (l *ledger) records(ctx context.Context, id record.ID, from uint64, limit int) (_ []Record, err error) {
	if limit <= 0 || limit > LedgerMax {
		limit = LedgerMax
	}
	from = min(from, math.MaxInt64)
	rows, err := l.read.QueryContext(ctx, `SELECT seq, kind, time, prev, hash, body FROM records
		WHERE register = ? AND seq >= ? ORDER BY seq LIMIT ?`, id.String(), int64(from), limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := []Record{}
	for rows.Next() {
		r := Record{Register: id.String()}
		var (
			ms         int64
			prev, hash []byte
			body       string
		)
		if err := rows.Scan(&r.Seq, &r.Kind, &ms, &prev, &hash, &body); err != nil {
			return nil, err
		}
		copy(r.Prev[:], prev)
		copy(r.Hash[:], hash)
		r.Time = time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
		r.Body = json.RawMessage(body)
		all = append(all, r)
	}
	return all, rows.Err()
}

func (l *ledger) alarms(ctx context.Context) (_ []Alarm, err error) {
	rows, err := l.read.QueryContext(ctx, `SELECT register, kind, seq, detail, first, last, count FROM alarms ORDER BY last DESC, register, kind`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := []Alarm{}
	for rows.Next() {
		var (
			a           Alarm
			first, last int64
		)
		if err := rows.Scan(&a.Register, &a.Kind, &a.Seq, &a.Detail, &first, &last, &a.Count); err != nil {
			return nil, err
		}
		a.First, a.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		all = append(all, a)
	}
	return all, rows.Err()
}
