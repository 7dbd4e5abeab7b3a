package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// row is an item as the file writes it.
type row struct {
	GTIN  string `json:"gtin"` // as printed on the goods
	Name  string `json:"name"`
	Kana  string `json:"kana"`
	Price *int64 `json:"price"` // nil: forgotten, which is not free of charge
	Rate  string `json:"rate"`
	Unit  string `json:"unit"`

	place
	err error // that it is no item
}

// place is where an item stands in the file, from 1.
type place struct{ item, line int }

// byteOrderMark begins files of some editors.
const byteOrderMark = "\uFEFF"

// file reads a snapshot from one end to the other, so that each item is known by
// its line, and one that is wrong does not end it.
type file struct {
	data []byte
	json *json.Decoder
	// line is that of the byte at.
	at, line int
}

func read(data []byte) (version string, rows []row, err error) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	f := file{data: data, json: json.NewDecoder(bytes.NewReader(data)), line: 1}
	f.json.DisallowUnknownFields()
	if err = f.opens('{'); err != nil {
		return "", nil, err
	}
	for f.json.More() {
		name, err := f.json.Token()
		switch {
		case err != nil:
		case name == "version":
			err = f.json.Decode(&version)
		case name == "items":
			rows, err = f.items()
		default:
			err = fmt.Errorf("unknown field %.16q", fmt.Sprint(name))
		}
		if err != nil {
			return "", nil, f.wrong(err)
		}
	}
	if _, err := f.json.Token(); err != nil {
		return "", nil, f.wrong(err)
	}
	if _, err := f.json.Token(); !errors.Is(err, io.EOF) {
		return "", nil, fmt.Errorf("catalog: something follows the snapshot: %w", ErrInvalid)
	}
	return version, rows, nil
}

func (f *file) wrong(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("catalog: byte %d, line %d: %w: %w", f.json.InputOffset(), f.lineNow(), ErrInvalid, err)
}

func (f *file) opens(with json.Delim) error {
	switch t, err := f.json.Token(); {
	case err != nil:
		return f.wrong(err)
	case t != with:
		return f.wrong(fmt.Errorf("want %v", with))
	}
	return nil
}

// lineNow is the line of what is read next.
func (f *file) lineNow() int {
	to := min(len(f.data), int(f.json.InputOffset()))
	for to < len(f.data) && strings.IndexByte(" \t\r\n,", f.data[to]) >= 0 {
		to++
	}
	f.line += bytes.Count(f.data[f.at:max(f.at, to)], []byte{'\n'})
	f.at = max(f.at, to)
	return f.line
}

// items is the list, or null.
func (f *file) items() ([]row, error) {
	switch t, err := f.json.Token(); {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, nil
	case t != json.Delim('['):
		return nil, errors.New("items: want a list")
	}
	var rows []row
	for f.json.More() {
		if len(rows) == ItemsMax {
			return nil, fmt.Errorf("catalog: over %d items: %w", ItemsMax, ErrTooLarge)
		}
		at := place{item: len(rows) + 1, line: f.lineNow()}
		var r row
		r.err = f.json.Decode(&r)
		if syntax := new(json.SyntaxError); errors.As(r.err, &syntax) || errors.Is(r.err, io.ErrUnexpectedEOF) || errors.Is(r.err, io.EOF) {
			return nil, fmt.Errorf("item %d: %w", at.item, r.err)
		}
		r.place = at
		r.GTIN, r.Name, r.Kana = clean(r.GTIN), clean(r.Name), strings.ReplaceAll(clean(r.Kana), "\u3000", " ")
		rows = append(rows, r)
	}
	_, err := f.json.Token()
	return rows, err
}

// clean takes off what a spreadsheet leaves in a cell and nobody sees: blanks at
// the ends, blanks that are not U+0020, line ends, joiners and other marks of
// format. A full-width blank stays, other control characters do, too: checkName
// refuses them.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case unicode.Is(unicode.Cf, c):
			return -1
		case c == '\u3000':
			return c
		case c == '\t', c == '\r', c == '\n', unicode.Is(unicode.Z, c):
			return ' '
		}
		return c
	}, s))
}
