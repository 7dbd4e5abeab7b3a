package till

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"regi/firmware/sale"
)

// A receipt's code is R1.register.number.yymmdd.mac: what names the sale, and
// the first 60 bits of HMAC-SHA-256 of it under a key that only this register
// has, in base 32. A forger has one guess a scan, with the supervisor watching.
const (
	codeVersion = "R1"
	codeParts   = 5
	codeMACMax  = 12 // characters
	codeDate    = "060102"
	codeContext = "regi receipt code v1"
)

// Errors of readCode.
var (
	errNoCode  = errors.New("till: not the code of a receipt")
	errForeign = errors.New("till: a receipt of another register")
	errForged  = errors.New("till: the code does not verify")
)

// code is what a receipt bears for a return, "" for none: a training sale sold
// nothing, and a return cannot come back.
func (t *Till) code(r *sale.Receipt) string {
	if len(t.config.CodeKey) == 0 || r.TrainingModeFlag || r.Original != nil {
		return ""
	}
	day, err := time.Parse(time.DateOnly, r.BusinessDayDate)
	if err != nil {
		return ""
	}
	body := fmt.Sprintf("%s.%s.%d.%s", codeVersion, r.WorkstationID, r.SequenceNumber, day.Format(codeDate))
	return body + "." + t.codeMAC(body)
}

func (t *Till) codeMAC(body string) string {
	mac := hmac.New(sha256.New, t.config.CodeKey)
	fmt.Fprintf(mac, "%s|%s|%s", codeContext, t.config.Store, body) //nolint:errcheck // a hash takes everything
	return base32.StdEncoding.EncodeToString(mac.Sum(nil))[:codeMACMax]
}

// readCode is the sale that a scanned code names, if this register made it.
func (t *Till) readCode(label string) (sale.Original, error) {
	parts := strings.Split(label, ".")
	if len(parts) != codeParts || parts[0] != codeVersion {
		return sale.Original{}, errNoCode
	}
	if parts[1] != t.config.Register {
		return sale.Original{}, errForeign
	}
	body := strings.Join(parts[:codeParts-1], ".")
	number, err := strconv.ParseInt(parts[2], 10, 64)
	day, dayErr := time.Parse(codeDate, parts[3])
	if err != nil || dayErr != nil || len(t.config.CodeKey) == 0 || !hmac.Equal([]byte(parts[4]), []byte(t.codeMAC(body))) {
		return sale.Original{}, errForged
	}
	return sale.Original{WorkstationID: parts[1], SequenceNumber: number, BusinessDayDate: day.Format(time.DateOnly)}, nil
}
