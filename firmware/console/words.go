package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// language is what is spoken.
type language uint8

const (
	english language = iota
	japanese
)

func languageOf(word string) language {
	if strings.HasPrefix(word, "ja") {
		return japanese
	}
	return english
}

// words are the same in both languages.
type words struct{ en, ja string }

func (w words) in(l language) string {
	if l == japanese {
		return w.ja
	}
	return w.en
}

func (s *session) tr(w words) string { return w.in(s.lang) }

//nolint:gochecknoglobals // a constant table
var (
	wordsWelcome     = words{"Type help, or login. 日本語: lang ja", "help で説明、login で始めます。English: lang en"}
	wordsBye         = words{"Logged out.", "ログアウトしました。"}
	wordsIdle        = words{"Nothing was typed for ten minutes.", "10分間入力がありませんでした。"}
	wordsExpired     = words{"The grant has ended: ask for a new one (grant).", "許可の期限が切れました。grant で新しい許可を求めてください。"}
	wordsStopped     = words{"Stopped.", "中止しました。"}
	wordsUnknown     = words{"There is no such command. help lists them; TAB completes.", "そのコマンドはありません。help で一覧、TAB で補完します。"}
	wordsUse         = words{"Use:", "使い方:"}
	wordsNotRecorded = words{"Not on record:", "記録できません:"}
	wordsLoginFirst  = words{"Log in first: login, or grant.", "先にログインしてください: login か grant。"}
	wordsOtherRole   = words{"That is for the other role: logout, then login %s.", "別の役割のコマンドです。logout のあと login %s。"}
	wordsScope       = words{"The owner's grant does not cover that; it covers: %s.", "許可の範囲外です。許可されているもの: %s。"}
	wordsNamed       = words{"A grant must name that command.", "そのコマンドは許可に明記が必要です。"}

	wordsPIN          = words{"PIN (not shown): ", "PIN（表示されません）: "}
	wordsNewPIN       = words{"New PIN, 6 to 12 digits (not shown): ", "新しいPIN、6～12桁（表示されません）: "}
	wordsAgain        = words{"Once more: ", "もう一度: "}
	wordsOldPIN       = words{"PIN of now (not shown): ", "今のPIN（表示されません）: "}
	wordsWeakPIN      = words{"6 to 12 digits, and no row of equal or following ones.", "6～12桁の数字。同じ数字や連番だけのものは使えません。"}
	wordsTwoPINs      = words{"These were two different ones.", "2回の入力が違います。"}
	wordsFirstPIN     = words{"This register has no PIN for this role yet: set one now. Whoever stands here decides it.", "この役割のPINはまだありません。ここで決めてください。この場にいる人が決めます。"}
	wordsGrantPIN     = words{"The first PIN needs a grant of the owner that names pin: type grant, then pin.", "最初のPINには、pin を含むオーナーの許可が必要です: grant のあと pin。"}
	wordsPINSet       = words{"The PIN is set.", "PINを設定しました。"}
	wordsHello        = words{"%s is logged in. help shows what you can do; logout when you are done.", "%s としてログインしました。help でできること、終わったら logout。"}
	wordsWrong        = words{"Wrong. The next try is looked at in %d s.", "違います。次の入力は%d秒後に受け付けます。"}
	wordsWait         = words{"Too early: nothing is looked at for another %d s.", "早すぎます。あと%d秒は受け付けません。"}
	wordsNoOwner      = words{"This register knows no owner who could sign a grant ([console] owner).", "このレジには許可に署名するオーナーが登録されていません（[console] owner）。"}
	wordsChallenge    = words{"Read this challenge to the owner:", "このチャレンジをオーナーに伝えてください:"}
	wordsAnswer       = words{"The owner's answer: ", "オーナーの応答: "}
	wordsGranted      = words{"Granted until %s: %s.", "%s まで許可されました: %s。"}
	wordsAllOfRole    = words{"all commands of the role", "役割の全コマンド"}
	wordsLanguage     = words{"English it is.", "日本語にしました。"}
	wordsHelp         = words{"help COMMAND explains one, with an example. TAB completes, ↑ calls back, Ctrl-C stops.", "help コマンド名 で例つきの説明。TAB 補完、↑ 履歴、Ctrl-C 中止。"}
	wordsExample      = words{"Example:", "例:"}
	wordsForRole      = words{"For:", "使える人:"}
	wordsEverybody    = words{"everybody", "だれでも"}
	wordsNotOnBoard   = words{"not on a flashed board", "書き込み済みの基板ではありません"}
	wordsNoSlots      = words{"this board has no slots to update", "この基板には更新スロットがありません"}
	wordsSure         = words{"Type yes to go on: ", "続けるには yes と入力: "}
	wordsWaitScan     = words{"Scan a label within 30 s. It is not sold.", "30秒以内にバーコードを読ませてください。登録はされません。"}
	wordsWaitCard     = words{"Swipe a test card within 30 s. It is not charged.", "30秒以内にテストカードを通してください。請求はされません。"}
	wordsPrinted      = words{"Printed: look at the paper.", "印字しました。用紙を確認してください。"}
	wordsOpened       = words{"The drawer is open: the switch saw it. Shut it.", "ドロアが開きました（スイッチで確認）。閉めてください。"}
	wordsShown        = words{"The display shows \"REGI TEST\" for 5 s: look at it.", "表示器に5秒間「REGI TEST」が出ます。確認してください。"}
	wordsDevicesUp    = words{"%d of %d up", "%d/%d 台が正常"}
	wordsAllWell      = words{"All is well.", "すべて正常です。"}
	wordsFaults       = words{"%d of %d need attention.", "%d 件（全 %d 件）の対処が必要です。"}
	wordsConfigSet    = words{"Noted. config apply tries it, config discard forgets it.", "変更を控えました。config apply で試行、config discard で取り消し。"}
	wordsNoChange     = words{"Nothing is changed. config set KEY VALUE changes something.", "変更はありません。config set キー 値 で変更します。"}
	wordsApply        = words{"The register starts again with this. If a device that works now does not work then, it goes back by itself.", "この設定で再起動します。今動いている機器が動かなければ自動で元に戻ります。"}
	wordsApplyFirst   = words{"The register starts again with this. If something is missing still, it says so here.", "この内容で再起動します。不足があればここに表示します。"}
	wordsNotSetUp     = words{"This register does not sell yet:", "このレジはまだ使えません:"}
	wordsPasteText    = words{"Paste it; end with a line -----END-----. Nothing is shown meanwhile.", "貼り付けて、-----END----- の行で終わってください。表示はされません。"}
	wordsOwnerKey     = words{"This register has no owner yet. Paste the owner's public key (owner.pub), then an empty line:", "オーナーが未登録です。オーナーの公開鍵（owner.pub）を貼り付け、空行で終わってください:"}
	wordsDiscarded    = words{"Forgotten.", "取り消しました。"}
	wordsEnroll       = words{"The owner's tool makes credentials of this, good once and for this register. Compare the fingerprint by telephone.", "オーナーのツールがこれから資格情報を作ります（一回限り・このレジ専用）。指紋を電話で照合してください。"}
	wordsPaste        = words{"Paste the credentials, then an empty line:", "資格情報を貼り付け、空行で終わってください:"}
	wordsWipe         = words{"The card key is destroyed for good: no card is read until a new one was loaded.", "カード鍵を完全に消去します。新しい鍵を入れるまでカードは使えません。"}
	wordsWiped        = words{"The card key is destroyed.", "カード鍵を消去しました。"}
	wordsInject       = words{"The line goes to the key process; no card is read meanwhile. Two officers are needed.", "回線を鍵プロセスに渡します。その間カードは使えません。鍵管理者2名が必要です。"}
	wordsLoaded       = words{"The card key is loaded.", "カード鍵を登録しました。"}
	wordsSupport      = words{"Send everything between the lines, both included, to support. There is no sale, no person and no card in it.", "線の間（線も含む）をすべてサポートへ送ってください。売上・個人・カードの情報は含みません。"}
	wordsSupportPaper = words{"Bundle %[2]s is printed as %[1]d QR codes. Send photographs of all of them to support. There is no sale, no person and no card in it.", "データ %[2]s をQRコード%[1]d個で印字します。すべて撮影してサポートへ送ってください。売上・個人・カードの情報は含みません。"}
	wordsGoingDown    = words{"The board goes down.", "停止します。"}
)

