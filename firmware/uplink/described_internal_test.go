package uplink

import (
	"strings"
	"testing"
)

func TestParseDescribed(t *testing.T) {
	t.Parallel()
	good := `{"name":"rpi4","description":"v2","nuid":"Ab9","size":70,"chunks":2,"digest":"x"}`
	if d, err := parseDescribed([]byte(good)); err != nil || d.Description != "v2" || d.Chunks != 2 {
		t.Error(d, err)
	}
	for _, change := range [][2]string{
		{`"Ab9"`, `"a.>"`},
		{`"Ab9"`, `""`},
		{`"v2"`, `"\u001b[2J"`},
		{`"v2"`, `""`},
		{`70`, `0`},
		{`70`, `-1`},
		{`"chunks":2`, `"chunks":0`},
		{`"chunks":2`, `"chunks":99999999`},
		{`"digest"`, `"deleted":true,"digest"`},
		{`"x"`, `"` + strings.Repeat("x", metaMax) + `"`},
	} {
		if _, err := parseDescribed([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: taken", change[1])
		}
	}
}

func FuzzDescribed(f *testing.F) {
	f.Add([]byte(`{"description":"v2","nuid":"Ab9","size":70,"chunks":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := parseDescribed(data); err == nil && (strings.ContainsAny(d.NUID, ".*> ") || d.Chunks > chunksMax || !printable(d.Description, nameMax)) {
			t.Errorf("%+v", d)
		}
	})
}
