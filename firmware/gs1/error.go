package gs1

import (
	"errors"
	"strconv"
)

// What can be wrong with a code, and what to do at the counter.
var (
	// ErrCheckDigit: it has the length of a GTIN, but the last digit is wrong:
	// a misread; scan again.
	ErrCheckDigit = errors.New("wrong check digit")
	// ErrNotGTIN: it is some other code.
	ErrNotGTIN = errors.New("not a GTIN")
	// ErrCarrier: the symbology identifier is none of a GS1 carrier.
	ErrCarrier = errors.New("no carrier of GS1 data: not for sale by this code")
	// ErrTooLong: longer than DataMax, or more than ElementsMax elements.
	ErrTooLong = errors.New("longer than any label: scan again")
	// ErrSyntax: it has not the form that it should have.
	ErrSyntax = errors.New("malformed: scan again, then key the number in")
	// ErrUnknownAI: an Application Identifier that the dictionary does not have.
	ErrUnknownAI = errors.New("unknown Application Identifier: key the number in")
	// ErrValue: the value of an element breaks the rules of its AI.
	ErrValue = errors.New("the label breaks the rules of its AI: key the number in")
	// ErrAssociation: elements that exclude or miss each other.
	ErrAssociation = errors.New("elements that do not belong together: key the number in")
	// ErrLink: a URI without a GS1 key in the right place.
	ErrLink = errors.New("no GS1 Digital Link: not for sale by this code")
)

// Error says what is wrong with which element, and where.
type Error struct {
	AI   string // up to four digits; "" when it is not about one element
	At   int    // offset of the first wrong byte in the input; -1: it is about several elements
	Len  int    // how many bytes are wrong; 0: from there on
	Code Code   // the linter's finding; OK when it is about structure
	What string // in words

	kind      error
	component string // the component a linter refused
	markAt    int
}

// nowhere is the offset of an error that is about several elements.
const nowhere = -1

func fail(kind error, ai string, at int, what string) *Error {
	return &Error{AI: ai, At: at, What: what, kind: kind}
}

func (e *Error) Error() string {
	s := "gs1: "
	if e.AI != "" {
		s += "AI (" + e.AI + ") "
	}
	if e.At != nowhere {
		s += "at byte " + strconv.Itoa(e.At) + ": "
	}
	return s + e.What + ": " + e.kind.Error()
}

// Unwrap gives one of the package's errors; a wrong check digit of a key is
// ErrCheckDigit too.
func (e *Error) Unwrap() []error {
	if e.Code == IncorrectCheckDigit {
		return []error{e.kind, ErrCheckDigit}
	}
	return []error{e.kind}
}

// Markup shows the component that a linter refused, the bad part between bars:
// "(8001)1|X|34"; "" without such a finding. It repeats bytes from outside.
func (e *Error) Markup() string {
	if e.Code == OK {
		return ""
	}
	return "(" + e.AI + ")" + Fault{e.Code, e.markAt, e.Len}.Mark(e.component, '|')
}
