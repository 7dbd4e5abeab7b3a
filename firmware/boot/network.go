package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Network is what the configuration says of it.
type Network struct {
	// Address is "dhcp", or an address with its prefix length.
	Address string
	Gateway netip.Addr // with a fixed address
	Servers []netip.Addr
	// Cloud is the one host that is talked to, at Port.
	Cloud string
	Port  uint16
}

// NetworkState is how it is.
type NetworkState struct {
	Link    string // its name, "" while there is none
	Up      bool   // the cable is in
	Address string
	Gateway string
	Servers []string // of names
	Cloud   []string // its addresses
	Fault   string   `json:",omitempty"`
	Dropped Dropped
}

// Times of the network.
const (
	lookEvery = 2 * time.Second
	// soonEvery is for a link that was just switched on: its cable is seen a
	// moment later, and for soonFor only.
	soonEvery, soonFor = 100 * time.Millisecond, 5 * time.Second
	dhcpWithin         = 15 * time.Second
	nameWithin         = 5 * time.Second
	namesEvery         = 5 * time.Minute
	retryNames         = 10 * time.Second
	// beginEvery is how often the register may have everything started over.
	beginEvery  = 10 * time.Second
	leaseAtMost = time.Hour // renewed at half of it
	// cloudsMax bounds the addresses of the cloud that are let through.
	cloudsMax = 16
)

// network keeps the link, the address, the cloud's name and the firewall right.
func (m *machine) network(ctx context.Context, wall *firewall) {
	n := &networker{m: m, wall: wall}
	begun := time.Time{}
	for ctx.Err() == nil {
		wait := lookEvery
		if err := n.step(ctx); errors.Is(err, errNoCable) && time.Since(n.upped) < soonFor {
			wait = soonEvery
		} else if err != nil {
			n.fault(err)
		} else {
			n.fault(nil)
		}
		changed := m.changed
		if time.Since(begun) < beginEvery {
			changed = nil // it waits in the channel
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-changed:
			n.begin()
			begun = time.Now()
		}
	}
}

type networker struct {
	m    *machine
	wall *firewall

	config  Network
	known   bool // config was read
	link    netlink.Link
	address netip.Prefix
	servers []netip.Addr
	clouds  []netip.Addr
	renew   time.Time // of the lease
	resolve time.Time // of the cloud's name
	said    string
	upped   time.Time // when the link was switched on
}

// begin starts over with a new configuration.
func (n *networker) begin() {
	if n.link != nil {
		n.drop()
	}
	*n = networker{m: n.m, wall: n.wall}
}

// drop takes the address off the link.
func (n *networker) drop() {
	if list, err := netlink.AddrList(n.link, netlink.FAMILY_V4); err == nil {
		for i := range list {
			netlink.AddrDel(n.link, &list[i]) //nolint:errcheck,gosec // it may just have gone
		}
	}
	n.address, n.clouds = netip.Prefix{}, nil
}

func (n *networker) fault(err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != n.said {
		n.said = said
		if err != nil {
			n.m.log.caused("network: %v", err)
		}
	}
	n.publish()
}

var errNoCable = errors.New("no cable")

// step does what is next to be done.
func (n *networker) step(ctx context.Context) error {
	if !n.known {
		config, err := n.m.Network()
		if err != nil {
			return err
		}
		n.config, n.known = config, true
	}
	if err := n.findLink(); err != nil {
		return err
	}
	if n.link.Attrs().OperState == netlink.OperDown {
		return errNoCable
	}
	if !n.address.IsValid() || !n.renew.IsZero() && time.Now().After(n.renew) {
		if err := n.takeAddress(ctx); err != nil {
			return err
		}
	}
	if time.Now().After(n.resolve) {
		return n.findCloud(ctx)
	}
	return nil
}

// findLink takes the first wired link.
func (n *networker) findLink() error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	for _, l := range links {
		a := l.Attrs()
		if a.Flags&net.FlagLoopback != 0 || a.EncapType != "ether" {
			continue
		}
		if _, err := os.Stat("/sys/class/net/" + a.Name + "/device"); err != nil {
			continue // none that there is hardware for
		}
		n.link = l
		if a.Flags&net.FlagUp == 0 {
			if err := netlink.LinkSetUp(l); err != nil {
				return fmt.Errorf("%s: %w", a.Name, err)
			}
			n.upped = time.Now()
		}
		return nil
	}
	n.link = nil
	return errors.New("no network adapter")
}

func (n *networker) takeAddress(ctx context.Context) error {
	if n.config.Address != "dhcp" {
		prefix, err := netip.ParsePrefix(n.config.Address)
		if err != nil {
			return fmt.Errorf("network.address: %w", err)
		}
		n.servers = n.config.Servers
		return n.use(prefix, n.config.Gateway, time.Time{})
	}
	ctx, cancel := context.WithTimeout(ctx, dhcpWithin)
	defer cancel()
	client, err := nclient4.New(n.link.Attrs().Name)
	if err != nil {
		return fmt.Errorf("dhcp: %w", err)
	}
	defer client.Close() //nolint:errcheck // nothing is left to send
	lease, err := client.Request(ctx, dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer))
	if err != nil {
		return fmt.Errorf("dhcp: %w", err)
	}
	prefix, gateway, servers, until, err := leased(lease.ACK)
	if err != nil {
		return err
	}
	n.servers = servers
	if len(n.config.Servers) > 0 {
		n.servers = n.config.Servers
	}
	return n.use(prefix, gateway, time.Now().Add(until/2))
}

