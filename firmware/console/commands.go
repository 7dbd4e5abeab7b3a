package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"regi/firmware/record"
)

// roles are who may use a command.
type roles uint8

const (
	technicians roles = 1 << iota
	officers
	everybody roles = 0 // also who has not logged in
)

func (r roles) has(role Role) bool {
	return r == everybody || role == Technician && r&technicians != 0 || role == KeyOfficer && r&officers != 0
}

// command is one of the fixed set.
type command struct {
	name    string // one or two words
	args    string // as help shows them
	argsMax int
	roles   roles
	// effect: it is on record before it is carried out.
	effect bool
	// tells: its arguments are on record, too.
	tells bool
	// arguments are what of them, if not all.
	arguments func(s *session, args []string) []string
	// named: a grant covers it only by its name.
	named   bool
	does    words
	example string
	run     func(s *session, ctx context.Context, args []string) error
}

func (c *command) usage() string { return strings.TrimSpace(c.name + " " + c.args) }

// commands is the whole set, in the order in which help lists it.
func commands() []command {
	both := technicians | officers
	return slices.Concat([]command{
		{
			name: "help", args: "[COMMAND]", argsMax: 2, run: (*session).help, example: "help print test",
			does: words{"lists the commands, or explains one", "コマンドの一覧、または説明"},
		},
		{
			name: "login", args: "[technician|key-officer]", argsMax: 1, run: (*session).login, example: "login",
			does: words{"logs in by PIN; each wrong one doubles the wait", "PINでログイン。間違えるたびに待ち時間が倍になります"},
		},
		{
			name: "grant", run: (*session).askGrant, example: "grant",
			does: words{"logs in by a grant: shows a challenge, takes the owner's answer; works without a network", "オーナーの許可でログイン。チャレンジを表示し応答を入力。ネットワーク不要"},
		},
		{
			name: "lang", args: "ja|en", argsMax: 1, run: (*session).language, example: "lang ja",
			does: words{"speaks Japanese or English", "日本語と英語の切り替え"},
		},
		{
			name: "logout", roles: both, run: func(*session, context.Context, []string) error { return errLogout }, example: "logout",
			does: words{"ends the session; so do ten idle minutes and a pulled cable", "終了。10分間の無操作やケーブルを抜いても終わります"},
		},
		{
			name: "pin", roles: both, effect: true, named: true, run: (*session).changePIN, example: "pin",
			does: words{"changes the PIN of your role", "自分の役割のPINを変更"},
		},
	}, lookCommands(), testCommands(), changeCommands(), pasteCommands())
}

// IsCommand says whether a grant can name this: a command, or the first word of
// several.
func IsCommand(name string) bool {
	return slices.ContainsFunc(commands(), func(c command) bool {
		family, _, _ := strings.Cut(c.name, " ")
		return name == c.name || name == family
	})
}

// find is the command that a line begins with: two words before one.
func (s *session) find(words []string) (*command, []string) {
	for n := min(2, len(words)); n > 0; n-- {
		name := strings.ToLower(strings.Join(words[:n], " "))
		for i := range s.commands {
			if s.commands[i].name == name {
				return &s.commands[i], words[n:]
			}
		}
	}
	return nil, nil
}

// may says whether whoever is here may use a command.
func (s *session) may(c *command) bool {
	switch {
	case c.roles == everybody:
		return true
	case s.who == nil, !c.roles.has(s.who.role):
		return false
	case s.who.until.IsZero() || c.name == "logout": // by PIN
		return true
	case len(s.who.scope) == 0:
		return !c.named
	}
	family, _, _ := strings.Cut(c.name, " ")
	return slices.Contains(s.who.scope, c.name) || slices.Contains(s.who.scope, family)
}

// refusal says why not.
func (s *session) refusal(c *command) string {
	switch {
	case s.who == nil:
		return s.tr(wordsLoginFirst)
	case !c.roles.has(s.who.role):
		other := Technician
		if s.who.role == Technician {
			other = KeyOfficer
		}
		return fmt.Sprintf(s.tr(wordsOtherRole), other)
	case len(s.who.scope) == 0:
		return s.tr(wordsNamed)
	}
	return fmt.Sprintf(s.tr(wordsScope), strings.Join(s.who.scope, ", "))
}

