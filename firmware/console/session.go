// Package console is the technician's console on the service line: a line
// editor, two roles, and a fixed set of commands that teach themselves. There is
// no shell behind it, no file and no card.
package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"regi/firmware/record"
)

// Times of a session.
const (
	// idleMax ends a session in which nothing is typed.
	idleMax = 10 * time.Minute
	// noteWithin bounds a record that is made at the end of everything.
	noteWithin = 2 * time.Second
	// windowMax is how long logins that were not looked at wait for their record.
	windowMax = 5 * time.Minute
)

const prompt = "regi> "

// Console outlives the line: a cable that is pulled ends the session, not the
// delay after wrong logins.
type Console struct {
	host     Host
	guard    *guard
	commands []command
}

// New returns the console of a register.
func New(h Host) *Console {
	if h.Zone == nil {
		h.Zone = time.UTC
	}
	return &Console{host: h, guard: newGuard(&h), commands: commandsFor(&h)}
}

// body of the records of a session.
type (
	openBody struct {
		Role    string   `json:"Role"`
		Who     string   `json:"Who"`
		By      string   `json:"By"` // "pin", "first-pin" or "grant"
		Scope   []string `json:"Scope,omitempty"`
		Minutes int      `json:"Minutes,omitempty"`
		// Before are logins that were refused since the last record.
		Before int `json:"RefusedBefore,omitempty"`
	}
	commandBody struct {
		Role    string `json:"Role"`
		Who     string `json:"Who"`
		Command string `json:"Command"`
		Result  string `json:"Result"` // "begun", "ok" or why not
		Lost    int    `json:"CommandsNotRecorded,omitempty"`
	}
	closeBody struct {
		Role string `json:"Role"`
		Who  string `json:"Who"`
		Why  string `json:"Why"`
	}
	refusedBody struct {
		Event       string `json:"Event"` // "console-login-refused"
		By          string `json:"By,omitempty"`
		Why         string `json:"Why"`
		Failures    int    `json:"Failures"`
		WaitSeconds int    `json:"WaitSeconds"`
		// Refused are others that were not looked at since the last record.
		Refused int `json:"AlsoRefused,omitempty"`
	}
)

// user is who is logged in.
type user struct {
	role  Role
	name  string
	scope []string
	until time.Time // of a grant
	// warrant is that of a grant that names config.
	warrant Warrant
}

// session is one use of the line.
type session struct {
	*Console
	t    *terminal
	lang language
	who  *user
	lost int // commands without a record
	// window is when the first of guard.refused came.
	window time.Time
	notice chan string
	steps  <-chan string // of the command that runs
	ending bool          // the register goes down: the session ends before it
}

// errLogout ends who is logged in; it is no failure.
var errLogout = errors.New("logout")

// Serve is the console on an open line until the line or ctx ends.
func (c *Console) Serve(ctx context.Context, line Line) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{Console: c, t: newTerminal(ctx, line), lang: languageOf(cmp.Or(c.guard.memory.Language, c.host.Language)), notice: make(chan string)}
	told := make(chan struct{})
	go func() { defer close(told); s.hear(ctx) }()
	defer func() { cancel(); s.t.close(); <-told }()
	s.t.edit.complete = s.offers
	s.t.edit.out.WriteString("\r\n")
	s.say("Regi %s, %s. %s", c.host.ID, c.host.Version, s.tr(wordsWelcome))
	if c.host.Setup != "" {
		s.say("%s", s.tr(wordsNotSetUp))
		for line := range strings.SplitSeq(c.host.Setup, "\n") {
			s.say("  %s", line)
		}
	}
	for {
		err := s.turn(ctx)
		if err == nil {
			continue
		}
		why := "line lost"
		if ctx.Err() != nil {
			why, err = "register ends", ctx.Err()
		}
		s.leave(ctx, why)
		s.flushRefused(ctx, "session ended")
		return err
	}
}

// hear passes on what the operator is told.
func (s *session) hear(ctx context.Context) {
	for {
		text, err := s.host.Notice(ctx)
		if err != nil {
			return
		}
		select {
		case s.notice <- text:
		case <-ctx.Done():
			return
		}
	}
}

