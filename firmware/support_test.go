package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSupportOnPaper: what a technician prints for support is read off the paper
// by another program, and put together again.
func TestSupportOnPaper(t *testing.T) {
	c := newCounter(t)
	c.start()
	c.up()
	c.type_("lang en\r")
	c.login("", "824671")
	c.type_("support print\r")
	c.until("QR codes.")
	c.until("technician)> ")
	var paper bytes.Buffer
	if err := c.paper.PNG(&paper); err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`Bundle ([0-9a-f]{16}) is printed as ([0-9]+) QR`).FindStringSubmatch(string(c.shown))
	if text := c.paper.Text(); said == nil || !strings.Contains(text, said[1]) || !strings.Contains(text, said[2]+"/"+said[2]) {
		t.Fatalf("said %q, on paper:\n%s", said, text)
	}
	reader, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Log("no zbarimg here: it did NOT read the codes (.ci/judges installs it where it may)")
		return
	}
	picture := filepath.Join(t.TempDir(), "paper.png")
	if err := os.WriteFile(picture, paper.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := exec.CommandContext(t.Context(), reader, "--quiet", "--raw", picture).Output()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for part := 1; strconv.Itoa(part-1) != said[2]; part++ {
		prefix := fmt.Sprintf("REGI-SUPPORT:%d/%s:%s:", part, said[2], strings.ToUpper(said[1]))
		_, rest, ok := strings.Cut(string(read), prefix)
		if !ok {
			t.Fatalf("no code %q in\n%s", prefix, read)
		}
		code, _, _ := strings.Cut(rest, "\n")
		text.WriteString(code)
	}
	packed, err := base32.StdEncoding.DecodeString(text.String())
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false) // zeros fill up the last code
	bundle, err := io.ReadAll(z)
	if err != nil || !json.Valid(bundle) || !bytes.Contains(bundle, []byte(`"Register":"0001/01"`)) {
		t.Errorf("%v\n%s", err, bundle)
	}
}
