package gs1

// Coupons of GS1 US: North American Coupon Application Guideline using GS1
// DataBar Expanded.

// coupon is a reader of coupon digits; the first fault stays.
type coupon struct {
	s        string
	at       int
	fault    Fault
	prefixes [4]span // company prefixes that were read
	n        int
}

func lintcouponcode(s string) Fault {
	c := coupon{s: s}
	c.read()
	return c.fault
}

// lintcouponposoffer: format, funder, offer code, serial number.
func lintcouponposoffer(s string) Fault {
	c := coupon{s: s}
	c.fault = notDigit(s)
	c.choice("01", couponMissingFormatCode, couponInvalidFormatCode)
	c.variable("0123456", 6, couponMissingFunderVLI, couponInvalidFunderLength, couponTruncatedFunder)
	c.take(6, couponTruncatedOfferCode)
	c.variable("0123456789", 6, couponMissingSerialNumberVLI, couponMissingSerialNumberVLI, couponTruncatedSerialNumber)
	c.end()
	return c.fault
}

func (c *coupon) read() {
	c.fault = notDigit(c.s)
	c.prefix("0123456", couponMissingGCPVLI, couponInvalidGCPLength, couponTruncatedGCP)
	c.take(6, couponTruncatedOfferCode)
	c.variable("12345", 0, couponMissingSaveValueVLI, couponInvalidSaveValueLength, couponTruncatedSaveValue)
	c.purchase(purchaseCodes{
		couponMissing1stPurchaseRequirementVLI, couponInvalid1stPurchaseRequirementLength, couponTruncated1stPurchaseRequirement,
		couponMissing1stPurchaseRequirementCode, couponInvalid1stPurchaseRequirementCode, couponTruncated1stPurchaseFamilyCode,
	})
	if c.field('1') {
		c.choice("0123", couponMissingAdditionalPurchaseRulesCode, couponInvalidAdditionalPurchaseRulesCode)
		c.purchase(purchaseCodes{
			couponMissing2ndPurchaseRequirementVLI, couponInvalid2ndPurchaseRequirementLength, couponTruncated2ndPurchaseRequirement,
			couponMissing2ndPurchaseRequirementCode, couponInvalid2ndPurchaseRequirementCode, couponTruncated2ndPurchaseFamilyCode,
		})
		c.prefix("01234569", couponMissing2ndPurchaseGCPVLI, couponInvalid2ndPurchaseGCPLength, couponTruncated2ndPurchaseGCP)
	}
	if c.field('2') {
		c.purchase(purchaseCodes{
			couponMissing3rdPurchaseRequirementVLI, couponInvalid3rdPurchaseRequirementLength, couponTruncated3rdPurchaseRequirement,
			couponMissing3rdPurchaseRequirementCode, couponInvalid3rdPurchaseRequirementCode, couponTruncated3rdPurchaseFamilyCode,
		})
		c.prefix("01234569", couponMissing3rdPurchaseGCPVLI, couponInvalid3rdPurchaseGCPLength, couponTruncated3rdPurchaseGCP)
	}
	c.dates()
	if c.field('5') {
		c.variable("0123456789", 6, couponMissingSerialNumberVLI, couponMissingSerialNumberVLI, couponTruncatedSerialNumber)
	}
	if c.field('6') {
		c.prefix("1234567", couponMissingRetailerGCPOrGLNVLI, couponInvalidRetailerGCPOrGLNLength, couponTruncatedRetailerGCPOrGLN)
	}
	if c.field('9') {
		c.choice("01256", couponMissingSaveValueCode, couponInvalidSaveValueCode)
		c.choice("012", couponMissingSaveValueAppliesToItem, couponInvalidSaveValueAppliesToItem)
		c.choice("0123456789", couponMissingStoreCouponFlag, couponMissingStoreCouponFlag)
		c.choice("01", couponMissingDontMultiplyFlag, couponInvalidDontMultiplyFlag)
	}
	c.end()
}

// dates reads the expiry and start dates and compares them.
func (c *coupon) dates() {
	from := c.at
	expires := c.date('3', couponTooShortForExpirationDate, couponInvalidExpirationDate)
	starts := c.date('4', couponTooShortForStartDate, couponInvalidStartDate)
	if c.ok() && expires != 0 && starts != 0 && expires < starts {
		c.fault = Fault{couponExpirationBeforeStart, from, c.at - from}
	}
}

// date returns 0 when the field is not there.
func (c *coupon) date(tag byte, short, invalid Code) int {
	if !c.field(tag) {
		return 0
	}
	at := c.at
	d := c.take(6, short)
	if !c.ok() {
		return 0
	}
	if lintyymmdd(d).Code != OK {
		c.fault = Fault{invalid, at, len(d)}
		return 0
	}
	const centuries = 50 // years up to 50 are of this century
	year := 1900 + number(d[:2])
	if number(d[:2]) <= centuries {
		year += 100
	}
	return year*10000 + number(d[2:])
}

// purchaseCodes are the faults of one purchase requirement.
type purchaseCodes struct{ missing, length, truncated, missingCode, invalidCode, family Code }

func (c *coupon) purchase(p purchaseCodes) {
	c.variable("12345", 0, p.missing, p.length, p.truncated)
	c.choice("012349", p.missingCode, p.invalidCode)
	c.take(3, p.family)
}

// prefix reads a company prefix: its length less six, or 9 for none.
func (c *coupon) prefix(lengths string, missing, invalid, truncated Code) {
	if c.ok() && c.at < len(c.s) && c.s[c.at] == '9' && lengths[len(lengths)-1] == '9' {
		c.at++
		return
	}
	at := c.at + 1
	c.variable(lengths, 6, missing, invalid, truncated)
	if c.ok() {
		c.prefixes[c.n] = span{at, c.at - at}
		c.n++
	}
}

// variable reads a digit that says how long the field after it is, less base.
func (c *coupon) variable(lengths string, base int, missing, invalid, truncated Code) {
	n := c.choice(lengths, missing, invalid)
	if c.ok() {
		c.take(base+int(n-'0'), truncated)
	}
}

// choice reads one of some digits.
func (c *coupon) choice(digits string, missing, invalid Code) byte {
	d := c.take(1, missing)
	if !c.ok() {
		return 0
	}
	if f := oneOf(digits, d, invalid); f.Code != OK {
		c.fault = Fault{invalid, c.at - 1, 1}
	}
	return d[0]
}

// take reads n digits; when they are not there, what is left is wrong, or all
// of it.
func (c *coupon) take(n int, truncated Code) string {
	if !c.ok() {
		return ""
	}
	rest := c.s[c.at:]
	switch {
	case rest == "":
		c.fault = whole(truncated, c.s)
		return ""
	case len(rest) < n:
		c.fault = Fault{truncated, c.at, len(rest)}
		return ""
	}
	c.at += n
	return rest[:n]
}

// field tells whether the next optional field is this one.
func (c *coupon) field(tag byte) bool {
	if !c.ok() || c.at >= len(c.s) || c.s[c.at] != tag {
		return false
	}
	c.at++
	return true
}

func (c *coupon) end() {
	if c.ok() && c.at < len(c.s) {
		c.fault = Fault{couponExcessData, c.at, len(c.s) - c.at}
	}
}

func (c *coupon) ok() bool { return c.fault.Code == OK }
