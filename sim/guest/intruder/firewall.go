package main

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/google/nftables"
)

// counters are those of all tables.
func counters() (map[string]uint64, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	tables, err := c.ListTables()
	if err != nil {
		return nil, err
	}
	list := map[string]uint64{}
	for _, t := range tables {
		objects, err := c.GetObjects(t)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if counter, ok := o.(*nftables.CounterObj); ok {
				list[counter.Name] += counter.Packets
			}
		}
	}
	return list, nil
}

// tear takes the firewall down, whenever it stands, for a time. It returns how
// often it stood.
func tear(lasts time.Duration) (torn int, err error) {
	c, err := nftables.New()
	if err != nil {
		return 0, err
	}
	for until := time.Now().Add(lasts); time.Now().Before(until); time.Sleep(time.Millisecond) {
		tables, err := c.ListTables()
		if err != nil {
			return torn, err
		}
		if len(tables) == 0 {
			continue
		}
		for _, t := range tables {
			c.DelTable(t)
		}
		if err := c.Flush(); err != nil {
			continue // it was replaced meanwhile
		}
		torn++
	}
	return torn, nil
}

// listen is a back door.
func (i *intruder) listen(port uint16) error {
	address := ":" + strconv.Itoa(int(port))
	stream, err := net.Listen("tcp4", address) //nolint:noctx // until the board goes down
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	packets, err := net.ListenPacket("udp4", address) //nolint:noctx // as above
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	i.held = append(i.held, stream, packets)
	go func() {
		b := make([]byte, 64)
		for {
			n, from, err := packets.ReadFrom(b)
			if err != nil {
				return
			}
			packets.WriteTo(b[:n], from) //nolint:errcheck,gosec // the firewall may be back
		}
	}()
	return nil
}
