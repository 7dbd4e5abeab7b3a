package gs1

import "strings"

// ParseBracketed reads the form that people write: "(01)04901234567894(10)A1".
// A "(" in a value is written "\(". A composite component follows "|".
func ParseBracketed(s string, o Options) (*Message, error) {
	m := new(Message) // inlined, it stays on the stack
	return m, m.ParseBracketed(s, o)
}

// ParseBracketed is the function of that name, into m.
func (m *Message) ParseBracketed(s string, o Options) error {
	m.reset()
	if len(s) > DataMax {
		return fail(ErrTooLong, "", DataMax, "bracketed string")
	}
	for at := 0; at < len(s) || at == 0; {
		if m.n > 0 && s[at] == '|' {
			if m.composite > 0 {
				return fail(ErrSyntax, "", at, "a second composite component")
			}
			m.composite = m.n
			at++
		}
		next, err := m.bracket(s, at, o)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// bracket reads the element at an offset and returns the offset behind it.
func (m *Message) bracket(s string, at int, o Options) (next int, err error) {
	if at >= len(s) || s[at] != '(' {
		return 0, fail(ErrSyntax, "", at, `"(" and an AI are missing`)
	}
	at++
	n := strings.IndexByte(s[at:min(len(s), at+aiMax+1)], ')')
	if n < 2 || !allDigits(s[at:at+n]) {
		return 0, fail(ErrSyntax, "", at, `an AI is two to four digits and ")"`)
	}
	ai := s[at : at+n]
	e := lookupWhole(ai, o.UnknownAIs)
	if e == nil {
		return 0, fail(ErrUnknownAI, ai, at, "no such AI")
	}
	at += n + 1
	value, length := bracketValue(s[at:])
	return at + length, m.add(ai, value, e, at)
}

// bracketValue reads up to the next element. Only a value with a bracket in it
// is copied.
func bracketValue(s string) (value string, length int) {
	escaped := false
	i := 0
	for ; i < len(s); i++ {
		if s[i] == '|' && i+1 < len(s) && s[i+1] == '(' {
			break // a bar is in none of the character sets
		}
		if s[i] != '(' {
			continue
		}
		if i == 0 || s[i-1] != '\\' {
			break
		}
		escaped = true
	}
	if escaped {
		return strings.ReplaceAll(s[:i], `\(`, "("), i
	}
	return s[:i], i
}
