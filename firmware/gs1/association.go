package gs1

import "strings"

// Associations checks what the elements of one item say together (General
// Specifications 4): Repeats, Exclusions, Requisites and Signature. What
// several carriers on one item say has to be put into one message first.
func (m *Message) Associations() error {
	for _, rule := range [...]func() error{m.Repeats, m.Exclusions, m.Requisites, m.Signature} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

// Repeats checks that an AI that comes twice says the same twice.
func (m *Message) Repeats() error {
	for _, e := range m.Elements() {
		if v, _ := m.Value(e.AI); v != e.Value {
			return fail(ErrAssociation, e.AI, nowhere, "it comes twice with different values")
		}
	}
	return nil
}

// Exclusions checks that no two elements stand there that exclude each other.
func (m *Message) Exclusions() error {
	for _, e := range m.Elements() {
		for list := e.entry.ex; list != ""; {
			var pattern string
			pattern, list, _ = strings.Cut(list, ",")
			if other := m.match(pattern, e.AI); other != "" {
				return fail(ErrAssociation, e.AI, nowhere, "it excludes AI ("+other+")")
			}
		}
	}
	return nil
}

// Requisites checks that each element has beside it what it needs.
func (m *Message) Requisites() error {
	for _, e := range m.Elements() {
		for _, alternatives := range e.entry.req {
			if !m.oneOf(alternatives) {
				return fail(ErrAssociation, e.AI, nowhere, "it needs "+alternatives+" beside it")
			}
		}
	}
	return nil
}

// Signature checks that beside a digital signature (8030), which is of one
// numbered item, a key whose serial number is optional has one.
func (m *Message) Signature() error {
	if _, signed := m.Value("8030"); !signed {
		return nil
	}
	for _, e := range m.Elements() {
		switch e.AI {
		case "253", "255", "8003":
			if len(e.Value) == int(e.entry.min) {
				return fail(ErrAssociation, e.AI, nowhere, "AI (8030) needs its serial number")
			}
		}
	}
	return nil
}

// oneOf looks for one of "01+21,02,35nn".
func (m *Message) oneOf(alternatives string) bool {
	for alternatives != "" {
		var group string
		group, alternatives, _ = strings.Cut(alternatives, ",")
		all := true
		for all && group != "" {
			var pattern string
			pattern, group, _ = strings.Cut(group, "+")
			all = m.match(pattern, "") != ""
		}
		if all {
			return true
		}
	}
	return false
}

// match finds an AI like "35nn", other than self.
func (m *Message) match(pattern, self string) string {
	for i := range m.n {
		if ai := m.elements[i].AI; ai != self && like(ai, pattern) {
			return ai
		}
	}
	return ""
}

func like(ai, pattern string) bool {
	if len(ai) != len(pattern) {
		return false
	}
	for i := range len(ai) {
		if pattern[i] != 'n' && pattern[i] != ai[i] {
			return false
		}
	}
	return true
}
