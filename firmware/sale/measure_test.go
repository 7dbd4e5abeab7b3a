package sale

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestMeasured(t *testing.T) {
	const kg, g = One, One / 1000
	for _, c := range []struct {
		price       Money
		amount, per Units
		floor, half Money
		ceil        Money
	}{
		{298, 326 * g, kg / 10, 971, 971, 972}, // 971.48
		{2980, 326 * g, kg, 971, 971, 972},
		{1000, 1500, kg, 1, 2, 2}, // 1.5
		{100, 0, kg, 0, 0, 0},
		{777, 1250 * g, kg, 971, 971, 972}, // 971.25
		{PriceMax, kg, kg, PriceMax, PriceMax, PriceMax},
		{1, UnitsMax, kg, 999_999, 999_999, 999_999},
	} {
		for r, want := range map[Rounding]Money{Floor: c.floor, HalfUp: c.half, Ceil: c.ceil} {
			if got, err := Measured(c.price, c.amount, c.per, r); err != nil || got != want {
				t.Errorf("%d per %s, %s: %d, %v; want %d", c.price, c.per, c.amount, got, err, want)
			}
		}
	}
	for name, err := range map[string]error{
		"a price below nothing": second(Measured(-1, kg, kg, Floor)),
		"an amount below":       second(Measured(1, -1, kg, Floor)),
		"per nothing":           second(Measured(1, kg, 0, Floor)),
		"over the limit":        second(Measured(PriceMax, kg+1, kg, Ceil)),
		"far over":              second(Measured(PriceMax, UnitsMax, 1, Floor)),
	} {
		if !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ Money, err error) error { return err }

// Whatever is weighed, the price is the exact one, rounded once.
func TestMeasuredIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.Int64Range(0, int64(PriceMax)).Draw(t, "price")
		amount := rapid.Int64Range(0, int64(UnitsMax)).Draw(t, "amount")
		per := rapid.Int64Range(1, int64(10*One)).Draw(t, "per")
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(price), big.NewInt(amount)), big.NewInt(per))
		got, err := Measured(Money(price), Units(amount), Units(per), Floor)
		whole := new(big.Int).Quo(exact.Num(), exact.Denom())
		if over := whole.Cmp(big.NewInt(int64(PriceMax))) > 0; over != (err != nil) {
			t.Fatalf("%v, exactly %s", err, whole)
		}
		if err == nil && whole.Int64() != int64(got) {
			t.Fatalf("%d, exactly %s", got, whole)
		}
	})
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]Units{"0": 0, "0.326": 326_000, "1": One, "12.5": 12_500_000, "0.000001": 1, "999999": UnitsMax} {
		var u Units
		if err := json.Unmarshal([]byte(text), &u); err != nil || u != want {
			t.Errorf("%s: %d, %v", text, u, err)
		}
		if b, err := json.Marshal(u); err != nil || string(b) != text {
			t.Errorf("%s becomes %s, %v", text, b, err)
		}
	}
	for _, text := range []string{`"1"`, "-1", "1e3", "0.0000001", "1000000", "999999.5", ".5", "null"} {
		var u Units
		if err := json.Unmarshal([]byte(text), &u); err == nil {
			t.Errorf("%s is taken for %d", text, u)
		}
	}
	if _, err := json.Marshal(Units(-1)); err == nil {
		t.Error("an amount below nothing is written")
	}
}
