package counter

// key is one key of the register's keypad.
type key struct {
	Name     string // in calls
	Japanese string // "" for a figure
	English  string
	Class    string // of its button
	Shortcut string // on the computer's keyboard
}

// keys are in the order of the page: rows of six columns, of which CARD takes
// two and CASH three.
//
//nolint:gochecknoglobals // a constant table
var keys = []key{
	{"OPEN", "開設", "OPEN", "shift", ""},
	{"X", "点検", "X", "shift", ""},
	{"Z", "精算", "Z", "shift", ""},
	{"NOSALE", "両替", "NO SALE", "shift", ""},
	{"REFUND", "返品", "REFUND", "shift", ""},
	{"FN", "再発行", "FN", "shift", ""},

	{"7", "", "7", "digit", "7"},
	{"8", "", "8", "digit", "8"},
	{"9", "", "9", "digit", "9"},
	{"QTY", "数量", "QTY", "", "*"},
	{"VOID", "取消", "VOID", "take", "Delete"},
	{"CLEAR", "クリア", "CLEAR", "take", "Esc"},

	{"4", "", "4", "digit", "4"},
	{"5", "", "5", "digit", "5"},
	{"6", "", "6", "digit", "6"},
	{"DISCOUNT", "値引", "DISCOUNT", "", ""},
	{"POINTS", "ポイント", "POINTS", "", ""},
	{"ENTER", "確定", "ENTER", "", ""},

	{"1", "", "1", "digit", "1"},
	{"2", "", "2", "digit", "2"},
	{"3", "", "3", "digit", "3"},
	{"SUBTOTAL", "小計", "SUBTOTAL", "pay", "+"},
	{"CARD", "クレジット", "CARD", "pay wide", ""},

	{"0", "", "0", "digit", "0"},
	{"00", "", "00", "digit", ""},
	{"DOT", "", ".", "digit", "."},
	{"CASH", "現金", "CASH", "cash widest", ""},
}
