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
	// ErrVATNumber: the VAT identification number is missing or malformed.
	ErrVATNumber = errors.New("VAT number: want the country's two letters and 8 to 12 letters or digits, as DE123456789")
	// ErrIssuer: a field is missing, too long or cannot be printed.
	ErrIssuer = errors.New("issuer")
)

// Check says whether receipts may bear this issuer. ErrCorporateDigit alone is
// only a warning, unless the shop is known to be a company.
func (i Issuer) Check(scheme Scheme) error {
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
	switch scheme {
	case Japanese:
		return CheckRegistrationNumber(i.RegistrationNumber)
	case European:
		return CheckVATNumber(i.RegistrationNumber)
	case American:
	}
	if len(i.RegistrationNumber) > IssuerTelMax || strings.ContainsFunc(i.RegistrationNumber, unicode.IsControl) {
		return fmt.Errorf("sale: %w: registration number: at most %d bytes without control characters", ErrIssuer, IssuerTelMax)
	}
	return nil
}

// vatNumbers are the lengths after the country's letters, where digits alone
// may follow them (Directive 2006/112/EC art. 215; formats of VIES). Others are
// 8 to 12 letters or digits.
//
//nolint:gochecknoglobals // a constant table
var vatNumbers = map[string]int{"DE": 9, "DK": 8, "EE": 9, "EL": 9, "FI": 8, "HU": 8, "IT": 11, "LU": 8, "MT": 8, "PL": 10, "PT": 9, "SI": 8}

// CheckVATNumber checks the form of a VAT identification number.
func CheckVATNumber(s string) error {
	const least, most = 2 + 8, 2 + 12
	const digits, letters = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if len(s) < least || len(s) > most || strings.Trim(s[:2], letters) != "" || strings.Trim(s[2:], digits+letters+"+*") != "" {
		return fmt.Errorf("sale: %w", ErrVATNumber)
	}
	if n, known := vatNumbers[s[:2]]; known && (len(s) != 2+n || strings.Trim(s[2:], digits) != "") {
		return fmt.Errorf("sale: %w", ErrVATNumber)
	}
	return nil
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
