package driverstest

// language is what a printer's commands decide of the device.
type language interface {
	// length is how many bytes the command that c begins has.
	length(c []byte) (n int, known bool)
	// realTime obeys c at once if that is how it is obeyed.
	realTime(d *ReceiptPrinter, c []byte) bool
	// obey does one command in its turn; false: not yet, the paper has ended.
	obey(d *ReceiptPrinter, c []byte) bool
	cuts(c []byte) bool
	// healthy is what a healthy printer answers to one question.
	healthy() []byte
}

// escpos is Epson's language.
type escpos struct{}

func (escpos) length(c []byte) (int, bool) { return commandLength(c) }

func (escpos) realTime(d *ReceiptPrinter, c []byte) bool {
	if c[0] != 0x10 {
		return false
	}
	d.realTime(c)
	return true
}

func (escpos) obey(d *ReceiptPrinter, c []byte) bool { return d.obey(c) }
func (escpos) cuts(c []byte) bool                    { return len(c) > 1 && string(c[:2]) == "\x1dV" }
func (escpos) healthy() []byte                       { return []byte{0x12, 0x12, 0x12, 0x12} }
