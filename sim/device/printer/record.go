package printer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// RecordsMax records are kept; the oldest are thrown away.
const RecordsMax = 10_000

// Kind says what a record tells of.
type Kind string

// The kinds. Refused is a code or picture that was asked for and is not on the
// paper; NV is a picture that went into permanent memory.
const (
	KindText    Kind = "text"
	KindCode    Kind = "code"
	KindPicture Kind = "picture"
	KindCut     Kind = "cut"
	KindPulse   Kind = "pulse"
	KindNV      Kind = "nv"
	KindRefused Kind = "refused"
)

// Record is one thing that the mechanism did, in the order it was done: a line
// of the structured dump.
type Record struct {
	// N counts from 1.
	N    int  `json:"n"`
	Kind Kind `json:"kind"`
	// Row is where it begins on the roll, in dot rows since the printer was made.
	Row int `json:"row"`
	// Text is the line, as in [Printer.Text]; Runs are its parts of one style.
	Text    string   `json:"text,omitempty"`
	Runs    []Run    `json:"runs,omitempty"`
	Code    *Code    `json:"code,omitempty"`
	Picture *Picture `json:"picture,omitempty"`
	Pulse   *Pulse   `json:"pulse,omitempty"`
	// Cut is "full" or "partial".
	Cut string `json:"cut,omitempty"`
	// Why a thing was refused.
	Why string `json:"why,omitempty"`
}

// Run is text of one style.
type Run struct {
	X     int    `json:"x"` // dots from the left edge of the printing area
	Text  string `json:"text"`
	Style Style  `json:"style,omitzero"`
}

// Style is how characters look; the zero value is font A of normal size.
type Style struct {
	FontB     bool `json:"font_b,omitempty"`
	Bold      bool `json:"bold,omitempty"`
	Reverse   bool `json:"reverse,omitempty"`
	Underline int  `json:"underline,omitempty"` // dots
	Wide      int  `json:"wide,omitempty"`      // times the width; 0 is 1
	Tall      int  `json:"tall,omitempty"`      // times the height; 0 is 1
	Turned    bool `json:"turned,omitempty"`    // upside down, or on its side in page mode
}

// Code is a bar code or a matrix code.
type Code struct {
	Symbology string `json:"symbology"`
	// Data is what the code holds; Hex instead if that is no UTF-8.
	Data string `json:"data,omitempty"`
	Hex  string `json:"hex,omitempty"`
	// Text stands beside the bars.
	Text string `json:"text,omitempty"`
	// Dots of the whole, and of one module.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
	Module int `json:"module,omitempty"`
}

// Picture is a raster or bit image.
type Picture struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	// SHA256 is over the rows, (Width+7)/8 bytes each.
	SHA256 string `json:"sha256"`
	// Key is that of the graphics memory, in hex, if it came from there.
	Key string `json:"key,omitempty"`
}

func newCode(symbology string, data []byte) *Code {
	c := &Code{Symbology: symbology}
	if utf8.Valid(data) {
		c.Data = string(data)
	} else {
		c.Hex = hex.EncodeToString(data)
	}
	return c
}

func newPicture(d *dots, key string) *Picture {
	sum := sha256.Sum256(d.bits)
	return &Picture{Width: d.w, Height: d.h, SHA256: hex.EncodeToString(sum[:]), Key: hex.EncodeToString([]byte(key))}
}

// Records are those with a number above after, the oldest first.
func (p *Printer) Records(after int) []Record {
	p.m.Lock()
	defer p.m.Unlock()
	at := slices.IndexFunc(p.records, func(r Record) bool { return r.N > after })
	if at < 0 {
		return nil
	}
	return slices.Clone(p.records[at:])
}

// Dump writes all records that are kept, as one JSON object a line.
func (p *Printer) Dump(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, r := range p.Records(0) {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("printer: dump: %w", err)
		}
	}
	return nil
}

// note numbers a record and keeps it.
func (p *Printer) note(r Record) {
	p.noted++
	r.N = p.noted
	p.records = append(p.records, r)
	if len(p.records) > RecordsMax+slack {
		p.records = slices.Clone(p.records[len(p.records)-RecordsMax:])
	}
}

// runs joins neighbours of one style. Items stand from left to right.
func runs(items []item, offset int) []Run {
	var out []Run
	for _, i := range items {
		if i.text == "" {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].Style == i.style {
			out[n].Text += i.text
			continue
		}
		out = append(out, Run{X: offset + i.x, Text: i.text, Style: i.style})
	}
	return out
}
