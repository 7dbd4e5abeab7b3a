package console

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"regi/firmware/record"
)

// Limits of what is pasted as text.
const (
	// ConfigMax is a whole configuration, PricesMax the first catalogue.
	ConfigMax = 64 << 10
	PricesMax = 256 << 10
)

// away are the commands that a register that does not sell has no use for.
//
//nolint:gochecknoglobals // a constant table
var away = []string{"check", "devices", "ledger", "scan test", "print test", "drawer test", "card test", "display test", "config discard"}

// pasteCommands take whole files.
func pasteCommands() []command {
	return []command{
		{
			name: "config paste", roles: technicians, run: (*session).configPaste, example: "config paste",
			does: words{"takes a whole configuration, up to a line -----END-----", "設定ファイル全体を貼り付け（-----END----- の行まで）"},
		},
		{
			name: "catalog paste", roles: technicians, run: (*session).catalogPaste, example: "catalog paste",
			does: words{"takes the first prices, up to a line -----END-----", "最初の商品マスタを貼り付け（-----END----- の行まで）"},
		},
	}
}

// commandsFor is what there is for a host.
func commandsFor(h *Host) []command {
	return slices.DeleteFunc(commands(), func(c command) bool {
		return h.Setup != "" && slices.Contains(away, c.name) || h.Prices == nil && c.name == "catalog paste"
	})
}

var errTooMuch = errors.New("too much was pasted: nothing of it is kept")

// pasteText reads lines up to one that begins with -----END. What is too much is
// read to its end, too: it must not be taken for commands.
func (s *session) pasteText(ctx context.Context, most int) (string, error) {
	var text strings.Builder
	for tooMuch := false; ; {
		line, err := s.read(ctx, "", true)
		switch {
		case err != nil:
			return "", err
		case strings.HasPrefix(line, "-----END") && tooMuch:
			return "", errTooMuch
		case strings.HasPrefix(line, "-----END"):
			return text.String(), nil
		case strings.HasPrefix(line, "-----"):
			continue
		}
		tooMuch = tooMuch || text.Len()+len(line) >= most || !utf8.ValidString(line) || len(line) >= LineMax
		if !tooMuch {
			text.WriteString(line)
			text.WriteByte('\n')
		}
	}
}

func (s *session) configPaste(ctx context.Context, _ []string) error {
	s.say("%s", s.tr(wordsPasteText))
	text, err := s.pasteText(ctx, ConfigMax)
	if err != nil {
		return err
	}
	if err := s.host.Settings.Replace(text, s.who.warrant); err != nil {
		return err
	}
	if s.host.Setup == "" && len(s.host.Settings.Changed()) == 0 {
		s.say("%s", s.tr(wordsNoChange))
		return nil
	}
	s.say("%s", s.tr(wordsConfigSet))
	return nil
}

func (s *session) catalogPaste(ctx context.Context, _ []string) error {
	s.say("%s", s.tr(wordsPasteText))
	text, err := s.pasteText(ctx, PricesMax)
	if err != nil {
		return err
	}
	if err := s.host.Prices([]byte(text)); err != nil {
		return err
	}
	s.say("%s", s.tr(wordsConfigSet))
	return nil
}

// takeOwner asks a register without one for its owner's key: whoever stands at a
// register that was just flashed decides whom it obeys, as with the first PIN.
func (s *session) takeOwner(ctx context.Context) (ed25519.PublicKey, error) {
	if s.host.Owner != nil || s.host.Setup == "" {
		return s.host.Owner, nil
	}
	s.say("%s", s.tr(wordsOwnerKey))
	raw, err := s.paste(ctx)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	owner := ed25519.PublicKey(raw)
	if _, err := record.ParseSignPublic(record.MarshalSignPublic(owner)); err != nil {
		return nil, err
	}
	s.rows([]Setting{{"owner", Fingerprint(owner)}})
	if ok, err := s.sure(ctx); !ok {
		return nil, err
	}
	return owner, nil
}

// Fingerprint is how a public key is compared by telephone.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	const group, half = 4, 16
	var words []string
	for text := hex.EncodeToString(sum[:half]); len(text) > 0; text = text[group:] {
		words = append(words, text[:group])
	}
	return strings.Join(words, " ")
}
