package star

import (
	"strings"
	"testing"

	"regi/drivers"
	"regi/drivers/printjob"
)

// To reach: a text receipt of 30 lines within 0.2 ms and 1,500 bytes.
const receiptBytesMax = 1500

func thirty() drivers.Document {
	doc := drivers.Document{Cut: true, Items: drivers.Texts(
		drivers.TextLine{Text: "喫茶れじ 本店", Align: drivers.Center, Bold: true},
		drivers.TextLine{Text: "領収証", Align: drivers.Center, Bold: true, Tall: true},
		drivers.TextLine{Text: strings.Repeat("-", 48)},
	)}
	for range 13 {
		doc.Items = append(doc.Items, drivers.Texts(
			drivers.TextLine{Text: "ブレンド珈琲                            ¥1,080※"},
			drivers.TextLine{Text: "ｱｲｽｺｰﾋｰ L                                  ¥450"},
		)...)
	}
	doc.Items = append(doc.Items, drivers.TextLine{Text: "合計          ¥9,180", Bold: true, Wide: true, Tall: true})
	return doc
}

func TestReceiptBytes(t *testing.T) {
	t.Parallel()
	for _, m := range models {
		out, err := encode(m, thirty(), 1)
		if n := len(thirty().Items); err != nil || n != 30 || len(out.Bytes) > receiptBytesMax {
			t.Errorf("%s: %d lines in %d bytes, %v", m.Name, n, len(out.Bytes), err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	doc := thirty()
	var out printjob.Stream
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
