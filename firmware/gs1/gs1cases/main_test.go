package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"regi/firmware/gs1"
)

// unrecorded are the options of cases whose options the vectors do not record:
// GS1's tests switch them on between two rows.
func unrecorded(at string) map[string]bool {
	if at == "dl.c:1442" || at == "dl.c:1444" {
		return map[string]bool{"permitConvenienceAlphas": true}
	}
	return nil
}

// offline are cases of linters built with a source of company prefixes that is
// not there when it is asked for the last one: TestOffline.
const offline = "GS1_LINTER_GCP_DATASOURCE_OFFLINE"

// TestCases sends each case through the command and compares every field that
// the case has.
func TestCases(t *testing.T) {
	t.Run("engine", func(t *testing.T) { runCases(t, "../testdata/engine-cases.jsonl", 280) })
	t.Run("lint", func(t *testing.T) { runCases(t, "../testdata/lint-cases.jsonl", 2844) })
}

// TestOffline runs the 5 lint cases that need a source of company prefixes, so
// that all 2,849 are run.
func TestOffline(t *testing.T) {
	passed := 0
	for _, c := range load(t, "../testdata/lint-cases.jsonl") {
		if c["err"] != offline {
			continue
		}
		name, in := strings.TrimPrefix(c["linter"].(string), "gs1_lint_"), c["in"].(string)
		asked := 0
		if f, err := gs1.LintPrefixes(name, in, func(string) gs1.Code { asked++; return gs1.OK }); err != nil || f.Code != gs1.OK {
			t.Fatalf("%s %s: %v, %v", name, in, f, err)
		}
		f, err := gs1.LintPrefixes(name, in, func(string) gs1.Code {
			if asked--; asked == 0 {
				return gs1.GCPSourceOffline
			}
			return gs1.OK
		})
		if err != nil || "GS1_LINTER_"+f.Code.Name() != c["err"] || f.Mark(in, '*') != c["mark"] {
			t.Errorf("%s %s: %s, %v; want %v", name, in, f.Mark(in, '*'), err, c["mark"])
			continue
		}
		passed++
	}
	t.Logf("%d cases pass", passed)
	if passed != 5 {
		t.Errorf("%d cases pass, want 5", passed)
	}
}

func runCases(t *testing.T, path string, want int) {
	cases := slices.DeleteFunc(load(t, path), func(c map[string]any) bool { return c["err"] == offline })
	var in, out bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(&in, &out); err != nil {
		t.Fatal(err)
	}
	passed := map[string]int{}
	answers := bufio.NewScanner(&out)
	answers.Buffer(nil, lineMax)
	for _, c := range cases {
		if !answers.Scan() {
			t.Fatalf("%v: no answer", c["at"])
		}
		var a map[string]any
		if err := json.Unmarshal(answers.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if field := differs(c, a); field != "" {
			t.Errorf("%v %v %q: %s is %#v, want %#v", c["kind"], c["at"], c["in"], field, a[field], c[field])
			continue
		}
		passed[c["kind"].(string)]++
	}
	all := 0
	for _, kind := range slices.Sorted(maps.Keys(passed)) {
		t.Logf("%s: %d", kind, passed[kind])
		all += passed[kind]
	}
	t.Logf("%d of %d cases pass", all, want)
	if all != want {
		t.Errorf("%d cases pass, want %d", all, want)
	}
}

// differs names the first field of the expected result that the answer has not.
func differs(c, a map[string]any) string {
	for _, field := range []string{"ok", "out", "err", "mark", "path", "query"} {
		if want, has := c[field]; has && a[field] != want {
			return field
		}
	}
	if c["kind"] == "scan_process" && a["sym"] != c["sym"] {
		return "sym"
	}
	return ""
}

func load(t *testing.T, path string) []map[string]any {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []map[string]any
	for rows := bufio.NewScanner(f); rows.Scan(); {
		var c map[string]any
		if err := json.Unmarshal(rows.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c["kind"] == "licence" {
			continue
		}
		if extra := unrecorded(c["at"].(string)); extra != nil {
			c["opts"] = extra
		}
		cases = append(cases, c)
	}
	return cases
}

// TestOwnKinds are the kinds that GS1's tests do not have.
func TestOwnKinds(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"gtin", "4901234567894", `"ok":true,"in":"4901234567894","out":"04901234567894"`},
		{"gtin", "4901234567895", `"ok":false`},
		{"upce", "04252614", `"out":"00042100005264"`},
		{"isbn", "4-10-109205-2", `"out":"09784101092058"`},
		{"issn", "0378-5955", `"out":"09770378595002"`},
		{"check_digit", "490123456789", `"out":"4"`},
		{"check_digit", "", `"ok":false`},
		{"price_check_digit", "2875", `"out":"9"`},
		{"price_check_digit", "287", `"ok":false`},
		{"whatever", "1", `"err":"no such kind"`},
	} {
		var out bytes.Buffer
		in, err := json.Marshal(map[string]string{"kind": c.kind, "in": c.in})
		if err != nil {
			t.Fatal(err)
		}
		if err := run(bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s %q: %s; want %s in it", c.kind, c.in, out.String(), c.want)
		}
	}
	if err := run(strings.NewReader("no JSON\n"), &bytes.Buffer{}); err == nil {
		t.Error("a line that is no JSON is taken")
	}
}

// FuzzRun: any line is answered by one line or refused.
func FuzzRun(f *testing.F) {
	for _, kind := range []string{"lint", "ai_linter", "ai_errmarkup", "ai_association", "uri_escape", "scan_process", "scan_generate", "dl_parse", "dl_generate", "gtin", "isbn"} {
		f.Add(`{"kind":"` + kind + `","in":"(01)04901234567894","linter":"gs1_lint_csum","sym":"QR","rule":"mutex","stem":"https://a"}`)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.ReplaceAll(line, "\n", "")
		var out bytes.Buffer
		if err := run(strings.NewReader(line+"\n"), &out); err != nil {
			return
		}
		if !json.Valid(out.Bytes()) && strings.TrimSpace(line) != "" {
			t.Fatalf("%q: %q", line, out.String())
		}
	})
}
