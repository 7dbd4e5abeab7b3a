package gs1_test

import (
	"fmt"

	"regi/firmware/gs1"
)

// A GS1 DataMatrix on a packed lunch: what it is, until when, which batch.
func ExampleParseScan() {
	s, err := gs1.ParseScan("]d2", "01049012345678941726123110A1", gs1.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	gtin, _ := s.GTIN()
	fmt.Println(gtin)
	for _, e := range s.Elements() {
		fmt.Println(e.AI, e.Title(), e.Value)
	}
	// Output:
	// 04901234567894
	// 01 GTIN 04901234567894
	// 17 USE BY or EXPIRY 261231
	// 10 BATCH/LOT A1
}

// A fish counter's scale prints item 12345 at 2,875 yen.
func ExampleInStoreRules() {
	rules := gs1.InStoreRules{{Layout: "02iiiiivppppc"}}
	g, err := gs1.NormalizeGTIN("0212345928752")
	if err != nil {
		fmt.Println(err)
		return
	}
	in, ok, err := rules.Read(g)
	fmt.Println(in.Item, in.Price, in.Key, ok, err)
	// Output: 12345 2875 00212345000007 true <nil>
}
