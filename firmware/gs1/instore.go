package gs1

import (
	"errors"
	"fmt"
	"strings"
)

// Numbers that a shop gives itself: prefixes 02 and 20 to 29 of an EAN-13, 0
// and 2 of an EAN-8 (General Specifications 2.1; GS1 Japan's in-store marking,
// PLU and NON-PLU). What their digits mean is a setting of the shop.

// ErrRule says that an in-store rule cannot be followed.
var ErrRule = errors.New("bad in-store rule")

// InStoreRule says what the digits of a number mean.
type InStoreRule struct {
	// Layout has 13 or 8 characters. Digits stand for themselves; i is the
	// item, p its price, w its weight, n its count, v the verifier of a price
	// or weight of four or five digits (General Specifications 7.9.2 to
	// 7.9.4), x is passed over, and c, the last one, is the check digit.
	// "02iiiiivppppc" is the usual NON-PLU layout in Japan; a layout of i alone
	// is a PLU.
	Layout string
	// Scale is what one unit of the price, weight or count is worth: minor
	// units of the currency, grams, pieces. 0 is 1.
	Scale int64
}

// inStoreScaleMax keeps five digits times a scale far from an overflow.
const inStoreScaleMax = 1_000_000

// InStoreRulesMax bounds a table.
const InStoreRulesMax = 64

// InStoreRules is a shop's table: the first rule that fits counts.
type InStoreRules []InStoreRule

// InStore is what an in-store number says.
type InStore struct {
	// Key finds the article: the number with zeros for price, weight and count,
	// and the check digit that then fits.
	Key    GTIN
	Item   string // the digits i
	Price  int64  // minor units; -1: not in the number
	Weight int64  // -1: not in the number
	Count  int64  // -1: not in the number
}

// IsInStore tells whether a number is of a shop's own making.
func (g GTIN) IsInStore() bool {
	s := string(g[:])
	switch {
	case strings.HasPrefix(s, "000000"): // an EAN-8
		return s[6] == '0' || s[6] == '2'
	case s[0] != '0':
		return false
	}
	return s[1] == '2' || s[1:3] == "02"
}

// Check finds the first rule that cannot be followed.
func (r InStoreRules) Check() error {
	if len(r) > InStoreRulesMax {
		return fmt.Errorf("gs1: %d in-store rules, at most %d: %w", len(r), InStoreRulesMax, ErrRule)
	}
	for i, rule := range r {
		if problem := rule.problem(); problem != "" {
			return fmt.Errorf("gs1: in-store rule %d, %+.16q: %s: %w", i+1, rule.Layout, problem, ErrRule)
		}
	}
	return nil
}

func (r InStoreRule) problem() string {
	l := r.Layout
	if len(l) != 13 && len(l) != 8 {
		return "a layout has 13 or 8 characters"
	}
	if strings.IndexByte(l, 'c') != len(l)-1 {
		return "the check digit c stands last and once"
	}
	if strings.Trim(l, "0123456789ipwnvxc") != "" {
		return "a layout is made of digits, i, p, w, n, v, x and c"
	}
	if own := l[0] == '2' || l[:2] == "02" || len(l) == 8 && l[0] == '0'; !own {
		return "it takes numbers that are not the shop's own: 02 and 20 to 29, in eight digits 0 and 2"
	}
	for _, field := range []string{"i", "p", "w", "n"} {
		if first, last := strings.Index(l, field), strings.LastIndex(l, field); last >= 0 && strings.Trim(l[first:last+1], field) != "" {
			return "the characters of one field stand together"
		}
	}
	if !strings.Contains(l, "i") {
		return "it names no item"
	}
	price, weight := strings.Count(l, "p"), strings.Count(l, "w")
	if verifiers := strings.Count(l, "v"); verifiers > 1 || verifiers == 1 && (price*weight != 0 || price+weight != 4 && price+weight != 5) {
		return "one v verifies one price or weight of four or five digits"
	}
	if r.Scale < 0 || r.Scale > inStoreScaleMax {
		return fmt.Sprintf("a scale is 1 to %d", inStoreScaleMax)
	}
	return ""
}

// Read finds the rule for g. ok is false when none fits: then g itself is the
// key. A verifier that does not fit is ErrCheckDigit.
func (r InStoreRules) Read(g GTIN) (in InStore, ok bool, err error) {
	if !g.IsInStore() {
		return InStore{}, false, nil
	}
	for _, rule := range r {
		if digits := rule.digits(g); digits != "" {
			in, err = rule.read(digits)
			return in, true, err
		}
	}
	return InStore{}, false, nil
}

// digits returns the digits of g that the layout describes; "" when it does not
// fit.
func (r InStoreRule) digits(g GTIN) string {
	lead := len(g) - len(r.Layout)
	if lead < 1 || strings.Trim(string(g[:lead]), "0") != "" {
		return ""
	}
	for i := range len(r.Layout) {
		if digit(r.Layout[i]) && r.Layout[i] != g[lead+i] {
			return ""
		}
	}
	return string(g[lead:])
}

func (r InStoreRule) read(digits string) (InStore, error) {
	in := InStore{Item: r.field(digits, 'i')}
	price, weight := r.field(digits, 'p'), r.field(digits, 'w')
	if v := r.field(digits, 'v'); v != "" && v[0] != PriceCheckDigit(price+weight) {
		return InStore{}, fmt.Errorf("gs1: the verifier of the in-store price or weight: %w", ErrCheckDigit)
	}
	in.Price, in.Weight, in.Count = r.value(price), r.value(weight), r.value(r.field(digits, 'n'))
	in.Key.pad(digits)
	lead := len(in.Key) - len(digits)
	for i := range len(r.Layout) {
		switch r.Layout[i] {
		case 'p', 'w', 'n', 'v', 'x':
			in.Key[lead+i] = '0'
		}
	}
	in.Key[13] = in.Key.checkDigit()
	return in, nil
}

func (r InStoreRule) field(digits string, c byte) string {
	first := strings.IndexByte(r.Layout, c)
	if first < 0 {
		return ""
	}
	return digits[first : strings.LastIndexByte(r.Layout, c)+1]
}

func (r InStoreRule) value(field string) int64 {
	if field == "" {
		return -1
	}
	return int64(number(field)) * max(r.Scale, 1)
}

// PriceCheckDigit computes the verifier of a price or weight of four or five
// digits (General Specifications 7.9.2 to 7.9.4); 0 for anything else.
func PriceCheckDigit(digits string) byte {
	if len(digits) != 4 && len(digits) != 5 || !allDigits(digits) {
		return 0
	}
	sum := 0
	for i := range len(digits) {
		n := int(digits[i] - '0')
		if len(digits) == 4 {
			sum += [...]func(int) int{twoMinus, twoMinus, three, fiveMinus}[i](n)
		} else {
			sum += [...]func(int) int{fivePlus, twoMinus, fiveMinus, fivePlus, twoMinus}[i](n)
		}
	}
	if len(digits) == 4 {
		return '0' + byte(sum*3%10)
	}
	// The digit whose own product under 5- makes the sum a multiple of ten.
	return fiveMinusInverse[(10-sum%10)%10]
}

// fiveMinusInverse is fiveMinus read backwards.
const fiveMinusInverse = "0975318642"

// The weighting factors of figure 7.9.2-1: the tens of the product are taken
// from, or added to, its units.
func twoMinus(n int) int  { return (2*n - 2*n/10 + 10) % 10 }
func three(n int) int     { return 3 * n % 10 }
func fiveMinus(n int) int { return (5*n - 5*n/10 + 10) % 10 }
func fivePlus(n int) int  { return (5*n + 5*n/10) % 10 }