// turn reads one line and obeys it. Its error is the line's end.
func (s *session) turn(ctx context.Context) error {
	line, err := s.read(ctx, s.prompt(), false)
	switch {
	case errors.Is(err, errStopped):
		return nil
	case errors.Is(err, errQuit):
		s.leave(ctx, "logout")
		return nil
	case errors.Is(err, errIdle):
		s.say("%s", s.tr(wordsIdle))
		s.leave(ctx, "idle")
		return nil
	case errors.Is(err, errExpired):
		s.say("%s", s.tr(wordsExpired))
		s.leave(ctx, "grant ended")
		return nil
	case err != nil:
		return err
	}
	if strings.TrimSpace(line) == "" {
		return nil
	}
	return s.obey(ctx, line)
}

// prompt shows who is here.
func (s *session) prompt() string {
	if s.who == nil {
		return prompt
	}
	return "regi(" + s.who.role.String() + ")> "
}

// Reasons for which a line is not taken.
var (
	errStopped = errors.New("stopped")
	errQuit    = errors.New("end of input")
	errIdle    = errors.New("nothing typed")
	errExpired = errors.New("grant ended")
)

// read shows a prompt and returns the line that is typed. Notices come above it.
func (s *session) read(ctx context.Context, prompt string, secret bool) (string, error) {
	e := &s.t.edit
	e.begin(prompt, secret)
	idle := time.NewTimer(idleMax)
	defer idle.Stop()
	var expired, window <-chan time.Time
	if s.who != nil && !s.who.until.IsZero() {
		expired = time.After(time.Until(s.who.until))
	}
	if s.guard.refused > 0 {
		window = time.After(time.Until(s.window.Add(windowMax)))
	}
	for {
		for len(s.t.ahead) > 0 {
			b := s.t.ahead[0]
			s.t.ahead = s.t.ahead[1:]
			switch e.feed(b) {
			case entered:
				return e.taken, s.t.flush()
			case interrupt:
				return "", errors.Join(s.t.flush(), errStopped)
			case ended:
				return "", errors.Join(s.t.flush(), errQuit)
			case pending:
			}
		}
		e.draw()
		if err := s.t.flush(); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case err := <-s.t.failed:
			s.t.failed <- err
			return "", err
		case b := <-s.t.in:
			s.t.ahead = append(s.t.ahead, b...)
			idle.Reset(idleMax)
		case text := <-s.notice:
			e.hide()
			s.say("%s", text)
		case <-idle.C:
			if s.who != nil || secret {
				e.out.WriteString("\r\n")
				return "", errIdle
			}
			idle.Reset(idleMax)
		case <-expired:
			e.out.WriteString("\r\n")
			return "", errExpired
		case <-window:
			s.flushRefused(ctx, "not looked at")
			window = nil
		}
	}
}

// leave logs out whoever is in.
func (s *session) leave(ctx context.Context, why string) {
	if s.who == nil {
		return
	}
	u := s.who
	s.who = nil
	s.t.edit.forget()
	s.host.Settings.Discard()
	s.say("%s", s.tr(wordsBye))
	_ = s.note(ctx, record.ConsoleClose, closeBody{u.role.String(), u.name, why}) //nolint:errcheck // it was said
}

// note makes a record, also at the end of everything.
func (s *session) note(ctx context.Context, kind record.Kind, body any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	err := s.host.Note(ctx, kind, body)
	if err != nil {
		s.say("%s %v", s.tr(wordsNotRecorded), err)
	}
	return err
}

// obey carries out one line. Its error is the line's end.
func (s *session) obey(ctx context.Context, line string) error {
	words, err := split(line)
	if err != nil {
		s.say("%v", err)
		return nil
	}
	c, args := s.find(words)
	switch {
	case c == nil:
		s.say("%s", s.tr(wordsUnknown))
		return nil
	case !s.may(c):
		s.say("%s", s.refusal(c))
		if s.who != nil {
			s.recorded(ctx, c, args, "refused: not allowed")
		}
		return nil
	case len(args) > c.argsMax:
		s.say("%s %s", s.tr(wordsUse), c.usage())
		return nil
	}
	if c.effect && !s.recorded(ctx, c, args, "begun") {
		return nil // no record, no deed
	}
	before := s.who
	err = s.run(ctx, c, args)
	if errors.Is(err, errLogout) {
		s.leave(ctx, "logout")
		return nil
	}
	if before == nil || s.who != before { // what a login did is on record already
		return s.lineEnd(err)
	}
	result := "ok"
	if err != nil {
		result = short(err.Error())
	}
	s.recorded(ctx, c, args, result)
	if s.ending {
		s.ending = false
		s.leave(ctx, "register ends")
	}
	return s.lineEnd(err)
}

