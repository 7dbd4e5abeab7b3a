package record

// CardRead is a sealed card read: the only thing that leaves the capture
// process. What is in the clear is what may be printed on a receipt.
type CardRead struct {
	Suite       string   `json:"suite"`        // "AES128-DUKPT-CTR-CMAC"
	KSN         string   `json:"ksn"`          // 24 hex digits
	Source      string   `json:"source"`       // "msr", "msr-ttl", "encrypting-reader"
	BIN         string   `json:"bin"`          // first six digits
	Last4       string   `json:"last4"`        // last four digits
	Brand       string   `json:"brand"`        //
	ServiceCode string   `json:"service_code"` //
	Tracks      string   `json:"tracks"`       // tracks present and read well, "12"
	Luhn        bool     `json:"luhn"`         // the check digit is right
	Entry       string   `json:"entry"`        // "swipe", "chip", "contactless", "keyed"
	CT          HexBytes `json:"ct"`           // all tracks as received, encrypted under the KSN's data key
	MAC         HexBytes `json:"mac"`          // AES-CMAC, 16 bytes
}

// Results of an authorisation, as the processor gives them.
const (
	Approved          = "approved"
	Declined          = "declined"
	InsufficientFunds = "insufficient-funds"
	AuthError         = "error"
)

// AuthRequest asks the card processor for an amount.
type AuthRequest struct {
	ID       string   `json:"id"`       // idempotency key: the same ID is the same attempt
	Amount   int64    `json:"amount"`   // minor units
	Currency string   `json:"currency"` // ISO 4217
	Card     CardRead `json:"card"`
}

// AuthReply is the processor's answer.
type AuthReply struct {
	ID       string `json:"id"`
	Result   string `json:"result"` // one of the results above
	Approval string `json:"approval,omitempty"`
	Reason   string `json:"reason,omitempty"`
}
