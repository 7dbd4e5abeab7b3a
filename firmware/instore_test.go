package main

import (
	"slices"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

func inStore(lines string) string { return complete + "\n[[instore]]\n" + lines + "\n" }

func TestInStoreRules(t *testing.T) {
	c, _ := mustLoad(t, inStore("prefix = \"02\"\nlayout = \"iiiiivppppc\"\n[[instore]]\nprefix = \"21-24\"\nlayout = \"iiiiiwwwwwc\"\nscale = 10\n[[instore]]\nprefix = \"29\"\nlayout = \"iiiiiiiiiic\"\n[[instore]]\nprefix = \"2\"\nlayout = \"iiipppc\""))
	rules, err := c.inStore()
	want := gs1.InStoreRules{
		{Layout: "02iiiiivppppc"},
		{Layout: "21iiiiiwwwwwc", Scale: 10},
		{Layout: "22iiiiiwwwwwc", Scale: 10},
		{Layout: "23iiiiiwwwwwc", Scale: 10},
		{Layout: "24iiiiiwwwwwc", Scale: 10},
		{Layout: "29iiiiiiiiiic"},
		{Layout: "2iiipppc"},
	}
	if err != nil || !slices.Equal(rules, want) {
		t.Errorf("%+v, %v", rules, err)
	}
	if c, _ = mustLoad(t, complete); len(c.InStore) != 0 {
		t.Errorf("rules that nobody set: %+v", c.InStore)
	}
}

func TestInStoreMistakes(t *testing.T) {
	const layout = "\nlayout = \"iiiiivppppc\""
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"no prefix":             {"layout = \"iiiiivppppc\"", []string{"instore 1: prefix", `"21-24"`}},
		"a prefix of others":    {"prefix = \"49\"" + layout, []string{"instore 1:", "02 and 20 to 29"}},
		"a range too far":       {"prefix = \"28-31\"" + layout, []string{"instore 1:", "30iiii", "02 and 20 to 29"}},
		"all that there is":     {"prefix = \"20-99\"" + layout, []string{"instore 1:", "02 and 20 to 29"}},
		"a range backwards":     {"prefix = \"24-21\"" + layout, []string{"instore 1:", "ends before it begins"}},
		"of two lengths":        {"prefix = \"2-21\"" + layout, []string{"instore 1: prefix"}},
		"letters":               {"prefix = \"2x\"" + layout, []string{"instore 1: prefix"}},
		"a control character":   {"prefix = \"2\\u001b\"" + layout, []string{"instore 1: prefix", `"2?"`}},
		"no layout":             {"prefix = \"02\"", []string{"instore 1:", "13 or 8 characters"}},
		"a layout with its own": {"prefix = \"02\"\nlayout = \"02iiiiivppppc\"", []string{"instore 1:", "13 or 8 characters"}},
		"an unknown letter":     {"prefix = \"02\"\nlayout = \"iiiiizppppc\"", []string{"instore 1:", "made of digits"}},
		"a scale below nothing": {"prefix = \"02\"" + layout + "\nscale = -1", []string{"instore 1:", "scale"}},
		"text for a number":     {"prefix = \"02\"" + layout + "\nscale = \"1\"", []string{"line 23 column 9"}},
		"an unknown key":        {"prefix = \"02\"" + layout + "\ncheck = 1", []string{"line 23:", `"instore.check"`}},
		"the second one":        {"prefix = \"02\"" + layout + "\n[[instore]]\nprefix = \"02\"\nlayout = \"p\"", []string{"instore 2:"}},
		"too many":              {strings.Repeat("prefix = \"20-29\""+layout+"\n[[instore]]\n", 7) + "prefix = \"02\"" + layout, []string{"instore 7:", "at most 64"}},
	} {
		_, err := LoadConfig(configFile(t, inStore(c.text)))
		if err == nil {
			t.Errorf("%s: it was taken", name)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v; want %q", name, err, part)
			}
		}
	}
}
