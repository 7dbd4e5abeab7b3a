package gs1

// entry is what the dictionary knows of one Application Identifier.
type entry struct {
	ai, title  string
	min, max   uint8    // length of the value in bytes
	fixed      bool     // of predefined length: no FNC1 follows
	attribute  bool     // may be a data attribute of a Digital Link
	key        bool     // may be the primary key of a Digital Link
	qualifiers string   // of the key, in order: "22,10,21|235"
	ex         string   // AIs that it excludes: "255,37"
	req        []string // AIs that it needs, one list after the other: "01,02,8006+21"
	parts      []part
}

// part is one component of a value.
type part struct {
	set      byte // N: digits, X: set 82, Y: set 39, Z: base64url
	min, max uint8
	optional bool
	lints    []linter
}

// prefix says how long an AI is, by its first two digits.
type prefix struct {
	length uint8
	base   uint16
}

// aiMax is the length of the longest AI.
const aiMax = 4

// unknown stands for every AI that the dictionary does not have: General
// Specifications 3.2 knows no value longer than 90.
var unknown = entry{title: "UNKNOWN", min: 1, max: 90, parts: []part{{set: 'X', min: 1, max: 90}}} //nolint:gochecknoglobals // a constant table

// unknownFixed have an unknown AI whose length is predefined for all times:
// General Specifications 7.8.
var (
	unknownSix      = fixedEntry(6)  //nolint:gochecknoglobals // a constant table
	unknownThirteen = fixedEntry(13) //nolint:gochecknoglobals // a constant table
	unknownSixteen  = fixedEntry(16) //nolint:gochecknoglobals // a constant table
)

func fixedEntry(n uint8) entry {
	return entry{title: "UNKNOWN", min: n, max: n, fixed: true, parts: []part{{set: 'N', min: n, max: n}}}
}

// unknownEntry is the entry of an AI that the dictionary does not have, for
// its first two digits.
func unknownEntry(ai string) *entry {
	switch p := ai[:2]; {
	case p == "04":
		return &unknownSixteen
	case p == "14" || p == "18" || p == "19" || p >= "31" && p <= "36":
		return &unknownSix
	case p == "41":
		return &unknownThirteen
	}
	return &unknown
}

// lookup finds the AI at the start of s. length is 0 when no AI begins so; e is
// nil when the dictionary knows how long such AIs are, but not this one.
func lookup(s string) (e *entry, length int) {
	if len(s) < 2 || !digit(s[0]) || !digit(s[1]) {
		return nil, 0
	}
	p := prefixes[10*(s[0]-'0')+s[1]-'0']
	length = int(p.length)
	if length == 0 || len(s) < length {
		return nil, 0
	}
	at := int(p.base)
	switch length {
	case 3:
		if !digit(s[2]) {
			return nil, 0
		}
		at += int(s[2] - '0')
	case aiMax:
		if !digit(s[2]) || !digit(s[3]) {
			return nil, 0
		}
		at += 10*int(s[2]-'0') + int(s[3]-'0')
	}
	if i := index[at]; i != 0 {
		return &entries[i], length
	}
	return nil, length
}

// lookupWhole finds the AI that ai is, not one that it begins with; what the
// dictionary does not have is taken with permit, if its length may be so.
func lookupWhole(ai string, permit bool) *entry {
	if len(ai) < 2 || len(ai) > aiMax || !allDigits(ai) {
		return nil
	}
	if e, length := lookup(ai); e != nil && length == len(ai) {
		return e
	}
	p := prefixes[10*(ai[0]-'0')+ai[1]-'0']
	if !permit || p.length != 0 && int(p.length) != len(ai) {
		return nil
	}
	return unknownEntry(ai)
}

// check holds value against the components of e; base is its offset in the
// input. It returns nil or an *Error.
func (e *entry) check(ai, value string, base int) error {
	rest := value
	for i := range e.parts {
		p := &e.parts[i]
		if p.optional && rest == "" {
			break
		}
		at := base + len(value) - len(rest)
		n := min(int(p.max), len(rest))
		if n < int(p.min) {
			return fail(ErrValue, ai, at, "the value is too short")
		}
		component := rest[:n]
		rest = rest[n:]
		if f := p.lint(component); f.Code != OK {
			return &Error{AI: ai, At: at + f.At, Len: f.Len, Code: f.Code, What: f.Code.String(), kind: ErrValue, component: component, markAt: f.At}
		}
	}
	if rest != "" {
		return fail(ErrValue, ai, base+len(value)-len(rest), "the value is too long")
	}
	return nil
}

func (p *part) lint(component string) Fault {
	f := characters(p.set, component)
	for i := 0; f.Code == OK && i < len(p.lints); i++ {
		f = p.lints[i](component)
	}
	return f
}
