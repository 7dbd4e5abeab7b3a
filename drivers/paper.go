package drivers

import "time"

// Document is what a receipt printer is given: items from top to bottom, then
// a cut.
type Document struct {
	Items []Item
	Cut   bool
	// Latin is of a language in whose type these signs take one column, too:
	// §¨°±´¶·×÷–—‘’“”†‡…˜‰. In Japanese they are as wide as a kanji.
	Latin bool
	// CutFirst cuts off what an earlier document left half printed.
	CutFirst bool
	// BeginBy, if set, is when a document is too old to be begun: ErrLate.
	BeginBy time.Time
}

// DocumentItemsMax bounds a document (a sale of 500 lines is under it).
const DocumentItemsMax = 2500

// Item is one thing across the paper: a [TextLine], [Barcode], [Picture] or
// [Page].
type Item interface{ item() }

func (TextLine) item() {}
func (Barcode) item()  {}
func (Picture) item()  {}
func (Page) item()     {}

// Align places an item on the paper.
type Align uint8

// Alignments.
const (
	Left Align = iota
	Center
	Right
)

// TextLine is one printed line. Text is UTF-8; control characters are replaced
// by spaces. ASCII, ¥, half-width katakana, the letters of Latin, Greek and
// Cyrillic (below U+0530, and U+1E00 to U+1FFF) and the signs
// ¡¢£¤¦©«¬®¯²³¸¹»¼½¾¿€‚„‹›•™ take one column, all others two. What does not fit is
// wrapped.
type TextLine struct {
	Text  string
	Align Align
	Bold  bool
	// Wide and Tall double the width and the height.
	Wide, Tall bool
}

// Texts makes items of text lines.
func Texts(lines ...TextLine) []Item {
	items := make([]Item, len(lines))
	for i, l := range lines {
		items[i] = l
	}
	return items
}

// Symbology is a kind of bar code.
type Symbology uint8

// Symbologies, by the names of ISO/IEC and UnifiedPOS.
const (
	UPCA Symbology = 1 + iota
	UPCE
	EAN13
	EAN8
	Code39
	ITF
	Codabar
	Code128
	GS1128 // Data is element strings in brackets: (01)04901234567894(10)A
	DataBar
	QRCode
	PDF417
	DataMatrix
)

// BarcodeBytesMax bounds the data of a code; most symbologies hold less.
const BarcodeBytesMax = 1024

// Barcode is a linear or two-dimensional code. Data that its symbology cannot
// hold, or a check digit that is wrong, is an error before anything is printed.
// A check digit that is left out is made.
type Barcode struct {
	Symbology Symbology
	Data      string
	Align     Align
	// Module is the width of the narrowest part in dots, Height that of a
	// linear code in millimetres; 0 is the driver's choice.
	Module, Height int
	// Text prints a linear code's characters below it.
	Text bool
}

// PictureBytesMax bounds a picture, as dots of a bit each; PictureSideMax the
// sides of what it is made from.
const (
	PictureBytesMax = 256 << 10
	PictureSideMax  = 4096
)

// Picture is printed as dots; greys are dithered, what is wider than the paper
// is scaled down. Keep stores it in the printer once, by its hash, where the
// printer has memory for it: the logo of every receipt.
type Picture struct {
	// Gray is a byte a pixel, 0 is black, in rows of Width from the top. (Package
	// image is not for here: the card process reaches this package, too.)
	Gray  []byte
	Width int
	Align Align
	Keep  bool
}

// Page is an area on which items stand freely, measured in half-width columns
// and lines of text from its top left. A printer without page mode prints the
// Else lines in its place.
type Page struct {
	Lines  int // its height
	Placed []Placed
	Else   []TextLine
}

// Placed is an item of a page; a Page cannot be one.
type Placed struct {
	Column, Line int
	Item         Item
}
