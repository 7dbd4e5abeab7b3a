package escpos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"regi/drivers"
)

// To reach: a text receipt of 30 lines within 0.2 ms and 1,500 bytes.
const receiptBytesMax = 1500

// receipt is a Japanese receipt of 30 lines of 42 columns.
func receipt() drivers.Document {
	text := func(s string) drivers.TextLine { return drivers.TextLine{Text: s} }
	center := func(s string) drivers.TextLine { return drivers.TextLine{Text: s, Align: drivers.Center, Bold: true} }
	rule := text(strings.Repeat("-", 42))
	doc := drivers.Document{Cut: true, Items: []drivers.Item{
		center("喫茶れじ 本店"),
		drivers.TextLine{Text: "東京都千代田区丸の内1-1-1", Align: drivers.Center},
		drivers.TextLine{Text: "登録番号 T1180301018771", Align: drivers.Center},
		text(""),
		drivers.TextLine{Text: "領収証", Align: drivers.Center, Bold: true, Tall: true},
		text("2026年11月25日(水)10:30         No.000123"),
		text("店 0001 レジ 01                    担当 01"),
		rule,
	}}
	for range 6 {
		doc.Items = append(
			doc.Items,
			text("ブレンド珈琲                       ¥1,080※"),
			text("ｱｲｽｺｰﾋｰ L                            ¥450  "),
		)
	}
	doc.Items = append(
		doc.Items, rule,
		text("小計 12点                          ¥9,180  "),
		text("  8%対象※                          ¥6,480  "),
		text("    内消費税等8%                     ¥480  "),
		text("  10%対象                          ¥2,700  "),
		drivers.TextLine{Text: "合計        ¥9,180 ", Bold: true, Wide: true, Tall: true},
		text("お預り(現金)                      ¥10,000  "),
		text("お釣り                               ¥820  "),
		rule, text("取引番号 0001-01-20261125-000123"),
	)
	return doc
}

func TestReceiptBytes(t *testing.T) {
	t.Parallel()
	out, err := encode(models[0], receipt(), 1)
	if err != nil || len(out.Bytes) > receiptBytesMax {
		t.Errorf("%d lines in %d bytes, %v", len(receipt().Items), len(out.Bytes), err)
	}
}

func BenchmarkEncode(b *testing.B) {
	doc := receipt()
	var out stream
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = encode(models[0], doc, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(out.Bytes)), "wire-B")
	b.ReportMetric(float64(len(doc.Items)), "lines")
}

// BenchmarkReceiptline is the baseline: npm's receiptline on the same lines, in
// node, where .ci/judges has installed it.
func BenchmarkReceiptline(b *testing.B) {
	modules, err := filepath.Abs("../../.bin/judges/node_modules")
	if err != nil {
		b.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(modules, "receiptline")); err != nil || missing != nil {
		b.Skip("no node, or no receiptline (.ci/judges): NOT measured beside it")
	}
	var texts []string
	for _, item := range receipt().Items {
		texts = append(texts, item.(drivers.TextLine).Text)
	}
	in, err := json.Marshal(texts)
	if err != nil {
		b.Fatal(err)
	}
	const times = 1000
	var ns, size float64
	for b.Loop() {
		cmd := exec.Command(node, "testdata/receiptline.js", strconv.Itoa(times))
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Sscan(string(out), &ns, &size); err != nil {
			b.Fatalf("%q: %v", out, err)
		}
	}
	b.ReportMetric(ns, "receiptline-ns")
	b.ReportMetric(size, "receiptline-B")
}

// BenchmarkEncodeAll is a receipt with logo, EAN and QR.
func BenchmarkEncodeAll(b *testing.B) {
	doc := receipt()
	logo := gradient(384, 128)
	doc.Items = append([]drivers.Item{logo}, doc.Items...)
	doc.Items = append(doc.Items,
		drivers.Barcode{Symbology: drivers.EAN13, Data: "4901234567894"},
		drivers.Barcode{Symbology: drivers.QRCode, Data: "https://example.com/r?n=0001-01-000123"})
	var out stream
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = encode(models[0], doc, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(out.Bytes)), "wire-B")
}
