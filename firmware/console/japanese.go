package console

import "strings"

// rowNames are the names at the left of a line. Those of devices are also those
// of the settings, and stay.
//
//nolint:gochecknoglobals // a constant table
var rowNames = map[string]string{
	"register": "レジ", "till": "状態", "devices": "機器", "cloud": "クラウド", "ledger": "記録",
	"head": "先頭", "hash": "ハッシュ", "waiting": "送信待ち", "signed for": "受領済み",
	"time": "時刻", "clock": "時計", "card key": "カード鍵", "key": "公開鍵", "code": "コード",
	"link": "回線", "address": "アドレス", "gateway": "ルーター", "names": "DNS", "cloud at": "接続先", "dropped": "破棄",
	"watchdog": "監視", "network": "ネット", "data": "データ", "board time": "基板時計", "firewall": "防火壁", "kernel": "カーネル", "usb": "USB",
	"board": "基板", "version": "版", "slot": "スロット", "epoch": "世代", "other slot": "待機側", "update": "更新", "failed": "不合格",
	"fault": "故障", "damaged": "破損",
}

// phrases are what the rest of the register says in English, and settings refuse;
// of two that begin alike the longer one stands first. What is none of these, and
// what is around them, stays as it is: keys, values, addresses, hashes.
//
//nolint:gochecknoglobals // a constant table
var phrases = []string{
	// devices
	"paper near end", "用紙残りわずか", "paper out", "用紙切れ", "cover open", "カバーが開いています", "cutter error", "カッター異常",
	"printer offline", "プリンターがオフライン", "unplugged", "未接続", "in use by another process", "ほかのプログラムが使用中",
	"not supported", "非対応", "no answer in time", "応答なし", "malformed frame", "データ形式の異常", "waited too long", "待ち時間超過",
	"outcome unknown", "結果不明", "drawer coil must cool", "ドロアのコイルを冷却中", "drawer did not open", "ドロアが開きません",
	"key contact bounces", "キー接点の異常", "key stuck", "キーが押されたまま", "keys pressed together", "キーの同時押し", "keys lost", "キー入力の欠落",
	"no key of the table", "表にないキー", "no key was loaded", "鍵は登録されていません", "no key", "鍵なし",
	"no such file or directory", "そのファイルやポートがありません", "permission denied", "権限がありません",
	// the lines of status, ledger and check
	", away: ", "、切断: ", "away, ", "切断, ", ", up ", ", 稼働 ", "up, ", "接続中, ", " wait for the cloud", " 件送信待ち", " wait, room for ", " 件送信待ち、空き ",
	" records, room for ", " 件、空き ", "record ", "記録 ", "none yet", "まだなし",
	"check digit right", "チェックデジット正常", "check digit wrong", "チェックデジット不一致", "tracks ", "トラック ", "(no price here)", "(価格未登録)",
	// the cloud and the board
	"uplink is being started", "通信を開始中", "the uplink does not answer", "通信の応答がありません", "not set up", "未設定",
	"connection refused", "接続拒否", "no such host", "名前が引けません", "i/o timeout", "時間切れ", "network is unreachable", "ネットワークに届きません",
	"fault: ", "異常: ", "no cable", "ケーブルなし",
	// slots
	"on trial: a reset goes back to the other one", "試行中: リセットで元の版に戻ります", "holds an update: it is tried while no shift is open", "更新あり: 開局していない間に試行します",
	"at least ", "下限 ", " may run here", "", "not as signed", "署名と一致しません",
	// the card key
	"This register has no card key.", "カード鍵はありません。", "Card key ", "カード鍵 ", "check value ", "チェック値 ",
	"counters below ", "使用済みカウンター < ", " used or given up", "", "loaded ", "登録日時 ", "used up", "使い切りました",
	"The card key was zeroised ", "カード鍵は消去されています ", "The key file is of another device", "鍵ファイルは別の機器のものです", "The key file is damaged", "鍵ファイルが壊れています",
	"load a new key", "新しい鍵を入れてください", "load a new one", "新しい鍵を入れてください",
	// settings
	" is no setting: config show lists them", " という設定はありません: config show で一覧", " is not changed here: ", " はここでは変更できません: ",
	"it comes with enroll, or with the card", "enroll かカードで設定します", ", or with a grant of the owner that names config", "。または config を含むオーナーの許可で",
	" is not known here: use one of ", " は使えません。次のいずれか: ", ": use one of ", " は使えません。次のいずれか: ", "that is no value of a setting", "設定の値ではありません",
	" is needed: ", " が必要です: ", ": each device needs its own", ": 機器ごとに別にしてください", " are both ", " が同じです ", "only tls://host:port is spoken", "tls://host:port の形で指定してください",
	"the connector has a kick on pin 2 and on pin 5", "2 か 5 を指定してください", "seconds until an open drawer is an alarm, or 0 for never", "秒（開放警報まで。0 は警報なし）",
	"a change is being tried already: wait a minute", "別の変更を試行中です。1分待ってください", "no grant of the owner that names config", "config を含むオーナーの許可がありません",
	"the owner's grant has ended", "オーナーの許可の期限が切れています", "the journal is full", "記録領域が満杯です", "the register does not sell yet", "このレジはまだ使えません",
	"the register is running: stop it first", "レジが動作中です。先に止めてください", "ceremony stopped, no key was loaded", "中止しました。鍵は登録されていません",
	"too many tries, no key was loaded: begin again", "入力の誤りが多すぎます。鍵は登録されていません。最初からやり直してください",
}

// told is what was said in English, in the language of the session.
func (s *session) told(text string) string {
	switch {
	case s.lang != japanese:
		return text
	case text == "up":
		return "正常"
	case text == "starting":
		return "起動中"
	case text == "none":
		return "なし"
	}
	return strings.NewReplacer(phrases...).Replace(text)
}

// label is the name of a line, as wide as in English.
func (s *session) label(name string) string {
	const wide = 10
	if ja := rowNames[name]; s.lang == japanese && ja != "" {
		name = ja
	}
	return name + strings.Repeat(" ", max(0, wide-textWidth([]rune(name))))
}