// advices are the next step, by a word in what a device says of itself.
//
//nolint:gochecknoglobals // a constant table
var advices = []struct {
	word string
	do   words
}{
	{"paper near end", words{"have a paper roll at hand", "用紙ロールを用意してください"}},
	{"paper out", words{"put in a paper roll", "用紙ロールを入れてください"}},
	{"cover open", words{"close the cover", "カバーを閉めてください"}},
	{"cutter", words{"switch it off, clear the cutter, switch it on", "電源を切り、カッターの紙詰まりを取り除いてください"}},
	{"offline", words{"look at its lamps and its feed button", "プリンターのランプと紙送りボタンを確認してください"}},
	{"no answer", words{"check that it is on, and its speed (config show)", "電源と通信速度（config show）を確認してください"}},
	{"unplugged", words{"put the cable in; try another socket", "ケーブルを差し、だめなら別の差込口で試してください"}},
	{"no such", words{"put the cable in, then compare its port (config show)", "ケーブルを差し、ポート名（config show）を確認してください"}},
	{"in use", words{"another program has it: reboot", "ほかのプログラムが使用中です。reboot してください"}},
	{"must cool", words{"wait ten seconds", "10秒待ってください"}},
	{"did not open", words{"is it locked? then check its cable and drawer.pin or drawer.kick", "施錠されていませんか。ケーブルと drawer.pin／drawer.kick を確認してください"}},
	{"cannot be used", words{"compare drawer.kick and drawer.sense with the board's lines", "drawer.kick と drawer.sense を基板の線名と比べてください"}},
	{"zeroised", words{"load a new card key: key officers, keys inject", "新しいカード鍵を入れてください: 鍵管理者が keys inject"}},
	{"key", words{"look at keys status; key officers load a key with keys inject", "keys status を確認し、鍵管理者が keys inject で鍵を入れます"}},
	{"certificate", words{"the clock, or the cloud's authority, is wrong: net, then enroll", "時計か認証局が違います: net を確認し、enroll してください"}},
	{"authorization refused", words{"the cloud does not know this register: enroll", "クラウドがこのレジを知りません: enroll してください"}},
	{"not supported", words{"compare its model (config show)", "機種の設定（config show）を確認してください"}},
	{"rights", words{"the register may not open it: check how it is started", "レジに権限がありません。起動方法を確認してください"}},
}

