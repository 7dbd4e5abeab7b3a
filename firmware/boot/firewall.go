package boot

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"regi/firmware/role"
)

// namePort is that of DNS; questionMark is on this process's questions, so that
// the register's, which has the same user, are told from them.
const (
	namePort     = 53
	questionMark = 0x52454749
)

// Dropped are packets that the firewall did not let through.
type Dropped struct {
	In, Out uint64
	// By roles, of those that went out: whoever that is should not have tried.
	Register, Uplink, Capture uint64
}

// firewall is one table that lets nothing in, out or through, but: the uplink's
// packets to the cloud's port and the answers to them, and this process's
// questions for the cloud's name. Nothing is tracked: who may send is decided by
// the user of the socket, and an answer that nobody asked for reaches no socket.
type firewall struct {
	conn    *nftables.Conn
	capture uint32 // the user of the card process

	mu    sync.Mutex
	rules *rules
	past  Dropped // counted by the tables before this one
}

// rules are those of one table, and the counters behind the last of them.
type rules struct {
	table                              *nftables.Table
	in, out, register, uplink, capture *nftables.CounterObj
}

// raiseFirewall closes everything.
func raiseFirewall(capture uint32) (*firewall, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	w := &firewall{conn: conn, capture: capture}
	return w, w.let(nil, 0, nil)
}

const tableName = "regi"

// let replaces the table by one that lets the uplink to these addresses, in one
// step.
func (w *firewall) let(clouds []netip.Addr, port uint16, servers []netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rules != nil {
		w.past = w.sum()
		w.conn.DelTable(w.rules.table)
	}
	table := w.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: tableName})
	r := &rules{table: table}
	for name, object := range map[string]**nftables.CounterObj{
		"in": &r.in, "out": &r.out, "register": &r.register, "uplink": &r.uplink, "capture": &r.capture,
	} {
		*object = &nftables.CounterObj{Table: table, Name: name}
		w.conn.AddObj(*object)
	}
	drop := nftables.ChainPolicyDrop
	chain := func(name string, hook *nftables.ChainHook) *nftables.Chain {
		return w.conn.AddChain(&nftables.Chain{Name: name, Table: table, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityFilter, Policy: &drop})
	}
	in, out := chain("in", nftables.ChainHookInput), chain("out", nftables.ChainHookOutput)
	chain("through", nftables.ChainHookForward)
	rule := func(c *nftables.Chain, parts ...[]expr.Any) {
		var all []expr.Any
		for _, p := range parts {
			all = append(all, p...)
		}
		w.conn.AddRule(&nftables.Rule{Table: table, Chain: c, Exprs: all})
	}
	for _, a := range clouds {
		rule(out, user(role.UplinkUID), to(a), protocol(unix.IPPROTO_TCP), toPort(port), accept())
		rule(in, from(a), protocol(unix.IPPROTO_TCP), fromPort(port), noNewConnection(), accept())
	}
	for _, a := range servers {
		rule(out, question(a)...)
		rule(in, from(a), protocol(unix.IPPROTO_UDP), fromPort(namePort), accept())
	}
	rule(out, user(role.UplinkUID), count("uplink"))
	rule(out, user(w.capture), count("capture"))
	rule(out, user(0), count("register"))
	rule(out, count("out"))
	rule(in, count("in"))
	if err := w.conn.Flush(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	w.rules = r
	return nil
}

// dropped is what was counted since the boot.
func (w *firewall) dropped() Dropped {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sum()
}

func (w *firewall) sum() Dropped {
	d := w.past
	if w.rules == nil {
		return d // it is not raised
	}
	objects, err := w.conn.GetObjects(w.rules.table)
	if err != nil {
		return d
	}
	for _, o := range objects {
		c, ok := o.(*nftables.CounterObj)
		if !ok {
			continue
		}
		switch c.Name {
		case "in":
			d.In += c.Packets
		case "out":
			d.Out += c.Packets
		case "register":
			d.Register += c.Packets
		case "uplink":
			d.Uplink += c.Packets
		case "capture":
			d.Capture += c.Packets
		}
	}
	return d
}

// The parts of a rule, as nft(8) writes them.

// user is "meta skuid".
func user(uid uint32) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeySKUID, Register: 1}, equal(binary.NativeEndian.AppendUint32(nil, uid))}
}

// question is one of this process's to a name server.
func question(server netip.Addr) [][]expr.Any {
	return [][]expr.Any{user(0), mark(questionMark), to(server), protocol(unix.IPPROTO_UDP), toPort(namePort), accept()}
}

// mark is "meta mark".
func mark(m uint32) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, equal(binary.NativeEndian.AppendUint32(nil, m))}
}

// Offsets in an IPv4 and in a TCP or UDP header.
const (
	sourceAt, destinationAt         = 12, 16
	sourcePortAt, destinationPortAt = 0, 2
	tcpFlagsAt                      = 13
	tcpSYN, tcpACK                  = 0x02, 0x10
)

// to and from are "ip daddr" and "ip saddr".
func to(a netip.Addr) []expr.Any   { return address(destinationAt, a) }
func from(a netip.Addr) []expr.Any { return address(sourceAt, a) }

func address(at uint32, a netip.Addr) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, equal([]byte{unix.NFPROTO_IPV4}),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: at, Len: 4}, equal(a.AsSlice()),
	}
}

func protocol(number byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equal([]byte{number})}
}

// toPort and fromPort are "th dport" and "th sport".
func toPort(p uint16) []expr.Any   { return portAt(destinationPortAt, p) }
func fromPort(p uint16) []expr.Any { return portAt(sourcePortAt, p) }

func portAt(at uint32, p uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: at, Len: 2},
		equal(binary.BigEndian.AppendUint16(nil, p)),
	}
}

// noNewConnection is "tcp flags & (syn|ack) != syn".
func noNewConnection() []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: tcpFlagsAt, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{tcpSYN | tcpACK}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{tcpSYN}},
	}
}

func equal(b []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: b} }

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }

func count(name string) []expr.Any {
	return []expr.Any{&expr.Objref{Type: unix.NFT_OBJECT_COUNTER, Name: name}}
}
