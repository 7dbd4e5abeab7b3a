package register

import (
	"errors"
	"maps"
	"time"

	"regi/firmware/journal"
	"regi/firmware/record"
	"regi/firmware/till"
)

// roomReserve is what must be free in the journal before something new is
// begun: 256 records, more than a sale, its payment and its receipt need.
const roomReserve = 1 << 20

// full refuses to begin a sale, a shift or anything else that the journal would
// have no room to finish: only the cloud's acknowledgement makes room. A sale
// that is open goes on.
func (r *Register) full(e till.Event) bool {
	switch e.(type) {
	case till.Key, till.Scanned:
	default:
		return false
	}
	if phase := r.till.Phase(); phase != till.Idle && phase != till.Closed {
		return false
	}
	if r.ledger.journal.Room() >= roomReserve {
		return false
	}
	r.tellFull()
	return true
}

// tellFull is what the operator sees of it.
func (r *Register) tellFull() {
	text := till.Show{Upper: "ｿｳｼﾝﾏﾁ ｲｯﾊﾟｲ    N03", Lower: "ｸﾗｳﾄﾞ ｾﾂｿﾞｸｦ ｶｸﾆﾝ"}
	if r.config.Till.Locale == "en" {
		text = till.Show{Upper: "OUTBOX IS FULL   N03", Lower: "CONNECT THE CLOUD"}
	}
	text.Paper, text.Customer = true, r.screen.forCustomer()
	r.screen.show(text)
	r.tape(text)
	r.notify(till.Notice{Code: "N03", Text: "送信待ちがいっぱいで、新しい取引を始められません。クラウドへの接続を直してください / " +
		"the outbox is full, no new sale can begin: restore the connection to the cloud"})
}

// boot records the start. A full journal is no reason not to start: what waits
// in it can only be sent by a register that runs.
func (r *Register) boot() error {
	body := map[string]string{"version": r.config.Version}
	maps.Copy(body, r.config.Boot)
	err := r.ledger.note(time.Now(), record.FwBoot, body)
	r.started, _ = r.ledger.journal.Head()
	if errors.Is(err, journal.ErrFull) {
		return nil
	}
	return err
}