// offers are what the word before the cursor may become.
func (s *session) offers(before string) []string {
	begun := strings.Fields(before)
	if strings.HasSuffix(before, " ") || before == "" {
		begun = append(begun, "")
	}
	if len(begun) > 1 && begun[0] == "help" {
		begun = begun[1:]
	}
	last := begun[len(begun)-1]
	var offers []string
	offer := func(word string) {
		if strings.HasPrefix(word, last) && !slices.Contains(offers, word) {
			offers = append(offers, word)
		}
	}
	for i := range s.commands {
		c := &s.commands[i]
		name := strings.Fields(c.name)
		switch n := len(begun) - 1; {
		case !s.may(c):
		case n < len(name) && slices.Equal(begun[:n], name[:n]):
			offer(name[n])
		case n == len(name) && slices.Equal(begun[:n], name):
			for word := range strings.FieldsFuncSeq(c.args, func(r rune) bool { return strings.ContainsRune("[]| ", r) }) {
				if word == strings.ToLower(word) {
					offer(word)
				}
			}
		}
	}
	if strings.HasPrefix(before, "config set ") || strings.HasPrefix(before, "config show ") {
		for _, setting := range s.host.Settings.List() {
			offer(setting.Key)
		}
	}
	slices.Sort(offers)
	return offers
}

func (s *session) help(_ context.Context, args []string) error {
	if len(args) > 0 {
		return s.helpOne(args)
	}
	for i := range s.commands {
		if c := &s.commands[i]; s.may(c) {
			s.say("  %-30s %s", c.usage(), s.tr(c.does))
		}
	}
	if s.who == nil {
		s.say("%s", s.tr(wordsLoginFirst))
	}
	s.say("%s", s.tr(wordsHelp))
	return nil
}

func (s *session) helpOne(args []string) error {
	shown := false
	for i := range s.commands {
		c := &s.commands[i]
		if c.name != strings.Join(args, " ") && !strings.HasPrefix(c.name, args[0]+" ") || len(args) > 1 && c.name != strings.Join(args, " ") {
			continue
		}
		shown = true
		s.say("%s: %s", c.usage(), s.tr(c.does))
		s.say("  %s %s", s.tr(wordsExample), c.example)
		who := s.tr(wordsEverybody)
		switch c.roles {
		case technicians:
			who = Technician.String()
		case officers:
			who = KeyOfficer.String()
		case everybody:
		case technicians | officers:
			who = Technician.String() + ", " + KeyOfficer.String()
		}
		s.say("  %s %s", s.tr(wordsForRole), who)
	}
	if !shown {
		s.say("%s", s.tr(wordsUnknown))
	}
	return nil
}

func (s *session) language(_ context.Context, args []string) error {
	if len(args) != 1 || args[0] != "ja" && args[0] != "en" {
		s.say("%s lang ja|en", s.tr(wordsUse))
		return nil
	}
	s.lang = languageOf(args[0])
	s.say("%s", s.tr(wordsLanguage))
	s.guard.memory.Language = args[0]
	if s.who == nil { // nobody writes to the disk before a login
		return nil
	}
	if err := s.guard.save(); err != nil && s.guard.damage == nil {
		return err
	}
	return nil
}

// login lets in by PIN, and has the first one set.
func (s *session) login(ctx context.Context, args []string) error {
	role, err := ParseRole(strings.Join(args, ""))
	if err != nil {
		return err
	}
	s.leave(ctx, "other login")
	if !s.guard.hasPIN(role) {
		return s.firstPIN(ctx, role)
	}
	if err := s.guard.wait(); err != nil { // not even a PIN is asked for
		return s.refused(ctx, "pin", err)
	}
	typed, err := s.read(ctx, s.tr(wordsPIN), true)
	if err != nil {
		return err
	}
	if err := s.guard.loginPIN(role, typed); err != nil {
		return s.refused(ctx, "pin", err)
	}
	return s.enter(ctx, user{role: role, name: role.String()}, openBody{By: "pin"})
}

