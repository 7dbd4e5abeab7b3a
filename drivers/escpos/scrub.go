package escpos

// A printer obeys real-time commands wherever their bytes turn up, also within
// a picture: DLE EOT, DLE ENQ and DLE DC4 (Epson ESC/POS reference, "Real-time
// commands": notes).
const enq = 0x05

// scrub flips a dot where the dots of a picture would be a real-time command:
// the second lowest of the command's second byte, which then begins none.
func scrub(b []byte) {
	for i := 1; i < len(b); i++ {
		if realTimeAt(b, i-1) {
			b[i] |= 0x02
		}
	}
}

// meaning says whether bytes that cannot be changed hold a real-time command.
func meaning(b []byte) bool {
	for i := range b[:max(0, len(b)-1)] {
		if realTimeAt(b, i) {
			return true
		}
	}
	return false
}

func realTimeAt(b []byte, i int) bool {
	return b[i] == dle && (b[i+1] == eot || b[i+1] == enq || b[i+1] == dc4)
}
