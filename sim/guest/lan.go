package guest

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Addresses on the network of a guest. The stranger's is ours.
//
//nolint:gochecknoglobals // constants
var (
	Cloud    = netip.MustParseAddr(CloudAddress)
	Guest4   = netip.MustParseAddr("10.0.2.15") // the first that QEMU gives away
	Stranger = netip.MustParseAddr("10.0.2.66")
)

// Protocols of IPv4 and Ethernet.
const (
	TCP = 6
	UDP = 17

	typeIPv4 = 0x0800
	typeARP  = 0x0806

	etherBytes = 14
	frameMax   = 64 << 10
	// seenMax bounds what is remembered of a guest.
	seenMax = 1 << 20
)

// Flags of TCP.
const (
	SYN = 2
	RST = 4
	ACK = 16
)

// strangerMAC is locally administered.
//
//nolint:gochecknoglobals // a constant
var strangerMAC = [6]byte{0x02, 0x66, 0x66, 0x66, 0x66, 0x66}

// Packet is one that the guest has sent.
type Packet struct {
	Type     uint16 // of Ethernet
	Protocol byte   // of IP
	From, To netip.AddrPort
	Flags    byte // of TCP
}

func (p Packet) String() string {
	switch {
	case p.Type == typeARP:
		return fmt.Sprintf("ARP for %v", p.To.Addr())
	case p.Type != typeIPv4:
		return fmt.Sprintf("Ethernet type %04x", p.Type)
	}
	return fmt.Sprintf("protocol %d, %v to %v, flags %02x", p.Protocol, p.From, p.To, p.Flags)
}

// Network is the switch between a guest, QEMU's own host on which the cloud is,
// and a stranger: every frame that the guest sends goes through our hands.
type Network struct {
	dir   string
	ports [2]net.Listener
	done  sync.WaitGroup

	mu    sync.Mutex
	guest net.Conn
	mac   [6]byte // the guest's
	seen  []Packet
	told  chan struct{} // closed and renewed when something was seen
}

// Names of the two sockets.
const (
	guestSocket = "lan-guest"
	hostSocket  = "lan-host"
)

// NewNetwork makes one, with its sockets in a folder.
func NewNetwork(dir string) (*Network, error) {
	n := &Network{dir: dir, told: make(chan struct{})}
	for i, name := range []string{guestSocket, hostSocket} {
		path := filepath.Join(dir, name)
		os.Remove(path) //nolint:errcheck,gosec // of one before
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
		if err != nil {
			return nil, fmt.Errorf("guest: network: %w", err)
		}
		n.ports[i] = l
	}
	n.done.Go(n.run)
	return n, nil
}

// arguments are QEMU's.
func (n *Network) arguments(host string) []string {
	stream := func(id, name string) string {
		return fmt.Sprintf("stream,id=%s,server=off,addr.type=unix,addr.path=%s", id, filepath.Join(n.dir, name))
	}
	return []string{
		"-netdev", stream("net", guestSocket), "-netdev", host, "-netdev", stream("switch", hostSocket),
		"-netdev", "hubport,id=port0,hubid=0,netdev=host", "-netdev", "hubport,id=port1,hubid=0,netdev=switch",
	}
}

// Close ends it.
func (n *Network) Close() error {
	err := errors.Join(n.ports[0].Close(), n.ports[1].Close())
	n.mu.Lock()
	if n.guest != nil {
		err = errors.Join(err, n.guest.Close())
	}
	n.mu.Unlock()
	n.done.Wait()
	return err
}

func (n *Network) run() {
	guest, err := n.ports[0].Accept()
	if err != nil {
		return
	}
	defer guest.Close() //nolint:errcheck // nothing is left to say
	host, err := n.ports[1].Accept()
	if err != nil {
		return
	}
	defer host.Close() //nolint:errcheck // nothing is left to say
	n.mu.Lock()
	n.guest = guest
	n.mu.Unlock()
	n.done.Go(func() {
		defer guest.Close() //nolint:errcheck // the machine is off
		frames := bufio.NewReader(host)
		for {
			frame, err := readFrame(frames)
			if err != nil || n.Send(frame) != nil {
				return
			}
		}
	})
	frames := bufio.NewReaderSize(guest, frameMax)
	for {
		frame, err := readFrame(frames)
		if err != nil {
			return
		}
		n.note(frame)
		if answer := n.answer(frame); answer != nil {
			if n.Send(answer) != nil {
				return
			}
			continue
		}
		if writeFrame(host, frame) != nil {
			return
		}
	}
}

// readFrame reads one as QEMU frames it: its length first, big-endian.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head)
	if size < etherBytes || size > frameMax {
		return nil, fmt.Errorf("guest: a frame of %d bytes", size)
	}
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeFrame(w io.Writer, frame []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)) //nolint:gosec // below frameMax
	return err
}

var errNoGuest = errors.New("guest: nobody is on the network")

// Send sends frames to the guest, as they are.
func (n *Network) Send(frames ...[]byte) error {
	var b []byte
	for _, f := range frames {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...) //nolint:gosec // frames of ours
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.guest == nil {
		return errNoGuest
	}
	_, err := n.guest.Write(b)
	return err
}

