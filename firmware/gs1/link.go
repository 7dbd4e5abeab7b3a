package gs1

import "strings"

// Digital Link URI Syntax: the last primary key of the path with its qualifiers
// in order, and data attributes in the query.

// ParseDigitalLink reads an uncompressed Digital Link: its key, qualifiers and
// attributes in the order of the URI. Other parameters and the fragment are
// passed over. The host is not asked and not judged.
func ParseDigitalLink(uri string, o Options) (*Message, error) {
	m := new(Message) // inlined, it stays on the stack
	return m, m.ParseDigitalLink(uri, o)
}

// isLink: one of the four schemes that the standard takes.
func isLink(s string) bool { return schemeLength(s) > 0 }

func schemeLength(s string) int {
	for _, scheme := range [...]string{"https://", "http://", "HTTPS://", "HTTP://"} {
		if strings.HasPrefix(s, scheme) {
			return len(scheme)
		}
	}
	return 0
}

// ParseDigitalLink is the function of that name, into m.
func (m *Message) ParseDigitalLink(uri string, o Options) error {
	m.reset()
	if len(uri) > DataMax {
		return fail(ErrTooLong, "", DataMax, "URI")
	}
	if f := bitsURI.lint(uri, invalidPercentSequence); f.Code != OK {
		return fail(ErrLink, "", f.At, "a character that no URI has")
	}
	n := schemeLength(uri)
	if n == 0 {
		return fail(ErrLink, "", 0, "http:// or https:// is missing")
	}
	rest, _, _ := strings.Cut(uri[n:], "#")
	rest, query, _ := strings.Cut(rest, "?")
	slash := strings.IndexByte(rest, '/')
	if slash < 1 || bitsHost.lint(rest[:slash], invalidPercentSequence).Code != OK {
		return fail(ErrLink, "", n, "a domain and a path are missing")
	}
	path := rest[slash:]
	if err := m.linkPath(path, n+slash, o); err != nil {
		return err
	}
	return m.linkQuery(query, n+len(rest)+1, o)
}

// linkPath reads the key and its qualifiers at the end of the path.
func (m *Message) linkPath(path string, base int, o Options) error {
	start, err := keyStart(path, base, o)
	if err != nil {
		return err
	}
	for at := start; at < len(path); {
		name, rest, _ := strings.Cut(path[at+1:], "/")
		value, _, _ := strings.Cut(rest, "/")
		ai, e := linkAI(name, o)
		at += 1 + len(name) + 1
		if err := m.addLink(ai, Unescape(value, false), e, base+at, o); err != nil {
			return err
		}
		at += len(value)
	}
	key := &m.elements[0]
	if !key.entry.inOrder(m.elements[1:m.n]) {
		return fail(ErrLink, key.AI, base+start, "its qualifiers are others, or stand in another order")
	}
	return nil
}

// keyStart finds the slash in front of the last primary key: everything behind
// it must be pairs of AI and value.
func keyStart(path string, base int, o Options) (int, error) {
	for end := len(path); ; {
		value := strings.LastIndexByte(path[:end], '/')
		if value < 1 {
			return 0, fail(ErrLink, "", base, "no GS1 key in the path")
		}
		name := strings.LastIndexByte(path[:value], '/')
		if name < 0 {
			return 0, fail(ErrLink, "", base, "no GS1 key in the path")
		}
		_, e := linkAI(path[name+1:value], o)
		switch {
		case e == nil:
			return 0, fail(ErrLink, "", base+name+1, "no GS1 key in the path")
		case e.key:
			return name, nil
		}
		end = name
	}
}

// linkAI finds the AI that a part of the path or a parameter names.
func linkAI(name string, o Options) (ai string, e *entry) {
	if e = lookupWhole(name, o.UnknownAIs); e != nil || !o.Words {
		return name, e
	}
	for i := range linkWords {
		if linkWords[i].word == name {
			return linkWords[i].ai, lookupWhole(linkWords[i].ai, false)
		}
	}
	return name, nil
}

