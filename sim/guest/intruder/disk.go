package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"regi/sim/guest/order"
)

// diskWithin bounds the wait for the board to mount what disks are seen by.
const diskWithin = time.Minute

// openDisk finds the disk by its serial number. It is read past the kernel's
// cache, as its other side is another machine.
func openDisk() (*order.Side, error) {
	buffer, err := unix.Mmap(-1, 0, order.MessageMax, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("buffer: %w", err)
	}
	for until := time.Now().Add(diskWithin); time.Now().Before(until); time.Sleep(order.Every) {
		serials, err := filepath.Glob("/sys/block/*/serial")
		if err != nil {
			return nil, err
		}
		for _, s := range serials {
			b, err := os.ReadFile(s) //nolint:gosec // of sysfs
			if err != nil || strings.TrimSpace(string(b)) != order.Serial {
				continue
			}
			node := "/dev/" + filepath.Base(filepath.Dir(s))
			f, err := os.OpenFile(node, os.O_RDWR|unix.O_DIRECT|unix.O_DSYNC, 0) //nolint:gosec // as above
			if err != nil {
				return nil, err
			}
			return &order.Side{Disk: f, Buffer: buffer}, nil
		}
	}
	return nil, errors.New("no disk with orders")
}
