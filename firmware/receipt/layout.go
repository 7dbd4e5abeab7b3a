package receipt

import "regi/firmware/sale"

// block is one part of a document, from what is known of the sale.
type block func(*paper)

// layout is everything that differs between countries; the blocks do not.
type layout struct {
	country sale.Country
	words   *words
	// symbol stands before amounts, total before the largest one.
	symbol, total string
	date, clock   string // layouts of package time
	marks         marks

	receipt, addressed, order, continuation []block
	demands, addressedDemands               []rule
	report                                  []reportBlock
}

// marks is what stands beside an amount.
type marks uint8

// Marks.
const (
	markReduced marks = iota // ※ for Japan's reduced rate
	markLetters              // A, B … of the table of rates
	markTaxed                // T for what is taxed
)

// layoutOf finds a country's layout.
func layoutOf(locale string) *layout {
	country := sale.CountryOf(locale)
	l := japan
	switch country.Scheme {
	case sale.European:
		l = europe
		if country.Locale == "de-DE" {
			l.words, l.date = &german, "02.01.2006"
		}
	case sale.American:
		l = unitedStates
	case sale.Japanese:
	}
	l.country = country
	return &l
}

//nolint:gochecknoglobals // the tables of the countries
var (
	japan = layout{
		words: &japanese, symbol: "¥", total: "¥", date: "2006年01月02日", clock: "15:04", marks: markReduced,
		receipt: []block{
			training, logo, issuer, title, copyMark, original, when, goods, subtotal, taxesByRate, total, payments, stampBox,
			legend, refundCode, transaction, training,
		},
		demands:          qualifiedInvoice,
		addressed:        []block{addressedTitle, copyMark, addressedWhen, addressee, addressedAmount, purpose, taxesByRate, payments, legend, space, issuer, transaction},
		addressedDemands: addressedReceipt,
		order:            []block{training, orderTitle, orderGoods},
		continuation:     []block{continued, issuer, number, ruled},
		report:           []reportBlock{reportHead, reportSales, reportTaxes, reportEvents, reportCash, reportFoot},
	}

	europe = layout{
		words: &irish, total: "EUR ", date: "02/01/2006", clock: "15:04", marks: markLetters,
		receipt: []block{
			training, logo, issuer, title, copyMark, original, when, goods, subtotal, addedTaxes, total, payments, taxTable,
			refundCode, transaction, training,
		},
		demands:      simplifiedInvoice,
		order:        []block{training, orderTitle, orderGoods},
		continuation: []block{continued, issuer, number, ruled},
		report:       []reportBlock{reportHead, reportSales, reportTaxes, reportEvents, reportCash, reportFoot},
	}

	unitedStates = layout{
		words: &american, total: "$", date: "01/02/2006", clock: "03:04 PM", marks: markTaxed,
		receipt: []block{
			training, logo, issuer, title, copyMark, original, when, goods, subtotal, addedTaxes, total, payments,
			refundCode, transaction, training,
		},
		demands:      salesSlip,
		order:        []block{training, orderTitle, orderGoods},
		continuation: []block{continued, issuer, number, ruled},
		report:       []reportBlock{reportHead, reportSales, reportTaxes, reportEvents, reportCash, reportFoot},
	}
)

// words are a language's, in the order of the paper.
type words struct {
	percent                                       string
	tel, registration                             string
	title, returned, copied, training, notSold    string
	number, shop, register, operator, businessDay string
	original                                      string
	piece, pieces, times, off                     string // piece is of one, where that differs
	subtotal, taxable, exempt, taxIn, taxOut      string
	total, cash, change, givenBack                string
	card, cardNumber, approval                    string
	rate, net, tax, gross                         string
	keepCode, transaction, continued              string
	order                                         string
	x, z, xNumber, zNumber, begin, xTime, zTime   string
	sales, returns, discounts, netSales, items    string
	cashTaken, cardTaken, receipts                string
	voidedLines, voidedSales, noSales, reprints   string
	cardRefused, forced, cases, occasions         string
	expected, counted, overShort                  string
	grandTotal, ledger, page                      string
}

