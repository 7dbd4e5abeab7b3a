package gs1

import "strings"

// lintcsum: the check digit of General Specifications 7.9.1.
func lintcsum(s string) Fault {
	if s == "" {
		return whole(tooShortForCheckDigit, s)
	}
	sum, weight := 0, 1
	for i := len(s) - 1; i >= 0; i-- {
		if !digit(s[i]) {
			return notDigit(s)
		}
		sum += weight * int(s[i]-'0')
		weight = 4 - weight
	}
	if sum%10 != 0 {
		return Fault{IncorrectCheckDigit, len(s) - 1, 1}
	}
	return Fault{}
}

// The check character pair of General Specifications 7.9.5: each character's
// place in set 82, weighted by primes, modulo 1021, as two of 32 characters.
const (
	pairCharacters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	pairModulus    = 1021
	pairMax        = 99 // characters with the pair: there are no more weights
)

// pairPrimes are the weights, from the right.
var pairPrimes = [pairMax - 2]uint16{ //nolint:gochecknoglobals // a constant table
	2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199,
	211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293,
	307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397,
	401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509,
}

func lintcsumalpha(s string) Fault {
	if len(s) < 2 {
		return whole(tooShortForCheckPair, s)
	}
	if len(s) > pairMax {
		return whole(tooLongForCheckPairImplementation, s)
	}
	body := s[:len(s)-2]
	if f := lintcset82(body); f.Code != OK {
		return f
	}
	sum := 0
	for i := range len(body) {
		sum += int(pairPrimes[len(body)-1-i]) * strings.IndexByte(set82, body[i])
	}
	sum %= pairModulus
	if s[len(s)-2] != pairCharacters[sum>>5] || s[len(s)-1] != pairCharacters[sum&31] {
		return Fault{incorrectCheckPair, len(s) - 2, 2}
	}
	return Fault{}
}

// companyPrefixMin is the length of the shortest GS1 Company Prefix.
const companyPrefixMin = 4

func lintgcppos1(s string) Fault { return companyPrefix(s, 0) }

// lintgcppos2: an indicator or extension digit stands in front.
func lintgcppos2(s string) Fault { return companyPrefix(s, 1) }

func companyPrefix(s string, at int) Fault {
	if len(s) <= at {
		return whole(tooShortForGCP, s)
	}
	p := s[at:]
	if len(p) < companyPrefixMin {
		return Fault{tooShortForGCP, at, len(p)}
	}
	if f := notDigit(p[:companyPrefixMin]); f.Code != OK {
		return Fault{InvalidGCPPrefix, at + f.At, 1}
	}
	return Fault{}
}

// lintiban: ISO 13616-1. There is no shortest IBAN; ten characters are none.
func lintiban(s string) Fault {
	const tooShort, tooLong = 10, 35
	if len(s) <= tooShort {
		return whole(ibanTooShort, s)
	}
	if len(s) >= tooLong {
		return whole(ibanTooLong, s)
	}
	sum := 0
	for i := range len(s) {
		if !digit(s[i]) && (s[i] < 'A' || s[i] > 'Z') {
			return Fault{invalidIBANCharacter, i, 1}
		}
		c := s[(i+4)%len(s)] // country and check digits come last
		if digit(c) {
			sum = (sum*10 + int(c-'0')) % 97
		} else {
			sum = (sum*100 + int(c-'A') + 10) % 97
		}
	}
	if lintiso3166alpha2(s[:2]).Code != OK {
		return Fault{illegalIBANCountryCode, 0, 2}
	}
	if sum != 1 {
		return Fault{incorrectIBANChecksum, 2, 2}
	}
	return Fault{}
}

func zeros(s string) bool { return strings.Trim(s, "0") == "" }

func lintzero(s string) Fault {
	if !zeros(s) {
		return whole(notZero, s)
	}
	return Fault{}
}

func lintnonzero(s string) Fault {
	if f := notDigit(s); f.Code != OK {
		return f
	}
	if zeros(s) {
		return whole(illegalZeroValue, s)
	}
	return Fault{}
}

// lintnozeroprefix: a number without leading zeros; 0 itself is one.
func lintnozeroprefix(s string) Fault {
	if f := notDigit(s); f.Code != OK {
		return f
	}
	if len(s) > 1 && s[0] == '0' {
		return Fault{illegalZeroPrefix, 0, 1}
	}
	return Fault{}
}

// coordinateLength is that of degrees with seven decimals, from a corner of
// the map.
const coordinateLength = 10

func lintlatitude(s string) Fault {
	return coordinate(s, "1800000000", latitudeInvalidLength, invalidLatitude)
}

func lintlongitude(s string) Fault {
	return coordinate(s, "3600000000", longitudeInvalidLength, invalidLongitude)
}

func coordinate(s, highest string, length, value Code) Fault {
	if len(s) != coordinateLength {
		return whole(length, s)
	}
	if f := notDigit(s); f.Code != OK {
		return f
	}
	if s > highest {
		return whole(value, s)
	}
	return Fault{}
}

// lintpieceoftotal: two numbers of the same length, neither zero.
func lintpieceoftotal(s string) Fault {
	if s == "" || len(s)%2 != 0 {
		return whole(invalidLengthForPieceOfTotal, s)
	}
	if f := notDigit(s); f.Code != OK {
		return f
	}
	half := len(s) / 2
	switch {
	case zeros(s[:half]):
		return Fault{zeroPieceNumber, 0, half}
	case zeros(s[half:]):
		return Fault{zeroTotalPieces, half, half}
	case s[:half] > s[half:]:
		return whole(pieceNumberExceedsTotal, s)
	}
	return Fault{}
}

// lintposinseqslash: "2/3".
func lintposinseqslash(s string) Fault {
	pos, end, has := strings.Cut(s, "/")
	if !has || pos == "" || end == "" || notDigit(pos).Code != OK || notDigit(end).Code != OK {
		return whole(positionInSequenceMalformed, s)
	}
	switch {
	case pos[0] == '0':
		return Fault{illegalZeroPrefix, 0, len(pos)}
	case end[0] == '0':
		return Fault{illegalZeroPrefix, len(pos) + 1, len(end)}
	case len(pos) > len(end) || len(pos) == len(end) && pos > end:
		return whole(positionExceedsEnd, s)
	}
	return Fault{}
}
