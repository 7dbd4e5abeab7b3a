// Package barcode knows what bar codes can hold, and draws some of them for
// printers that cannot.
//
// Sources: GS1 General Specifications (sections 3, 5 and 7), ISO/IEC 15417 (Code
// 128), 16388 (Code 39), 16390 (ITF), 18004 (QR), EN 798 (Codabar).
package barcode

import (
	"errors"
	"fmt"
	"strings"

	"regi/drivers"
)

// Errors of data.
var (
	// ErrData: the symbology cannot hold it.
	ErrData = errors.New("the bar code cannot hold this data")
	// ErrCheckDigit: it is not that of the other digits.
	ErrCheckDigit = errors.New("wrong check digit")
)

// Limits of linear codes, in characters; paper is narrower.
const linearMax = 80

// Code is data that its symbology can hold.
type Code struct {
	Symbology drivers.Symbology
	// Data is complete: with its check digit, UPC-E as the UPC-A that it is short
	// for, Codabar with its start and stop.
	Data string
	// Elements are those of a GS1 code in brackets.
	Elements []Element
}

// New checks data. Its errors wrap ErrData, ErrCheckDigit, drivers.ErrTooLong
// or drivers.ErrUnsupported, and never hold the data.
func New(s drivers.Symbology, data string) (Code, error) {
	if data == "" {
		return Code{}, fmt.Errorf("barcode: nothing in it: %w", ErrData)
	}
	if len(data) > drivers.BarcodeBytesMax || s < drivers.QRCode && len(data) > linearMax {
		return Code{}, fmt.Errorf("barcode: %d bytes: %w", len(data), drivers.ErrTooLong)
	}
	c := Code{Symbology: s, Data: data}
	var err error
	switch s {
	case drivers.UPCA:
		c.Data, err = checked(data, 12)
	case drivers.UPCE:
		c.Data, err = upcE(data)
	case drivers.EAN13:
		c.Data, err = checked(data, 13)
	case drivers.EAN8:
		c.Data, err = checked(data, 8)
	case drivers.ITF:
		c.Data, err = itf(data)
	case drivers.Code39:
		err = only(data, code39Set)
	case drivers.Codabar:
		c.Data, err = codabar(data)
	case drivers.Code128:
		err = ascii(data)
	case drivers.GS1128:
		c.Elements, err = elements(data)
	case drivers.DataBar:
		c.Data, c.Elements, err = dataBar(data)
	case drivers.QRCode, drivers.PDF417, drivers.DataMatrix: // bytes
	default:
		err = drivers.ErrUnsupported
	}
	if err != nil {
		return Code{}, fmt.Errorf("barcode: %w", err)
	}
	return c, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func only(s, set string) error {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return ErrData
		}
	}
	return nil
}

func ascii(s string) error {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return ErrData
		}
	}
	return nil
}

// checkDigit is the modulo 10 digit of GS1: weights 3 and 1 from the right.
func checkDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		weight := 1
		if (len(s)-i)%2 == 1 {
			weight = 3
		}
		sum += weight * int(s[i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}

// checked completes n-1 digits, or checks n.
func checked(s string, n int) (string, error) {
	switch {
	case !digits(s) || len(s) != n && len(s) != n-1:
		return "", ErrData
	case len(s) == n-1:
		return s + string(checkDigit(s)), nil
	case checkDigit(s[:n-1]) != s[n-1]:
		return "", ErrCheckDigit
	}
	return s, nil
}

// upcE takes the six digits of the symbol, with or without number system 0 and
// check digit, or the UPC-A that they are short for, and returns that.
func upcE(s string) (string, error) {
	if !digits(s) {
		return "", ErrData
	}
	switch len(s) {
	case 11, 12:
		full, err := checked(s, 12)
		if err == nil && short(full) == "" {
			err = ErrData
		}
		return full, err
	case 6:
		s = "0" + s
	case 7, 8:
	default:
		return "", ErrData
	}
	if s[0] > '1' {
		return "", ErrData
	}
	d := s[1:7]
	var full string
	switch last := d[5]; last {
	case '0', '1', '2':
		full = d[:2] + string(last) + "0000" + d[2:5]
	case '3':
		full = d[:3] + "00000" + d[3:5]
	case '4':
		full = d[:4] + "00000" + d[4:5]
	default:
		full = d[:5] + "0000" + string(last)
	}
	return checked(s[:1]+full+s[7:], 12)
}

// short is the six digits of a UPC-E symbol for a UPC-A, "" if there are none.
func short(full string) string {
	maker, item := full[1:6], full[6:11]
	switch {
	case full[0] > '1':
		return ""
	case maker[3:] == "00" && maker[2] <= '2' && item[:2] == "00":
		return maker[:2] + item[2:] + maker[2:3]
	case maker[3:] == "00" && item[:3] == "000":
		return maker[:3] + item[3:] + "3"
	case maker[4:] == "0" && item[:4] == "0000":
		return maker[:4] + item[4:] + "4"
	case item[:4] == "0000" && item[4] >= '5':
		return maker + item[4:]
	}
	return ""
}

// itf takes pairs of digits; 13 are an ITF-14 without its check digit, and 14
// are one with it.
func itf(s string) (string, error) {
	switch {
	case !digits(s):
		return "", ErrData
	case len(s) == 13, len(s) == 14:
		return checked(s, 14)
	case len(s)%2 != 0:
		return "", ErrData
	}
	return s, nil
}

// codabar adds start and stop A where there are none.
func codabar(s string) (string, error) {
	const letters, set = "ABCD", "0123456789-$:/.+"
	s = strings.ToUpper(s)
	if strings.IndexByte(letters, s[0]) < 0 {
		s = "A" + s + "A"
	}
	last := len(s) - 1
	if last < 2 || strings.IndexByte(letters, s[last]) < 0 {
		return "", ErrData
	}
	return s, only(s[1:last], set)
}

// Matrix draws a QR code or Data Matrix. Its error wraps drivers.ErrUnsupported
// for the others, or drivers.ErrTooLong.
func (c Code) Matrix() (Matrix, error) {
	if c.Symbology == drivers.QRCode {
		return QR(c.Data)
	}
	if c.Symbology == drivers.DataMatrix {
		return DataMatrix(c.Data)
	}
	return Matrix{}, fmt.Errorf("barcode: drawing it: %w", drivers.ErrUnsupported)
}