//nolint:gochecknoglobals // the tables of the languages
var (
	japanese = words{
		percent: "%", tel: "TEL ", registration: "登録番号 ",
		title: "領収証", returned: "返品", copied: "【再発行】", training: "【練習】", notSold: "練習のため領収証ではありません",
		number: "No.", shop: "店 ", register: "レジ ", operator: "担当 ", businessDay: "営業日 ", original: "元の取引 ",
		pieces: "点", times: " x ", off: "値引",
		subtotal: "小計", taxable: "対象", exempt: "非課税対象", taxIn: "内消費税等", taxOut: "外消費税等",
		total: "合計", cash: "お預り(現金)", change: "お釣り", givenBack: "ご返金(現金)",
		card: "クレジットカード利用", cardNumber: "カード番号 ", approval: "承認番号 ",
		keepCode: "返品の際は\nこのコードをお見せください", transaction: "取引番号 ", continued: "(続き)",
		order: "注文伝票",
		x:     "点検 X", z: "精算 Z", xNumber: "次回精算回数 ", zNumber: "精算回数 ", begin: "開始", xTime: "点検時刻", zTime: "終了",
		sales: "総売上", returns: "返品", discounts: "値引(差引済)", netSales: "純売上", items: "点数",
		cashTaken: "現金", cardTaken: "クレジット", receipts: "レシート番号",
		voidedLines: "明細取消", voidedSales: "取引中止", noSales: "両替", reprints: "再発行",
		cardRefused: "カード不成立", forced: "ドロア不正開放", cases: "件", occasions: "回",
		expected: "現金有高(計算)", counted: "現金有高(実査)", overShort: "過不足",
		grandTotal: "総累計", ledger: "台帳 ", page: "頁 1/1",
	}
	german = words{
		percent: " %", tel: "Tel. ", registration: "USt-IdNr. ",
		title: "Rechnung", returned: "Rückgabe", copied: "*** KOPIE ***", training: "*** TRAINING ***", notSold: "Übung, keine Rechnung",
		number: "Nr. ", shop: "Filiale ", register: "Kasse ", operator: "Bediener ", businessDay: "Geschäftstag ", original: "Zu Rechnung ",
		pieces: " Stk", times: " x ", off: "Rabatt",
		subtotal: "Zwischensumme", taxable: " Umsatz", exempt: "steuerfrei", taxIn: "enth. MwSt ", taxOut: "zzgl. MwSt ",
		total: "SUMME", cash: "Bar gegeben", change: "Rückgeld", givenBack: "Bar ausgezahlt",
		card: "Kartenzahlung", cardNumber: "Karte ", approval: "Autorisierung ",
		rate: "MwSt", net: "Netto", tax: "Steuer", gross: "Brutto",
		keepCode: "Für eine Rückgabe bitte aufbewahren", transaction: "Vorgang ", continued: "(Fortsetzung)",
		order: "BESTELLUNG",
		x:     "X-Bericht", z: "Z-Bericht", xNumber: "Nächstes Z ", zNumber: "Z-Nummer ", begin: "Beginn", xTime: "Stand", zTime: "Ende",
		sales: "Umsatz", returns: "Rückgaben", discounts: "Rabatte (abgezogen)", netSales: "Netto nach Rückgaben", items: "Artikel",
		cashTaken: "Bar", cardTaken: "Karte", receipts: "Belege",
		voidedLines: "Zeilenstorno", voidedSales: "Abbrüche", noSales: "Lade ohne Verkauf", reprints: "Kopien",
		cardRefused: "Karte abgelehnt", forced: "Lade aufgebrochen", cases: "x", occasions: "x",
		expected: "Kasse soll", counted: "Kasse ist", overShort: "Differenz",
		grandTotal: "Gesamtumsatz", ledger: "Journal ", page: "Seite 1/1",
	}
	irish = words{
		percent: "%", tel: "Tel ", registration: "VAT No. ",
		title: "Receipt", returned: "Refund", copied: "*** COPY ***", training: "*** TRAINING ***", notSold: "Training, not a receipt",
		number: "No. ", shop: "Store ", register: "Till ", operator: "Cashier ", businessDay: "Business day ", original: "For receipt ",
		piece: " item", pieces: " items", times: " x ", off: "Discount",
		subtotal: "Subtotal", taxable: " sales", exempt: "exempt", taxIn: "incl. VAT ", taxOut: "VAT ",
		total: "TOTAL", cash: "Cash", change: "Change", givenBack: "Cash refunded",
		card: "Card", cardNumber: "Card ", approval: "Approval ",
		rate: "VAT", net: "Net", tax: "VAT", gross: "Gross",
		keepCode: "Keep this receipt for a refund", transaction: "Transaction ", continued: "(continued)",
		order: "ORDER",
		x:     "X report", z: "Z report", xNumber: "Next Z ", zNumber: "Z number ", begin: "From", xTime: "At", zTime: "To",
		sales: "Sales", returns: "Refunds", discounts: "Discounts (taken off)", netSales: "Less refunds", items: "Items",
		cashTaken: "Cash", cardTaken: "Card", receipts: "Receipts",
		voidedLines: "Voided lines", voidedSales: "Voided sales", noSales: "No sale", reprints: "Copies",
		cardRefused: "Card refused", forced: "Drawer forced", cases: "x", occasions: "x",
		expected: "Cash expected", counted: "Cash counted", overShort: "Over/short",
		grandTotal: "Grand total", ledger: "Ledger ", page: "Page 1/1",
	}
	american = func() words {
		w := irish
		w.registration, w.register, w.taxIn, w.taxOut, w.tax, w.rate = "", "Register ", "incl. tax ", "Tax ", "Tax", "Tax"
		w.keepCode, w.returned = "Keep this receipt for a return", "Return"
		w.givenBack = "Cash returned"
		return w
	}()
)
