package console_test

import (
	"strings"
	"testing"
)

// TestCloudAdvice: each way in which a cloud is away has its own next step; who
// only has no network is not sent to enrol.
func TestCloudAdvice(t *testing.T) {
	for says, want := range map[string]string{
		"refused: nothing answers at this address":                         "net shows how far it comes",
		"connection lost":                                                  "net shows how far it comes",
		"timeout: the cloud does not answer":                               "net shows how far it comes",
		"certificate refused: not signed by the configured CA":             "the cloud's authority, is wrong",
		"authorization refused: the cloud does not know these credentials": "this register: enroll",
	} {
		bubble(t, func(t *testing.T, s *shop, at *seat) {
			s.away = says
			at.login("")
			at.type_("lang en\r")
			if shown := strings.Join(strings.Fields(at.type_("check\r")), " "); !strings.Contains(shown, want) {
				t.Errorf("%s: no %q in %s", says, want, shown)
			}
			at.leave()
		})
	}
}
