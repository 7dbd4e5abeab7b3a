// Package aeskey is AES with its key schedule in memory of the caller's choice.
//
// The standard library allocates a schedule on the heap, where it stays until
// some garbage collection; here it stays there only for the length of one copy.
package aeskey

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"reflect"
	"unsafe"
)

// BlockBytes is the size of a block, and of a key of AES-128.
const BlockBytes = 16

// Room is where one AES key schedule lies: it holds no pointer, so that it can
// be placed in an arena outside the heap. 512 bytes hold the standard library's
// schedule on every target (488 bytes on the 64-bit ones).
type Room [64]uint64

// Cipher is AES with its key schedule in a Room.
type Cipher struct {
	room  *Room
	block cipher.Block // its pointer is room
}

var errRoom = errors.New("aeskey: key schedule does not fit its room")

// New returns a cipher without a key. It fails where the standard
// library's key schedule cannot be moved.
func New(room *Room) (*Cipher, error) {
	block, err := aes.NewCipher(make([]byte, BlockBytes))
	if err != nil {
		return nil, err
	}
	v := reflect.ValueOf(block)
	if v.Kind() != reflect.Pointer {
		return nil, errRoom
	}
	t := v.Type().Elem()
	if t.Size() > unsafe.Sizeof(*room) || t.Align() > int(unsafe.Alignof(*room)) || pointers(t) {
		return nil, errRoom
	}
	placed, ok := reflect.NewAt(t, unsafe.Pointer(room)).Interface().(cipher.Block) //nolint:gosec // size, alignment and pointers checked above
	if !ok {
		return nil, errRoom
	}
	return &Cipher{room: room, block: placed}, nil
}

// pointers reports whether values of type t may hold a pointer.
func pointers(t reflect.Type) bool {
	switch t.Kind() { //nolint:exhaustive // anything else may hold one
	case reflect.Int, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		return false
	case reflect.Array:
		return pointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return true
	}
}

// Key expands key, of 16, 24 or 32 bytes, into the room and erases the copy
// that the standard library made on the heap.
func (c *Cipher) Key(key []byte) {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("aeskey: internal error: AES refused its key")
	}
	heap := reflect.ValueOf(block).Elem()
	reflect.ValueOf(c.block).Elem().Set(heap)
	heap.SetZero()
}

// Encrypt encrypts one block; dst and src are the same or do not overlap.
func (c *Cipher) Encrypt(dst, src []byte) { c.block.Encrypt(dst, src) }

// Decrypt decrypts one block; dst and src are the same or do not overlap.
func (c *Cipher) Decrypt(dst, src []byte) { c.block.Decrypt(dst, src) }

// Wipe erases the key schedule. Until the next Key, Encrypt must not be called.
func (c *Cipher) Wipe() { *c.room = Room{} }
