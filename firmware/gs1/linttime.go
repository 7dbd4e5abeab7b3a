package gs1

func lintyymmdd(s string) Fault   { return date(s, 2, false) }
func lintyymmd0(s string) Fault   { return date(s, 2, true) }
func lintyyyymmdd(s string) Fault { return date(s, 4, false) }
func lintyyyymmd0(s string) Fault { return date(s, 4, true) }

// date reads a year of two or four digits, a month and a day; 00 stands for an
// unnamed day where the AI allows it. In all centuries that two digits can mean
// (General Specifications 7.12) each fourth year is a leap year.
func date(s string, yearLen int, unnamed bool) Fault {
	if len(s) < yearLen+4 {
		return whole(dateTooShort, s)
	}
	if len(s) > yearLen+4 {
		return whole(dateTooLong, s)
	}
	if f := notDigit(s); f.Code != OK {
		return f
	}
	year, month, day := number(s[:yearLen]), number(s[yearLen:yearLen+2]), number(s[yearLen+2:])
	if month < 1 || month > 12 {
		return Fault{illegalMonth, yearLen, 2}
	}
	leap := year%4 == 0 && (yearLen == 2 || year%100 != 0 || year%400 == 0)
	if day > days(month, leap) || day == 0 && !unnamed {
		return Fault{illegalDay, yearLen + 2, 2}
	}
	return Fault{}
}

func days(month int, leap bool) int {
	switch {
	case month == 2 && leap:
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// number reads digits that were looked at before.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n
}

func linthh(s string) Fault { return clock(s, 23, hourTooShort, hourTooLong, illegalHour) }
func lintmi(s string) Fault { return clock(s, 59, minuteTooShort, minuteTooLong, illegalMinute) }
func lintss(s string) Fault { return clock(s, 59, secondTooShort, secondTooLong, illegalSecond) }

func clock(s string, highest int, tooShort, tooLong, illegal Code) Fault {
	if len(s) < 2 {
		return whole(tooShort, s)
	}
	if len(s) > 2 {
		return whole(tooLong, s)
	}
	if f := notDigit(s); f.Code != OK {
		return f
	}
	if number(s) > highest {
		return whole(illegal, s)
	}
	return Fault{}
}

func linthhmi(s string) Fault {
	if len(s) < 4 {
		return whole(hourWithMinuteTooShort, s)
	}
	if len(s) > 4 {
		return whole(hourWithMinuteTooLong, s)
	}
	if f := notDigit(s); f.Code != OK {
		return f
	}
	if f := linthh(s[:2]); f.Code != OK {
		return f
	}
	f := lintmi(s[2:])
	f.At += 2
	if f.Code == OK {
		return Fault{}
	}
	return f
}
