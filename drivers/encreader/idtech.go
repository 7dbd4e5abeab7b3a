package encreader

import (
	"fmt"

	"regi/drivers"
)

// The frame: STX ‖ lenL ‖ lenH ‖ data ‖ LRC ‖ checksum ‖ ETX.
const (
	stx, etx       = 0x02, 0x03
	idtechHead     = 3 // before the data
	idtechTail     = 3 // after them
	idtechFixed    = 7 // of the data: what stands before the tracks
	idtechDataMax  = idtechFixed + 79 + 40 + 107 + 3*TrackMax + sessionBytes + 3*hashBytes + serialBytes + KSNBytes
	sessionBytes   = 8
	hashBytes      = 20
	serialBytes    = 10
	blockTDES      = 8
	blockAES       = 16
	encodeISO      = 0x80
	enhancedFormat = 0x80
)

// Bits of the bytes at [4], [8] and [9] of a frame.
const (
	allTracks     = 0b111
	sampledShift  = 3
	reservedMask  = 0b0100_1000 // of [8]
	cipherShift   = 4           // of [8]: 00 TDES, 01 AES
	serialPresent = 0x80        // of [8]
	hashShift     = 3           // of [9]
	sessionBit    = 0x40        // of [9]
	ksnBit        = 0x80        // of [9]
)

// lengthMax are the tracks' characters, sentinels and LRC included.
//
//nolint:gochecknoglobals // the table of ISO/IEC 7811-6, never written
var lengthMax = [Tracks]int{80, 41, 108}

// idtechSize is how long the frame is that begins with b, or as far as b says.
func idtechSize(b []byte) (int, error) {
	if b[0] != stx {
		return 0, fmt.Errorf("no STX: %w", drivers.ErrFrame)
	}
	if len(b) < idtechHead {
		return idtechHead, nil
	}
	n := int(b[1]) | int(b[2])<<8
	switch {
	case n > idtechDataMax:
		return 0, fmt.Errorf("%d bytes: %w", n, drivers.ErrTooLong)
	case n < idtechFixed:
		return 0, fmt.Errorf("%d bytes: %w", n, drivers.ErrFrame)
	}
	return idtechHead + n + idtechTail, nil
}

// parseIDTech reads one frame.
func parseIDTech(frame []byte) (e Encrypted, err error) {
	if len(frame) == 0 {
		return e, drivers.ErrFrame
	}
	if n, err := idtechSize(frame); err != nil {
		return e, err
	} else if n != len(frame) || n < idtechHead+idtechFixed+idtechTail {
		return e, fmt.Errorf("length: %w", drivers.ErrFrame)
	}
	data, tail := frame[idtechHead:len(frame)-idtechTail], frame[len(frame)-idtechTail:]
	var lrc, sum byte
	for _, c := range data {
		lrc ^= c
		sum += c
	}
	if tail[0] != lrc || tail[1] != sum || tail[2] != etx {
		return e, fmt.Errorf("LRC, checksum or ETX: %w", drivers.ErrFrame)
	}
	switch kind := data[0]; {
	case kind&enhancedFormat == 0:
		return e, fmt.Errorf("not the enhanced format: %w", drivers.ErrFrame)
	case kind != encodeISO:
		return e, ErrKind
	}
	return idtechFields(frame, data)
}

// idtechFields reads the data of a payment card. Field numbers are those of the
// manuals, which count from the STX.
func idtechFields(frame, data []byte) (e Encrypted, err error) {
	status, shown, sealed := frame[4], frame[8], frame[9]
	var block int
	switch shown >> cipherShift & 0b11 {
	case 0b00:
		e.Suite, block = SuiteIDTechTDES, blockTDES
	case 0b01:
		e.Suite, block = SuiteIDTechAES, blockAES
	default:
		return e, fmt.Errorf("unknown cipher: %w", drivers.ErrFrame)
	}
	e.Good, e.Bad = status&allTracks, status>>sampledShift&allTracks&^status
	if e.Good == 0 {
		return Encrypted{Bad: e.Bad}, nil
	}
	switch {
	case shown&reservedMask != 0, shown&allTracks&^e.Good != 0, sealed&allTracks&^e.Good != 0:
		return e, fmt.Errorf("track bits: %w", drivers.ErrFrame)
	case sealed&allTracks != e.Good:
		return e, ErrClear
	case sealed&ksnBit == 0:
		return e, fmt.Errorf("no KSN: %w", drivers.ErrFrame)
	}
	f := fields{rest: data[idtechFixed:]}
	var masked [Tracks][]byte
	for t, n := range frame[5:8] {
		if int(n) > lengthMax[t] || n > 0 != (e.Good&(1<<t) != 0) {
			return e, fmt.Errorf("track length: %w", drivers.ErrFrame)
		}
		if shown&(1<<t) != 0 {
			masked[t] = f.take(int(n))
		}
	}
	for t, n := range frame[5:8] {
		e.CT[t] = f.take((int(n) + block - 1) / block * block)
	}
	if sealed&sessionBit != 0 {
		f.take(sessionBytes)
	}
	for t := range Tracks {
		if sealed>>hashShift&(1<<t) != 0 {
			f.take(hashBytes)
		}
	}
	if shown&serialPresent != 0 {
		f.take(serialBytes)
	}
	e.KSN = f.take(KSNBytes)
	if f.short || len(f.rest) != 0 {
		return e, fmt.Errorf("fields: %w", drivers.ErrFrame)
	}
	return e.show(&masked)
}

// fields takes fields off the front.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if f.short || n > len(f.rest) {
		f.short = true
		return nil
	}
	field := f.rest[:n:n]
	f.rest = f.rest[n:]
	return field
}
