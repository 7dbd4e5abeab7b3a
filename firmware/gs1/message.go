package gs1

import "strings"

// Options say how much more than the standard is taken; the zero value is the
// standard.
type Options struct {
	// UnknownAIs takes AIs that the dictionary does not have: those of
	// bracketed strings and of links, and in element strings those whose
	// length the first two digits give away.
	UnknownAIs bool
	// UnknownAttributes takes unknown AIs as data attributes of links too.
	UnknownAttributes bool
	// ShortGTINs takes a GTIN of 8, 12 or 13 digits in a link (deprecated by
	// GS1).
	ShortGTINs bool
	// Words takes the words of the first Digital Links for AIs, such as gtin and lot.
	Words bool
	// Normalised takes 13 digits under ]E0 and nothing else, as ISO/IEC 15424
	// has it; otherwise UPC-A in 12 and UPC-E in 8 digits are taken too,
	// because scanners send them.
	Normalised bool
}

// Element is one Application Identifier and its value.
type Element struct {
	AI    string // two to four digits
	Value string

	entry *entry
}

// Title is the data title of the AI, as "BATCH/LOT".
func (e Element) Title() string {
	if e.entry == nil {
		return ""
	}
	return e.entry.title
}

// Message is what one label says: its elements in the order of the label. The
// zero value is empty. Elements share the memory of the input.
type Message struct {
	elements  [ElementsMax]Element
	n         int
	composite int // where the composite component begins; 0: it has none
}

// Elements are valid until the next parse into m.
func (m *Message) Elements() []Element { return m.elements[:m.n] }

// Composite is the index of the first element of the composite component, and
// 0 when there is none.
func (m *Message) Composite() int { return m.composite }

// Value finds the value of an AI.
func (m *Message) Value(ai string) (string, bool) {
	for i := range m.n {
		if m.elements[i].AI == ai {
			return m.elements[i].Value, true
		}
	}
	return "", false
}

// GTIN is the trade item that is for sale: AI 01, or 03 (made to order). 8006
// is a piece of an article and 02 the content of a case: neither is a GTIN of
// what is on the counter.
func (m *Message) GTIN() (GTIN, bool) {
	for _, ai := range [...]string{"01", "03"} {
		if v, ok := m.Value(ai); ok {
			return GTIN([]byte(v)), true
		}
	}
	return GTIN{}, false
}

// ParseElements reads an element string (General Specifications 7.8): it
// begins with FNC1, written as "^" or as GS (0x1D), and the same byte ends each
// value that is not of predefined length. A composite component follows "|".
func ParseElements(s string, o Options) (*Message, error) {
	m := new(Message) // inlined, it stays on the stack
	return m, m.ParseElements(s, o)
}

// ParseElements is the function of that name, into m.
func (m *Message) ParseElements(s string, o Options) error {
	m.reset()
	if len(s) > DataMax {
		return fail(ErrTooLong, "", DataMax, "element string")
	}
	if s == "" || s[0] != '^' && s[0] != gs {
		return fail(ErrSyntax, "", 0, "FNC1 is missing in front")
	}
	fnc1 := s[0]
	linear, composite, has := strings.Cut(s, "|")
	if err := m.run(linear[1:], fnc1, 1, o); err != nil {
		return err
	}
	if !has {
		return nil
	}
	m.composite = m.n
	if composite == "" || composite[0] != fnc1 {
		return fail(ErrSyntax, "", len(linear)+1, "FNC1 is missing in front of the composite component")
	}
	return m.run(composite[1:], fnc1, len(linear)+2, o)
}

// gs stands for FNC1 in scan data.
const gs = 0x1d

func (m *Message) reset() { m.n, m.composite = 0, 0 }

// run reads elements until the end of s; base is its offset in the input.
func (m *Message) run(s string, fnc1 byte, base int, o Options) error {
	if s == "" {
		return fail(ErrSyntax, "", base, "there is no element")
	}
	for at := 0; at < len(s); {
		e, n := lookup(s[at:])
		switch {
		case n == 0:
			return fail(ErrUnknownAI, "", base+at, "no AI begins like this")
		case e == nil && !o.UnknownAIs:
			return fail(ErrUnknownAI, s[at:at+n], base+at, "no such AI")
		case e == nil:
			e = unknownEntry(s[at : at+n])
		}
		ai := s[at : at+n]
		at += n
		end := len(s)
		if e.fixed {
			end = min(end, at+int(e.max))
		} else if i := strings.IndexByte(s[at:], fnc1); i >= 0 {
			end = at + i
		}
		if err := m.add(ai, s[at:end], e, base+at); err != nil {
			return err
		}
		at = end
		if at < len(s) && s[at] == fnc1 {
			at++ // allowed after a predefined length and at the end, too
		}
	}
	return nil
}

// add checks an element and appends it; base is the offset of the value.
func (m *Message) add(ai, value string, e *entry, base int) error {
	if m.n == ElementsMax {
		return fail(ErrTooLong, ai, base, "more elements than a message may have")
	}
	if value == "" {
		return fail(ErrValue, ai, base, "the value is empty")
	}
	if err := e.check(ai, value, base); err != nil {
		return err
	}
	m.elements[m.n] = Element{ai, value, e}
	m.n++
	return nil
}

// AppendElementString appends the message as an element string with fnc1 in
// front and behind each value that needs one before the next: the form that
// ParseElements reads.
func (m *Message) AppendElementString(dst []byte, fnc1 byte) []byte {
	for i, e := range m.Elements() {
		if m.composite > 0 && i == m.composite {
			dst = append(dst, '|')
		}
		if i == 0 || i == m.composite || !m.elements[i-1].entry.fixed {
			dst = append(dst, fnc1)
		}
		dst = append(append(dst, e.AI...), e.Value...)
	}
	return dst
}

// AppendBracketed appends the message as ParseBracketed reads it.
func (m *Message) AppendBracketed(dst []byte) []byte {
	for i, e := range m.Elements() {
		if m.composite > 0 && i == m.composite {
			dst = append(dst, '|')
		}
		dst = append(dst, '(')
		dst = append(append(dst, e.AI...), ')')
		for j := range len(e.Value) {
			if e.Value[j] == '(' {
				dst = append(dst, '\\')
			}
			dst = append(dst, e.Value[j])
		}
	}
	return dst
}
