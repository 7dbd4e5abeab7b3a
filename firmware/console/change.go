package console

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// Times of what changes the register.
const (
	keysWithin     = 10 * time.Second
	ceremonyWithin = 30 * time.Minute
	updateWithin   = 30 * time.Minute
)

// changeCommands are on record before they are carried out.
func changeCommands() []command {
	both := technicians | officers
	return []command{
		{
			name: "keys status", roles: both, run: (*session).keysStatus, example: "keys status",
			does: words{"the card key's id and check value", "カード鍵の番号とチェック値"},
		},
		{
			name: "keys inject", roles: officers, effect: true, run: (*session).keysInject, example: "keys inject",
			does: words{"loads a card key: two officers, two components, one key block", "カード鍵の登録（鍵管理者2名）"},
		},
		{
			name: "keys wipe", roles: officers, effect: true, run: (*session).keysWipe, example: "keys wipe",
			does: words{"destroys the card key", "カード鍵の消去"},
		},
		{
			name: "enroll", roles: technicians, effect: true, run: (*session).enroll, example: "enroll",
			does: words{"makes this register known to its cloud, and takes its credentials", "クラウドへの登録"},
		},
		{
			name: "config show", args: "[WORD]", argsMax: 1, roles: technicians, run: (*session).configShow, example: "config show scanner",
			does: words{"the settings, and what is changed", "設定と変更点の表示"},
		},
		{
			name: "config set", args: "KEY VALUE", argsMax: 2, roles: technicians, tells: true, arguments: (*session).settingSet, run: (*session).configSet, example: "config set scanner.baud 19200",
			does: words{"notes a change, if the file is right with it", "設定変更を控える（検証つき）"},
		},
		{
			name: "config discard", roles: technicians, run: (*session).configDiscard, example: "config discard",
			does: words{"forgets the changes", "控えた変更の取り消し"},
		},
		{
			name: "config apply", roles: technicians, effect: true, run: (*session).configApply, example: "config apply",
			does: words{"starts again with the changes; goes back by itself if a device then fails", "変更を適用して再起動（失敗時は自動で復元）"},
		},
		{
			name: "update", args: "[cloud|usb]", argsMax: 1, roles: technicians, effect: true, tells: true, run: (*session).update, example: "update usb",
			does: words{"takes a signed version into the other slot", "署名済みの新版をもう一方のスロットへ"},
		},
		{
			name: "slot", roles: technicians, run: (*session).slot, example: "slot",
			does: words{"which version runs, and which one stands by", "動作中と待機中の版"},
		},
		{
			name: "reboot", roles: technicians, effect: true, run: (*session).reboot, example: "reboot",
			does: words{"starts the board again", "基板の再起動"},
		},
		{
			name: "power", args: "off", argsMax: 1, roles: technicians, effect: true, tells: true, run: (*session).power, example: "power off",
			does: words{"switches the board off in order", "安全に電源を切る"},
		},
	}
}

// sure asks for a yes.
func (s *session) sure(ctx context.Context) (bool, error) {
	said, err := s.read(ctx, s.tr(wordsSure), false)
	s.t.edit.forgetLast(said)
	if err != nil {
		return false, err
	}
	if strings.TrimSpace(said) == "yes" {
		return true, nil
	}
	return false, errStopped
}

func (s *session) keysStatus(ctx context.Context, _ []string) error {
	var said string
	err := s.busy(ctx, keysWithin, func(ctx context.Context) (err error) {
		said, err = s.host.Keys.Status(ctx)
		return err
	})
	if err == nil {
		s.say("  %s", s.told(said))
	}
	return err
}

func (s *session) keysWipe(ctx context.Context, _ []string) error {
	s.say("%s", s.tr(wordsWipe))
	if ok, err := s.sure(ctx); !ok {
		return err
	}
	err := s.busy(ctx, keysWithin, s.host.Keys.Wipe)
	if err == nil {
		s.say("%s", s.tr(wordsWiped))
	}
	return err
}

// keysInject lends the line to the process that holds keys: no byte that the
// officers type comes to this one.
func (s *session) keysInject(ctx context.Context, _ []string) error {
	s.say("%s", s.tr(wordsInject))
	if err := s.t.flush(); err != nil {
		return lineError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, ceremonyWithin)
	defer cancel()
	err := s.t.lend(ctx, func() error { return s.host.Keys.Inject(ctx, s.t.line) })
	if err == nil {
		s.say("%s", s.tr(wordsLoaded))
	}
	return err
}

// enroll shows who this register is and takes what the owner makes of it. The
// challenge is the one-time code.
func (s *session) enroll(ctx context.Context, _ []string) error {
	fingerprint, request, err := s.host.Identity.Request()
	if err != nil {
		return err
	}
	s.say("%s", s.tr(wordsEnroll))
	s.rows([]Setting{{"register", s.host.ID.String()}, {"key", fingerprint}})
	s.say("%s", strings.TrimSpace(request))
	owner, err := s.takeOwner(ctx)
	if err != nil {
		return err
	}
	if owner == nil {
		s.say("%s", s.tr(wordsNoOwner))
		return nil
	}
	code := s.guard.ask()
	s.rows([]Setting{{"code", code.String()}})
	s.say("%s", s.tr(wordsPaste))
	packet, err := s.paste(ctx)
	if err != nil {
		return err
	}
	if s.guard.challenge == nil || s.guard.challenge.Nonce != code.Nonce {
		return ErrSignature
	}
	if _, err := OpenCredentials(packet, owner, code); err != nil {
		return s.refused(ctx, "credentials", err)
	}
	s.guard.challenge = nil
	s.say("%s", s.tr(s.applyWords()))
	if ok, err := s.sure(ctx); !ok {
		return err
	}
	err = s.host.Identity.Accept(ctx, s.who.name, packet, code, owner)
	s.ending = err == nil
	return err
}

