package console

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Times of the tests.
const (
	testWithin = 20 * time.Second
	waitWithin = 30 * time.Second
	showFor    = 5 * time.Second
)

// testCommands use one device, through the task that owns it.
func testCommands() []command {
	return []command{
		{
			name: "scan test", roles: technicians, run: (*session).scanTest, example: "scan test",
			does: words{"shows the next label that is scanned; it is not sold", "次に読んだバーコードを表示（登録はしない）"},
		},
		{
			name: "print test", roles: technicians, run: (*session).printTest, example: "print test",
			does: words{"prints widths, Japanese and a QR code", "文字幅・日本語・QRコードのテスト印字"},
		},
		{
			name: "drawer test", roles: technicians, effect: true, run: (*session).drawerTest, example: "drawer test",
			does: words{"opens the drawer and watches its switch", "ドロアを開けスイッチを確認"},
		},
		{
			name: "card test", roles: technicians, run: (*session).cardTest, example: "card test",
			does: words{"reads a test card: brand, last four, tracks; it is not charged", "テストカードの読取確認（ブランドと下4桁のみ・請求なし）"},
		},
		{
			name: "display test", roles: technicians, run: (*session).displayTest, example: "display test",
			does: words{"writes to the display for 5 s", "表示器に5秒間テスト表示"},
		},
	}
}

// awaits waits for what somebody does at the counter, and says so once it counts.
func (s *session) awaits(ctx context.Context, prompt words, f func(ctx context.Context, ready func()) error) error {
	steps := make(chan string, 1)
	s.steps = steps
	defer func() { s.steps = nil }()
	return s.busy(ctx, waitWithin, func(ctx context.Context) error {
		return f(ctx, func() { steps <- s.tr(prompt) })
	})
}

func (s *session) scanTest(ctx context.Context, _ []string) error {
	var scan Scan
	err := s.awaits(ctx, wordsWaitScan, func(ctx context.Context, ready func()) (err error) {
		scan, err = s.host.Counter.Scan(ctx, ready)
		return err
	})
	if err != nil {
		return s.advised(err)
	}
	if scan.Problem != "" {
		s.say("  %s", s.told(scan.Problem))
		return saidError{errors.New(scan.Problem)}
	}
	s.say("  %s  (AIM %s)", scan.Label, scan.AIM)
	return nil
}

func (s *session) printTest(ctx context.Context, _ []string) error {
	lines := []string{
		"REGI PRINT TEST " + s.host.ID.String(), s.host.Version, time.Now().In(s.host.Zone).Format(clockLayout),
		"123456789012345678901234567890123456789012345678", "日本語の印字テスト　ｶﾅ ｱｲｳ", "¥1,234 *8% |#@|",
	}
	err := s.busy(ctx, testWithin, func(ctx context.Context) error {
		return s.host.Counter.Print(ctx, lines, "https://regi.example/test")
	})
	if err == nil {
		s.say("%s", s.tr(wordsPrinted))
	}
	return s.advised(err)
}

func (s *session) drawerTest(ctx context.Context, _ []string) error {
	err := s.busy(ctx, testWithin, s.host.Counter.OpenDrawer)
	if err == nil {
		s.say("%s", s.tr(wordsOpened))
	}
	return s.advised(err)
}

// advised says the next step for what a device has said.
func (s *session) advised(err error) error {
	if err == nil || errors.Is(err, ErrSale) || errors.Is(err, ErrAway) || errors.Is(err, errStopped) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	s.say("  → %s", s.tr(adviceFor(err.Error())))
	return err
}

func (s *session) cardTest(ctx context.Context, _ []string) error {
	var card Card
	err := s.awaits(ctx, wordsWaitCard, func(ctx context.Context, ready func()) (err error) {
		card, err = s.host.Counter.Card(ctx, ready)
		return err
	})
	switch {
	case err != nil:
		return s.advised(err)
	case card.Problem != "":
		s.say("  %s", s.told(card.Problem))
		return saidError{errors.New(card.Problem)}
	}
	luhn := "check digit right"
	if !card.Luhn {
		luhn = "check digit wrong"
	}
	s.say("  %s", s.told(fmt.Sprintf("%s •••• %s, tracks %s, %s", card.Brand, card.Last4, card.Tracks, luhn)))
	return nil
}

func (s *session) displayTest(ctx context.Context, _ []string) error {
	st, err := s.state(ctx)
	switch {
	case err != nil:
		return err
	case st.Sale:
		return ErrSale
	}
	s.say("%s", s.tr(wordsShown))
	err = s.busy(ctx, showFor, func(ctx context.Context) error {
		return s.host.Counter.Show(ctx, "REGI TEST", "ﾃｽﾄ ｱｲｳ 1234567890")
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // it was shown for as long as it should
	}
	return s.advised(err)
}
