package console

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Limits of what is shown.
const (
	logDefault, logMost = 20, 200
	// roomLow is when a filling journal is a fault: the shell begins no sale
	// below 1 MiB.
	roomLow = 16 << 20
	// waitsMany records in the journal are more than an evening without the cloud.
	waitsMany = 20_000
	// earliest: a clock before it was never set.
	earliest = 1_790_000_000
)

// clockLayout names the zone: a log beside it may be in another.
const clockLayout = "2006-01-02 15:04:05 MST -07:00"

// lookCommands change nothing.
func lookCommands() []command {
	both := technicians | officers
	return []command{
		{
			name: "status", roles: both, run: (*session).status, example: "status",
			does: words{"the register in five lines", "レジの状態を5行で"},
		},
		{
			name: "check", roles: technicians, run: (*session).check, example: "check",
			does: words{"tests everything, and says what to do", "全機器の自己診断と対処方法"},
		},
		{
			name: "devices", roles: technicians, run: (*session).devices, example: "devices",
			does: words{"each device, its port and its state", "機器・ポート・状態の一覧"},
		},
		{
			name: "net", roles: technicians, run: (*session).net, example: "net",
			does: words{"link, address, cloud and clock", "回線・アドレス・クラウド・時計"},
		},
		{
			name: "ledger", roles: both, run: (*session).ledger, example: "ledger",
			does: words{"records that wait, the chain's head, the last acknowledgement", "送信待ち・先頭・最終受領"},
		},
		{
			name: "log", args: "[LINES] [WORD]", argsMax: 2, roles: technicians, run: (*session).log, example: "log 50 printer",
			does: words{"the newest log lines, those with WORD only", "最新のログ（WORD を含む行のみ）"},
		},
		{
			name: "support", args: "[print]", argsMax: 1, roles: technicians, run: (*session).support, example: "support",
			does: words{"one bundle for support, on this line; print: as QR codes on paper", "サポート用データを表示。print でQRコード印字"},
		},
	}
}

// state asks the counter.
func (s *session) state(ctx context.Context) (state State, err error) {
	err = s.busy(ctx, noteWithin, func(ctx context.Context) error {
		state, err = s.host.Counter.State(ctx)
		return err
	})
	return state, err
}

func (s *session) status(ctx context.Context, _ []string) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	away := []string{}
	for _, d := range st.Devices {
		if !d.Up {
			away = append(away, d.Name)
		}
	}
	devices := fmt.Sprintf(s.tr(wordsDevicesUp), len(st.Devices)-len(away), len(st.Devices))
	if len(away) > 0 {
		devices += ", away: " + strings.Join(away, ", ")
	}
	s.rows([]Setting{
		{"register", s.host.ID.String() + ", " + s.host.Version},
		{"till", st.Till + ", up " + st.Up.Round(time.Second).String()},
		{"devices", devices},
		{"cloud", st.Cloud.words()},
		{"ledger", fmt.Sprintf("record %d, %d wait for the cloud", st.Ledger.Head, st.Ledger.Depth)},
	})
	return nil
}

func (c Cloud) words() string {
	switch {
	case c.Up:
		return "up, " + c.URL
	case c.Says != "":
		return "away, " + c.URL + ": " + c.Says
	}
	return "away, " + c.URL
}

// rows writes lines of a name and a text.
func (s *session) rows(rows []Setting) {
	for _, r := range rows {
		s.say("  %s %s", s.label(r.Key), s.told(r.Value))
	}
}

func (s *session) devices(ctx context.Context, _ []string) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	for _, d := range st.Devices {
		says := d.Says
		if d.Up && says == "" {
			says = "up"
		}
		s.say("  %-10s %-28s %s", d.Name, d.Port, s.told(says))
	}
	return nil
}

// finding is one line of the self-test.
type finding struct {
	name, says string
	ok         bool
	do         words
}

func (s *session) check(ctx context.Context, _ []string) error {
	found, err := s.findings(ctx)
	if err != nil {
		return err
	}
	faults := 0
	for _, f := range found {
		mark := "ok  "
		if !f.ok {
			mark = "FAIL"
			faults++
		}
		s.say("  %s  %s %s", mark, s.label(f.name), s.told(f.says))
		if !f.ok || f.do != (words{}) {
			s.say("        %-10s → %s", "", s.tr(f.do))
		}
	}
	if faults > 0 {
		s.say(s.tr(wordsFaults), faults, len(found))
		return saidError{fmt.Errorf("%d of %d", faults, len(found))}
	}
	s.say("%s", s.tr(wordsAllWell))
	return nil
}

