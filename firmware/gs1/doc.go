// Package gs1 turns what a scanner reads off goods into a GTIN-14, the number
// that everything is keyed on, and into the elements that stand beside it.
//
// Sources: GS1 General Specifications: section 2.1 (EAN/UPC), 3 (Application
// Identifiers), 4 (associations), 5.2 (UPC-E, add-ons), 7.8 (element strings),
// 7.9 (check digits), 7.11 (character sets), 7.12 (dates); GS1 Digital Link
// Standard: URI Syntax; GS1 Barcode Syntax Dictionary, release 2026-01-27, from
// which table.go is generated; ISO/IEC 15424 for the symbology identifiers; GS1
// Japan for in-store, book and magazine codes.
//
// # Limits
//
// An input is at most DataMax bytes, a message at most ElementsMax elements.
// Nothing is kept between calls, nothing here tells the time, and an error
// repeats no more of a label than an AI or the quoted start of a number.
//
// # Allocation
//
// What a parse returns beside an error is not to be used. A parse allocates for an error, for a value that has to be unescaped, and for
// a result that outlives the caller; the Parse methods of Message and Scan
// reuse their receiver.
package gs1

//go:generate go run ./gentable

// Limits of what is taken from outside.
const (
	DataMax     = 8191 // bytes of scan data, of an element string, of a URI
	ElementsMax = 64   // elements of one message
)