// firstPIN lets the first who stands at the register itself set a PIN, but only
// where it has no owner: else whoever removes the console's file could, and a
// grant sets it.
func (s *session) firstPIN(ctx context.Context, role Role) error {
	if s.host.Owner != nil {
		s.say("%s", s.tr(wordsGrantPIN))
		return nil
	}
	s.say("%s", s.tr(wordsFirstPIN))
	typed, err := s.newPIN(ctx)
	if err != nil || typed == "" {
		return err
	}
	if err := s.guard.setPIN(role, typed); err != nil {
		return err
	}
	s.say("%s", s.tr(wordsPINSet))
	return s.enter(ctx, user{role: role, name: role.String()}, openBody{By: "first-pin"})
}

// newPIN asks twice; "": what was typed is no PIN.
func (s *session) newPIN(ctx context.Context) (string, error) {
	typed, err := s.read(ctx, s.tr(wordsNewPIN), true)
	if err != nil {
		return "", err
	}
	if !goodPIN(typed) {
		s.say("%s", s.tr(wordsWeakPIN))
		return "", nil
	}
	again, err := s.read(ctx, s.tr(wordsAgain), true)
	if err != nil {
		return "", err
	}
	if typed != again {
		s.say("%s", s.tr(wordsTwoPINs))
		return "", nil
	}
	return typed, nil
}

// changePIN is for who knows the old one, or has a grant that names it.
func (s *session) changePIN(ctx context.Context, _ []string) error {
	role := s.who.role
	if s.who.until.IsZero() {
		typed, err := s.read(ctx, s.tr(wordsOldPIN), true)
		if err != nil {
			return err
		}
		if err := s.guard.loginPIN(role, typed); err != nil {
			return s.refused(ctx, "pin", err)
		}
	}
	typed, err := s.newPIN(ctx)
	if err != nil || typed == "" {
		return err
	}
	if err := s.guard.setPIN(role, typed); err != nil {
		return err
	}
	s.say("%s", s.tr(wordsPINSet))
	return nil
}

// askGrant lets in by the owner's signature.
func (s *session) askGrant(ctx context.Context, _ []string) error {
	if s.host.Owner == nil {
		s.say("%s", s.tr(wordsNoOwner))
		return nil
	}
	if err := s.guard.wait(); err != nil {
		return s.refused(ctx, "grant", err)
	}
	s.leave(ctx, "other login")
	s.say("%s", s.tr(wordsChallenge))
	s.say("  %s", s.guard.ask())
	typed, err := s.read(ctx, s.tr(wordsAnswer), false)
	s.t.edit.forgetLast(typed)
	if err != nil {
		return err
	}
	g, until, w, err := s.guard.loginGrant(typed)
	if err != nil {
		return s.refused(ctx, "grant", err)
	}
	if err := s.enter(ctx, user{g.Role, g.Name, g.Scope, until, w}, openBody{By: "grant", Scope: g.Scope, Minutes: g.Minutes}); err != nil {
		return err
	}
	scope := strings.Join(g.Scope, ", ")
	if scope == "" {
		scope = s.tr(wordsAllOfRole)
	}
	s.say(s.tr(wordsGranted), until.In(s.host.Zone).Format("15:04 MST"), scope)
	return nil
}

// enter lets somebody in, once that is on record.
func (s *session) enter(ctx context.Context, u user, body openBody) error {
	body.Role, body.Who, body.Before = u.role.String(), u.name, s.guard.refused
	if err := s.note(ctx, record.ConsoleOpen, body); err != nil && !isNoRoom(err) {
		return err
	}
	s.guard.refused = 0
	s.who = &u
	name := u.role.String()
	if u.name != name {
		name = u.name + ", " + name
	}
	s.say(s.tr(wordsHello), name)
	return nil
}

// refused puts a wrong login on record. One that came too early only counts:
// the journal does not fill, however long somebody tries.
func (s *session) refused(ctx context.Context, by string, err error) error {
	g := s.guard
	if isUncounted(err) {
		if g.refused == 1 {
			s.window = time.Now()
		}
		return err
	}
	body := refusedBody{
		Event: "console-login-refused", By: by, Why: short(err.Error()), Failures: g.memory.Failures,
		WaitSeconds: seconds(time.Until(g.early)), Refused: g.refused,
	}
	if s.note(ctx, record.SecurityEvent, body) == nil {
		g.refused = 0
	}
	return err
}
