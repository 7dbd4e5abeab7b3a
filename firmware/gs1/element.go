package gs1

import (
	"fmt"
	"time"
)

// Decimal reads the value of an element that measures, prices or discounts
// (AIs 31nn to 36nn, 39nn, 8005): the number and how many of its digits stand
// behind the point, which the last digit of the AI says (General Specifications
// 3.6, 3.7). currency is the ISO 4217 number in front of it under 391n and 393n,
// and otherwise "". ok is false for other elements.
func (e Element) Decimal() (value int64, decimals int, currency string, ok bool) {
	if len(e.AI) != aiMax {
		return 0, 0, "", false
	}
	digits := e.Value
	switch p := e.AI[:2]; {
	case e.AI == "8005": // in the currency of the shop, which knows its decimals
	case p == "39":
		decimals = int(e.AI[3] - '0')
		if e.AI[2] == '1' || e.AI[2] == '3' {
			const isoLength = 3
			if len(digits) < isoLength {
				return 0, 0, "", false
			}
			currency, digits = digits[:isoLength], digits[isoLength:]
		}
	case p >= "31" && p <= "36":
		decimals = int(e.AI[3] - '0')
	default:
		return 0, 0, "", false
	}
	const longest = 15 // digits of any AI: far below the end of an int64
	if len(digits) > longest || digits == "" || !allDigits(digits) {
		return 0, 0, "", false
	}
	for i := range len(digits) {
		value = 10*value + int64(digits[i]-'0')
	}
	return value, decimals, currency, true
}

// Date reads the value of a date (AIs 11 to 17 and those of 4 and 7 with the
// same six digits) as the day it names at midnight UTC; day 00 is the last of
// its month. Two digits mean the year next to today's: from 49 before to 50
// after it (General Specifications 7.12).
func Date(yymmdd string, today time.Time) (time.Time, error) {
	if f := lintyymmd0(yymmdd); f.Code != OK {
		return time.Time{}, fmt.Errorf("gs1: date: %v: %w", f.Code, ErrValue)
	}
	const century, before, after = 100, -49, 50
	now := today.Year()
	year := now - now%century + number(yymmdd[:2])
	switch d := year - now; {
	case d < before:
		year += century
	case d > after:
		year -= century
	}
	month, day := time.Month(number(yymmdd[2:4])), number(yymmdd[4:])
	if day == 0 {
		month++ // day 0 is then the last of this month
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), nil
}
