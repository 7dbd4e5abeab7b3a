package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of a bundle for support.
const (
	// codeColumns of base64 a line.
	codeColumns = 76
	// fingerprintBytes of SHA-256 tell bundles apart.
	fingerprintBytes = 8
	// partChars of base32 a code: with what stands before them a QR code of 69
	// modules, four dots each on the narrowest paper, which a telephone reads.
	partChars = 440
	// partsMax is half a metre of paper or more; what does not fit loses lines of
	// the log.
	partsMax    = 16
	printWithin = 3 * time.Minute
)

// bundle is what support gets. Whatever is added here must be nobody's.
type bundle struct {
	Register, Version string
	State             State
	Findings          []string
	Board             []Setting `json:",omitempty"`
	Config            []Setting
	Log               []string
}

// Marks around a bundle.
const (
	bundleBegin = "-----BEGIN REGI SUPPORT-----"
	bundleEnd   = "-----END REGI SUPPORT-----"
)

// support hands a bundle over: as text on this line or as codes on paper.
func (s *session) support(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] != "print" {
		return errors.New("support, or support print")
	}
	b, err := s.gather(ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return s.printSupport(ctx, b)
	}
	packed, fingerprint, err := b.pack()
	if err != nil {
		return err
	}
	s.say("%s", s.tr(wordsSupport))
	s.say("%s", bundleBegin)
	for text := base64.StdEncoding.EncodeToString(packed); len(text) > 0; {
		n := min(len(text), codeColumns)
		s.say("%s", text[:n])
		text = text[n:]
		if err := s.t.flush(); err != nil {
			return lineError{err}
		}
	}
	s.say("%s", bundleEnd)
	s.say("SHA-256 %s…", fingerprint)
	return nil
}

var errTooLong = errors.New("the bundle is too long for paper: support shows it on this line")

// printSupport prints codes, with as much of the log as they hold.
func (s *session) printSupport(ctx context.Context, b *bundle) error {
	if b.State.Sale {
		return ErrSale
	}
	for _, lines := range []int{logMost, logMost / 2, logMost / 4, logMost / 10, 0} {
		b.Log = b.Log[max(0, len(b.Log)-lines):]
		packed, fingerprint, err := b.pack()
		if err != nil {
			return err
		}
		codes := supportCodes(packed, fingerprint)
		if len(codes) > partsMax {
			continue
		}
		s.say(s.tr(wordsSupportPaper), len(codes), fingerprint)
		return s.advised(s.busy(ctx, printWithin, func(ctx context.Context) error {
			return s.host.Counter.Print(ctx, []string{"REGI SUPPORT " + b.Register, b.Version, fingerprint}, codes...)
		}))
	}
	return errTooLong
}

// supportCodes are a bundle in QR codes, in the capitals and digits that these
// hold most of: "REGI-SUPPORT:n/m:fingerprint:base32". Zeros fill the last group
// of five bytes; gzip passes over them.
func supportCodes(packed []byte, fingerprint string) (codes []string) {
	const group = 5
	filled := append(slices.Clip(packed), make([]byte, (group-len(packed)%group)%group)...)
	text := base32.StdEncoding.EncodeToString(filled)
	n := (len(text) + partChars - 1) / partChars
	for i := range n {
		codes = append(codes, fmt.Sprintf("REGI-SUPPORT:%d/%d:%s:%s", i+1, n, strings.ToUpper(fingerprint), text[i*partChars:min(len(text), (i+1)*partChars)]))
	}
	return codes
}

func (s *session) gather(ctx context.Context) (*bundle, error) {
	b := &bundle{Register: s.host.ID.String(), Version: s.host.Version}
	for _, setting := range s.host.Settings.List() {
		if !strings.HasPrefix(setting.Key, "issuer.") && !Secret(setting.Key) { // a sole trader is a person
			b.Config = append(b.Config, setting)
		}
	}
	var err error
	if b.State, err = s.state(ctx); err != nil {
		return nil, err
	}
	found, err := s.findings(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		b.Findings = append(b.Findings, fmt.Sprint(f.ok, " ", f.name, ": ", f.says))
	}
	if s.host.Board != nil {
		if b.Board, err = s.host.Board.State(); err != nil {
			b.Board = []Setting{{"board", err.Error()}}
		}
	}
	for _, line := range s.host.Log(logMost) {
		b.Log = append(b.Log, masked(line))
	}
	return b, nil
}

// pack is the bundle as gzipped JSON, and its fingerprint.
func (b *bundle) pack() (packed []byte, fingerprint string, err error) {
	plain, err := json.Marshal(b)
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain); err != nil {
		return nil, "", err
	}
	if err := z.Close(); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(out.Bytes())
	return out.Bytes(), hex.EncodeToString(sum[:fingerprintBytes]), nil
}
