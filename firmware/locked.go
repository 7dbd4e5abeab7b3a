package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"regi/firmware/console"
	"regi/firmware/record"
)

// locked settings are who this register is, whom it trusts, and what of the
// board it is given: a whole section, or one setting or table. Nobody at the
// register changes them alone, and so neither can a register that was taken over.
var locked = [...]string{ //nolint:gochecknoglobals // a constant table
	"register.store", "register.id", "register.state", "register.supervisor",
	"cloud", "card", "console", "issuer", "network", "usb", "catalog.file", "keypad.hid",
}

// grantable are those of them that a grant of the owner which names config lets a
// technician change. The others are what such a grant rests on, or come with the
// credentials of an enrolment.
var grantable = [...]string{ //nolint:gochecknoglobals // a constant table
	"register.supervisor", "card", "console", "issuer", "network", "usb", "keypad.hid",
}

// errLocked: no change of the configuration reaches it.
var errLocked = errors.New("it comes with enroll, or with the card")

func isLocked(key string) bool { return among(locked[:], key) }

func isGrantable(key string) bool { return key != "console.owner" && among(grantable[:], key) }

func among(table []string, key string) bool {
	return slices.ContainsFunc(table, func(l string) bool { return key == l || strings.HasPrefix(key, l+".") })
}

// mayChange says whether a setting may be changed, with a warrant or without.
func mayChange(key string, warranted bool) error {
	switch {
	case !isLocked(key), warranted && isGrantable(key):
		return nil
	case isGrantable(key):
		return fmt.Errorf("%s is not changed here: %w, or with a grant of the owner that names config", key, errLocked)
	}
	return fmt.Errorf("%s is not changed here: %w", key, errLocked)
}

// changes are the settings that are not as they were.
func changes(was, will []console.Setting) (all []console.Setting) {
	for i, s := range will {
		if s != was[i] {
			all = append(all, s)
		}
	}
	return all
}

// mayBecome says whether a register with these settings may become one with
// those.
func mayBecome(was, will []console.Setting, warranted bool) error {
	for _, s := range changes(was, will) {
		if err := mayChange(s.Key, warranted); err != nil {
			return err
		}
	}
	return nil
}

// warranted checks the owner's grant for a change before it is taken. A register
// without an owner has nobody to grant it.
func warranted(c *Config, w console.Warrant) error {
	owner, err := keyFile("console.owner", c.Console.Owner, record.ParseSignPublic)
	if err != nil {
		return err
	}
	return w.Open(owner, record.ID{Store: c.Register.Store, Register: c.Register.ID}, time.Now())
}

// What the owner has answered is taken once. The nonces of the last answers are
// in a file that the running register cannot reach: it could else bring back
// what an earlier answer has allowed.
const answersMax = 64

func answersFile(c *Config) string { return filepath.Join(c.Register.State, "answers.json") }

var errAnswered = errors.New("this answer of the owner was used before: ask for a new one")

// useUp notes that the answer to a challenge is taken, or says that it was.
func useUp(c *Config, shown console.Challenge) error {
	used := make([]string, 0, answersMax+1)
	if data, err := readPlain(answersFile(c), keyFileMax); err == nil {
		if err := json.Unmarshal(data, &used); err != nil {
			used = used[:0] // it was never half written; the disk is bad
		}
	}
	nonce := grantID(shown)
	if slices.Contains(used, nonce) {
		return errAnswered
	}
	used = append(used, nonce)
	data, err := json.Marshal(used[max(0, len(used)-answersMax):])
	if err == nil {
		err = writeDurably(answersFile(c), data)
	}
	if err != nil {
		return fmt.Errorf("answers of the owner: %w", err)
	}
	return nil
}

func usedUp(c *Config, challenge string) error {
	shown, err := console.ParseChallenge(challenge)
	if err != nil {
		return err
	}
	return useUp(c, shown)
}

// grantID is what a record calls an answer of the owner.
func grantID(shown console.Challenge) string { return hex.EncodeToString(shown.Nonce[:]) }
