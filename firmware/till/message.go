package till

// message is one thing a till says: on the display (upper at most 16 columns,
// the code stands beside it; lower at most 20) and as a Notice: what happened
// and what to do.
type message struct {
	code           string
	ja, en         [2]string
	textJA, textEN string
}

// Messages, by letter: K keys, S scans, L limits, C cards, D drawer, P paper,
// V devices, N network, R restart, I shift, F returns, T training. The codes are in handbooks: never
// give one another meaning. C90 and above are the shell's.
//
//nolint:gochecknoglobals // a table of constants
var (
	msgWrongKey   = message{"K01", [2]string{"ｷｰ ﾏﾁｶﾞｲ", "ﾎｶﾉ ｷｰｦ ｵｽ"}, [2]string{"WRONG KEY", "PRESS ANOTHER KEY"}, "ここでは使えないキーです。ほかのキーを押してください", "this key does nothing here: press another"}
	msgDigits     = message{"K02", [2]string{"ｹﾀｽｳ ｵｰﾊﾞｰ", "8ｹﾀﾏﾃﾞ. ｲﾚﾅｵｽ"}, [2]string{"TOO MANY DIGITS", "8 AT MOST, KEY AGAIN"}, "数字は8桁までです。入れ直してください", "eight digits at most: key the number again"}
	msgQuantity   = message{"K03", [2]string{"ｽｳﾘｮｳ ｴﾗｰ", "1-9999 QTY"}, [2]string{"BAD QUANTITY", "KEY 1-9999, QTY"}, "数量は1から9999です。入れ直してください", "a quantity is 1 to 9999: key it, then QTY"}
	msgNoLine     = message{"K04", [2]string{"ﾒｲｻｲ ﾅｼ", "ｼｮｳﾋﾝｦ ｽｷｬﾝ"}, [2]string{"NO LINE", "SCAN AN ITEM FIRST"}, "明細がありません。商品をスキャンしてください", "there is no line: scan an item first"}
	msgClosed     = message{"K05", [2]string{"ｷｭｳｼﾁｭｳ", "ﾊﾞﾝｺﾞｳ OPEN ﾃﾞ ｶｲｼ"}, [2]string{"CLOSED", "CASHIER NO. + OPEN"}, "レジは閉まっています。担当者番号とOPENで開けてください", "the register is closed: key the cashier's number, then OPEN"}
	msgSaleOpen   = message{"K06", [2]string{"ﾄﾘﾋｷﾁｭｳ", "ｶｲｹｲｦ ｵｴﾃｶﾗ"}, [2]string{"SALE OPEN", "FINISH THE SALE"}, "取引中です。会計を終えてから押してください", "a sale is open: finish or cancel it first"}
	msgShiftOpen  = message{"K07", [2]string{"ｶｲｼｽﾞﾐ", "ｾｲｻﾝ(Z)ﾃﾞ ｼﾒﾙ"}, [2]string{"ALREADY OPEN", "Z CLOSES"}, "すでに開いています。閉めるには精算（Z）を押してください", "the shift is open already: Z closes it"}
	msgPaying     = message{"K08", [2]string{"ｶｲｹｲﾁｭｳ", "CLEAR ﾃﾞ ﾓﾄﾞﾙ"}, [2]string{"PAYING", "CLEAR GOES BACK"}, "会計中です。商品を足すにはCLEARで戻ってください", "the sale is being paid: CLEAR goes back to the goods"}
	msgPaidPart   = message{"K09", [2]string{"ｱｽﾞｶﾘｷﾝ ｱﾘ", "ﾉｺﾘ ｶ VOID ﾃﾞ ﾍﾝｷﾝ"}, [2]string{"PART PAID", "REST, OR VOID REFUND"}, "一部をお預りしています。残りをお預りするか、VOIDで返金してからCLEARで商品に戻ってください", "a part is paid: take the rest, or VOID gives it back and then CLEAR goes back to the goods"}
	msgConfirm    = message{"K10", [2]string{"ﾄﾘﾋｷ ﾁｭｳｼ?", "VOID=ﾊｲ CLEAR=ｲｲｴ"}, [2]string{"CANCEL SALE?", "VOID=YES CLEAR=NO"}, "取引を中止しますか。もう一度VOIDで中止、CLEARで戻ります", "cancel the whole sale? VOID once more does, CLEAR goes back"}
	msgNoFunction = message{"K11", [2]string{"ﾐﾀｲｵｳ ｷｰ", "ﾎｶﾉ ｷｰｦ ｵｽ"}, [2]string{"NOT AVAILABLE", "PRESS ANOTHER KEY"}, "このレジでは使えない機能です。ほかのキーを押してください", "this register does not have that function: press another key"}
	msgAmount     = message{"K12", [2]string{"ｷﾝｶﾞｸ ｴﾗｰ", "ｷﾝｶﾞｸｦ ｲﾚﾅｵｽ"}, [2]string{"BAD AMOUNT", "KEY IT AGAIN"}, "金額が正しくありません。入れ直してください", "the amount is not right: key it again"}
	msgNoReceipt  = message{"K13", [2]string{"ﾚｼｰﾄ ﾅｼ", "ｻｲﾊｯｺｳ ﾃﾞｷﾏｾﾝ"}, [2]string{"NO RECEIPT", "NOTHING TO REPRINT"}, "再発行できるレシートがありません", "there is no receipt to print again"}
	msgCashMuch   = message{"K15", [2]string{"ｱｽﾞｶﾘ ｶﾞ ｵｵｷｲ", "CASH=ﾊｲ CLEAR=ｲｲｴ"}, [2]string{"THAT MUCH CASH?", "CASH=YES CLEAR=NO"}, "お釣りが大きすぎます。正しければもう一度CASH、違えばCLEARを押してください", "that is a very large change: CASH once more if it is right, CLEAR if not"}
	msgOperator   = message{"K22", [2]string{"ﾀﾝﾄｳｼｬ ﾊﾞﾝｺﾞｳ?", "ﾊﾞﾝｺﾞｳ ﾄ OPEN"}, [2]string{"CASHIER NUMBER?", "NUMBER, THEN OPEN"}, "担当者番号を押してからOPENを押してください", "key the cashier's number, then OPEN"}
	msgHalfKeyed  = message{"K14", [2]string{"ｽｳｼﾞ ﾉｺﾘ", "QTY ｶ CLEAR ｦ ｵｽ"}, [2]string{"NUMBER KEYED", "PRESS QTY OR CLEAR"}, "数字が入力されたままです。QTYかCLEARを押してからスキャンしてください", "a number is keyed: press QTY or CLEAR, then scan again"}

	msgSupervisor     = message{"K16", [2]string{"ｾｷﾆﾝｼｬ ﾊﾞﾝｺﾞｳ", "ﾊﾞﾝｺﾞｳ ENTER"}, [2]string{"SUPERVISOR NO.", "NUMBER, ENTER"}, "責任者番号とENTERを押してください。CLEARで戻ります", "key the supervisor's number, then ENTER; CLEAR goes back"}
	msgNotSupervisor  = message{"K17", [2]string{"ﾊﾞﾝｺﾞｳ ﾁｶﾞｲ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"WRONG NUMBER", "CALL SUPERVISOR"}, "責任者番号が違います。責任者を呼んでください", "that is not the supervisor's number: call the supervisor"}
	msgSupervisorWait = message{"K32", [2]string{"ﾊﾞﾝｺﾞｳ ﾏﾁ", "ｼﾊﾞﾗｸ ﾏﾂ"}, [2]string{"NUMBER LOCKED", "WAIT"}, "責任者番号の間違いが続いたため、しばらく受け付けません。待ってからやり直してください。会計は続けられます", "too many wrong supervisor's numbers: none is taken for a while; wait, then try again; selling goes on"}
	msgDiscount       = message{"K18", [2]string{"ﾈﾋﾞｷ ｴﾗｰ", "ｷﾝｶﾞｸｦ ｶｸﾆﾝ"}, [2]string{"BAD DISCOUNT", "CHECK THE AMOUNT"}, "値引きは商品の金額までです。金額とDISCOUNT、率は数字・DOT・DISCOUNTの順に押してください", "a discount is at most the goods: key the amount, then DISCOUNT; for percent the number, DOT, DISCOUNT"}
	msgNotKept        = message{"K19", [2]string{"ﾊﾞﾝｺﾞｳ ﾅｼ", "FN=ｻｲｺﾞ ﾉ ﾚｼｰﾄ"}, [2]string{"NOT KEPT HERE", "FN: LAST RECEIPT"}, "その番号のレシートはこのレジに残っていません。FNだけを押すと最後のレシートを再発行します", "a receipt of that number is not kept here any more: FN alone prints the last one again"}
	msgAddressedOnce  = message{"K20", [2]string{"ﾘｮｳｼｭｳｼｮ ｽﾞﾐ", "1ﾄﾘﾋｷ ﾆ 1ﾏｲ"}, [2]string{"ALREADY ISSUED", "ONE FOR EACH SALE"}, "この取引の領収書は発行済みです。領収書は1取引に1枚です", "the addressed receipt of this sale is out: there is one for each sale"}
	msgNumbered       = message{"K21", [2]string{"ENTER ﾊﾞﾝｺﾞｳ", "1ﾘｮｳｼｭｳ 2ﾁｭｳﾓﾝ 9ﾚﾝ"}, [2]string{"WHICH FUNCTION?", "2 ORDER, 9 TRAINING"}, "番号とENTERを押してください: 会計後の1は領収書、取引中の2は注文伝票、9は練習の開始と終了", "key a number, then ENTER: 1 after a sale prints the addressed receipt (Japan), 2 in a sale the order slip, 9 begins and ends training"}

	msgScanReceipt  = message{"F01", [2]string{"ﾍﾝﾋﾟﾝ", "ﾚｼｰﾄﾉ ｺｰﾄﾞｦ ｽｷｬﾝ"}, [2]string{"RETURN", "SCAN THE RECEIPT"}, "返品です。レシートのコードをスキャンしてください。CLEARで戻ります", "a return: scan the code on the receipt; CLEAR goes back"}
	msgReturnFirst  = message{"F10", [2]string{"ﾍﾝﾋﾟﾝ ﾊ REFUND", "REFUND ｦ ｵｼﾃ ｽｷｬﾝ"}, [2]string{"A RECEIPT", "REFUND, THEN SCAN"}, "レシートのコードです。返品は取引の前にREFUNDを押してからスキャンしてください", "that is the code of a receipt: for a return press REFUND first, then scan it"}
	msgNotReceipt   = message{"F02", [2]string{"ﾚｼｰﾄ ﾃﾞﾊ ﾅｲ", "ﾚｼｰﾄﾉ ｺｰﾄﾞｦ ｽｷｬﾝ"}, [2]string{"NOT A RECEIPT", "SCAN THE QR CODE"}, "レシートのコードではありません。レシートのQRコードをスキャンしてください", "that is not the code of a receipt: scan the QR code at its foot"}
	msgForged       = message{"F03", [2]string{"ﾚｼｰﾄ ﾌｾｲ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"RECEIPT NOT REAL", "CALL SUPERVISOR"}, "このレシートのコードは当店のレジが発行したものではありません。責任者に確認してください", "this register never made that code: the receipt is not real; call the supervisor"}
	msgForeign      = message{"F04", [2]string{"ﾎｶﾉ ﾚｼﾞ ﾉ ﾚｼｰﾄ", "ｿﾉ ﾚｼﾞ ﾃﾞ ﾍﾝﾋﾟﾝ"}, [2]string{"OTHER REGISTER", "RETURN IT THERE"}, "ほかのレジのレシートです。そのレジで返品してください", "the receipt is of another register: take the goods back there"}
	msgReturned     = message{"F05", [2]string{"ﾍﾝﾋﾟﾝ ｽﾞﾐ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"RETURNED BEFORE", "CALL SUPERVISOR"}, "このレシートの商品は返品済みです。責任者に確認してください", "the goods of this receipt came back before: call the supervisor"}
	msgNotOnReceipt = message{"F06", [2]string{"ﾚｼｰﾄ ﾆ ﾅｲ", "ｼｮｳﾋﾝ･ｽｳﾘｮｳｦ ｶｸﾆﾝ"}, [2]string{"NOT ON RECEIPT", "CHECK GOODS, NUMBER"}, "レシートにない商品か、数量が多すぎます。商品と数量を確認してください", "these goods are not on the receipt, or not that many, or came back before: check them"}
	msgReturnCash   = message{"F07", [2]string{"ﾍﾝｷﾝ ﾊ ｹﾞﾝｷﾝ", "CASH ﾀﾞｹ ｵｽ"}, [2]string{"CASH ONLY", "PRESS CASH ALONE"}, "返金は現金だけです。CASHだけを押してください", "money goes back in cash: press CASH alone"}
	msgReturnMax    = message{"F08", [2]string{"ﾍﾝｷﾝ ｼﾞｮｳｹﾞﾝ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"RETURN LIMIT", "CALL SUPERVISOR"}, "返金の上限を超えます。VOIDで商品を減らすか、責任者に確認してください", "over the limit of a return: VOID takes goods off it, or call the supervisor"}
	msgNoDiscount   = message{"F09", [2]string{"ﾍﾝﾋﾟﾝ ﾁｭｳ", "ﾈﾋﾞｷ ﾃﾞｷﾏｾﾝ"}, [2]string{"A RETURN", "NO DISCOUNT ON IT"}, "返品に値引きはできません。売った時の値引きは計算済みです", "a return has no discount of its own: what was off when it was sold is counted"}
	msgReturning    = message{"F11", [2]string{"ﾍﾝﾋﾟﾝ ﾁｭｳ", "ｼｮｳﾋﾝｦ ｽｷｬﾝ, CASH"}, [2]string{"A RETURN IS OPEN", "SCAN GOODS, CASH"}, "返品の途中です。返す商品をスキャンし、SUBTOTALとCASHで返金してください。中止はSUBTOTALとVOIDを2回", "a return is open: scan the goods that come back, then SUBTOTAL and CASH give the money back; SUBTOTAL and VOID twice cancel it"}

	msgTraining      = message{"T01", [2]string{"ﾚﾝｼｭｳ ﾁｭｳ", "9 ENTER ﾃﾞ ｵﾜﾙ"}, [2]string{"TRAINING", "9 ENTER ENDS IT"}, "練習中は使えません。9とENTERで練習を終えてください", "not while training: 9, ENTER ends it"}
	msgTrainingAsk   = message{"T02", [2]string{"ﾚﾝｼｭｳ ｦ ﾊｼﾞﾒﾙ?", "ENTER=ﾊｲ CLEAR=ｲｲｴ"}, [2]string{"BEGIN TRAINING?", "ENTER=YES CLEAR=NO"}, "練習を始めますか。もう一度ENTERで始め、CLEARで戻ります。練習の取引は売上になりません", "begin training? ENTER once more does, CLEAR goes back; nothing is sold until it ends"}
	msgTrainingBegan = message{"T03", [2]string{"", ""}, [2]string{"", ""}, "練習を始めました。売上にはなりません", "training has begun: nothing is sold until it ends"}
	msgTrainingEnded = message{"T04", [2]string{"", ""}, [2]string{"", ""}, "練習を終えました", "training has ended"}

	msgKeyUnknown   = message{"K23", [2]string{"ﾐﾄｳﾛｸ ﾉ ｷｰ", "ｷｰ ﾉ ｾｯﾃｲｦ ｶｸﾆﾝ"}, [2]string{"UNKNOWN KEY", "CHECK THE KEY TABLE"}, "設定にないキーが押されました。ほかのキーを押し、設定のキー表を確認してください", "a key that is in no table was pressed: press another, and check the table in the settings"}
	msgKeyStuck     = message{"K24", [2]string{"ｷｰ ｵｼｯﾊﾟﾅｼ", "ｷｰｦ ﾓﾄﾞｼ ｲﾚﾅｵｽ"}, [2]string{"KEY STUCK", "FREE IT, KEY AGAIN"}, "キーが押されたままです。ほかのキーは使えます。キーを戻し、数字は入れ直してください", "a key is stuck, the others work: free it, and key the number again"}
	msgKeysTogether = message{"K25", [2]string{"ｷｰ ﾄﾞｳｼﾞｵｼ", "ﾋﾄﾂｽﾞﾂ ｲﾚﾅｵｽ"}, [2]string{"KEYS TOGETHER", "ONE BY ONE, AGAIN"}, "複数のキーが同時に押されました。どれも入っていません。ひとつずつ入れ直してください", "several keys were pressed at once and none counts: press them one by one, and key the number again"}
	msgKeyBounces   = message{"K26", [2]string{"ｷｰ ｾｯﾃﾝ ﾌﾘｮｳ", "ｶｸﾆﾝｼﾃ ｲﾚﾅｵｽ"}, [2]string{"KEY CONTACT BAD", "LOOK, KEY AGAIN"}, "キーの接点が安定しません。表示を見て入れ直し、続くならキーパッドを交換してください", "a key's contact does not settle: look at the display and key it again; if it goes on, replace the keypad"}
	msgKeysLost     = message{"K27", [2]string{"ｷｰ ﾄﾘｺﾎﾞｼ", "ﾋｮｳｼﾞｦ ﾐﾃ ｲﾚﾅｵｽ"}, [2]string{"KEYS LOST", "LOOK, KEY AGAIN"}, "キーを読み切れませんでした。表示を見て入れ直してください", "keys came too fast and some are lost: look at the display and key them again"}
	msgSheetForeign = message{"K28", [2]string{"ｼｰﾄ ﾑｺｳ", "ｺﾉ ﾚｼﾞﾉ ｼｰﾄｦ ﾂｶｳ"}, [2]string{"SHEET NOT VALID", "USE THIS TILL'S OWN"}, "このレジのキーシートではありません。何も実行していません。このレジで印刷したシートを使ってください", "that is not from a command sheet of this register, and nothing was done: use one that it has printed"}
	msgSheetOld     = message{"K29", [2]string{"ﾌﾙｲ ｼｰﾄ", "5 ENTER ﾃﾞ ｲﾝｻﾂ"}, [2]string{"OLD SHEET", "5 ENTER PRINTS NEW"}, "古いキーシートです。シートは精算（Z）ごとに替わります。何も実行していません。5とENTERで新しいシートを印刷してください", "that command sheet is from before the last Z, and nothing was done: 5 ENTER prints a new one"}
	msgSheetKeypad  = message{"K30", [2]string{"ｼｰﾄ ﾃﾞﾊ ﾌｶ", "ｷｰﾊﾟｯﾄﾞ ﾃﾞ ｵｽ"}, [2]string{"NOT BY SHEET", "PRESS IT ON A KEYPAD"}, "責任者の機能はシートだけでは使えません。キーパッドで押すか、設定に責任者番号を入れてください", "a supervisor's function is not done by a sheet alone: press it on a keypad, or have a supervisor's number set"}
	msgSheetNone    = message{"K31", [2]string{"ｼｰﾄ ﾅｼ", "ｾｯﾃｲｦ ｶｸﾆﾝ"}, [2]string{"NO SHEETS HERE", "CHECK THE SETTINGS"}, "キーシートは設定で使わないことになっています", "command sheets are switched off in the settings"}

	msgUnknownCode = message{"S01", [2]string{"ﾄｳﾛｸ ﾅｼ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"UNKNOWN CODE", "CALL SUPERVISOR"}, "登録のない商品です。会計に入っていません。責任者に確認してください", "this code is not in the catalogue and is not on the sale: ask the supervisor"}
	msgCheckDigit  = message{"S02", [2]string{"ﾖﾐﾄﾘ ｴﾗｰ", "ﾓｳｲﾁﾄﾞ ｽｷｬﾝ"}, [2]string{"MISREAD", "SCAN AGAIN"}, "読み取りの検査数字が合いません。もう一度スキャンしてください", "the check digit is wrong: scan again"}
	msgTooLong     = message{"S03", [2]string{"ﾅｶﾞｽｷﾞﾙ ｺｰﾄﾞ", "ﾊﾞｰｺｰﾄﾞｦ ｶｸﾆﾝ"}, [2]string{"CODE TOO LONG", "CHECK THE BARCODE"}, "コードが長すぎます。商品のバーコードをスキャンしてください", "the code is too long: scan the barcode of the goods"}
	msgControl     = message{"S04", [2]string{"ﾌｾｲ ｺｰﾄﾞ", "ﾊﾞｰｺｰﾄﾞｦ ｶｸﾆﾝ"}, [2]string{"BAD CODE", "CHECK THE BARCODE"}, "コードに制御文字があります。商品のバーコードをスキャンしてください", "the code holds control characters: scan the barcode of the goods"}
	msgFrame       = message{"S05", [2]string{"ｽｷｬﾅ ﾂｳｼﾝ ｴﾗｰ", "ﾓｳｲﾁﾄﾞ ｽｷｬﾝ"}, [2]string{"SCANNER LINE", "SCAN AGAIN"}, "スキャナの通信が乱れました。もう一度スキャンしてください", "the scanner's line was disturbed: scan again"}

	msgCarrier   = message{"S06", [2]string{"ｼｮｳﾋﾝ ｺｰﾄﾞ ﾃﾞﾅｲ", "ﾊﾞｰｺｰﾄﾞｦ ｶｸﾆﾝ"}, [2]string{"NOT FOR GOODS", "SCAN CODE OF GOODS"}, "商品には使われない種類のコードです。商品のバーコードをスキャンしてください", "that kind of code is on no goods: scan the barcode of the goods"}
	msgNoArticle = message{"S07", [2]string{"ｼｮｳﾋﾝﾊﾞﾝｺﾞｳ ﾅｼ", "ﾊﾞｰｺｰﾄﾞｦ ｶｸﾆﾝ"}, [2]string{"NO ARTICLE IN IT", "SCAN CODE OF GOODS"}, "コードに商品番号がありません。商品のバーコードをスキャンしてください", "the code holds no article number: scan the barcode of the goods"}
	msgUnknownAI = message{"S08", [2]string{"ｼﾗﾅｲ AI", "ﾍﾞﾂﾉ ｺｰﾄﾞｦ ｽｷｬﾝ"}, [2]string{"UNKNOWN AI", "SCAN ANOTHER CODE"}, "ラベルに知らない識別子（AI）があります。商品の別のバーコードをスキャンしてください", "the label has an application identifier that GS1 does not: scan another barcode of the goods"}
	msgMalformed = message{"S09", [2]string{"ﾗﾍﾞﾙ ﾌｾｲ", "ﾍﾞﾂﾉ ｺｰﾄﾞｦ ｽｷｬﾝ"}, [2]string{"BAD LABEL", "SCAN ANOTHER CODE"}, "ラベルの内容がGS1の規則に合いません。もう一度か、商品の別のバーコードをスキャンしてください", "the label breaks the rules of GS1: scan again, or another barcode of the goods"}
	msgLowerRow  = message{"S10", [2]string{"ｼｮｾｷ 1/2", "ｼﾀ(192)ｦ ｽｷｬﾝ"}, [2]string{"BOOK 1/2", "SCAN LOWER ROW 192"}, "書籍です。下段（192）もスキャンしてください。CLEARでやめます", "a book: scan its lower row (192), too; CLEAR drops it"}
	msgUpperRow  = message{"S11", [2]string{"ｼｮｾｷ 1/2", "ｳｴ(978)ｦ ｽｷｬﾝ"}, [2]string{"BOOK 1/2", "SCAN UPPER ROW 978"}, "書籍の下段です。上段（978）もスキャンしてください。CLEARでやめます", "the lower row of a book: scan the upper one (978), too; CLEAR drops it"}
	msgAddOn     = message{"S12", [2]string{"ｻﾞｯｼ ﾌﾞﾌﾞﾝ ﾖﾐ", "2ﾂ ｲｯｼｮﾆ ｽｷｬﾝ"}, [2]string{"ADD-ON NEEDED", "SCAN BOTH TOGETHER"}, "雑誌のコードの一部しか読めていません。右の小さいコードと一緒にスキャンしてください", "only a part of the magazine's code was read: scan it together with the small one beside it"}
	msgMoney     = message{"S13", [2]string{"ﾗﾍﾞﾙ ﾉ ﾂｳｶ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"LABEL CURRENCY", "CALL SUPERVISOR"}, "ラベルの価格が当店の通貨ではないか、大きすぎます。責任者に確認してください", "the price on the label is not in the shop's currency, or too large: ask the supervisor"}
	msgNoAmount  = message{"S14", [2]string{"ﾘｮｳ･ｶｶｸ ﾅｼ", "ﾊｶﾘ ﾉ ﾗﾍﾞﾙｦ ｽｷｬﾝ"}, [2]string{"NO WEIGHT, PRICE", "SCAN SCALE'S LABEL"}, "ラベルに量や価格がありません。はかりのラベルをスキャンしてください", "the label says neither how much it is nor what it costs: scan the label of the scale"}
	msgByPiece   = message{"S15", [2]string{"ﾗﾍﾞﾙ ﾆ ﾘｮｳ ｱﾘ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"SOLD BY PIECE", "CALL SUPERVISOR"}, "ラベルに量や価格がありますが、この商品は1点いくらで登録されています。責任者に確認してください", "the label says how much it is, but these goods are listed by the piece: ask the supervisor"}
	msgExpired   = message{"S16", [2]string{"ｷｹﾞﾝ ｷﾞﾚ", "ｳﾗﾅｲ. ｾｷﾆﾝｼｬ=ENTER"}, [2]string{"PAST ITS DATE", "SUPERVISOR: ENTER"}, "期限を過ぎています。会計に入っていません。売り場に戻してください。責任者が売るときはENTERを押してください", "past its date and not on the sale: take it off the shelf; a supervisor may sell it with ENTER"}
	msgSerial    = message{"S17", [2]string{"ｽｷｬﾝ ｽﾞﾐ", "ｺﾉ 1ﾃﾝ ﾊ ﾆｭｳﾘｮｸｽﾞﾐ"}, [2]string{"SCANNED ALREADY", "THIS VERY PIECE IS"}, "製造番号のある商品は1点ずつです。この1点はもう入っているか、数量が1ではありません", "goods with a serial number are one piece each: this very one is on the sale already, or a quantity was keyed"}
	msgHalfBook  = message{"S18", [2]string{"ｼｮｾｷ ﾐﾆｭｳﾘｮｸ", "2ﾀﾞﾝ ｽｷｬﾝ ｶ ﾓｳｲﾁﾄﾞ"}, [2]string{"BOOK IS MISSING", "SCAN IT, OR AGAIN"}, "片方の段しか読んでいない書籍が会計に入っていません。2段ともスキャンするか、売らないならもう一度押してください", "a book of which one row was read is not on the sale: scan both rows, or press again to go on without it"}
	msgRefused   = message{"S19", [2]string{"ｼｮｳﾋﾝ ﾄｳﾛｸ ﾌｾｲ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"LISTED WRONGLY", "CALL SUPERVISOR"}, "この商品は商品表の書き方に誤りがあり、売れません。会計に入っていません。責任者が商品表を直してください（regi checkが誤りを示します）", "these goods are listed wrongly in the catalogue and cannot be sold: ask the supervisor to correct it (regi check says what is wrong)"}

	msgSaleFull   = message{"L01", [2]string{"ﾒｲｻｲ ｲｯﾊﾟｲ", "ｺｺﾃﾞ ｶｲｹｲ ｽﾙ"}, [2]string{"SALE IS FULL", "TAKE PAYMENT NOW"}, "明細が上限です。ここまでで会計し、残りは次の取引にしてください", "the sale is full, this item is not on it: take payment, then begin another sale"}
	msgAmountMax  = message{"L02", [2]string{"ｷﾝｶﾞｸ ｼﾞｮｳｹﾞﾝ", "ｺｺﾃﾞ ｶｲｹｲ ｽﾙ"}, [2]string{"AMOUNT LIMIT", "TAKE PAYMENT NOW"}, "金額の上限を超えます。この商品は会計に入っていません", "over the amount limit, this item is not on the sale: take payment or a smaller quantity"}
	msgGrandTotal = message{"L03", [2]string{"ｿｳｹｲ ｼﾞｮｳｹﾞﾝ", "ｻｰﾋﾞｽｦ ﾖﾌﾞ"}, [2]string{"GRAND TOTAL FULL", "CALL SERVICE"}, "総計が上限に達しました。サービスへ連絡してください", "the grand total is full: call service"}
	msgTendersMax = message{"L04", [2]string{"ｱｽﾞｶﾘ ｼﾞｮｳｹﾞﾝ", "ﾉｺﾘｦ ｲﾁﾄﾞﾃﾞ"}, [2]string{"TOO MANY PARTS", "PAY REST AT ONCE"}, "分割は10回までです。残りを一度でお預りください", "ten part payments at most: take the rest at once"}

	msgCardFirst    = message{"C01", [2]string{"ｶｰﾄﾞｷｰ ｶﾞ ｻｷ", "CARD ｦ ｵｽ"}, [2]string{"PRESS CARD FIRST", "THEN SWIPE"}, "先にCARDを押してからカードを通してください。このカードは使われていません", "press CARD first, then swipe: this card was not used"}
	msgCardBad      = message{"C02", [2]string{"ｶｰﾄﾞ ﾖﾐﾄﾘﾌﾉｳ", "ﾓｳｲﾁﾄﾞ ﾄｵｽ"}, [2]string{"CARD UNREADABLE", "SWIPE AGAIN"}, "カードを読み取れません。もう一度通すか、ほかの支払いにしてください", "the card could not be read: swipe again, or CLEAR and pay otherwise"}
	msgCardExact    = message{"C03", [2]string{"ｶｰﾄﾞﾊ ｾﾞﾝｶﾞｸ", "CARD ﾀﾞｹ ｵｽ"}, [2]string{"CARD: EXACT ONLY", "PRESS CARD ALONE"}, "カードは残額ちょうどだけです。CARDだけを押してください", "a card pays exactly what is due: press CARD alone"}
	msgDeclined     = message{"C04", [2]string{"ｶｰﾄﾞ ｼｮｳﾆﾝ ﾅｼ", "ﾎｶﾉ ｼﾊﾗｲﾎｳﾎｳ"}, [2]string{"CARD DECLINED", "PAY ANOTHER WAY"}, "カードが承認されませんでした。ほかの支払いにしてください", "the card was declined: pay another way"}
	msgFunds        = message{"C05", [2]string{"ｶｰﾄﾞ ｹﾞﾝﾄﾞ", "ﾎｶﾉ ｼﾊﾗｲﾎｳﾎｳ"}, [2]string{"NO FUNDS", "PAY ANOTHER WAY"}, "カードの利用可能額が足りません。ほかの支払いにしてください", "insufficient funds on the card: pay another way"}
	msgCardError    = message{"C06", [2]string{"ｶｰﾄﾞｶﾞｲｼｬ ｴﾗｰ", "ﾓｳｲﾁﾄﾞ ｶ ｹﾞﾝｷﾝ"}, [2]string{"CARD HOST ERROR", "AGAIN OR CASH"}, "カード会社の処理に失敗しました。もう一度か、現金でお支払いください", "the card host failed: try again or take cash"}
	msgCardOffline  = message{"C07", [2]string{"ｶｰﾄﾞ ｵﾌﾗｲﾝ", "ｹﾞﾝｷﾝ ﾃﾞ ｼﾊﾗｲ"}, [2]string{"CARD OFFLINE", "TAKE CASH"}, "オフラインのためカードは使えません。請求されていません。現金でお支払いください", "offline: the card was not charged; take cash"}
	msgCardNoAnswer = message{"C08", [2]string{"ｶｰﾄﾞ ｵｳﾄｳﾅｼ", "ﾄﾘｹｼｽﾞﾐ. ﾍﾞﾂﾉ ｼﾊﾗｲ"}, [2]string{"NO CARD ANSWER", "REVERSED, PAY AGAIN"}, "カードの応答がありません。取消を記録しました。ほかの支払いにしてください", "no answer for the card: a reversal is recorded; pay another way"}
	msgCardWait     = message{"C09", [2]string{"ｶｰﾄﾞ ｶｸﾆﾝﾁｭｳ", "ﾏﾂ. CLEARx2=ﾁｭｳｼ"}, [2]string{"CARD IN PROGRESS", "WAIT. 2xCLEAR STOPS"}, "カードの承認を待っています。CLEARを2回押すと取消します", "waiting for the card's answer: pressing CLEAR twice gives up and reverses it"}
	msgCardDown     = message{"C10", [2]string{"ｶｰﾄﾞﾘｰﾀﾞｰ ﾅｼ", "ｹﾞﾝｷﾝ ﾃﾞ ｼﾊﾗｲ"}, [2]string{"NO CARD READER", "TAKE CASH"}, "カードリーダーが使えません。接続を確認するか、現金でお支払いください", "the card reader is not ready: check it, or take cash"}
	msgNothingDue   = message{"C11", [2]string{"ｼﾊﾗｲ ﾅｼ", "CASH ﾃﾞ ｵﾜﾙ"}, [2]string{"NOTHING DUE", "CASH ENDS THE SALE"}, "お支払いは0円です。CASHで終了してください", "nothing is due: CASH ends the sale"}
	msgCardLate     = message{"C12", [2]string{"", ""}, [2]string{"", ""}, "取り消したカードの応答が遅れて届きました。取消は記録済みです", "a late answer for a card attempt that is over: ignored, its reversal stands"}
	msgNoKey        = message{"C13", [2]string{"ｶｰﾄﾞ ｶｷﾞ ﾅｼ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾌﾞ"}, [2]string{"READER NEEDS KEY", "CALL A TECHNICIAN"}, "カードリーダーに鍵が必要です。技術者を呼んでください。現金の会計は続けられます", "card reader needs a key: call a technician; cash sales go on"}
	msgKeysUsedUp   = message{"C14", [2]string{"ｶｰﾄﾞ ｶｷﾞ ｷﾞﾚ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾌﾞ"}, [2]string{"CARD KEY USED UP", "CALL A TECHNICIAN"}, "カードリーダーの鍵を使い切りました。新しい鍵が必要です。技術者を呼んでください", "the card reader's key is used up and it needs a new one: call a technician"}
	msgOtherDevice  = message{"C15", [2]string{"ﾎｶﾉ ｷｷﾉ ｶｷﾞ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾌﾞ"}, [2]string{"FOREIGN CARD KEY", "CALL A TECHNICIAN"}, "鍵ファイルがほかの機器のものです。このレジの鍵が必要です。技術者を呼んでください", "the card key file is of another device, and this one needs a key: call a technician"}
	msgKeyDamaged   = message{"C16", [2]string{"ｶｷﾞ ﾌｧｲﾙ ﾊｿﾝ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾌﾞ"}, [2]string{"CARD KEY DAMAGED", "CALL A TECHNICIAN"}, "鍵ファイルが壊れています。新しい鍵が必要です。技術者を呼んでください", "the card key file is damaged, and the card reader needs a new key: call a technician"}
	msgKeyUnwritten = message{"C17", [2]string{"ｶｷﾞ ｶｷｺﾐ ﾌｶ", "ﾃﾞｨｽｸ ﾉ ｱｷｦ ｶｸﾆﾝ"}, [2]string{"DISK FULL OR BAD", "FREE SPACE, OR CASH"}, "鍵ファイルを書けないため、カードを受け付けません。ディスクの空きを確認してください。直れば自動で再開します", "the card key file cannot be written, so no card is read: check the disk and its free space; cards come back by themselves"}
	msgZeroised     = message{"C18", [2]string{"ｶｰﾄﾞ ｶｷﾞ ｼｮｳｷｮ", "ｷﾞｼﾞｭﾂｼｬｦ ﾖﾌﾞ"}, [2]string{"READER NEEDS KEY", "CALL A TECHNICIAN"}, "カードの鍵は消去されました。カードリーダーに鍵が必要です。技術者を呼んでください", "the card key was destroyed, the card reader needs a key: call a technician"}
	msgTampered     = message{"C19", [2]string{"ｹｰｽ ｶｲﾌｳ ｹﾝﾁ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"CASE OPENED", "CALL SUPERVISOR"}, "レジの筐体が開けられました。カードの鍵を消去します。責任者に確認してください", "the register's case was opened, its card key is being destroyed: call the supervisor"}

	msgSwipe = message{"C20", [2]string{"ｶｰﾄﾞ ﾏﾁ", "ﾄｵｽ ｶ CLEAR ﾃﾞ ﾓﾄﾞﾙ"}, [2]string{"WAITING FOR CARD", "SWIPE, OR CLEAR"}, "カードを通すか、CLEARで戻ってください。今の操作は入っていません", "swipe the card, or CLEAR goes back: what was just done had no effect"}

	msgDrawerStuck  = message{"D01", [2]string{"ﾄﾞﾛｱ ｱｶｽﾞ", "ｶｷﾞ ﾃﾞ ｱｹﾙ"}, [2]string{"DRAWER STUCK", "OPEN IT BY KEY"}, "ドロアが開きません。鍵で開けてください。引っ掛かりを直したら、取引のあとNOSALEで開けられます", "the drawer did not open: use its key; once it is free, NOSALE opens it between sales"}
	msgDrawerForced = message{"D02", [2]string{"ﾄﾞﾛｱ ﾌｾｲ ｶｲﾎｳ", "ｾｷﾆﾝｼｬｦ ﾖﾌﾞ"}, [2]string{"DRAWER FORCED", "CALL SUPERVISOR"}, "ドロアが指示なしに開きました。責任者に確認してください", "the drawer was opened without a command: call the supervisor"}
	msgDrawerLeft   = message{"D03", [2]string{"ﾄﾞﾛｱ ｱｷｯﾊﾟﾅｼ", "ﾄﾞﾛｱｦ ｼﾒﾙ"}, [2]string{"DRAWER LEFT OPEN", "CLOSE THE DRAWER"}, "ドロアが開いたままです。閉めてください。記録されました", "the drawer stands open: close it; this is on record"}
	msgDrawerHot    = message{"D04", [2]string{"ﾄﾞﾛｱ ﾋﾔｼﾁｭｳ", "5ﾋﾞｮｳ ﾏｯﾃ NOSALE"}, [2]string{"DRAWER COOLING", "WAIT 5 S, NOSALE"}, "ドロアのコイルを冷ましています。5秒待ってNOSALEを押してください", "the drawer's coil must cool: wait five seconds, then press NOSALE"}
	msgDrawerAway   = message{"D05", [2]string{"ﾄﾞﾛｱ ｾﾂﾀﾞﾝ", "ｹｰﾌﾞﾙ･ﾌﾟﾘﾝﾀ ｶｸﾆﾝ"}, [2]string{"DRAWER AWAY", "CHECK CABLE, PRINTER"}, "ドロアにつながりません。ケーブルとプリンタを確認し、取引のあとNOSALEで開けてください", "the drawer cannot be reached: check its cable and the printer, then NOSALE opens it between sales"}
	msgNoSale       = message{"D06", [2]string{"ﾘｮｳｶﾞｴ", "ﾄﾞﾛｱｦ ｱｹﾏｽ"}, [2]string{"NO SALE", "DRAWER OPENS"}, "両替です。ドロアを開けます。済んだら閉めてください", "no sale: the drawer opens; close it when done"}

	msgPaperOut      = message{"P07", [2]string{"ﾖｳｼ ｷﾞﾚ", "ﾛｰﾙｦ ｺｳｶﾝ"}, [2]string{"PAPER OUT", "PUT IN A ROLL"}, "用紙がなくなりました。新しいロールに交換してください。会計は続けられます", "the paper is out: put in a new roll; selling goes on"}
	msgCover         = message{"P08", [2]string{"ﾌﾟﾘﾝﾀ ｶﾊﾞｰ", "ｶﾊﾞｰｦ ｼﾒﾙ"}, [2]string{"COVER OPEN", "CLOSE THE COVER"}, "プリンタのカバーが開いています。閉めてください。会計は続けられます", "the printer's cover is open: close it; selling goes on"}
	msgCutter        = message{"P09", [2]string{"ｶｯﾀ ｴﾗｰ", "ｶﾐｦ ﾄｯﾃ ENTER"}, [2]string{"CUTTER JAMMED", "FREE IT, THEN ENTER"}, "カッターが止まっています。詰まった紙を取り除いてENTERを押してください。直らなければプリンタの電源を入れ直してください。会計は続けられます", "the cutter is jammed: remove the paper in it, then press ENTER; if that does not help, switch the printer off and on; selling goes on"}
	msgHeadHot       = message{"P12", [2]string{"ﾍｯﾄﾞ ｶﾈﾂ", "ｼﾞﾄﾞｳﾃﾞ ｻｲｶｲｼﾏｽ"}, [2]string{"PRINT HEAD HOT", "GOES ON BY ITSELF"}, "印字ヘッドが熱くなっています。冷えると自動で再開します。会計は続けられます", "the print head is too hot: it goes on by itself when it has cooled; selling goes on"}
	msgMechanical    = message{"P13", [2]string{"ﾌﾟﾘﾝﾀ ｷｺｳ ｴﾗｰ", "ｶﾐｦ ﾐﾃ ENTER"}, [2]string{"PRINTER JAMMED", "FREE IT, THEN ENTER"}, "プリンタの機構が止まっています。紙詰まりを取り除いてENTERを押してください。直らなければ電源を入れ直してください。会計は続けられます", "the printer's mechanism has stopped: remove jammed paper, then press ENTER; if that does not help, switch it off and on; selling goes on"}
	msgUnrecoverable = message{"P14", [2]string{"ﾌﾟﾘﾝﾀ ｺｼｮｳ", "ﾃﾞﾝｹﾞﾝｦ ｲﾚﾅｵｽ"}, [2]string{"PRINTER BROKEN", "SWITCH OFF AND ON"}, "プリンタが故障しています。電源を入れ直し、直らなければ修理を頼んでください。会計は続けられます", "the printer has an error it cannot recover from: switch it off and on, and if that does not help, have it repaired; selling goes on"}
	msgNoAnswer      = message{"P15", [2]string{"ﾌﾟﾘﾝﾀ ｵｳﾄｳﾅｼ", "ﾃﾞﾝｹﾞﾝｦ ｶｸﾆﾝ"}, [2]string{"PRINTER SILENT", "IS IT SWITCHED ON?"}, "プリンタが応答しません。電源とケーブルを確認してください。会計は続けられます", "the printer does not answer: check its power and cable; selling goes on"}
	msgPaper         = message{"P01", [2]string{"ﾌﾟﾘﾝﾀ ﾃｲｼ", "ﾖｳｼ･ｶﾊﾞｰｦ ｶｸﾆﾝ"}, [2]string{"PRINTER WAITS", "CHECK PAPER, COVER"}, "プリンタが止まっています。用紙とカバーを確認してください。会計は続けられます", "the printer waits: check paper and cover; selling goes on"}
	msgPrintFailed   = message{"P02", [2]string{"ｲﾝｻﾂ ｼｯﾊﾟｲ", "FN ﾃﾞ ｻｲﾊｯｺｳ"}, [2]string{"PRINT FAILED", "FN PRINTS AGAIN"}, "レシートを印刷できませんでした。会計は成立しています。FNで再発行できます", "the receipt was not printed, the sale stands: FN prints the last one again"}
	msgOtherFailed   = message{"P20", [2]string{"ｲﾝｻﾂ ｼｯﾊﾟｲ", "ﾌﾟﾘﾝﾀｦ ｶｸﾆﾝ"}, [2]string{"PRINT FAILED", "CHECK THE PRINTER"}, "印刷できませんでした。FNでは再発行できません。点検はX、領収書は1とENTER、キーシートは5とENTERでもう一度出せます。精算（Z）と注文伝票の内容は台帳にあります", "it was not printed, and FN prints receipts only: X, 1 ENTER (領収書) and 5 ENTER (command sheet) print theirs again; a Z or an order slip is in the ledger"}
	msgPrintUnknown  = message{"P03", [2]string{"ｲﾝｼﾞｦ ｶｸﾆﾝ", "ｱﾘ=ENTER ﾅｼ=FN"}, [2]string{"PRINTED?", "YES=ENTER NO=FN"}, "レシートが最後まで印字されたか分かりません。紙を見て、あればENTER、なければFN（再発行）を押してください", "nobody knows whether it was printed to its end: look at the paper; ENTER if it was, FN prints it again, marked 再発行"}
	msgPrintLate     = message{"P10", [2]string{"ﾌﾙｲ ﾚｼｰﾄ", "ﾌﾖｳ=ENTER ｲﾝｼﾞ=FN"}, [2]string{"OLD RECEIPT", "DROP=ENTER PRINT=FN"}, "長く印刷を待っていたレシートがあります。まだ印字していません。要らなければENTER、印字するならFNを押してください", "a receipt has waited too long and was not printed: ENTER drops the paper, FN prints it now"}
	msgTwoPieces     = message{"P11", [2]string{"", ""}, [2]string{"", ""}, "用紙の交換でレシートが2枚に分かれました。つながった控えが要るときは、レシート番号とFNで再発行してください", "the roll was changed in the middle of a receipt, which is in two pieces: its number, then FN prints it whole, marked 再発行"}
	msgTwoAddressed  = message{"P16", [2]string{"", ""}, [2]string{"", ""}, "用紙の交換で領収書が2枚に分かれました。2枚とも回収し、次の取引の前に1とENTERで【再発行】の領収書を1枚出してください", "the roll was changed in the middle of the addressed receipt (領収書): take both pieces back, and 1, ENTER before the next sale prints it whole, marked 再発行"}
	msgTwoX          = message{"P17", [2]string{"", ""}, [2]string{"", ""}, "用紙の交換で点検（X）が2枚に分かれました。要るときはもう一度Xを押してください", "the roll was changed in the middle of the X report: press X for a new one"}
	msgTwoKept       = message{"P18", [2]string{"", ""}, [2]string{"", ""}, "用紙の交換で2枚に分かれました。この用紙は再発行できません。2枚を合わせて保管してください。記録は台帳にあります", "the roll was changed in its middle and it cannot be printed again: keep the two pieces together; what it says is in the ledger"}
	msgTwoSheet      = message{"P19", [2]string{"", ""}, [2]string{"", ""}, "用紙の交換でキーシートが2枚に分かれました。要るときは5とENTERで新しいシートを印刷してください", "the roll was changed in the middle of the command sheet: 5, ENTER prints a new one"}
	msgPrintQueue    = message{"P04", [2]string{"ｲﾝｻﾂﾏﾁ ｲｯﾊﾟｲ", "ﾌﾟﾘﾝﾀｦ ｶｸﾆﾝ"}, [2]string{"PRINT QUEUE FULL", "CHECK THE PRINTER"}, "印刷待ちがいっぱいです。このレシートは印刷されません。プリンタを確認してください", "too many receipts wait for the printer: this one will not be printed; check the printer"}
	msgPrintGoesOn   = message{"P05", [2]string{"", ""}, [2]string{"", ""}, "プリンタが再開しました", "the printer goes on"}
	msgPaperLow      = message{"P06", [2]string{"", ""}, [2]string{"", ""}, "用紙が残りわずかです。新しいロールを用意してください", "paper is near its end: have a new roll ready"}

	msgDeviceDown = message{"V01", [2]string{"ｷｷ ｾﾂﾀﾞﾝ", "ｹｰﾌﾞﾙｦ ｶｸﾆﾝ"}, [2]string{"DEVICE AWAY", "CHECK THE CABLE"}, "機器がつながっていません。ケーブルと電源を確認してください", "a device is away: check its cable and power"}
	msgDeviceUp   = message{"V02", [2]string{"", ""}, [2]string{"", ""}, "機器がつながりました", "a device is back"}
	msgOffline    = message{"N01", [2]string{"", ""}, [2]string{"", ""}, "クラウドとつながっていません。現金の会計は続けられます", "no way to the cloud: cash sales go on, cards do not"}
	msgOnline     = message{"N02", [2]string{"", ""}, [2]string{"", ""}, "クラウドとつながりました", "the cloud is back"}

	msgResumed  = message{"R01", [2]string{"ﾄﾘﾋｷ ｦ ﾌｯｷ", ""}, [2]string{"SALE RESTORED", ""}, "再起動の前の取引を復元しました。そのまま続けるか、VOIDで取り消してください", "the register has started again and the open sale was restored: go on, or VOID its lines"}
	msgReversed = message{"R02", [2]string{"ｶｰﾄﾞ ﾄﾘｹｼｽﾞﾐ", "ｼﾊﾗｲｦ ﾔﾘﾅｵｽ"}, [2]string{"CARD REVERSED", "PAY AGAIN"}, "再起動で結果不明のカードは取消を記録しました。支払いをやり直してください", "a card attempt was cut off by the restart: a reversal is recorded; pay again"}
	msgReprints = message{"R03", [2]string{"", ""}, [2]string{"", ""}, "印字の確認ができなかったレシートを再発行します", "receipts that nobody saw printed are printed again, marked 再発行"}

	msgOpened    = message{"I01", [2]string{"", ""}, [2]string{"", ""}, "レジを開けました", "the shift is open"}
	msgZDone     = message{"I02", [2]string{"", ""}, [2]string{"", ""}, "精算しました", "the shift is closed"}
	msgIssuer    = message{"I03", [2]string{"ﾃﾝﾎﾟ ｾｯﾃｲ ｴﾗｰ", "ﾚｼｰﾄ ｲﾝｻﾂ ﾌｶ"}, [2]string{"SHOP SETTINGS", "NO RECEIPTS: SERVICE"}, "店名か登録番号が正しくないため、レシートを印刷できません。設定を直してください", "receipts cannot be printed: correct the issuer in the settings"}
	msgCorporate = message{"I04", [2]string{"", ""}, [2]string{"", ""}, "登録番号の検査数字が法人番号のものではありません。法人なら設定を確認してください", "the registration number is not that of a company: check it if the shop is one"}
)
