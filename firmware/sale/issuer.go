package sale

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Limits of an issuer's fields, in bytes.
const (
	IssuerNameMax    = 192
	IssuerAddressMax = 384
	IssuerTelMax     = 32
)

// Errors of an issuer.
var (
	// ErrRegistration: the registration number (登録番号) is missing or is not T
	// and 13 digits: without it a receipt is no qualified invoice.
	ErrRegistration = errors.New("registration number: want T and 13 digits")
	// ErrCorporateDigit: the number is no corporate number. That is right for a
	// sole trader and a slip of the pen for a company: a warning.
	ErrCorporateDigit = errors.New("registration number: the check digit is not that of a company")
	// ErrIssuer: a field is missing, too long or cannot be printed.
	ErrIssuer = errors.New("issuer")
)

// Check says whether receipts may bear this issuer. ErrCorporateDigit alone is
// only a warning.
func (i Issuer) Check() error {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"name", i.Name, IssuerNameMax}, {"address", i.Address, IssuerAddressMax}, {"tel", i.Tel, IssuerTelMax},
	} {
		if len(f.value) > f.max || strings.ContainsFunc(f.value, unicode.IsControl) {
			return fmt.Errorf("sale: %w: %s: at most %d bytes without control characters", ErrIssuer, f.name, f.max)
		}
	}
	if strings.TrimSpace(i.Name) == "" {
		return fmt.Errorf("sale: %w: name: it is empty", ErrIssuer)
	}
	return CheckRegistrationNumber(i.RegistrationNumber)
}

// CheckRegistrationNumber checks T + 13 digits and, as a warning
// (ErrCorporateDigit), the first digit of a corporate number:
// 9 - (Σ Pn·Qn mod 9), Pn the n-th of the other twelve digits from the right,
// Qn 1 for odd n and 2 for even (法人番号の指定等に関する省令第2条).
func CheckRegistrationNumber(s string) error {
	if len(s) != 14 || s[0] != 'T' || strings.Trim(s[1:], "0123456789") != "" {
		return fmt.Errorf("sale: %w", ErrRegistration)
	}
	sum := 0
	for n := 1; n <= 12; n++ {
		digit := int(s[14-n] - '0')
		sum += digit * (2 - n%2)
	}
	if int(s[1]-'0') != 9-sum%9 {
		return fmt.Errorf("sale: %w", ErrCorporateDigit)
	}
	return nil
}
