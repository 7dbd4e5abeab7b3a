package iin_test

import (
	"testing"

	"regi/firmware/capture/internal/iin"
)

func TestBrand(t *testing.T) {
	for digits, want := range map[string]string{
		"411111": "visa", "400000": "visa", "499999": "visa",
		"510000": "mastercard", "559999": "mastercard", "222100": "mastercard", "272099": "mastercard",
		"222099": iin.Other, "272100": iin.Other,
		"340000": "amex", "378282": "amex", "352800": "jcb", "358999": "jcb", "352799": iin.Other,
		"300000": "diners", "309500": "diners", "306000": iin.Other, "360000": "diners", "385200": "diners",
		"601100": "discover", "644000": "discover", "650000": "discover", "643999": iin.Other,
		"620000": "unionpay", "817199": "unionpay", "500000": "maestro", "670000": "maestro",
		"000000": iin.Other, "999999": iin.Other, "41111": iin.Other, "4111111": iin.Other, "41111x": iin.Other, "": iin.Other,
	} {
		got := iin.Brand([]byte(digits))
		if got != want {
			t.Errorf("%s: %s, want %s", digits, got, want)
		}
		if !iin.Known(got) {
			t.Errorf("%s is not known", got)
		}
	}
	if iin.Known("") || iin.Known("Visa") {
		t.Error("an unknown brand is known")
	}
}
