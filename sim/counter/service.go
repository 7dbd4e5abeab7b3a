package counter

import (
	"context"
	"errors"
	"net/http"
	"time"

	"regi/sim/cloud"
	"regi/sim/device/console"
)

// typeCall is what a technician types on the service line.
type typeCall struct {
	Text string `json:"text"`
}

func (c *Counter) typeText(ctx context.Context, b typeCall) (answer, error) {
	if b.Text == "" || len(b.Text) > console.TypeMax {
		return answer{}, badRequest(`"text" holds 1 to %d bytes; the Enter key is "\r"`, console.TypeMax)
	}
	return c.send(ctx, "console", func(ctx context.Context) error { return c.Console.Type(ctx, b.Text) })
}

// postEnroll is the owner's office: it answers what a register shows with the
// credentials to paste there.
func (c *Counter) postEnroll(w http.ResponseWriter, r *http.Request) {
	var e cloud.Enrolment
	if err := decode(w, r, &e, `{"request":"-----BEGIN CERTIFICATE REQUEST-----…","code":"AEEE-…"}, as the register's console shows them`); err != nil {
		var f fault
		errors.As(err, &f)
		refuse(w, f.status, f.text)
		return
	}
	credentials, err := c.Cloud.Credentials(e) //nolint:contextcheck // an enrolment is not cut off
	c.Bell.Ring()
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, credentials)
	case errors.Is(err, cloud.ErrCode), errors.Is(err, cloud.ErrRequest), errors.Is(err, cloud.ErrUnknown):
		refuse(w, http.StatusBadRequest, err.Error())
	default:
		c.Log("%s: %v", r.URL.Path, err)
		refuse(w, http.StatusInternalServerError, err.Error()+": see the simulator's log")
	}
}

// runningWithin bounds the look into the ledger.
const runningWithin = time.Second

// running is what the cloud knows of the register's version.
func (c *Counter) running(ctx context.Context) (r cloud.Running) {
	ctx, cancel := context.WithTimeout(ctx, runningWithin)
	defer cancel()
	list, err := c.Cloud.Running(ctx)
	if err != nil || len(list) == 0 {
		return r
	}
	return list[0]
}
