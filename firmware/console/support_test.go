package console_test

import (
	"encoding/base32"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var supportPart = regexp.MustCompile(`^REGI-SUPPORT:([0-9]+)/([0-9]+):([0-9A-F]{16}):([A-Z2-7]+)$`)

// TestSupportPrint: the codes together are the bundle, each says which it is, and
// all are of what a QR code holds most of. A long log loses its oldest lines, not
// the rest.
func TestSupportPrint(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop, at *seat) {
		at.login("")
		for i := range 200 {
			s.log = append(s.log, fmt.Sprintf("at=%d %x %x", i, i*7919*7919, i*104729*13))
		}
		for range 3 {
			shown := at.type_("support print\r")
			if !strings.Contains(shown, fmt.Sprintf("as %d QR codes", len(s.printed))) || strings.Contains(shown, "BEGIN") {
				t.Errorf("%s", shown)
			}
			var text strings.Builder
			for i, code := range s.printed {
				m := supportPart.FindStringSubmatch(code)
				if m == nil || m[1] != strconv.Itoa(i+1) || m[2] != strconv.Itoa(len(s.printed)) || len(code) > 480 {
					t.Fatalf("%q", code)
				}
				text.WriteString(m[4])
			}
			packed, err := base32.StdEncoding.DecodeString(text.String())
			if err != nil || len(s.printed) < 2 || len(s.printed) > 16 {
				t.Fatalf("%d codes, %v", len(s.printed), err)
			}
			bundle := plainBundle(t, packed)
			if !strings.Contains(bundle, "scanner.baud") || strings.Contains(bundle, "Sato Store") || strings.Contains(bundle, "4111") {
				t.Error(bundle)
			}
			if newest := s.log[len(s.log)-1]; !strings.Contains(bundle, newest[:6]) && len(s.log) < 5000 {
				t.Errorf("the newest line, %q, is not in\n%s", newest, bundle)
			}
			for i := range s.log { // once more with longer lines, which no paper holds
				s.log[i] += fmt.Sprintf(" %x %x %x", i*i*7919, i*i*104729, i*i*1299709)
			}
		}
		if shown := at.type_("support paper\r"); !strings.Contains(shown, "support print") {
			t.Errorf("%s", shown)
		}
	})
}
