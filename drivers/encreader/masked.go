package encreader

import (
	"bytes"
	"fmt"

	"regi/drivers"
)

const (
	mask     = '*'
	end      = '?'
	dateSize = 4
	// runMax is the longest run of digits a masked track may hold: date and
	// service code.
	runMax = dateSize + serviceDigits
)

// show takes the digits that may be shown from the masked tracks. Without a
// masked number on track 1 or 2 the read is no payment card's.
func (e *Encrypted) show(masked *[Tracks][]byte) (Encrypted, error) {
	e.Entry = "swipe"
	size := 0
	for t, text := range masked {
		if longestRun(text) > runMax {
			return *e, ErrShows
		}
		if t == Tracks-1 || len(text) == 0 {
			continue
		}
		number, rest, err := maskedNumber(t, text)
		if err != nil {
			return *e, err
		}
		first, last := number[:firstDigits], number[len(number)-lastDigits:]
		if size > 0 && (size != len(number) || !bytes.Equal(e.First, first) || !bytes.Equal(e.Last, last)) {
			return *e, fmt.Errorf("tracks of different cards: %w", drivers.ErrFrame)
		}
		size, e.First, e.Last = len(number), first, last
		if service := rest[min(dateSize, len(rest)):min(runMax, len(rest))]; len(service) == serviceDigits && allDigits(service) {
			e.Service = service
		}
	}
	if size == 0 {
		return *e, ErrKind
	}
	return *e, nil
}

// maskedNumber is the number on masked track t+1, and what follows its date's
// separator: ";411111******1111=…?" or "%B411111******1111^NAME^…?", whose
// format code may be masked, too.
func maskedNumber(t int, text []byte) (number, rest []byte, err error) {
	start, separator := byte('%'), byte('^')
	if t == 1 {
		start, separator = ';', '='
	}
	if text[0] != start || bytes.IndexByte(text, end) < 0 {
		return nil, nil, fmt.Errorf("track %d: sentinels: %w", t+1, drivers.ErrFrame)
	}
	text = text[1:bytes.IndexByte(text, end)]
	if t == 0 {
		if len(text) == 0 || text[0] != 'B' && text[0] != mask {
			return nil, nil, ErrKind
		}
		text = text[1:]
	}
	number, rest, found := bytes.Cut(text, []byte{separator})
	if found && t == 0 {
		_, rest, found = bytes.Cut(rest, []byte{separator})
	}
	if !found || len(number) < digitsMin || len(number) > digitsMax {
		return nil, nil, ErrKind
	}
	first, last := number[:firstDigits], number[len(number)-lastDigits:]
	if !allDigits(first) || !allDigits(last) || len(bytes.Trim(number[firstDigits:len(number)-lastDigits], "*")) > 0 {
		return nil, nil, ErrShows
	}
	return number, rest, nil
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func longestRun(b []byte) (longest int) {
	run := 0
	for _, c := range b {
		if run++; c < '0' || c > '9' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