// serversMax bounds the name servers that a lease may bring.
const serversMax = 3

// leased reads an acknowledged lease, which comes from whoever answered first.
func leased(ack *dhcpv4.DHCPv4) (prefix netip.Prefix, gateway netip.Addr, servers []netip.Addr, lasts time.Duration, err error) {
	address, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	ones, bits := ack.SubnetMask().Size()
	if !ok || bits != 32 || !address.IsGlobalUnicast() && !address.IsPrivate() {
		return prefix, gateway, nil, 0, fmt.Errorf("dhcp: a lease of %v with mask %v is none", ack.YourIPAddr, ack.SubnetMask())
	}
	prefix = netip.PrefixFrom(address, ones)
	for _, ip := range ack.Router() {
		if a, ok := netip.AddrFromSlice(ip.To4()); ok && !gateway.IsValid() {
			gateway = a
		}
	}
	for _, ip := range ack.DNS() {
		if a, ok := netip.AddrFromSlice(ip.To4()); ok && len(servers) < serversMax {
			servers = append(servers, a)
		}
	}
	return prefix, gateway, servers, min(max(ack.IPAddressLeaseTime(leaseAtMost), time.Minute), leaseAtMost), nil
}

// use puts an address on the link.
func (n *networker) use(prefix netip.Prefix, gateway netip.Addr, renew time.Time) error {
	if n.address.IsValid() && n.address != prefix {
		n.drop()
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), 32)}}
	if err := netlink.AddrReplace(n.link, address); err != nil {
		return fmt.Errorf("address %v: %w", prefix, err)
	}
	if gateway.IsValid() {
		route := &netlink.Route{LinkIndex: n.link.Attrs().Index, Gw: gateway.AsSlice()}
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("gateway %v: %w", gateway, err)
		}
	}
	if n.address != prefix {
		n.m.log.caused("network: %s has %v", n.link.Attrs().Name, prefix)
		n.resolve = time.Time{}
	}
	n.address, n.renew = prefix, renew
	n.m.mu.Lock()
	n.m.state.Network.Gateway = ""
	if gateway.IsValid() {
		n.m.state.Network.Gateway = gateway.String()
	}
	n.m.mu.Unlock()
	return nil
}

// findCloud looks up the cloud's addresses and lets them through. Only this
// process asks for names, and only for that one: the uplink finds it in
// /etc/hosts and may send no question anywhere.
func (n *networker) findCloud(ctx context.Context) error {
	n.resolve = time.Now().Add(retryNames)
	if n.config.Cloud == "" {
		return errors.New("no cloud is configured")
	}
	found, err := n.lookUp(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(found, netip.Addr.Compare)
	if len(found) > cloudsMax {
		found = found[:cloudsMax]
	}
	if !slices.Equal(found, n.clouds) {
		if err := n.wall.let(found, n.config.Port, n.servers); err != nil {
			return err
		}
		if err := writeHosts(n.config.Cloud, found); err != nil {
			return err
		}
		n.m.log.caused("network: the cloud is %v", found)
		n.clouds = found
	}
	n.resolve = time.Now().Add(namesEvery)
	return nil
}

func (n *networker) lookUp(ctx context.Context) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(n.config.Cloud); err == nil {
		return []netip.Addr{a}, nil
	}
	if len(n.servers) == 0 {
		return nil, errors.New("no name server: the cloud's name cannot be looked up")
	}
	if err := n.wall.let(n.clouds, n.config.Port, n.servers); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, nameWithin)
	defer cancel()
	var failed error
	for _, server := range n.servers {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Control: markQuestion}).DialContext(ctx, "udp4", netip.AddrPortFrom(server, namePort).String())
		}}
		found, err := r.LookupNetIP(ctx, "ip4", strings.TrimSuffix(n.config.Cloud, ".")+".")
		if err == nil && len(found) > 0 {
			return found, nil
		}
		failed = err
	}
	return nil, fmt.Errorf("the cloud's name: %w", failed)
}

// markQuestion marks a socket as one of this process's, which the register, of
// the same user, may not do.
func markQuestion(_, _ string, c syscall.RawConn) (err error) {
	errControl := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, questionMark)
	})
	if err = errors.Join(errControl, err); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	return nil
}

// writeHosts tells the uplink where the cloud is.
func writeHosts(name string, addresses []netip.Addr) error {
	var b strings.Builder
	for _, a := range addresses {
		fmt.Fprintf(&b, "%s %s\n", a, name)
	}
	if err := writeWhole(Run+"/hosts", []byte(b.String()), 0o644); err != nil { // the uplink, another user, reads it
		return fmt.Errorf("hosts: %w", err)
	}
	return nil
}

// publish makes the state known.
func (n *networker) publish() {
	n.m.mu.Lock()
	defer n.m.mu.Unlock()
	s := &n.m.state.Network
	s.Link, s.Up, s.Address, s.Fault = "", false, "", n.said
	if n.link != nil {
		s.Link, s.Up = n.link.Attrs().Name, n.link.Attrs().OperState != netlink.OperDown
	}
	if n.address.IsValid() {
		s.Address = n.address.String()
	}
	s.Servers, s.Cloud = words(n.servers), words(n.clouds)
	s.Dropped = n.wall.dropped()
}

func words(addresses []netip.Addr) (list []string) {
	for _, a := range addresses {
		list = append(list, a.String())
	}
	return list
}