// linkWords are those of the first releases, withdrawn since.
var linkWords = [...]struct{ word, ai string }{ //nolint:gochecknoglobals // a constant table
	{"gtin", "01"},
	{"itip", "8006"},
	{"gmn", "8013"},
	{"cpid", "8010"},
	{"gln", "414"},
	{"payTo", "415"},
	{"gsrnp", "8017"},
	{"gsrn", "8018"},
	{"gcn", "255"},
	{"sscc", "00"},
	{"gdti", "253"},
	{"ginc", "401"},
	{"gsin", "402"},
	{"grai", "8003"},
	{"giai", "8004"},
	{"cpv", "22"},
	{"lot", "10"},
	{"ser", "21"},
	{"cpsn", "8011"},
	{"glnx", "254"},
	{"refno", "8020"},
	{"srin", "8019"},
	{"party", "417"},
	{"shipTo", "410"},
	{"billTo", "411"},
	{"purchasedFrom", "412"},
	{"shipFor", "413"},
	{"glnProd", "416"},
}

func (m *Message) addLink(ai, value string, e *entry, base int, o Options) error {
	if ai == "01" && o.ShortGTINs {
		switch len(value) {
		case 8, 12, 13:
			value = "000000"[:14-len(value)] + value
		}
	}
	return m.add(ai, value, e, base)
}

// linkQuery reads the data attributes.
func (m *Message) linkQuery(query string, base int, o Options) error {
	path := m.n
	for at := 0; at < len(query); {
		parameter, _, _ := strings.Cut(query[at:], "&")
		name, value, _ := strings.Cut(parameter, "=")
		start := base + at
		at += len(parameter) + 1
		ai, e := linkAI(name, o)
		if e == nil && (name == "" || !allDigits(name)) {
			continue // not for GS1
		}
		if err := m.attribute(ai, e, start, path, o); err != nil {
			return err
		}
		if err := m.addLink(ai, Unescape(value, true), e, start+len(name)+1, o); err != nil {
			return err
		}
	}
	return nil
}

// attribute checks that an AI may be a parameter behind the first elements of
// the message, which are the path.
func (m *Message) attribute(ai string, e *entry, at, path int, o Options) error {
	if e == nil {
		return fail(ErrLink, "", at, "a number that is no AI: such parameters are for GS1 alone")
	}
	if _, twice := m.Value(ai); twice {
		return fail(ErrLink, ai, at, "it comes twice")
	}
	if m.elements[0].entry.belongs(ai, m.elements[1:path]) {
		return fail(ErrLink, ai, at, "it belongs into the path")
	}
	if !e.mayBeAttribute(o) {
		return fail(ErrLink, ai, at, "it is no data attribute")
	}
	return nil
}

func (e *entry) mayBeAttribute(o Options) bool {
	return e.attribute || e.ai == "" && o.UnknownAttributes
}

// inOrder: the qualifiers are some of one alternative, in its order.
func (e *entry) inOrder(qualifiers []Element) bool {
	if len(qualifiers) == 0 {
		return true
	}
	for alternatives := e.qualifiers; alternatives != ""; {
		var list string
		list, alternatives, _ = strings.Cut(alternatives, "|")
		if _, all := subsequence(list, "", qualifiers); all {
			return true
		}
	}
	return false
}

// belongs: an AI could stand in the path beside its qualifiers.
func (e *entry) belongs(ai string, qualifiers []Element) bool {
	for alternatives := e.qualifiers; alternatives != ""; {
		var list string
		list, alternatives, _ = strings.Cut(alternatives, "|")
		if found, all := subsequence(list, ai, qualifiers); found && all {
			return true
		}
	}
	return false
}

// subsequence says whether list has ai, and all qualifiers in their order.
func subsequence(list, ai string, qualifiers []Element) (found, all bool) {
	i := 0
	for list != "" {
		var name string
		name, list, _ = strings.Cut(list, ",")
		found = found || name == ai
		if i < len(qualifiers) && qualifiers[i].AI == name {
			i++
		}
	}
	return found, i == len(qualifiers)
}
