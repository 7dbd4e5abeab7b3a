package encreader

import (
	"fmt"

	"regi/drivers"
)

// Places in a MagneSafe V5 report (manual 99875475 p. 98).
const (
	magtekBytes    = 856
	atDecode       = 0 // one byte a track: bit 0 error
	atSealedLength = 3
	atEncode       = 6
	atSealed       = 7 // 112 bytes a track
	atKSN          = 495
	atMaskedLength = 505
	atMasked       = 508
	magtekTrack    = TrackMax
	magtekISO      = 0
)

// parseMagTek reads one report.
func parseMagTek(b []byte) (e Encrypted, err error) {
	if len(b) != magtekBytes {
		return e, fmt.Errorf("%d bytes: %w", len(b), drivers.ErrFrame)
	}
	e.Suite = SuiteMagTekTDES
	var masked [Tracks][]byte
	for t := range Tracks {
		sealed, shown := int(b[atSealedLength+t]), int(b[atMaskedLength+t])
		switch status := b[atDecode+t]; {
		case status > 1 || sealed > magtekTrack || shown > magtekTrack || shown > lengthMax[t]:
			return e, fmt.Errorf("track %d: %w", t+1, drivers.ErrFrame)
		case status == 1:
			e.Bad |= 1 << t
			if sealed > 0 || shown > 0 {
				return e, fmt.Errorf("track %d: bytes of a bad track: %w", t+1, drivers.ErrFrame)
			}
			continue
		case sealed == 0 && shown == 0: // not on this card
			continue
		case sealed%blockTDES != 0, sealed == 0:
			return e, ErrClear // a reader without keys gives the tracks' own length
		case shown > sealed:
			return e, fmt.Errorf("track %d: lengths: %w", t+1, drivers.ErrFrame)
		}
		e.Good |= 1 << t
		at := atSealed + t*magtekTrack
		e.CT[t] = b[at : at+sealed : at+sealed]
		at = atMasked + t*magtekTrack
		masked[t] = b[at : at+shown : at+shown]
	}
	switch {
	case e.Good == 0:
		return Encrypted{Bad: e.Bad}, nil
	case b[atEncode] != magtekISO:
		return e, ErrKind
	}
	e.KSN = b[atKSN : atKSN+KSNBytes : atKSN+KSNBytes]
	if [KSNBytes]byte(e.KSN) == ([KSNBytes]byte{}) {
		return e, ErrClear // no keys yet
	}
	return e.show(&masked)
}
