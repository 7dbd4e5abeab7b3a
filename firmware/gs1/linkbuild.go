package gs1

import (
	"slices"
	"strings"
)

// CanonicalStem is where GS1 itself resolves links.
const CanonicalStem = "https://id.gs1.org"

// AppendDigitalLink appends the message as a Digital Link under a stem such as
// "https://example.com/shop" ("" is CanonicalStem): the first primary key with
// its qualifiers in the path, the rest as attributes in their order. What the
// elements say together is not checked: see Associations.
func (m *Message) AppendDigitalLink(dst []byte, stem string, o Options) ([]byte, error) {
	if stem == "" {
		stem = CanonicalStem
	}
	if f := bitsURI.lint(stem, invalidPercentSequence); !isLink(stem) || f.Code != OK || strings.ContainsAny(stem, "?#") {
		return dst, fail(ErrLink, "", f.At, "a stem is http:// or https://, a domain and perhaps a path")
	}
	if err := m.Repeats(); err != nil {
		return dst, err
	}
	elements := m.Elements()
	k := slices.IndexFunc(elements, func(e Element) bool { return e.entry.key })
	if k < 0 {
		return dst, fail(ErrLink, "", nowhere, "no element is a primary key")
	}
	qualifiers, err := m.chooseQualifiers(elements[k], o)
	if err != nil {
		return dst, err
	}
	key := elements[k]
	dst = append(dst, strings.TrimSuffix(stem, "/")...)
	dst = appendPair(dst, key, '/', '/', false)
	for list := qualifiers; list != ""; {
		var name string
		name, list, _ = strings.Cut(list, ",")
		if v, has := m.Value(name); has {
			dst = appendPair(dst, Element{AI: name, Value: v}, '/', '/', false)
		}
	}
	before := byte('?')
	for i, e := range elements {
		if m.leftOver(i, key.AI, qualifiers) {
			dst = appendPair(dst, e, before, '=', true)
			before = '&'
		}
	}
	return dst, nil
}

// chooseQualifiers picks the first list of qualifiers under which all other
// elements may be attributes.
func (m *Message) chooseQualifiers(key Element, o Options) (string, error) {
	var first error
	for alternatives, more := key.entry.qualifiers, true; more; {
		var list string
		list, alternatives, more = strings.Cut(alternatives, "|")
		bad := -1
		for i, e := range m.Elements() {
			if m.leftOver(i, key.AI, list) && !e.entry.mayBeAttribute(o) {
				bad = i
				break
			}
		}
		if bad < 0 {
			return list, nil
		}
		if first == nil {
			first = fail(ErrLink, m.elements[bad].AI, nowhere, "it is no data attribute, and no qualifier of AI ("+key.AI+")")
		}
	}
	return "", first
}

// leftOver: the element is not in the path, and the first of its AI.
func (m *Message) leftOver(i int, key, qualifiers string) bool {
	ai := m.elements[i].AI
	if found, _ := subsequence(qualifiers, ai, nil); found || ai == key {
		return false
	}
	return !slices.ContainsFunc(m.elements[:i], func(e Element) bool { return e.AI == ai })
}

func appendPair(dst []byte, e Element, before, between byte, query bool) []byte {
	dst = append(append(append(dst, before), e.AI...), between)
	return AppendEscaped(dst, e.Value, query)
}
