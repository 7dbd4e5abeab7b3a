package main

import (
	"strings"

	"regi/firmware/boot"
	"regi/firmware/console"
)

// flashed is console.Board over the link to the board's first process.
type flashed struct{ link *boot.Link }

func (b flashed) Reboot() error   { return b.link.Tell(boot.Ask{Op: boot.OpReboot}) }
func (b flashed) PowerOff() error { return b.link.Tell(boot.Ask{Op: boot.OpPowerOff}) }

// State is the board's own account; what is wrong begins with "fault: ".
func (b flashed) State() ([]console.Setting, error) {
	s, err := b.link.State()
	if err != nil {
		return nil, err
	}
	n := s.Network
	link := n.Link
	if link == "" {
		link = "none"
	}
	if !n.Up {
		link += ", no cable"
	}
	rows := []console.Setting{
		{Key: "link", Value: link},
		{Key: "address", Value: n.Address},
		{Key: "gateway", Value: n.Gateway},
		{Key: "names", Value: strings.Join(n.Servers, " ")},
		{Key: "cloud at", Value: strings.Join(n.Cloud, " ")},
		{Key: "dropped", Value: n.Dropped.String()},
		{Key: "watchdog", Value: s.Watchdog},
	}
	for _, f := range []console.Setting{
		{Key: "network", Value: n.Fault},
		{Key: "data", Value: s.Data},
		{Key: "board time", Value: s.Clock},
		{Key: "firewall", Value: s.Firewall},
		{Key: "kernel", Value: strings.Join(s.Knobs, ", ")},
		{Key: "usb", Value: strings.Join(s.Refused, ", ")},
	} {
		if f.Value != "" {
			rows = append(rows, console.Setting{Key: f.Key, Value: "fault: " + f.Value})
		}
	}
	return rows, nil
}
