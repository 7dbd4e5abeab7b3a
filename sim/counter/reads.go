package counter

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"regi/sim/cloud"
)

func (c *Counter) getState(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, c.state(r.Context()))
}

func (c *Counter) getPaperPNG(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer // an error after the first byte could not be told
	if err := c.Printer.PNG(&b); err != nil {
		c.Log("paper: %v", err)
		refuse(w, http.StatusInternalServerError, "the paper cannot be drawn: see the simulator's log, or /api/paper.txt")
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(b.Bytes()) //nolint:errcheck,gosec // the reader is gone
}

func (c *Counter) getPaperText(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, c.Printer.Text()) //nolint:errcheck,gosec // the reader is gone
}

// getLedger answers with the records from sequence number "from" on, as the
// cloud's receiver opened them.
func (c *Counter) getLedger(w http.ResponseWriter, r *http.Request) {
	var from uint64
	if q := r.URL.Query(); q.Has("from") {
		var err error
		if from, err = strconv.ParseUint(q.Get("from"), 10, 63); err != nil {
			refuse(w, http.StatusBadRequest, `"from" is the sequence number of the first record: 0 for all`)
			return
		}
	}
	records, err := c.Cloud.Ledger(r.Context(), from, cloud.LedgerMax)
	if err != nil {
		c.Log("ledger: %v", err)
		refuse(w, http.StatusInternalServerError, "the cloud's ledger cannot be read: see the simulator's log")
		return
	}
	if records == nil {
		records = []cloud.Record{} // [] rather than null
	}
	writeJSON(w, http.StatusOK, records)
}
