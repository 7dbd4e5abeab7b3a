package main

import (
	"encoding/json"
	"fmt"

	"regi/sim/counter"
)

// goods are the demo shop's articles: everyday names, one of each difficulty a
// receipt has (half-width katakana, a long name, both tax rates, an EAN-8 and
// the price that shows once-per-rate rounding).
func goods() []counter.Good {
	return []counter.Good{
		{GTIN: "4901234567894", Name: "ノート A5 5mm方眼", Kana: "ﾉｰﾄ A5", Price: 220, Rate: "standard"},
		{GTIN: "4912345678904", Name: "おにぎり 紅しゃけ", Kana: "ｵﾆｷﾞﾘ ｼｬｹ", Price: 150, Rate: "reduced"},
		{GTIN: "4567100000010", Name: "緑茶 500ml", Kana: "ﾘｮｸﾁｬ 500", Price: 138, Rate: "reduced"},
		{GTIN: "4908881000019", Name: "鉛筆 HB", Kana: "ｴﾝﾋﾟﾂ HB", Price: 105, Rate: "standard"},
		{GTIN: "4907772000022", Name: "国産小麦の石窯焼きカンパーニュ くるみとレーズン入り", Kana: "ｶﾝﾊﾟｰﾆｭ ｸﾙﾐ", Price: 1280, Rate: "reduced"},
		{GTIN: "4906663000035", Name: "ｶﾞﾑﾃｰﾌﾟ 布 50mm", Kana: "ｶﾞﾑﾃｰﾌﾟ ﾇﾉ", Price: 398, Rate: "standard"},
		{GTIN: "49571202", Name: "板チョコレート", Kana: "ｲﾀﾁｮｺ", Price: 128, Rate: "reduced"},
		{GTIN: "4901111222335", Name: "電気ケトル 0.8L", Kana: "ﾃﾞﾝｷｹﾄﾙ", Price: 54_800, Rate: "standard"},
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
		Price int64  `json:"price"`
		Rate  string `json:"rate"`
	}
	snapshot := struct {
		Version string `json:"version"`
		Items   []item `json:"items"`
	}{Version: "demo-1"}
	for _, g := range goods() {
		snapshot.Items = append(snapshot.Items, item{g.GTIN, g.Name, g.Kana, g.Price, g.Rate})
	}
	b, err := json.MarshalIndent(snapshot, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return b, nil
}
