package track

// Fault is why a swipe is no good read.
type Fault uint8

// The faults. Their words are for the operator.
const (
	None       Fault = iota
	Unreadable       // the reader found bad parity or a bad LRC and sent E
	LRC              // the LRC byte does not fit the characters
	Character        // a character that this track cannot hold
	NoStart
	NoEnd
	Empty
	TooLong
	Order
	Extra
	Stopped
	NoNumber
	Disagree
	Lost // the head's bits came out of step
	// Of encrypting readers:
	Garbled // a frame that is none
	Shows   // digits in the clear that must not be, or too few
	Clear   // a track that is not encrypted
	faults
)

//nolint:gochecknoglobals // a table of words, never written
var words = [faults]string{
	None:       "good",
	Unreadable: "parity/LRC",
	LRC:        "LRC does not fit",
	Character:  "wrong character",
	NoStart:    "no start sentinel",
	NoEnd:      "no end sentinel",
	Empty:      "empty",
	TooLong:    "too long",
	Order:      "out of order",
	Extra:      "extra bytes after the end sentinel",
	Stopped:    "swipe stopped half-way",
	NoNumber:   "no card number",
	Disagree:   "tracks 1 and 2 are of different cards",
	Lost:       "bits lost",
	Garbled:    "damaged frame from the card reader",
	Shows:      "set the card reader to show six and four digits",
	Clear:      "card reader does not encrypt",
}

// Known reports whether f is one of the faults above, None excepted.
func (f Fault) Known() bool { return f > None && f < faults }

// String is the fault in the words an operator sees.
func (f Fault) String() string {
	if f < faults {
		return words[f]
	}
	return "unknown fault"
}

// On is the fault with the track it is on; track 0 is the whole swipe.
func (f Fault) On(track uint8) string {
	if track == 0 || track > Count {
		return f.String()
	}
	return "track " + string('0'+rune(track)) + ": " + f.String()
}
