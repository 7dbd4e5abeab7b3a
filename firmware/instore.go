package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"

	"regi/firmware/gs1"
)

// inStore are the rules for the shop's own numbers, one for each prefix.
func (c *Config) inStore() (rules gs1.InStoreRules, err error) {
	prefix := regexp.MustCompile(`^([0-9]{1,2})(?:-([0-9]{1,2}))?$`)
	for i, set := range c.InStore {
		parts := prefix.FindStringSubmatch(set.Prefix)
		if parts == nil || parts[2] != "" && len(parts[1]) != len(parts[2]) {
			return nil, fmt.Errorf(`instore %d: prefix = %.8q: use "02", "20" to "29", or a range as "21-24" ("0" or "2" for numbers of eight digits)`, i+1, visible(set.Prefix))
		}
		first, last := parts[1], cmp.Or(parts[2], parts[1])
		if first > last {
			return nil, fmt.Errorf("instore %d: prefix = %q ends before it begins", i+1, set.Prefix)
		}
		for at := first; at <= last; at = next(at) {
			rules = append(rules, gs1.InStoreRule{Layout: at + set.Layout, Scale: set.Scale})
			if err := rules.Check(); err != nil {
				return nil, fmt.Errorf("instore %d: %s", i+1, visible(err.Error()))
			}
		}
	}
	return rules, nil
}

// next is the number after a prefix of one or two digits, as long as it; after
// the last one something greater than all.
func next(prefix string) string {
	n, _ := strconv.Atoi(prefix) //nolint:errcheck // it is one or two digits
	after := fmt.Sprintf("%0*d", len(prefix), n+1)
	if len(after) > len(prefix) {
		return "~"
	}
	return after
}
