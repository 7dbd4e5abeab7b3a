package dukpt

import (
	"encoding/binary"
	"errors"
)

// stateHead: counter, size of a key in bytes, which registers are erased.
const stateHead = 4 + 1 + 4

// StateMax is the longest encoded state, in bytes.
const StateMax = stateHead + registers*KeyMax

var errState = errors.New("dukpt: not a device's state")

// AppendState appends what a device needs to go on, which is all secret: it
// must be sealed before it leaves the arena. The IKID is not part of it. A
// device without a key has no state.
func (d *Device) AppendState(b []byte) []byte {
	r := d.r
	b = binary.BigEndian.AppendUint32(b, r.counter)
	b = append(b, byte(r.size)) //nolint:gosec // 16 or 32
	erased := uint32(0)
	for i, used := range r.used {
		if used {
			erased |= 1 << i
		}
	}
	b = binary.BigEndian.AppendUint32(b, erased)
	for i := range r.intermediate {
		b = append(b, r.intermediate[i][:r.size]...)
	}
	return b
}

// Restore takes a state of AppendState. With an error the device has no key.
func (d *Device) Restore(ikid *[IKIDBytes]byte, state []byte) error {
	d.Wipe()
	r := d.r
	if len(state) < stateHead {
		return errState
	}
	size := int(state[4])
	if size != 16 && size != KeyMax || len(state) != stateHead+registers*size {
		return errState
	}
	r.ikid, r.size, r.loaded = *ikid, size, true
	r.counter = binary.BigEndian.Uint32(state)
	erased := binary.BigEndian.Uint32(state[5:])
	for i := range r.intermediate {
		r.used[i] = erased>>i&1 == 1
		copy(r.intermediate[i][:], state[stateHead+i*size:stateHead+(i+1)*size])
	}
	return nil
}
