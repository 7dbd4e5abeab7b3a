package uplink

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"regi/firmware/record"
)

const (
	// headMax bounds the JSON of a packet, in bytes. The largest is a card read.
	headMax = 16 << 10
	// PacketMax bounds a packet of the link, in bytes.
	PacketMax = 2 + headMax + record.SealedMax
)

// Conn is one end of the link. Send may be called by several goroutines, Recv
// by one.
type Conn struct {
	link   io.ReadWriter
	packet []byte
}

// NewConn speaks over a socket that keeps the borders of packets: one Write
// sends one, one Read takes one.
func NewConn(link io.ReadWriter) *Conn {
	// One byte more than allowed, so that a longer packet is seen as one.
	return &Conn{link: link, packet: make([]byte, PacketMax+1)}
}

// Send writes one packet. ErrMessage if the message is none.
func (c *Conn) Send(m Message) error {
	packet, err := encode(m)
	if err != nil {
		return fmt.Errorf("uplink: send: %w", err)
	}
	if _, err := c.link.Write(packet); err != nil {
		return fmt.Errorf("uplink: send %s: %w", m.Op, err)
	}
	return nil
}

// Recv reads one packet; io.EOF when the other end is gone, ErrMessage for a
// packet that Send does not write.
func (c *Conn) Recv() (Message, error) {
	n, err := c.link.Read(c.packet)
	if err != nil {
		return Message{}, fmt.Errorf("uplink: receive: %w", err)
	}
	m, err := decode(c.packet[:n])
	if err != nil {
		return Message{}, fmt.Errorf("uplink: receive: %w", err)
	}
	return m, nil
}

func encode(m Message) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	head, err := encodeHead(m)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, 0, 2+len(head)+len(m.Record))
	packet = binary.BigEndian.AppendUint16(packet, uint16(len(head))) //nolint:gosec // encodeHead bounds it
	packet = append(packet, head...)
	return append(packet, m.Record...), nil
}

func encodeHead(m Message) ([]byte, error) {
	head, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", m.Op, ErrMessage, err)
	}
	if len(head) > headMax {
		return nil, fmt.Errorf("%s: %d bytes: %w", m.Op, len(head), ErrMessage)
	}
	return head, nil
}

// decode copies what it keeps. Its errors do not quote the packet.
func decode(packet []byte) (Message, error) {
	if len(packet) < 2 || len(packet) > PacketMax {
		return Message{}, fmt.Errorf("packet of %d bytes: %w", len(packet), ErrMessage)
	}
	n, rest := int(binary.BigEndian.Uint16(packet)), packet[2:]
	if n > headMax || n > len(rest) {
		return Message{}, fmt.Errorf("head of %d bytes: %w", n, ErrMessage)
	}
	head, body := rest[:n], rest[n:]
	var m Message
	if json.Unmarshal(head, &m) != nil {
		return Message{}, fmt.Errorf("head: %w", ErrMessage)
	}
	if len(body) > 0 {
		m.Record = bytes.Clone(body)
	}
	if err := m.check(); err != nil {
		return Message{}, err
	}
	// A value has one encoding: this refuses unknown and doubled fields, other
	// spellings of names and numbers, and blanks.
	again, err := encodeHead(m)
	if err != nil {
		return Message{}, err
	}
	if !bytes.Equal(again, head) {
		return Message{}, fmt.Errorf("%s: head: %w", m.Op, ErrMessage)
	}
	return m, nil
}
