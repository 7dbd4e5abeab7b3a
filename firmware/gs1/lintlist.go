package gs1

import "slices"

func lintiso3166(s string) Fault { return listed(&countries, s, notISO3166) }
func lintiso4217(s string) Fault { return listed(&currencies, s, notISO4217) }

// lintiso3166999: a country, or 999 for several.
func lintiso3166999(s string) Fault {
	if s == "999" {
		return Fault{}
	}
	return listed(&countries, s, notISO3166Or999)
}

func listed(list *[16]uint64, s string, code Code) Fault {
	if len(s) == 3 && notDigit(s).Code == OK {
		if n := number(s); list[n/64]>>(n%64)&1 != 0 {
			return Fault{}
		}
	}
	return whole(code, s)
}

func lintiso3166alpha2(s string) Fault {
	if len(s) == 2 && s[0]-'A' < 26 && s[1]-'A' < 26 && alphas[s[0]-'A']>>(s[1]-'A')&1 != 0 {
		return Fault{}
	}
	return whole(notISO3166Alpha2, s)
}

// lintmediatype: the AIDC media types 01 to 10, and 80 to 99 by agreement.
func lintmediatype(s string) Fault {
	if len(s) == 2 && notDigit(s).Code == OK {
		if n := number(s); n >= 1 && n <= 10 || n >= 80 {
			return Fault{}
		}
	}
	return whole(invalidMediaType, s)
}

func lintpackagetype(s string) Fault {
	if _, found := slices.BinarySearch(packageTypes[:], s); found {
		return Fault{}
	}
	return whole(invalidPackageType, s)
}
