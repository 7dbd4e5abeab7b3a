package scanner_test

import (
	"errors"
	"strings"
	"testing"

	"regi/drivers"
	"regi/drivers/scanner"
)

const (
	ean     = "5018374827715"
	grocery = "4901234567894"
)

// labels are what is known of a code, by what was sent before it.
var labels = []struct {
	name, sent string
	o          scanner.Options
	want       drivers.Scan
}{
	// The four forms of UnifiedPOS (Scanner, ScanDataLabel).
	{"UnifiedPOS, plain", ean + "\r", scanner.Options{}, drivers.Scan{Data: ean, Label: ean, Type: drivers.EAN13}},
	{
		"UnifiedPOS, no check digit", ean[:12] + "\r",
		scanner.Options{AddCheckDigit: true},
		drivers.Scan{Data: ean[:12], Label: ean, Type: drivers.EAN13},
	},
	{
		"UnifiedPOS, F", "F" + ean + "\r",
		scanner.Options{IDs: "datalogic"},
		drivers.Scan{Data: "F" + ean, Label: ean, AIM: "]E0", Type: drivers.EAN13},
	},
	{
		"UnifiedPOS, STX and F", "\x02F" + ean + "\x03",
		scanner.Options{Framing: "stx-etx", IDs: "datalogic"},
		drivers.Scan{Data: "F" + ean, Label: ean, AIM: "]E0", Type: drivers.EAN13},
	},

	{"prefix", "->" + grocery + "\r", scanner.Options{Prefix: "->"}, drivers.Scan{Data: grocery, Label: grocery, Type: drivers.EAN13}},
	{
		"prefix, then identifier", "#]E0" + grocery + "\t",
		scanner.Options{Prefix: "#", Framing: "tab"},
		drivers.Scan{Data: "]E0" + grocery, Label: grocery, AIM: "]E0", Type: drivers.EAN13},
	},
	{"EAN-8", "]E496385074\r", scanner.Options{}, drivers.Scan{Data: "]E496385074", Label: "96385074", AIM: "]E4", Type: drivers.EAN8}},
	{"UPC-A", "]E0012345678905\r", scanner.Options{}, drivers.Scan{Data: "]E0012345678905", Label: "012345678905", AIM: "]E0", Type: drivers.UPCA}},
	{"UPC-E", "]E001234565\r", scanner.Options{}, drivers.Scan{Data: "]E001234565", Label: "01234565", AIM: "]E0", Type: drivers.UPCE}},
	{"no identifier, no article", "AB-12\r", scanner.Options{}, drivers.Scan{Data: "AB-12", Label: "AB-12"}},
	{"no identifier, wrong check digit", "4901234567895\r", scanner.Options{}, drivers.Scan{Data: "4901234567895", Label: "4901234567895"}},
	{"GS1-128", "]C10104901234567894\r", scanner.Options{}, drivers.Scan{Data: "]C10104901234567894", Label: "0104901234567894", AIM: "]C1", Type: drivers.GS1128}},
	{"QR", "]Q1https://example.com\r", scanner.Options{}, drivers.Scan{Data: "]Q1https://example.com", Label: "https://example.com", AIM: "]Q1", Type: drivers.QRCode}},
	{"an identifier nobody knows", "]y94901\r", scanner.Options{}, drivers.Scan{Data: "]y94901", Label: "4901", AIM: "]y9"}},
	{"missing check digit, EAN-8", "]E49638507\r", scanner.Options{AddCheckDigit: true}, drivers.Scan{Data: "]E49638507", Label: "96385074", AIM: "]E4", Type: drivers.EAN8}},
	{"missing check digit, UPC-A", "01234567890\r", scanner.Options{AddCheckDigit: true}, drivers.Scan{Data: "01234567890", Label: "012345678905", Type: drivers.UPCA}},
	{"check digit there all the same", ean + "\r", scanner.Options{AddCheckDigit: true}, drivers.Scan{Data: ean, Label: ean, Type: drivers.EAN13}},
	{"twelve digits of a QR code", "]Q1501837482771\r", scanner.Options{AddCheckDigit: true}, drivers.Scan{Data: "]Q1501837482771", Label: "501837482771", AIM: "]Q1", Type: drivers.QRCode}},

	{"Honeywell EAN-13", "d" + grocery + "\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "d" + grocery, Label: grocery, AIM: "]E0", Type: drivers.EAN13}},
	{"Honeywell EAN-13 without check digit", "d" + grocery[:12] + "\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "d" + grocery[:12], Label: grocery, AIM: "]E0", Type: drivers.EAN13}},
	{"Honeywell EAN-8", "D96385074\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "D96385074", Label: "96385074", AIM: "]E4", Type: drivers.EAN8}},
	{"Honeywell UPC-A", "c012345678905\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "c012345678905", Label: "012345678905", AIM: "]E0", Type: drivers.UPCA}},
	{"Honeywell UPC-E", "E01234565\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "E01234565", Label: "01234565", AIM: "]E0", Type: drivers.UPCE}},
	{"Honeywell Code 128", "jAB12\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "jAB12", Label: "AB12", AIM: "]C0", Type: drivers.Code128}},
	{"Honeywell GS1-128", "I0104901234567894\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "I0104901234567894", Label: "0104901234567894", AIM: "]C1", Type: drivers.GS1128}},
	{"Honeywell QR", "shttps://example.com\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "shttps://example.com", Label: "https://example.com", AIM: "]Q1", Type: drivers.QRCode}},
	{"Honeywell Data Matrix", "wAB\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "wAB", Label: "AB", AIM: "]d1", Type: drivers.DataMatrix}},
	// Thirteen digits of a code that is none of a shop's are no article.
	{"Honeywell Code 11", "h" + grocery + "\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "h" + grocery, Label: grocery, AIM: "]X0"}},
	{"Datalogic EAN-8", "FF96385074\r", scanner.Options{IDs: "datalogic"}, drivers.Scan{Data: "FF96385074", Label: "96385074", AIM: "]E4", Type: drivers.EAN8}},
	{"Datalogic UPC-A", "A012345678905\r", scanner.Options{IDs: "datalogic"}, drivers.Scan{Data: "A012345678905", Label: "012345678905", AIM: "]E0", Type: drivers.UPCA}},
	{"Datalogic UPC-E", "E01234565\r", scanner.Options{IDs: "datalogic"}, drivers.Scan{Data: "E01234565", Label: "01234565", AIM: "]E0", Type: drivers.UPCE}},
	{"Datalogic, another", "T" + grocery + "\r", scanner.Options{IDs: "datalogic"}, drivers.Scan{Data: "T" + grocery, Label: grocery, AIM: "]X0"}},

	// Code ids of makers do not tell an add-on beside the number: its length does.
	{"Honeywell magazine", "d491001234126700590\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "d491001234126700590", Label: "491001234126700590", AIM: "]E3"}},
	{"Honeywell serial", "d977037859500212\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "d977037859500212", Label: "977037859500212", AIM: "]E3"}},
	{"Honeywell UPC-A with add-on", "c01234567890512345\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "c01234567890512345", Label: "01234567890512345", AIM: "]E3"}},
	{"Honeywell UPC-E with add-on", "E0123456512\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "E0123456512", Label: "0123456512", AIM: "]E3"}},
	{"Datalogic magazine", "F491001234126700590\r", scanner.Options{IDs: "datalogic"}, drivers.Scan{Data: "F491001234126700590", Label: "491001234126700590", AIM: "]E3"}},
	{"Honeywell, another length", "d4910012341267005\r", scanner.Options{IDs: "honeywell"}, drivers.Scan{Data: "d4910012341267005", Label: "4910012341267005", AIM: "]E0", Type: drivers.EAN13}},

	{"SSI EAN-13", string(packets(0x0b, grocery)), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: grocery, Label: grocery, AIM: "]E0", Type: drivers.EAN13}},
	{"SSI EAN-8", string(packets(0x0a, "96385074")), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "96385074", Label: "96385074", AIM: "]E4", Type: drivers.EAN8}},
	{"SSI with identifier", string(packets(0x0b, "]E0"+grocery)), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "]E0" + grocery, Label: grocery, AIM: "]E0", Type: drivers.EAN13}},
	{"SSI GS1 DataMatrix", string(packets(0xc1, "0104901234567894\x1d10A")), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "0104901234567894\x1d10A", Label: "0104901234567894\x1d10A", AIM: "]d2", Type: drivers.DataMatrix}},
	// A QR code that says it were an EAN-13 is a QR code.
	{"SSI, a QR code's lie", string(packets(0x1c, "]E0"+grocery)), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "]E0" + grocery, Label: "]E0" + grocery, AIM: "]Q1", Type: drivers.QRCode}},
	{"SSI, Code 11", string(packets(0x0c, grocery)), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: grocery, Label: grocery, AIM: "]X0"}},
	// EAN-8 has no add-on; thirteen digits would be taken for an EAN-13.
	{"SSI EAN-8 with digits beside it", string(packets(0x8a, "4912345678904")), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "4912345678904", Label: "4912345678904", AIM: "]X0"}},
	{"SSI UPC-E1 with add-on", string(packets(0x90, "1234565412345")), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "1234565412345", Label: "1234565412345", AIM: "]E3"}},
	{"SSI, a type nobody knows", string(packets(0x7e, "]C1"+grocery)), scanner.Options{Framing: "ssi"}, drivers.Scan{Data: "]C1" + grocery, Label: grocery, AIM: "]C1", Type: drivers.GS1128}},
}