// findings is the self-test: what the tasks that own the devices know of them,
// and the rest of the register.
func (s *session) findings(ctx context.Context) ([]finding, error) {
	st, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]finding, 0, len(st.Devices)+8)
	for _, d := range st.Devices {
		f := finding{name: d.Name, says: d.Says, ok: d.Up}
		switch {
		case d.Up && d.Says == "":
			f.says = "up"
		case d.Up: // a warning
			f.do = adviceFor(d.Says)
		default:
			f.do = adviceFor(d.Says)
		}
		found = append(found, f)
	}
	found = append(found, s.cardKey(ctx), checkCloud(st.Cloud), checkLedger(st.Ledger), checkClock(st.Now.In(s.host.Zone)))
	if s.host.Board == nil {
		return found, nil
	}
	rows, err := s.host.Board.State()
	if err != nil {
		return append(found, finding{name: "board", says: err.Error(), do: lastAdvice}), nil
	}
	for _, r := range rows {
		if says, bad := strings.CutPrefix(r.Value, "fault: "); bad {
			f := finding{name: r.Key, says: says, do: lastAdvice}
			if do, known := boardAdvices[r.Key]; known {
				f.do = do
			}
			found = append(found, f)
		}
	}
	return append(found, s.slotFaults(ctx)...), nil
}

// slotFaults are what is wrong with the versions on the card.
func (s *session) slotFaults(ctx context.Context) (found []finding) {
	if s.host.Slots == nil {
		return nil
	}
	rows, err := s.host.Slots.State(ctx)
	if err != nil {
		rows = []Setting{{"fault", err.Error()}}
	}
	for _, r := range rows {
		if r.Key == "fault" || r.Key == "damaged" {
			found = append(found, finding{name: "slot", says: r.Value, do: boardAdvices["slot"]})
		}
	}
	return found
}

func (s *session) cardKey(ctx context.Context) finding {
	f := finding{name: "card key"}
	err := s.busy(ctx, keysWithin, func(ctx context.Context) (err error) {
		f.says, err = s.host.Keys.Status(ctx)
		return err
	})
	if err != nil {
		f.says = err.Error()
	}
	f.ok = err == nil && strings.HasPrefix(f.says, "Card key ") && !strings.Contains(f.says, "used up")
	if !f.ok {
		f.do = adviceFor("key")
	}
	return f
}

func checkCloud(c Cloud) finding {
	f := finding{name: "cloud", ok: c.Up, says: c.words()}
	if !c.Up {
		f.do = adviceFor(c.Says)
		if f.do == lastAdvice {
			f.do = words{"sales go on; net shows how far it comes", "販売は続けられます。net で接続状況を確認してください"}
		}
	}
	return f
}

func checkLedger(l Ledger) finding {
	f := finding{name: "ledger", ok: l.Room > roomLow && l.Depth < waitsMany, says: fmt.Sprintf("%d wait, room for %d MiB", l.Depth, l.Room>>20)}
	if !f.ok {
		f.do = words{"bring the cloud back: when it is full no sale can begin", "クラウド接続を復旧してください。満杯になると販売できません"}
	}
	return f
}

func checkClock(now time.Time) finding {
	f := finding{name: "clock", ok: now.Unix() > earliest, says: now.Format(clockLayout)}
	if !f.ok {
		f.do = words{"it was never set: connect the network", "時計が未設定です。ネットワークに接続してください"}
	}
	return f
}

func (s *session) net(ctx context.Context, _ []string) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	rows := []Setting{{"cloud", st.Cloud.words()}, {"time", st.Now.In(s.host.Zone).Format(clockLayout)}}
	if s.host.Board == nil {
		s.rows(append(rows, Setting{"link", s.tr(wordsNotOnBoard)}))
		return nil
	}
	more, err := s.host.Board.State()
	if err != nil {
		return err
	}
	s.rows(append(rows, more...))
	return nil
}

func (s *session) ledger(ctx context.Context, _ []string) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	l := st.Ledger
	acked := "none yet"
	if l.Acked > 0 {
		acked = fmt.Sprintf("record %d", l.Acked)
	}
	s.rows([]Setting{
		{"head", fmt.Sprintf("record %d", l.Head)},
		{"hash", l.Hash},
		{"waiting", fmt.Sprintf("%d records, room for %d MiB", l.Depth, l.Room>>20)},
		{"signed for", acked},
	})
	return nil
}

// longDigits are more digits in a row than a date has: whatever they are, they
// are not shown.
var longDigits = regexp.MustCompile(`[0-9](?:[ -]?[0-9]){11,}`)

// masked takes out of a log line what might be a number of something.
func masked(line string) string { return longDigits.ReplaceAllString(line, "…") }

func (s *session) log(_ context.Context, args []string) error {
	n, word := logDefault, ""
	for _, a := range args {
		if v, err := strconv.Atoi(a); err == nil {
			n = min(max(v, 1), logMost)
		} else {
			word = strings.ToLower(a)
		}
	}
	lines := s.host.Log(logMost)
	kept := lines[:0:0]
	for _, line := range lines {
		if strings.Contains(strings.ToLower(line), word) {
			kept = append(kept, masked(line))
		}
	}
	for _, line := range kept[max(0, len(kept)-n):] {
		s.say("  %s", line)
	}
	return nil
}
