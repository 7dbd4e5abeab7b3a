// Command gs1cases answers test cases of package gs1: one JSON object on each
// line of standard input, one with the result on each line of standard output.
//
// The kinds are those of GS1's own unit tests: ai_bracketed, ai_linter,
// ai_errmarkup, ai_elementstring, ai_association, dl_parse, dl_generate,
// uri_unescape, uri_escape, scan_generate, scan_process and lint; besides gtin,
// upce, check_digit, price_check_digit, isbn and issn. "in" is what to read;
// sym, stem, rule, linter and opts go with it where the kind needs them.
// Characters up to U+00FF stand for bytes. In the answer, ok and out (null when
// it is refused), and err, mark, path, query and sym where the kind has them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// lineMax bounds a case.
const lineMax = 1 << 20

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gs1cases:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, lineMax)
	w := bufio.NewWriter(out)
	answers := json.NewEncoder(w)
	answers.SetEscapeHTML(false)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if err := answers.Encode(c.answer()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}