// updateRefusals say in Japanese why there is no update, by a word in what the
// board says: the first that fits.
//
//nolint:gochecknoglobals // a constant table
var updateRefusals = []struct{ word, ja string }{
	{"is damaged", "更新ファイルが壊れています。取り直してください"},
	{"not signed by two", "オーナーの3つの鍵のうち2つの署名がありません。使わずにオーナーへ知らせてください"},
	{"knows no owner's keys", "このイメージにはオーナーの鍵がなく、更新できません。カードに書き込み直してください"},
	{"only flashed", "この基板は更新できません。カードに書き込み直してください"},
	{"older than", "許可された版より古い更新です。新しい版を使ってください"},
	{"is on trial", "今の版は試行中です。確定してからやり直してください"},
	{"flash the card anew", "起動の選択が壊れています。カードに書き込み直してください"},
	{"version that runs", "すでに動いている版です"},
	{"no other version", "すでに動いている版です"},
	{"did not prove itself", "前回の試行で合格しなかった版です。もう一度試すにはUSBメモリーで入れてください"},
	{"another board", "別の基板用の更新です"},
	{"may not be used yet", "まだ使えない更新です。時計を確認するか、時期を待ってください"},
	{"larger than a slot", "更新がスロットより大きく、書き込めません"},
	{"no USB stick", "regi.upd を最上位に置いたFAT形式のUSBメモリーを差してください"},
	{"took too long", "読み取りに時間がかかりすぎます。別のUSBメモリーを使ってください"},
	{"no space left", "データ領域がいっぱいです。クラウド接続を復旧し、空きができてからやり直してください"},
	{"cannot be read, or", "USBメモリーを読めないか、データ領域がいっぱいです"},
	{"replace the card", "SDカードに書き込めません。カードを交換してください"},
	{"is being written", "別の更新を書き込み中です。終わるまで待ってください"},
	{"is away", "クラウドに接続できません。net で確認してください"},
}