func TestLabels(t *testing.T) {
	for _, c := range labels {
		s, err := scanner.New(&script{chunks: []string{c.sent}}, c.o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, err := s.Read(t.Context()); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

// TestNotAsSet: a scanner that sends no prefix or no code id, or another one,
// gives bad reads, not other articles. The next good one is read.
func TestNotAsSet(t *testing.T) {
	for _, c := range []struct {
		name, sent, next string
		o                scanner.Options
	}{
		{"no prefix", "4901234567894\r", "->1\r", scanner.Options{Prefix: "->"}},
		{"half a prefix", "-4901234567894\r", "->1\r", scanner.Options{Prefix: "->"}},
		{"nothing but the prefix", "->\r", "->1\r", scanner.Options{Prefix: "->"}},
		{"no Honeywell id", "4901234567894\r", "j1\r", scanner.Options{IDs: "honeywell"}},
		{"an identifier for a Honeywell id", "]E04901234567894\r", "j1\r", scanner.Options{IDs: "honeywell"}},
		{"no Datalogic id", "4901234567894\r", "F1\r", scanner.Options{IDs: "datalogic"}},
		{"no STX", "4901234567894\x03", "\x021\x03", scanner.Options{Framing: "stx-etx"}},
		{"a suffix for STX", "4901234567894\r", "\x021\x03", scanner.Options{Framing: "stx-etx"}},
		{"STX within", "\x02490123", "\x021\x03", scanner.Options{Framing: "stx-etx"}},
		{"noise between", "\x00\xff", "\x021\x03", scanner.Options{Framing: "stx-etx"}},
	} {
		for _, chunks := range [][]string{{c.sent + c.next}, {c.sent, c.next}} {
			s, err := scanner.New(&script{chunks: chunks}, c.o)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if scan, err := s.Read(t.Context()); !errors.Is(err, drivers.ErrFrame) {
				t.Errorf("%s: %q, %v", c.name, scan.Data, err)
			}
			if scan, err := s.Read(t.Context()); err != nil || scan.Label != "1" {
				t.Errorf("%s, and then: %q, %v", c.name, scan.Label, err)
			}
		}
	}
}

// TestErrorsHoldNoData: not even a hostile code gets into a log.
func TestErrorsHoldNoData(t *testing.T) {
	const secret = "4111111111111111"
	for framing, sent := range map[string]string{
		"cr": secret + "\x1b\r", "stx-etx": secret + "\x02" + secret + "\x02", "tab": strings.Repeat(secret, 300) + "\t",
		"lf": secret + "\xff\n", "ssi": string(packets(1, secret+"\x00")), "honeywell": "\x00" + secret + "\r",
	} {
		s, err := scanner.New(&script{chunks: []string{sent}}, scanner.Options{Framing: framing})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(t.Context()); err == nil || strings.Contains(err.Error(), secret[:6]) {
			t.Errorf("%s: %v", framing, err)
		}
	}
}
