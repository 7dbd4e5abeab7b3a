package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"regi/firmware/boot"
	"regi/firmware/console"
	"regi/firmware/record"
)

// prepared is what is laid ready for the next start.
type prepared struct {
	Who       string `json:"who"`
	Config    string `json:"config,omitempty"`
	Prices    []byte `json:"prices,omitempty"`
	Owner     []byte `json:"owner,omitempty"` // the public key of a first owner
	Packet    []byte `json:"packet,omitempty"`
	Grant     string `json:"grant,omitempty"` // for the configuration
	Challenge string `json:"challenge,omitempty"`
}

// takePrepared takes what an earlier console has laid ready, where the register
// cannot sell for the reason why. It returns why again if there is nothing.
func takePrepared(path string, why error, link *boot.Link) (*Config, error) {
	s := &setup{path: path, link: link}
	if err := s.read(""); err != nil {
		return nil, why
	}
	file := preparedFile(s.config)
	data, err := readPlain(file, trialMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, why
	}
	var p prepared
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil {
		err = s.take(&p)
	}
	if gone := os.RemoveAll(file); gone != nil || err != nil {
		return nil, errors.Join(why, err, gone)
	}
	if link != nil {
		if err := link.Tell(boot.Ask{Op: boot.OpNetwork}); err != nil {
			return nil, err
		}
	}
	return LoadConfig(path)
}

// take writes the files. Each is whole or absent after a cut, the configuration
// comes last.
func (s *setup) take(p *prepared) error {
	text := []byte(p.Config)
	if len(text) > 0 {
		if err := s.granted(p); err != nil {
			return err
		}
		if err := s.mayBecome(text, p.Grant != ""); err != nil {
			return err
		}
		if _, err := parseConfig(text, s.path); err != nil {
			return err
		}
		if err := writeDurably(s.path, text); err != nil {
			return err
		}
	}
	if len(p.Prices) > 0 {
		if err := writeDurably(filepath.Join(filepath.Dir(s.path), firstPrices), p.Prices); err != nil {
			return err
		}
	}
	if len(p.Packet) == 0 {
		return nil
	}
	c, err := LoadConfig(s.path)
	if err != nil {
		return err
	}
	if len(p.Owner) > 0 && s.owner == nil && c.Console.Owner == "" {
		if c, err = s.takeOwner(p.Owner); err != nil {
			return err
		}
	}
	files, err := enrolled(c, s.path, p.Packet, p.Challenge)
	if err != nil {
		return err
	}
	if err := usedUp(c, p.Challenge); err != nil {
		return err
	}
	for name, text := range files {
		if name != s.path {
			if err := writeDurably(name, []byte(text)); err != nil {
				return err
			}
		}
	}
	return writeDurably(s.path, []byte(files[s.path]))
}

// takeOwner keeps the first owner's key, who may then sign credentials.
func (s *setup) takeOwner(file []byte) (*Config, error) {
	if _, err := record.ParseSignPublic(file); err != nil {
		return nil, err
	}
	if err := writeDurably(filepath.Join(filepath.Dir(s.path), firstOwner), file); err != nil {
		return nil, err
	}
	text, err := readBounded(s.path)
	if err != nil {
		return nil, err
	}
	if err := writeDurably(s.path, setKey(text, "console", "owner", quote(firstOwner))); err != nil {
		return nil, err
	}
	return LoadConfig(s.path)
}

// granted checks the grant for a configuration, and takes it.
func (s *setup) granted(p *prepared) error {
	if p.Grant == "" {
		return nil
	}
	if err := warranted(s.config, console.Warrant{Grant: p.Grant, Challenge: p.Challenge}); err != nil {
		return err
	}
	return usedUp(s.config, p.Challenge)
}

// mayBecome refuses another identity where there is an owner to ask.
func (s *setup) mayBecome(text []byte, warranted bool) error {
	after, err := s.loose(text)
	if err != nil {
		return err
	}
	if s.config.Console.Owner == "" {
		return nil
	}
	return mayBecome(settings(s.config), settings(after), warranted)
}

func preparedFile(c *Config) string { return filepath.Join(consoleFolder(c), "setup.json") }

var errLost = errors.New("the data partition cannot be written: put in another card, or flash this one")

// lay lays p ready and ends this process.
func (s *setup) lay(p *prepared) error {
	if s.lost {
		return errLost
	}
	data, err := json.Marshal(p)
	if err == nil && len(data) > trialMax {
		err = fmt.Errorf("over %d bytes", trialMax)
	}
	if err == nil {
		err = replaceDurably(preparedFile(s.config), data)
	}
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	time.AfterFunc(answerFor, func() {
		select {
		case s.end <- errRestart:
		default:
		}
	})
	return nil
}
