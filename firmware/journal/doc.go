// Package journal keeps the register's records on its own disk from the moment
// they exist until the cloud has signed for them.
//
// # Layout
//
// A directory holds segments and one mark:
//
//	0000000000000001.seg   SegmentSlots slots of 4 KiB, then ...0002.seg, ...
//	mark                   two slots of 4 KiB, written in turn
//
// A segment is zero-filled, synced and renamed into place, and its directory
// synced, before the first record goes into it. A record is a frame in its own
// whole slots (4 KiB is the block of every flash and disk in use: what a power
// cut garbles is never shared with an older record). Integers are big endian:
//
//	 0 magic "REGIJNL1"      8 CRC-32C of everything behind it, to the slot's end
//	12 payload length u32   16 aux length u32
//	20 slot u32             24 segment u64        32 sequence u64
//	40 index in batch u16   42 batch size u16     44 first slot of the batch u32
//	48 previous hash        80 hash              112 payload ‖ aux ‖ zeros
//
// The entries of one Append are a batch: one pwrite on a descriptor opened with
// O_DSYNC, and all of them or none after a power cut. Segment and slot are in
// the frame, so that a write that went astray is not taken for a record.
//
// The mark holds what trimming removes from the chain: the lowest segment that
// is kept and the place before it, the last acknowledged record, and the head
// and segment in use when the mark was written. A mark never lies ahead of the
// segments, so a head short of the mark's is lost data, not a power cut.
//
// # Power cuts
//
// The disk may, for the write in flight, have kept any subset of its 512-byte
// sectors and left the others old, zero or garbage; what was synced is intact.
//
//	in a frame                its CRC fails: the whole batch is torn and dropped
//	a later frame of the      belongs to the torn batch by its first slot: dropped
//	batch survived            and zeroed, it can never become a phantom
//	between pwrite and return the batch may be there or not; the caller was told
//	                          neither. Open syncs what it reads before it counts
//	while a tail is zeroed    it is still torn or already zero; Open zeroes again
//	while a segment is made   it has another name and is removed by Open
//	after its rename          it is there, zero and unused, or not there
//	while the mark is written the other slot is valid and older: an
//	                          acknowledgement is forgotten, no record is
//	while segments are        the mark says first which are kept (in both slots);
//	removed                   Open removes the others, in whatever order they went
//
// # Damage
//
// Every bit of a used slot is under its CRC, checked by Open and by each Read.
// A bad frame is a torn tail only if no frame of a later batch and no later
// segment follows it and the mark does not know better; all else is
// ErrDamaged with the position, and nothing is changed on the disk. A torn tail
// is reported by Recovery. Damage to the batch written last looks exactly like
// a torn one until the next record or mark is written: callers who know their
// head from elsewhere (the till's checkpoint) should compare it.
//
// # Errors
//
// After a failed write or sync nobody knows what the disk holds (a later fsync
// may even succeed): the journal is poisoned, and only a new Open, which drops
// the page cache and reads the disk, finds out. A full disk found while a new
// segment is made is ErrFull: no record was touched.
//
// # Not required
//
// The journal does not read records: sealing, signatures and what a hash is of
// are its caller's. It is not a database: no search, no random writes, one
// process at a time. It does not repair: one disk, one copy, the cloud is the
// second. It does not defend against somebody who can write the disk: CRC-32C
// is for accidents, the chain of signed records is for people. It does not
// notice that the newest segments were removed together since the last mark.
package journal

import "errors"

// Errors that a caller can act on; test with errors.Is.
var (
	// ErrTrimmed: acknowledged and gone.
	ErrTrimmed = errors.New("trimmed")
	// ErrNotYet: past the head.
	ErrNotYet = errors.New("not yet written")
	// ErrDamaged: the disk does not hold what was written.
	ErrDamaged = errors.New("damaged")
	// ErrPoisoned: an earlier I/O error; open again.
	ErrPoisoned = errors.New("unusable after an I/O error")
	// ErrFull: at BytesMax, or the disk is full.
	ErrFull = errors.New("full")
	// ErrForeignAck: that hash is not the one of our record.
	ErrForeignAck = errors.New("acknowledgement of a record that is not ours")
	// ErrChain: an entry that does not follow the head.
	ErrChain = errors.New("does not follow the head")
	// ErrTooLong: over a limit of this package.
	ErrTooLong = errors.New("too long")
	// ErrBusy: another process has the journal open.
	ErrBusy = errors.New("in use by another process")
	// ErrClosed: closed by this process.
	ErrClosed = errors.New("closed")
)
