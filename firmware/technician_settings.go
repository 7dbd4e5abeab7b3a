package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"regi/firmware/console"
)

// List is console.Settings's: the settings that are in force, with the defaults.
func (t *technician) List() []console.Setting {
	all := settings(t.config)
	for i := range all {
		all[i].Value = all[i].Shown()
	}
	return all
}

func settings(c *Config) []console.Setting { return flatten(reflect.ValueOf(*c), "") }

// flatten lists a struct's fields by their keys in the file.
func flatten(v reflect.Value, prefix string) (all []console.Setting) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key := field.Tag.Get("toml")
		if prefix != "" && key != "" {
			key = prefix + "." + key
		}
		switch {
		case field.Anonymous:
			all = append(all, flatten(value, prefix)...)
		case field.Type.Kind() == reflect.Struct:
			all = append(all, flatten(value, key)...)
		default:
			all = append(all, console.Setting{Key: key, Value: fmt.Sprint(value.Interface())})
		}
	}
	return all
}

// Set is console.Settings's.
func (t *technician) Set(key, value string, by console.Warrant) error {
	section, name, ok := strings.Cut(key, ".")
	if !ok || !slices.ContainsFunc(t.List(), func(s console.Setting) bool { return s.Key == key }) {
		return fmt.Errorf("%s is no setting: config show lists them", key)
	}
	if err := mayChange(key, t.warrants(by)); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.changed
	if text == nil {
		text = t.text
	}
	changed, err := t.with(text, section, name, value)
	if err != nil {
		return err
	}
	t.changed = changed
	t.changes = append(slices.DeleteFunc(t.changes, func(s console.Setting) bool { return s.Key == key }), console.Setting{Key: key, Value: value})
	return nil
}

var errNoValue = errors.New("that is no value of a setting")

// with is a file with one setting changed, if it is right then. What is typed
// is taken as it is, or as text.
func (t *technician) with(text []byte, section, key, value string) ([]byte, error) {
	quoted := quote(value)
	first := errNoValue
	if visible(value) != value {
		return nil, first
	}
	for _, v := range []string{value, quoted} {
		var probe map[string]any
		if toml.Unmarshal([]byte("x = "+v), &probe) != nil || len(probe) != 1 {
			continue
		}
		changed := setKey(text, section, key, v)
		_, err := parseConfig(changed, t.path)
		if err == nil {
			return changed, nil
		}
		if errors.Is(first, errNoValue) || v == quoted && strings.Contains(first.Error(), "in \"quotes\"") {
			first = err
		}
	}
	return nil, first
}

// quote is a TOML basic string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// warrants says whether the owner lets whoever is at the console change more than
// the register's own settings. The console has opened the warrant.
func (t *technician) warrants(by console.Warrant) bool {
	return t.config.Console.Owner != "" && by != (console.Warrant{})
}

// Replace is console.Settings's: another file, with the same identity.
func (t *technician) Replace(text string, by console.Warrant) error {
	after, err := parseConfig([]byte(text), t.path)
	if err != nil {
		return err
	}
	was, will := settings(t.config), settings(after)
	if err := mayBecome(was, will, t.warrants(by)); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed, t.changes = []byte(text), changes(was, will)
	return nil
}

// Changed is console.Settings's.
func (t *technician) Changed() []console.Setting {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.changes)
}

// Discard is console.Settings's.
func (t *technician) Discard() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed, t.changes = nil, nil
}

// Apply is console.Settings's.
func (t *technician) Apply(ctx context.Context, who string, by console.Warrant) error {
	t.mu.Lock()
	text, changes := t.changed, slices.Clone(t.changes)
	t.mu.Unlock()
	keys := make([]string, 0, len(changes))
	next := trial{Who: who, Config: string(text)}
	for _, c := range changes {
		if err := mayChange(c.Key, t.warrants(by)); err != nil {
			return err // whoever noted it had a grant, and has left
		}
		keys = append(keys, c.Key)
		if isLocked(c.Key) {
			next.Grant, next.Challenge = by.Grant, by.Challenge
		}
	}
	next.Keys = keys
	return t.stage(ctx, next)
}
