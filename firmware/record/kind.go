package record

import (
	"fmt"
	"strconv"
)

// Kind says what a record tells. The numbers are on disk, under signatures and
// in the cloud's database: never renumber or reuse one, add at the end.
type Kind uint8

// Record kinds, in POSLog and UnifiedPOS words.
const (
	ShiftOpen       Kind = 1
	ShiftClose      Kind = 2
	X               Kind = 3
	Z               Kind = 4
	SaleOpen        Kind = 5
	LineAdd         Kind = 6
	LineVoid        Kind = 7
	Qty             Kind = 8
	DiscLine        Kind = 9
	DiscSale        Kind = 10
	Member          Kind = 11
	Park            Kind = 12
	Resume          Kind = 13
	TenderAdd       Kind = 14
	TenderVoid      Kind = 15
	CardIntent      Kind = 16
	CardSealed      Kind = 17
	CardResult      Kind = 18
	CardReversal    Kind = 19
	SaleCommit      Kind = 20
	DrawerKick      Kind = 21
	DrawerOpened    Kind = 22
	DrawerClosed    Kind = 23
	DrawerForced    Kind = 24
	PrintStart      Kind = 25
	PrintDone       Kind = 26
	PrintFail       Kind = 27
	PrintReprint    Kind = 28
	Refund          Kind = 29
	Void            Kind = 30
	NoSale          Kind = 31
	PaidIn          Kind = 32
	PaidOut         Kind = 33
	Drop            Kind = 34
	Login           Kind = 35
	Logout          Kind = 36
	Override        Kind = 37
	TrainingOn      Kind = 38
	TrainingOff     Kind = 39
	ClockStep       Kind = 40
	PowerResume     Kind = 41
	DeviceUp        Kind = 42
	DeviceDown      Kind = 43
	DeviceNew       Kind = 44
	CatalogApplied  Kind = 45
	ConfigApplied   Kind = 46
	FwBoot          Kind = 47
	ConsoleOpen     Kind = 48
	ConsoleCommand  Kind = 49
	ConsoleClose    Kind = 50
	SecurityEvent   Kind = 51
	kindsEnd        Kind = 52      // first number that is not in use
	kindNameMax          = 32      // bytes; bounds what ParseKind looks at
	kindsUnassigned      = "kind(" // String of a number without a name
)

// kindNames is the dotted name of each kind, by number.
//
//nolint:gochecknoglobals // a table of constants
var kindNames = [kindsEnd]string{
	ShiftOpen: "shift.open", ShiftClose: "shift.close", X: "x", Z: "z",
	SaleOpen: "sale.open", LineAdd: "line.add", LineVoid: "line.void", Qty: "qty",
	DiscLine: "disc.line", DiscSale: "disc.sale", Member: "member", Park: "park", Resume: "resume",
	TenderAdd: "tender.add", TenderVoid: "tender.void",
	CardIntent: "card.intent", CardSealed: "card.sealed", CardResult: "card.result", CardReversal: "card.reversal",
	SaleCommit: "sale.commit",
	DrawerKick: "drawer.kick", DrawerOpened: "drawer.opened", DrawerClosed: "drawer.closed", DrawerForced: "drawer.forced",
	PrintStart: "print.start", PrintDone: "print.done", PrintFail: "print.fail", PrintReprint: "print.reprint",
	Refund: "refund", Void: "void", NoSale: "nosale", PaidIn: "paidin", PaidOut: "paidout", Drop: "drop",
	Login: "login", Logout: "logout", Override: "override", TrainingOn: "training.on", TrainingOff: "training.off",
	ClockStep: "clock.step", PowerResume: "power.resume",
	DeviceUp: "device.up", DeviceDown: "device.down", DeviceNew: "device.new",
	CatalogApplied: "catalog.applied", ConfigApplied: "config.applied", FwBoot: "fw.boot",
	ConsoleOpen: "console.open", ConsoleCommand: "console.command", ConsoleClose: "console.close",
	SecurityEvent: "security.event",
}

// String returns the dotted name, "sale.commit", or "kind(n)" for a number
// without one.
func (k Kind) String() string {
	if !k.valid() {
		return kindsUnassigned + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// ParseKind returns the kind of a dotted name.
func ParseKind(name string) (Kind, error) {
	for k := Kind(1); k < kindsEnd && len(name) <= kindNameMax; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("record: kind: %w", ErrFormat)
}

func (k Kind) valid() bool { return k > 0 && k < kindsEnd }
