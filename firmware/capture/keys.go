package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"regi/drivers"
	"regi/firmware/capture/internal/aeskey"
	"regi/firmware/capture/internal/dukpt"
	"regi/firmware/capture/internal/keystore"
	"regi/firmware/capture/internal/link"
)

// openKeys reads the key file; an error means that nothing can be said of it.
func (p *process) openKeys(files *Keys) error {
	if files == nil {
		return nil
	}
	var err error
	p.secretly(func() { p.store, err = keystore.New(files.Keys, files.Device, &p.v.store) })
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// acquire takes the key from the key file, or asks for one where there is none
// or a used up one. A key that was wiped, or a file that is not in order, is
// for the ceremony: no offered key ends that.
func (p *process) acquire() {
	reason := p.resume()
	if p.key != nil && (reason == link.NoKey || reason == link.KeysUsedUp) {
		switch err := p.load(p.key); {
		case err == nil:
			reason = link.None
		case errors.Is(err, keystore.ErrWrite):
			reason = link.NotWritten
		}
	}
	p.refuse(reason)
}

// resume makes the device that of the key file and says why it cannot.
func (p *process) resume() link.Reason {
	if p.store == nil {
		return link.NoKey
	}
	p.reserved = 0
	err := p.store.Resume(p.device)
	switch {
	case err == nil && p.device.Counter() == 0:
		return link.KeysUsedUp
	case err == nil:
		return link.None
	case errors.Is(err, keystore.ErrEmpty):
		return link.NoKey
	case errors.Is(err, keystore.ErrZeroised):
		return link.Zeroised
	case errors.Is(err, keystore.ErrForeign):
		return link.OtherDevice
	}
	return link.Damaged
}

// load reads an initial key into the arena, from there into the device, and
// keeps it in the key file before the first counter is used.
func (p *process) load(key io.ReadWriter) error {
	defer clear(p.v.injected[:])
	if d, ok := key.(interface{ SetDeadline(time.Time) error }); ok {
		if err := d.SetDeadline(time.Now().Add(keyWait)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			return fmt.Errorf("capture: key: %w", err)
		}
	}
	if _, err := key.Write([]byte("K")); err != nil {
		return fmt.Errorf("capture: key: %w", err)
	}
	n, err := key.Read(p.v.injected[:])
	if err != nil {
		return fmt.Errorf("capture: key: %w", err)
	}
	if n != keyBytes && n != keyMax {
		return fmt.Errorf("capture: key: %w", drivers.ErrFrame)
	}
	ikid, ik := (*[dukpt.IKIDBytes]byte)(p.v.injected[:]), p.v.injected[dukpt.IKIDBytes:n]
	if err := p.device.Load(ikid, ik); err != nil {
		return fmt.Errorf("capture: key: %w", err)
	}
	if p.store == nil {
		return nil
	}
	kcv := p.kcv(ik)
	if err := p.write(func() error { return p.store.Put(p.ahead, kcv) }); err != nil {
		p.device.Wipe() // a key that is not kept is not used
		return err
	}
	return nil
}

// kcv is the check value of an AES key: the first bytes of the CMAC over a zero
// block.
func (p *process) kcv(key []byte) (kcv [keystore.KCVBytes]byte) {
	v := p.v
	p.mac.Key(key)
	v.sum.Start(p.mac)
	for range aeskey.BlockBytes {
		v.sum.Write(p.mac, 0)
	}
	v.sum.Sum(p.mac, &v.tag)
	p.mac.Wipe()
	copy(kcv[:], v.tag[:])
	clear(v.tag[:])
	return kcv
}

// reserve makes sure that the next counter is reserved on the disk.
func (p *process) reserve() error {
	counter := p.device.Counter()
	if p.store == nil || counter == 0 || uint64(counter) < p.reserved {
		return nil
	}
	return p.write(func() error { return p.store.Reserve(p.ahead) })
}

// write has the device at the end of the next counter's window written, and
// only then lets the window be used.
func (p *process) write(put func() error) error {
	p.v.ahead = p.v.keys
	defer p.ahead.Wipe()
	p.ahead.Advance(keystore.WindowEnd(p.device.Counter()))
	if err := put(); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	end := p.ahead.Counter()
	p.device.Limit(end)
	if p.reserved = uint64(end); end == 0 { // no counter is left beyond
		p.reserved = 1 << 32
	}
	return nil
}

// zeroise wipes the arena, then the key file, and says so. An error means that
// the file may still hold a key: the process must end.
func (p *process) zeroise() error {
	var err error
	p.secretly(func() {
		*p.v = vault{}
		if p.store != nil {
			err = p.store.Wipe()
			p.v.store = keystore.Room{}
		}
	})
	p.reserved = 0
	if err != nil {
		return errors.Join(errWipe, p.report(link.NotWritten))
	}
	return p.report(link.Zeroised)
}
