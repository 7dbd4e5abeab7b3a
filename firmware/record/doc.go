// Package record is the form in which everything leaves the register: an entry
// of the ledger with its kind, its place in the chain, its seal and signature.
//
// # Header
//
// The canonical header is what is hashed, signed and chained; integers are big
// endian:
//
//	"REGI1" | kind u8 | seq u64 | time unix-ms i64 | previous hash 32 |
//	SHA-256(body) 32 | len u8 | "store/register"
//
// hash = SHA-256(header), signature = Ed25519(device key, header). The next
// record's previous hash is this hash. Sequences start at 1 without gaps; the
// previous hash of record 1, and of no other, is zero.
//
// # Body
//
// body = enc ‖ ct of HPKE base mode (RFC 9180) over the JSON of the body: KEM
// MLKEM768-X25519 (enc is 1,120 bytes), HKDF-SHA256, ChaCha20-Poly1305, info
// "regi ledger v1", and as additional data the header without the body's hash:
//
//	"REGI1" | kind u8 | seq u64 | time i64 | previous hash 32 | len u8 | id
//
// One HPKE context seals one message. The register holds no key that opens it.
//
// # Binary form
//
// header ‖ signature 64 ‖ body, nothing after it. This is what the journal
// keeps; on NATS the same fields travel as message headers, see [Sealed.NATS].
//
// Every decoder here accepts one encoding of a value only, and bounds what it
// reads before it copies it. testdata/vectors.txt holds known answers for other
// implementations.
package record

import "errors"

// Errors that a caller can act on; test with errors.Is.
var (
	// ErrFormat: bytes or fields that are no canonical encoding.
	ErrFormat = errors.New("malformed")
	// ErrTooLong: over a limit of this package.
	ErrTooLong = errors.New("too long")
	// ErrSignature: not signed by that key, or changed since.
	ErrSignature = errors.New("bad signature")
	// ErrBody: the body is not the one that was signed, or does not open.
	ErrBody = errors.New("body does not match its header")
	// ErrKey: a key of the wrong type or length.
	ErrKey = errors.New("wrong key")
)