// lineEnd passes on only what ends the line; everything else was said.
func (s *session) lineEnd(err error) error {
	var gone lineError
	if errors.As(err, &gone) {
		return gone.error
	}
	return nil
}

// lineError is a failure of the line itself.
type lineError struct{ error }

// saidError is for the record: whoever is here was told in better words.
type saidError struct{ error }

// run runs a command; Ctrl-C stops it.
func (s *session) run(ctx context.Context, c *command, args []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := c.run(s, ctx, args)
	switch {
	case err == nil, errors.Is(err, errLogout):
	case errors.Is(err, errStopped), errors.Is(err, errQuit), errors.Is(err, context.Canceled) && ctx.Err() == nil:
		s.say("%s", s.tr(wordsStopped))
	case errors.Is(err, errIdle), errors.Is(err, errExpired):
		s.say("%s", s.tr(wordsStopped))
	case errors.As(err, new(saidError)):
	default:
		s.say("%s", s.explain(err))
	}
	if flushed := s.t.flush(); flushed != nil {
		return lineError{flushed}
	}
	return err
}

// busy runs f while Ctrl-C is listened to and notices come in.
func (s *session) busy(ctx context.Context, within time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := s.t.flush(); err != nil {
		return lineError{err}
	}
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	for {
		var err error
		select {
		case err := <-done:
			return err
		case err = <-s.t.failed:
			s.t.failed <- err
		case b := <-s.t.in:
			if slices.Contains(b, keyInterrupt) {
				cancel()
				return errors.Join(errStopped, dropped(done))
			}
			if len(s.t.ahead)+len(b) <= aheadMax {
				s.t.ahead = append(s.t.ahead, b...)
			}
		case text := <-s.notice:
			err = s.sayNow(text)
		case text := <-s.steps:
			err = s.sayNow(text)
		}
		if err != nil {
			cancel()
			return errors.Join(lineError{err}, dropped(done))
		}
	}
}

// dropped waits for the end of what was stopped; how it ended does not count.
func dropped(done <-chan error) error {
	<-done //nolint:errcheck // see above
	return nil
}

func (s *session) sayNow(text string) error {
	s.say("%s", text)
	return s.t.flush()
}

// recorded makes the record of a command. A full journal stops what has an
// effect on nothing but the way out of it: it is counted and told later.
func (s *session) recorded(ctx context.Context, c *command, args []string, result string) bool {
	said := c.name
	if c.arguments != nil && len(args) > 0 {
		args = c.arguments(s, args)
	}
	if c.tells && len(args) > 0 {
		said += " " + short(strings.Join(args, " "))
	}
	err := s.note(ctx, record.ConsoleCommand, commandBody{s.who.role.String(), s.who.name, said, result, s.lost})
	switch {
	case err == nil:
		s.lost = 0
		return true
	case errors.Is(err, ErrNoRoom):
		s.lost++ // the network may have to be put right to make room
		return true
	}
	return false
}

// shortMax bounds what a record says of a command.
const shortMax = 160

func short(s string) string {
	s = printed(s)
	for len(s) > shortMax {
		r := []rune(s)
		s = string(r[:len(r)-1])
	}
	return s
}

func (s *session) say(format string, args ...any) { s.t.say(format, args...) }

// flushRefused puts on record how many logins were not even looked at.
func (s *session) flushRefused(ctx context.Context, why string) {
	g := s.guard
	if g.refused == 0 {
		return
	}
	body := refusedBody{Event: "console-login-refused", Why: why, Failures: g.memory.Failures, WaitSeconds: seconds(time.Until(g.early)), Refused: g.refused}
	if s.note(ctx, record.SecurityEvent, body) == nil {
		g.refused = 0
	}
	s.window = time.Now()
}

// seconds are whole ones, the begun one with them: nobody is told to wait for none.
func seconds(d time.Duration) int { return int((max(d, 0) + time.Second - 1) / time.Second) }

// split takes a line apart into words; quotation marks keep blanks in one.
func split(line string) (words []string, err error) {
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quoted {
		return nil, errors.New(`a " is missing`)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
