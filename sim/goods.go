package main

import (
	"encoding/json"
	"fmt"
	"time"

	"regi/sim/counter"
)

// article is one of the demo shop, and what the catalogue has of it beside its
// name.
type article struct {
	counter.Good
	unit      string // "" by the piece
	unitPrice int64  // of one unit
	unlisted  bool
}

// goods are what lies on the shelf.
func goods() []counter.Good {
	articles := shelved()
	all := make([]counter.Good, 0, len(articles))
	for _, a := range articles {
		all = append(all, a.Good)
	}
	return all
}

// shelved are the demo shop's articles: everyday names, one of each difficulty a
// receipt has (half-width katakana, a long name, both tax rates, an EAN-8 and
// the price that shows once-per-rate rounding), and one of each kind of label.
func shelved() []article {
	return append([]article{
		{Good: counter.Good{GTIN: "4901234567894", Name: "ノート A5 5mm方眼", Kana: "ﾉｰﾄ A5", Price: 220, Rate: "standard"}},
		{Good: counter.Good{GTIN: "4912345678904", Name: "おにぎり 紅しゃけ", Kana: "ｵﾆｷﾞﾘ ｼｬｹ", Price: 150, Rate: "reduced"}},
		{Good: counter.Good{GTIN: "4567100000010", Name: "緑茶 500ml", Kana: "ﾘｮｸﾁｬ 500", Price: 138, Rate: "reduced"}},
		{Good: counter.Good{GTIN: "4908881000019", Name: "鉛筆 HB", Kana: "ｴﾝﾋﾟﾂ HB", Price: 105, Rate: "standard"}},
		{Good: counter.Good{GTIN: "4907772000022", Name: "国産小麦の石窯焼きカンパーニュ くるみとレーズン入り", Kana: "ｶﾝﾊﾟｰﾆｭ ｸﾙﾐ", Price: 1280, Rate: "reduced"}},
		{Good: counter.Good{GTIN: "4906663000035", Name: "ｶﾞﾑﾃｰﾌﾟ 布 50mm", Kana: "ｶﾞﾑﾃｰﾌﾟ ﾇﾉ", Price: 398, Rate: "standard"}},
		{Good: counter.Good{GTIN: "49571202", Name: "板チョコレート", Kana: "ｲﾀﾁｮｺ", Price: 128, Rate: "reduced"}},
		{Good: counter.Good{GTIN: "4901111222335", Name: "電気ケトル 0.8L", Kana: "ﾃﾞﾝｷｹﾄﾙ", Price: 54_800, Rate: "standard"}},
	}, labelled(time.Now())...)
}

// labelled are goods whose codes hold more than a number. The demo shop's food
// is good for two days, and one piece has lain there for too long.
func labelled(today time.Time) []article {
	day := func(n int) string { return today.AddDate(0, 0, n).Format("060102") }
	return []article{
		{unit: "label", Good: counter.Good{
			GTIN: "0212345000007", Name: "コロッケ (計り売り)", Kana: "ｺﾛｯｹ", Price: 540, Rate: "reduced", Label: "0212345305409",
		}},
		{unit: "100g", unitPrice: 158, Good: counter.Good{
			GTIN: "2312345000002", Name: "豚こま切れ", Kana: "ﾌﾞﾀ ｺﾏ", Price: 515, Rate: "reduced", Label: "2312345003263",
		}},
		{unit: "100g", unitPrice: 298, Good: counter.Good{
			GTIN: "94901234567897", Name: "牛肩ロース", Kana: "ｷﾞｭｳ ｶﾀﾛｰｽ", Price: 971, Rate: "reduced",
			Label: "0194901234567897" + "3103000326" + "17" + day(2) + "10LOT7", AIM: "]C1",
		}},
		{Good: counter.Good{
			GTIN: "4909990000013", Name: "牛乳 1L", Kana: "ｷﾞｭｳﾆｭｳ 1L", Price: 238, Rate: "reduced",
			Label: "0104909990000013" + "17" + day(2) + "10M1126", AIM: "]d2",
		}},
		{unlisted: true, Good: counter.Good{
			GTIN: "4909990000013", Name: "牛乳 1L (期限切れ)", Price: 238, Rate: "reduced",
			Label: "0104909990000013" + "17" + day(-2) + "10M1121", AIM: "]d2",
		}},
		{unlisted: true, Good: counter.Good{GTIN: "9784000000017", Name: "書籍 上段", Price: 473, Rate: "standard"}},
		{unlisted: true, Good: counter.Good{GTIN: "1920193004304", Name: "書籍 下段", Price: 473, Rate: "standard"}},
		{unlisted: true, Good: counter.Good{GTIN: "4910054231175", Name: "雑誌 11月号", Price: 1078, Rate: "standard", Label: "491005423117500980", AIM: "]E3"}},
	}
}

// cards are published test numbers; no issuer has issued them.
func cards() []counter.TestCard {
	card := func(id, label, says, number string) counter.TestCard {
		return counter.TestCard{
			ID: id, Label: label, Says: says,
			Track1: "%B" + number + "^TEST/CARD^30121010000000000000?",
			Track2: ";" + number + "=30121010000000000000?",
		}
	}
	return []counter.TestCard{
		card("visa-ok", "Visa •••• 1111", "approved", "4111111111111111"),
		card("mastercard-ok", "Mastercard •••• 4444", "approved", "5555555555554444"),
		card("jcb-ok", "JCB •••• 0000", "approved", "3530111333300000"),
		card("declined", "Visa •••• 0002", "declined", "4000000000000002"),
		card("funds", "Visa •••• 9995", "insufficient funds", "4000000000009995"),
		card("silent", "Visa •••• 0119", "no answer", "4000000000000119"),
		{ID: "garbled", Label: "傷んだカード", Says: "unreadable", Track1: "%E?", Track2: ";E?"},
	}
}

// catalogJSON is the price snapshot that the register starts with.
func catalogJSON() ([]byte, error) {
	type item struct {
		GTIN  string `json:"gtin"`
		Name  string `json:"name"`
		Kana  string `json:"kana"`
		Price *int64 `json:"price,omitempty"`
		Rate  string `json:"rate"`
		Unit  string `json:"unit,omitempty"`
	}
	snapshot := struct {
		Version string `json:"version"`
		Items   []item `json:"items"`
	}{Version: "demo-1"}
	for _, g := range shelved() {
		listed := item{g.GTIN, g.Name, g.Kana, &g.Price, g.Rate, g.unit}
		switch {
		case g.unlisted:
			continue
		case g.unit == "label":
			listed.Price = nil
		case g.unit != "":
			listed.Price = &g.unitPrice
		}
		snapshot.Items = append(snapshot.Items, listed)
	}
	b, err := json.MarshalIndent(snapshot, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return b, nil
}