// boardAdvices are the next step for a fault of the board, by its line.
//
//nolint:gochecknoglobals // a constant table
var boardAdvices = map[string]words{
	"network":    {"look at the network cable and the router; net shows how far it comes", "LANケーブルとルーターを確認してください。net で状況がわかります"},
	"data":       {"flash another card and put it in; support tells more", "別のカードに書き込んで交換してください。詳しくは support"},
	"board time": {"connect the network: the cloud sets the clock", "ネットワークに接続してください。時計はクラウドが合わせます"},
	"firewall":   {"reboot; if it says so again, support", "reboot してください。繰り返すときは support"},
	"kernel":     {"reboot; if it says so again, support", "reboot してください。繰り返すときは support"},
	"usb":        {"take it out: only the counter's serial lines are let in", "取り外してください。レジのシリアル機器以外は使えません"},
	"slot":       {"update, or flash the card anew", "update するか、カードに書き込み直してください"},
}

// lastAdvice is for what no line above knows.
//
//nolint:gochecknoglobals // a constant
var lastAdvice = words{"pull it out, put it in; then log and support", "抜き差しし、それでもだめなら log と support"}

// adviceFor is the next step for what a device says.
func adviceFor(says string) words {
	for _, a := range advices {
		if strings.Contains(says, a.word) {
			return a.do
		}
	}
	return lastAdvice
}

// Advised says whether there is a particular next step for what a device says.
func Advised(says string) bool { return adviceFor(says) != lastAdvice }

// explain puts a command's error into words.
func (s *session) explain(err error) string {
	var wait waitError
	switch {
	case errors.As(err, &wait):
		return fmt.Sprintf(s.tr(wordsWait), seconds(wait.left))
	case errors.Is(err, ErrSignature) && time.Until(s.guard.early) <= 0: // credentials: nobody guesses these
		return s.tr(words{ErrSignature.Error(), "このレジとこのコードへのオーナーの署名がありません。enroll からやり直してください"})
	case errors.Is(err, errWrong), errors.Is(err, ErrSignature):
		why := ""
		if errors.Is(err, ErrSignature) {
			why = err.Error() + ". "
		}
		return why + fmt.Sprintf(s.tr(wordsWrong), seconds(time.Until(s.guard.early)))
	case errors.Is(err, context.DeadlineExceeded):
		return s.tr(words{"Nothing came in time.", "時間内に何も届きませんでした。"})
	case errors.Is(err, ErrSale):
		return s.tr(words{"A sale is open: finish or cancel it first.", "取引中です。先に完了か取消をしてください。"})
	case errors.Is(err, ErrAway):
		return s.tr(words{"The device is away: see devices.", "機器が接続されていません: devices を見てください。"})
	}
	return printed(s.told(err.Error()))
}
