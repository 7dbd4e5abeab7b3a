package sale

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Rate is a tax rate in thousandths of a percent: 8.875 % is 8,875.
type Rate int32

// Rates.
const (
	Percent Rate = 1000
	RateMax      = 100 * Percent
	// Japan's rates since October 2019 (消費税法).
	Standard = 10 * Percent
	Reduced  = 8 * Percent
)

// ErrRate is a text that is no tax rate.
var ErrRate = errors.New("a tax rate is 0 to 100 with at most three decimals")

// ParseRate reads percent: "10", "13.5", "8.875".
func ParseRate(s string) (Rate, error) {
	const whole, decimals = 3, 3
	left, right, _ := strings.Cut(s, ".")
	if left == "" || len(left) > whole || len(right) > decimals || strings.HasSuffix(s, ".") || strings.Trim(left+right, "0123456789") != "" {
		return 0, fmt.Errorf("sale: rate %.16q: %w", s, ErrRate)
	}
	n, err := strconv.Atoi(left + right + strings.Repeat("0", decimals-len(right)))
	if err != nil || n > int(RateMax) {
		return 0, fmt.Errorf("sale: rate %.16q: %w", s, ErrRate)
	}
	return Rate(n), nil //nolint:gosec // at most RateMax
}

// String is the rate in percent without needless zeros: "10", "8.875".
func (r Rate) String() string {
	s := strconv.Itoa(int(r / Percent))
	if part := r % Percent; part != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%03d", part), "0")
	}
	return s
}

// MarshalJSON writes percent as a number: 10, 8.875.
func (r Rate) MarshalJSON() ([]byte, error) {
	if r < 0 || r > RateMax {
		return nil, fmt.Errorf("sale: rate: %w", ErrRate)
	}
	return []byte(r.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Rate) UnmarshalJSON(b []byte) (err error) {
	*r, err = ParseRate(string(b))
	return err
}