// applyWords say what comes of a yes.
func (s *session) applyWords() words {
	if s.host.Setup != "" {
		return wordsApplyFirst
	}
	return wordsApply
}

// paste reads base64 up to an empty line.
func (s *session) paste(ctx context.Context) ([]byte, error) {
	var text strings.Builder
	for {
		line, err := s.read(ctx, "| ", true) // not echoed: credentials are secret
		if err != nil {
			return nil, err
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			packet, err := base64.StdEncoding.DecodeString(text.String())
			if err != nil {
				return nil, ErrTyped
			}
			return packet, nil
		case strings.HasPrefix(line, "-----"):
			continue
		case text.Len()+len(line) > base64.StdEncoding.EncodedLen(CredentialsMax):
			return nil, ErrTyped
		}
		text.WriteString(line)
	}
}

func (s *session) configShow(_ context.Context, args []string) error {
	word := strings.Join(args, "")
	changed := map[string]string{}
	for _, c := range s.host.Settings.Changed() {
		changed[c.Key] = c.Shown()
	}
	for _, setting := range s.host.Settings.List() {
		if !strings.Contains(setting.Key, word) {
			continue
		}
		line := setting.Shown()
		if line == "" {
			line = "-"
		}
		if v, ok := changed[setting.Key]; ok {
			line += "  → " + v
		}
		delete(changed, setting.Key)
		s.say("  %-28s %s", setting.Key, line)
	}
	for _, c := range s.host.Settings.Changed() {
		if _, left := changed[c.Key]; left && strings.Contains(c.Key, word) {
			s.say("  %-28s  → %s", c.Key, c.Shown())
		}
	}
	return nil
}

func (s *session) configSet(_ context.Context, args []string) error {
	if len(args) != 2 {
		s.say("%s config set KEY VALUE", s.tr(wordsUse))
		return saidError{errors.New("use")}
	}
	if err := s.host.Settings.Set(args[0], args[1], s.who.warrant); err != nil {
		return err
	}
	s.say("%s", s.tr(wordsConfigSet))
	return nil
}

// settingSet is what a record tells of one. A value that belongs to no setting
// may be a secret one that was mistyped.
func (s *session) settingSet(args []string) []string {
	for _, setting := range s.host.Settings.List() {
		if setting.Key != args[0] {
			continue
		}
		if Secret(setting.Key) {
			return args[:1]
		}
		return args
	}
	return nil
}

func (s *session) configDiscard(context.Context, []string) error {
	s.host.Settings.Discard()
	s.say("%s", s.tr(wordsDiscarded))
	return nil
}

func (s *session) configApply(ctx context.Context, _ []string) error {
	changes := s.host.Settings.Changed()
	if len(changes) == 0 {
		s.say("%s", s.tr(wordsNoChange))
		return nil
	}
	for _, c := range changes {
		s.say("  %s = %s", c.Key, c.Shown())
	}
	s.say("%s", s.tr(s.applyWords()))
	if ok, err := s.sure(ctx); !ok {
		return err
	}
	err := s.host.Settings.Apply(ctx, s.who.name, s.who.warrant)
	s.ending = err == nil
	return err
}

func (s *session) update(ctx context.Context, args []string) error {
	if s.host.Slots == nil {
		return errors.New(s.noSlots())
	}
	source := "cloud"
	if len(args) > 0 {
		source = args[0]
	}
	if source != "cloud" && source != "usb" {
		return errors.New("update cloud, or update usb")
	}
	if ok, err := s.sure(ctx); !ok {
		return err
	}
	steps := make(chan string)
	s.steps = steps
	defer func() { s.steps = nil }()
	said := ""
	err := s.busy(ctx, updateWithin, func(ctx context.Context) error {
		return s.host.Slots.Update(ctx, source, func(text string) {
			said = text
			select {
			case steps <- text:
			case <-ctx.Done():
			}
		})
	})
	if err != nil {
		s.notUpdated(said + "\n" + err.Error())
	}
	return err
}

// notUpdated says in Japanese what the board has said of an update.
func (s *session) notUpdated(why string) {
	if s.lang != japanese {
		return
	}
	for _, r := range updateRefusals {
		if strings.Contains(why, r.word) {
			s.say("  → %s", r.ja)
			return
		}
	}
}

func (s *session) noSlots() string {
	if s.host.Board == nil {
		return s.tr(wordsNotOnBoard)
	}
	return s.tr(wordsNoSlots)
}

func (s *session) slot(ctx context.Context, _ []string) error {
	if s.host.Slots == nil {
		return errors.New(s.noSlots())
	}
	rows, err := s.host.Slots.State(ctx)
	if err == nil {
		s.rows(rows)
	}
	return err
}

func (s *session) reboot(ctx context.Context, _ []string) error {
	if s.host.Board == nil {
		return errors.New(s.tr(wordsNotOnBoard))
	}
	return s.down(ctx, s.host.Board.Reboot)
}

func (s *session) power(ctx context.Context, args []string) error {
	switch {
	case s.host.Board == nil:
		return errors.New(s.tr(wordsNotOnBoard))
	case len(args) != 1 || args[0] != "off":
		return errors.New("power off")
	}
	return s.down(ctx, s.host.Board.PowerOff)
}

// down takes the board down, but not in the middle of a sale.
func (s *session) down(ctx context.Context, how func() error) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	if st.Sale {
		return ErrSale
	}
	if ok, err := s.sure(ctx); !ok {
		return err
	}
	s.say("%s", s.tr(wordsGoingDown))
	if err := s.t.flush(); err != nil {
		return lineError{err}
	}
	err = how()
	s.ending = err == nil
	return err
}
