package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"regi/firmware/record"
)

// sitting is the work on one batch: what it decides holds once it is committed.
type sitting struct {
	*receiver
	batch   *batch
	members map[string]member
	touched map[string]bool // value: it must send again
}

// one decides about one message. An error is one of the database; what is wrong
// with the message becomes an alarm.
func (s *sitting) one(ctx context.Context, m message) error {
	id, err := registerOf(m.subject)
	if err != nil {
		return nil //nolint:nilerr // such a subject cannot be published by a register
	}
	name := id.String()
	known, enrolled := s.members[name]
	if !enrolled {
		return s.batch.raise(ctx, name, AlarmUnknown, 0, "not enrolled: its records wait")
	}
	if _, already := s.touched[name]; !already {
		s.touched[name] = false
	}
	if m.at <= s.position {
		return nil // handed out a second time; it is accounted for
	}
	r, err := record.FromNATS(id, m.header, m.body)
	if err == nil {
		err = record.Verify(r, known.key)
	}
	if err == nil && r.Seq > math.MaxInt64 {
		err = record.ErrFormat
	}
	if err != nil {
		// It may stand in the place of a good one that the stream has damaged.
		s.missing(name, known, known.head+1)
		return s.batch.raise(ctx, name, AlarmForged, 0, err.Error())
	}
	switch known.quarantined {
	case forked:
		return s.batch.raise(ctx, name, AlarmFork, r.Seq, "quarantined: nothing is accepted until it is enrolled anew")
	case outdated:
		return s.batch.raise(ctx, name, AlarmVersion, r.Seq, "quarantined: nothing is accepted until it was updated and is enrolled anew")
	}
	switch {
	case r.Seq <= known.head:
		return s.again(ctx, name, known, &r)
	case r.Seq > known.head+1:
		s.missing(name, known, r.Seq)
		return s.batch.raise(ctx, name, AlarmGap, r.Seq, fmt.Sprintf("records %d to %d are missing; asked for", known.head+1, r.Seq-1))
	case r.Prev != known.hash:
		return s.fork(ctx, name, known, r.Seq)
	}
	return s.accept(ctx, name, known, &r)
}

// missing notes that the register must send again, through seq at least.
func (s *sitting) missing(name string, known member, seq uint64) {
	known.gap = max(known.gap, seq)
	s.forgiven[name] = max(s.forgiven[name], seq)
	s.members[name], s.touched[name] = known, true
}

func (s *sitting) accept(ctx context.Context, name string, known member, r *record.Sealed) error {
	body, err := s.opener.Open(*r)
	if err != nil {
		// Signed by the register, so it sealed to another ledger's key.
		return s.batch.raise(ctx, name, AlarmForged, r.Seq, "cannot be opened: sealed to another key")
	}
	if err := s.batch.add(ctx, name, r, body); err != nil {
		return err
	}
	known.head, known.hash = r.Seq, r.Hash()
	if known.gap != 0 && known.gap <= known.head {
		known.gap = 0
		if _, err := s.batch.settle(ctx, name, AlarmGap); err != nil {
			return err
		}
	}
	if r.Kind == record.FwBoot && s.tooOld(body) {
		known.quarantined = outdated
		s.members[name] = known
		return s.batch.raise(ctx, name, AlarmVersion, r.Seq, fmt.Sprintf("started with a version below epoch %d: nothing more is accepted until it was updated and is enrolled anew", s.floor))
	}
	s.members[name] = known
	return nil
}

// tooOld says that a start is that of a version below the floor. One that names
// no epoch is no flashed board's.
func (s *sitting) tooOld(body []byte) bool {
	var v Running
	if json.Unmarshal(body, &v) != nil || v.Epoch == "" {
		return false
	}
	epoch, err := strconv.ParseUint(v.Epoch, 10, 64)
	return err != nil || epoch < s.floor
}

// again handles a sequence that is in the ledger.
func (s *sitting) again(ctx context.Context, name string, known member, r *record.Sealed) error {
	hash, err := s.batch.stored(ctx, name, r.Seq)
	switch {
	case err != nil:
		return err
	case hash != r.Hash():
		return s.fork(ctx, name, known, r.Seq)
	case r.Seq <= s.forgiven[name]:
		return nil // asked for, and there already
	}
	return s.batch.raise(ctx, name, AlarmReplay, r.Seq, "sent again though nobody asked: the stream lost its end, or somebody repeats")
}

// fork ends the trust in a register: two different records of one place are
// both signed with its key.
func (s *sitting) fork(ctx context.Context, name string, known member, seq uint64) error {
	known.quarantined = forked
	s.members[name] = known
	return s.batch.raise(ctx, name, AlarmFork, seq, "two records of one place are signed with its key: it was copied. Nothing is accepted until it is enrolled anew")
}