// note remembers what the guest sent.
func (n *Network) note(frame []byte) {
	p := Packet{Type: binary.BigEndian.Uint16(frame[12:])}
	b := frame[etherBytes:]
	switch {
	case p.Type == typeARP && len(b) >= arpBytes:
		p.From, p.To = arpAddress(b[14:]), arpAddress(b[24:])
	case p.Type == typeIPv4 && len(b) >= ipBytes && int(b[0]&15)*4 <= len(b):
		p.Protocol = b[9]
		from, to := [4]byte(b[12:16]), [4]byte(b[16:20])
		ports := [2]uint16{}
		if part := b[int(b[0]&15)*4:]; (p.Protocol == TCP || p.Protocol == UDP) && len(part) >= 8 {
			ports = [2]uint16{binary.BigEndian.Uint16(part), binary.BigEndian.Uint16(part[2:])}
			if p.Protocol == TCP && len(part) >= tcpBytes {
				p.Flags = part[13]
			}
		}
		p.From, p.To = netip.AddrPortFrom(netip.AddrFrom4(from), ports[0]), netip.AddrPortFrom(netip.AddrFrom4(to), ports[1])
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mac = [6]byte(frame[6:12])
	if len(n.seen) < seenMax {
		n.seen = append(n.seen, p)
	}
	close(n.told)
	n.told = make(chan struct{})
}

func arpAddress(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), 0)
}

// Seen is all that the guest has sent, from a place on.
func (n *Network) Seen(from int) []Packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Packet(nil), n.seen[min(from, len(n.seen)):]...)
}

// Lengths of headers without options.
const (
	arpBytes = 28
	ipBytes  = 20
	tcpBytes = 20
	udpBytes = 8
)

// answer is the stranger's, if the guest asks for its address: whatever is sent
// there arrives.
func (n *Network) answer(frame []byte) []byte {
	b := frame[etherBytes:]
	const opAt, request = 6, 1
	if binary.BigEndian.Uint16(frame[12:]) != typeARP || len(b) < arpBytes || binary.BigEndian.Uint16(b[opAt:]) != request || arpAddress(b[24:]).Addr() != Stranger {
		return nil
	}
	return arp(2, [6]byte(frame[6:12]), Stranger, arpAddress(b[14:]).Addr())
}

func ether(to [6]byte, kind uint16) []byte {
	b := append(append([]byte{}, to[:]...), strangerMAC[:]...)
	return binary.BigEndian.AppendUint16(b, kind)
}

func arp(op byte, to [6]byte, from, asked netip.Addr) []byte {
	b := append(ether(to, typeARP), 0, 1, 8, 0, 6, 4, 0, op)
	b = append(append(b, strangerMAC[:]...), from.AsSlice()...)
	return append(append(b, to[:]...), asked.AsSlice()...)
}

// reachWithin bounds the wait for the guest to answer for its address.
const reachWithin = 2 * time.Second

// Reach asks the guest for its address, which no firewall of IP hears of, and
// waits for the answer: all that was sent before has arrived, as a wire keeps the
// order.
func (n *Network) Reach(ctx context.Context) error {
	everybody := [6]byte{255, 255, 255, 255, 255, 255}
	for {
		n.mu.Lock()
		from := len(n.seen)
		n.mu.Unlock()
		if err := n.Send(arp(1, everybody, Stranger, Guest4)); err != nil && !errors.Is(err, errNoGuest) {
			return err
		}
		until := time.NewTimer(reachWithin)
		for waiting := true; waiting; {
			n.mu.Lock()
			told := n.told
			n.mu.Unlock()
			for _, p := range n.Seen(from) {
				if p.Type == typeARP && p.From.Addr() == Guest4 && p.To.Addr() == Stranger {
					return nil
				}
			}
			select {
			case <-told:
			case <-until.C:
				waiting = false
			case <-ctx.Done():
				return fmt.Errorf("guest: it does not answer: %w", ctx.Err())
			}
		}
	}
}

// MAC is the guest's.
func (n *Network) MAC() [6]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mac
}

// IP is a frame for the guest.
func IP(to [6]byte, protocol byte, source, destination netip.Addr, body []byte) []byte {
	b := ether(to, typeIPv4)
	h := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0}
	h = append(append(h, source.AsSlice()...), destination.AsSlice()...)
	binary.BigEndian.PutUint16(h[2:], uint16(ipBytes+len(body))) //nolint:gosec // a probe
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(append(b, h...), body...)
}

// Segment is one of TCP without data.
func Segment(from, to netip.AddrPort, flags byte) []byte {
	b := make([]byte, tcpBytes)
	binary.BigEndian.PutUint16(b, from.Port())
	binary.BigEndian.PutUint16(b[2:], to.Port())
	b[4], b[12], b[13], b[14] = 1, 5<<4, flags, 4
	binary.BigEndian.PutUint16(b[16:], checksum(pseudo(from, to, TCP, b)))
	return b
}

// Datagram is one of UDP.
func Datagram(from, to netip.AddrPort, data []byte) []byte {
	b := make([]byte, udpBytes, udpBytes+len(data))
	binary.BigEndian.PutUint16(b, from.Port())
	binary.BigEndian.PutUint16(b[2:], to.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(udpBytes+len(data))) //nolint:gosec // a probe
	b = append(b, data...)
	binary.BigEndian.PutUint16(b[6:], checksum(pseudo(from, to, UDP, b)))
	return b
}

// Echo is a ping.
func Echo() []byte {
	b := []byte{8, 0, 0, 0, 0, 1, 0, 1}
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

func pseudo(from, to netip.AddrPort, protocol byte, body []byte) []byte {
	b := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	b = append(b, 0, protocol)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body))) //nolint:gosec // a probe
	return append(b, body...)
}

// checksum is the Internet's (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i]) << 8
		if i+1 < len(b) {
			sum += uint32(b[i+1])
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xFFFF + sum>>16
	}
	return ^uint16(sum)
}
