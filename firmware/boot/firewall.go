package boot

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"

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
	// By users, of those that should have gone out: whoever that is should not have
	// tried. Others are all but the three. Of what the kernel itself answers, which
	// is in Out only, nobody is the user.
	Register, Uplink, Capture, Others uint64
}

// Tried is whether any process has tried to send where it may not.
func (d Dropped) Tried() uint64 { return d.Register + d.Uplink + d.Capture + d.Others }

func (d Dropped) String() string {
	return fmt.Sprintf("in %d, out %d, of them tried by the register %d, uplink %d, card reader %d, others %d", d.In, d.Out, d.Register, d.Uplink, d.Capture, d.Others)
}

// wallSeen is what this boot's looks at the firewall have found.
type wallSeen struct {
	torn   string // how often somebody has changed it, "" never
	fault  error  // of the last look
	faults uint64 // how often one began
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
	seen  uint32  // the newest generation of somebody else's
}

// rules are those of one table.
type rules struct {
	table   *nftables.Table
	clouds  []netip.Addr
	port    uint16
	servers []netip.Addr
	// generation is that of the kernel's rules with these, and no later change.
	generation uint32
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

// standEvery is how often is looked whether the firewall still stands.
const standEvery = time.Second

// keepFirewall has it stand. Nobody else may change it: whoever did is root, and
// not in the register's jail.
func (m *machine) keepFirewall(ctx context.Context, wall *firewall) {
	look := time.NewTicker(standEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		m.stood(wall.stand())
	}
}

// stood notes what a look at the firewall has found. A fault is the board's for
// as long as it lasts; that there was one stays in the log. The more often, the
// more seldom: neither tearing at it nor a kernel that is busy fills that.
func (m *machine) stood(changed bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := &m.wall
	if changed {
		m.state.Torn++
		w.torn = fmt.Sprintf("somebody changed it %d times, last at %s", m.state.Torn, time.Now().Format(time.TimeOnly))
		if seldom(m.state.Torn) {
			m.log.say("firewall: somebody has changed it %d times: raised again (%v)", m.state.Torn, err)
		}
	}
	was := w.fault
	w.fault = err
	switch {
	case err != nil && was == nil:
		if w.faults++; seldom(w.faults) {
			m.log.say("firewall: %v (%d times so far)", err, w.faults)
		}
	case err == nil && was != nil && seldom(w.faults):
		m.log.say("firewall: it is seen to stand again, after: %v", was)
	}
	switch {
	case err != nil && w.torn != "":
		m.state.Firewall = w.torn + "; " + err.Error()
	case err != nil:
		m.state.Firewall = err.Error()
	case w.torn != "":
		m.state.Firewall = w.torn + "; it was raised again"
	default:
		m.state.Firewall = ""
	}
}

// seldom is whether the nth time is told: the first, and each that doubles them.
func seldom(n uint64) bool { return n&(n-1) == 0 }

// let replaces the table by one that lets the uplink to these addresses, in one
// step.
func (w *firewall) let(clouds []netip.Addr, port uint16, servers []netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.raise(clouds, port, servers)
}

func (w *firewall) raise(clouds []netip.Addr, port uint16, servers []netip.Addr) error {
	before, err := generation()
	if err != nil {
		return err
	}
	w.past = w.sum()
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}
	// Whether it is there or somebody took it away: one is there, then none.
	w.conn.AddTable(table)
	w.conn.DelTable(table)
	w.conn.AddTable(table)
	for _, name := range []string{"in", "out", "register", "uplink", "capture", "owned"} {
		w.conn.AddObj(&nftables.CounterObj{Table: table, Name: name})
	}
	w.write(table, clouds, port, servers)
	if err := w.conn.Flush(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	w.rules = &rules{table: table, clouds: clouds, port: port, servers: servers, generation: before + 1}
	return nil
}

// write adds the chains and their rules.
func (w *firewall) write(table *nftables.Table, clouds []netip.Addr, port uint16, servers []netip.Addr) {
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
	rule(out, anybody(), count("owned"))
	rule(out, count("out"))
	rule(in, count("in"))
}

// stand raises the firewall again if anybody but this process has changed the
// kernel's rules, whichever. A change is one, however often it takes to raise it.
func (w *firewall) stand() (changed bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, err := generation()
	if err != nil || w.rules == nil || now == w.rules.generation {
		return false, err
	}
	changed, w.seen = now != w.seen, now
	return changed, w.raise(w.rules.clouds, w.rules.port, w.rules.servers)
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
	var owned, known uint64
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
		case "owned":
			owned = c.Packets
		}
		if c.Name == "register" || c.Name == "uplink" || c.Name == "capture" {
			known += c.Packets
		}
	}
	d.Others += owned - min(owned, known) // counted one after the other
	return d
}

// The parts of a rule, as nft(8) writes them.

// user is "meta skuid".
func user(uid uint32) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeySKUID, Register: 1}, equal(binary.NativeEndian.AppendUint32(nil, uid))}
}

// anybody is a packet that a process has sent: only those have a user.
func anybody() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeySKUID, Register: 1}}
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
