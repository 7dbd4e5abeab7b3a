package till

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"slices"

	"regi/firmware/sale"
)

// Limits of the receipts that are kept for a reprint by number and for returns.
const (
	keptMax      = 64
	keptBytesMax = 12 << 10
	returnedMax  = 256
)

// Kept is a receipt of which no more is kept than paper needs.
type Kept struct {
	Number int64 `json:"number"`
	// Deflated is the receipt as JSON, without sealed card reads.
	Deflated []byte `json:"deflated"`
	// Returned counts the pieces of each line that came back.
	Returned map[int]int64 `json:"returned,omitempty"`
}

// keep adds a receipt, and forgets the oldest for it.
func (t *Till) keep(r *sale.Receipt) {
	paper := *r
	paper.Tender = slices.Clone(r.Tender)
	for i := range paper.Tender {
		pay := &paper.Tender[i]
		if pay.Card != nil {
			card := *pay.Card
			card.CT, card.MAC, card.KSN = nil, nil, ""
			pay.Card = &card
		}
	}
	plain, err := json.Marshal(paper)
	if err != nil {
		return // it stays the last receipt, and is not kept beyond that
	}
	var deflated bytes.Buffer
	if t.deflate == nil { // a megabyte, for all the receipts to come
		if t.deflate, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			return
		}
	}
	t.deflate.Reset(&deflated)
	if _, err = t.deflate.Write(plain); err != nil || t.deflate.Close() != nil || deflated.Len() > keptBytesMax {
		return
	}
	t.state.Kept = append(t.state.Kept, Kept{Number: r.SequenceNumber, Deflated: deflated.Bytes()})
	size := 0
	for _, k := range t.state.Kept {
		size += len(k.Deflated)
	}
	for size > keptBytesMax || len(t.state.Kept) > keptMax {
		if oldest := t.state.Kept[0]; oldest.Returned != nil {
			t.noteReturned(oldest.Number)
		}
		size -= len(t.state.Kept[0].Deflated)
		t.state.Kept = slices.Clone(t.state.Kept[1:])
	}
}

// keptAt finds a receipt by its number, or is -1.
func (t *Till) keptAt(number int64) int {
	return slices.IndexFunc(t.state.Kept, func(k Kept) bool { return k.Number == number })
}

// receipt is nil where the state was damaged.
func (k Kept) receipt() *sale.Receipt {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(k.Deflated)), sale.ReceiptBytesMax))
	if err != nil {
		return nil
	}
	r := &sale.Receipt{}
	if json.Unmarshal(plain, r) != nil {
		return nil
	}
	return r
}

// noteReturned remembers that goods of a sale came back which is not kept.
func (t *Till) noteReturned(number int64) {
	if slices.Contains(t.state.Returned, number) {
		return
	}
	t.state.Returned = append(t.state.Returned, number)
	if over := len(t.state.Returned) - returnedMax; over > 0 {
		t.state.Returned = slices.Clone(t.state.Returned[over:])
	}
}
