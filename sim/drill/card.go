package main

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"regi/sim/device/card"
	"regi/sim/drill/scrape"
)

// Parts of a card number of sixteen digits.
const (
	shownFirst  = 6
	hiddenCount = 6
)

// decoysEach is how many numbers that nobody swipes there are for each that
// somebody does: sets as large as that of the cards, enough to know how often
// chance finds one and how much that varies.
const decoysEach = scrape.DecoySets

// deck returns the canaries, numbers under a prefix of no issuer, and their
// decoys. A decoy is like its canary in what may be shown, the first six and
// last four digits, so that whatever stands beside those by chance hits both
// alike.
func deck(n int) (canaries []string, cards []scrape.Card, err error) {
	taken := map[string]bool{}
	add := func(number string, issued bool, set int) bool {
		if taken[number] {
			return false
		}
		taken[number] = true
		cards = append(cards, scrape.Card{Number: number, Issued: issued, Set: set})
		return true
	}
	for len(canaries) < n {
		number, err := canary()
		if err != nil {
			return nil, nil, err
		}
		if !add(number, true, 0) {
			continue
		}
		canaries = append(canaries, number)
		for decoys := 0; decoys < decoysEach; {
			decoy, err := like(number)
			if err != nil {
				return nil, nil, err
			}
			if add(decoy, false, decoys) {
				decoys++
			}
		}
	}
	return canaries, cards, nil
}

func random(limit int64) (int64, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(limit))
	if err != nil {
		return 0, fmt.Errorf("numbers: %w", err)
	}
	return n.Int64(), nil
}

// canary is a number that no issuer has issued (none has the prefix 9), with a
// good check digit.
func canary() (string, error) {
	n, err := random(1e14)
	if err != nil {
		return "", err
	}
	return withCheck(fmt.Sprintf("9%014d", n)), nil
}

// like is a number with the same first six and last four digits, the check
// digit good as well, and no eight digits in a row the same.
func like(number string) (string, error) {
	for {
		n, err := random(1e6)
		if err != nil {
			return "", err
		}
		s := number[:shownFirst] + fmt.Sprintf("%06d", n) + number[shownFirst+hiddenCount:]
		const begins, half = shownFirst + 2, shownFirst + hiddenCount
		differs := s[shownFirst:begins] != number[shownFirst:begins] && s[begins:half] != number[begins:half]
		if differs && withCheck(s[:len(s)-1]) == s {
			return s, nil
		}
	}
}

// withCheck appends the check digit of ISO/IEC 7812-1.
func withCheck(s string) string {
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if (len(s)-i)%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return s + string(rune('0'+(10-sum%10)%10))
}

// tracks are a good stripe.
func tracks(number string) card.Tracks {
	return card.Tracks{Track1: "%B" + number + "^CANARY/CARD^28121010000000000?", Track2: ";" + number + "=28121010000000000?"}
}

// damaged is a stripe that cannot be read, though its number can be seen: there
// is no end to track 2, or a letter in it.
func damaged(number string, i int) card.Tracks {
	t := tracks(number)
	if i%2 == 0 {
		t.Track2 = ";" + number + "=28121010"
	} else {
		t.Track2 = ";" + number + "=2812X010000000000?"
	}
	return t
}

// bytesOf are the bytes on the wire, the line end included.
func bytesOf(t card.Tracks) []byte { return []byte(t.Track1 + t.Track2 + t.Track3 + "\r") }
