package receipt

import (
	"strings"
	"testing"

	"regi/firmware/sale"
)

// Goods sold by measure say how much they are, and by which price.
func TestMeasuredGoods(t *testing.T) {
	beef := func(m sale.Measure, quantity int64) *sale.Receipt {
		r := sold(t, true, good{"牛肩ロース", 971, quantity, sale.Reduced})
		r.LineItem[0].Measure = m
		return cash(r, r.Total)
	}
	by100 := sale.Measure{Units: 326_000, UnitOfMeasureCode: "KGM", UnitPrice: 298, PerUnits: sale.One / 10}
	for _, c := range []struct {
		locale   string
		m        sale.Measure
		quantity int64
		want     string
	}{
		{"ja-JP", by100, 1, "  326g (100g ¥298)  ¥971※"},
		{"ja-JP", by100, 2, "  2点 x 326g (100g ¥298)  ¥1,942※"},
		{"ja-JP", sale.Measure{Units: 326_000, UnitOfMeasureCode: "KGM"}, 1, "  326g  ¥971※"},
		{"de-DE", sale.Measure{Units: 1_250_000, UnitOfMeasureCode: "KGM", UnitPrice: 777, PerUnits: sale.One}, 1, "  1,25kg (1kg 7,77)  9,71 A"},
		{"en-US", sale.Measure{Units: 326_500, UnitOfMeasureCode: "LBR", UnitPrice: 2974, PerUnits: sale.One}, 1, "  0.3265lb (1lb 29.74)  9.71 T"},
		{"en-US", sale.Measure{Units: 500, UnitOfMeasureCode: "KGM"}, 1, "  0.0005kg  9.71 T"},
	} {
		r := beef(c.m, c.quantity)
		r.Issuer.RegistrationNumber = map[string]string{"ja-JP": "T1180301018771", "de-DE": "DE123456789"}[c.locale]
		doc, err := New(c.locale, nil).Receipt(r, Paper{Columns: 42})
		if err != nil {
			t.Fatal(err)
		}
		if text := squeezed(draw(t, doc, 42)); !strings.Contains(text, squeezed(c.want)) {
			t.Errorf("%s: the paper lacks %q:\n%s", c.locale, c.want, text)
		}
	}
}

// squeezed has one blank where there were several.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }
