package power

import (
	"encoding/json"
	"testing"
)

// FuzzParseState: a line is a state line only if it is JSON that says so.
func FuzzParseState(f *testing.F) {
	for _, seed := range []string{
		`{"msg":"state","till":"IDLE","outbox":1,"acked":2,"head":3,"cloud":true,"scanner":"up"}`,
		`{"msg":"notice","text":"\"state\""}`, `{"msg":"state","outbox":-1}`, `{"msg":"state","till":7}`, `"state"`, `{"msg":"state"`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, ok := parseState(line)
		if !ok {
			if l != (stateLine{}) {
				t.Fatalf("no state line, but %+v", l)
			}
			return
		}
		if !json.Valid(line) || l.Msg != "state" {
			t.Fatalf("%q is no state line", line)
		}
	})
}
