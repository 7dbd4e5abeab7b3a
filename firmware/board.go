package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"regi/firmware/boot"
	"regi/firmware/capture"
	"regi/firmware/register"
)

// earliest is no later than any version: a clock before it is wrong.
var earliest = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// bootOptions are what the first process of a board knows of this binary.
func bootOptions() boot.Options {
	made := earliest
	if seconds, err := strconv.ParseInt(built, 10, 64); err == nil && time.Unix(seconds, 0).After(made) {
		made = time.Unix(seconds, 0)
	}
	return boot.Options{
		Built: made, CaptureUID: capture.UID,
		Network: func() (boot.Network, error) {
			c, err := LoadConfig(boot.Config)
			if err != nil {
				return boot.Network{}, err
			}
			return c.network()
		},
		USB: func() []string {
			c, err := LoadConfig(boot.Config)
			if err != nil {
				return nil
			}
			return c.USB.Allow
		},
	}
}

// network is what the configuration says of it; its errors name the key.
func (c *Config) network() (n boot.Network, err error) {
	n.Address = c.Network.Address
	if n.Address != "dhcp" {
		prefix, err := netip.ParsePrefix(n.Address)
		if err != nil || !prefix.Addr().Is4() {
			return n, fmt.Errorf("network.address = %q: use \"dhcp\", or an address like \"192.0.2.7/24\"", n.Address)
		}
		if c.Network.Gateway != "" {
			if n.Gateway, err = netip.ParseAddr(c.Network.Gateway); err != nil || !n.Gateway.Is4() {
				return n, fmt.Errorf("network.gateway = %q: use an address like \"192.0.2.1\"", c.Network.Gateway)
			}
		}
	}
	for _, s := range c.Network.Servers {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Is4() {
			return n, fmt.Errorf("network.servers: %q is no address like \"192.0.2.53\"", s)
		}
		n.Servers = append(n.Servers, a)
	}
	for _, id := range c.USB.Allow {
		if !usbID.MatchString(id) {
			return n, fmt.Errorf("usb.allow: %q is not \"VVVV:PPPP\", in lower case hexadecimal digits (see lsusb)", id)
		}
	}
	u, err := url.Parse(c.Cloud.URL)
	if err != nil {
		return n, errors.New("cloud.url is not tls://host:port")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return n, fmt.Errorf("cloud.url = %q: the port is missing (NATS: 4222)", c.Cloud.URL)
	}
	n.Cloud, n.Port = u.Hostname(), uint16(port)
	return n, nil
}

var usbID = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)

// aliveEvery is how often the board is told that the register works.
const aliveEvery = 10 * time.Second

// tellAlive tells the board, as long as the register's loop turns.
func tellAlive(ctx context.Context, link *boot.Link, reg *register.Register) error {
	every := time.NewTicker(aliveEvery)
	defer every.Stop()
	for {
		if err := reg.Alive(ctx); err == nil {
			if err := link.Tell(boot.Ask{Op: boot.OpAlive}); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// useBoard tells the register of the board it runs on; link is nil off a flashed
// one. The board's clock is set by the cloud's.
func useBoard(rc *register.Config, link *boot.Link) {
	if link == nil {
		return
	}
	rc.Clock = func(t time.Time) {
		link.Tell(boot.Ask{Op: boot.OpTime, Time: t}) //nolint:errcheck,gosec // the next session tells it again
	}
	if s, err := link.State(); err == nil && s.Slot.Slot != "" {
		rc.Boot = bootBody(&s.Slot)
	}
}
