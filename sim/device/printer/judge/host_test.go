package judge_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regi/sim/device/printer"
	"regi/sim/device/printer/lan"
	"regi/sim/wire"
)

// hosted is a printer on a wire that another program opens.
type hosted struct {
	*printer.Printer
	destination string
	open        atomic.Bool // the drawer
}

func start(t *testing.T, w printer.Wire, destination string, also func(context.Context) error) *hosted {
	t.Helper()
	m, err := printer.ModelNamed("tm-t20iii")
	if err != nil {
		t.Fatal(err)
	}
	h := &hosted{destination: destination}
	h.Printer = printer.New(w, printer.Options{Model: m, DrawerOpen: h.open.Load})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- h.Run(ctx) }()
	go func() { ended <- also(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

// onTCP listens on port 9100, the only one receiptio knows, of a loopback
// address of its own.
func onTCP(t *testing.T) *hosted {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>16&0x7F, os.Getpid()>>8&0xFF, 1+os.Getpid()&0x7F)
	l, err := lan.Listen(t.Context(), net.JoinHostPort(host, "9100"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return start(t, l, host, l.Run)
}

func onTTY(t *testing.T) *hosted {
	t.Helper()
	link := filepath.Join(t.TempDir(), "printer")
	tty, err := wire.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	name, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, tty, name, func(context.Context) error { return nil })
}

// TestReceiptio: what receiptio says of the printer is how the printer is.
func TestReceiptio(t *testing.T) {
	dir := node(t, "receiptio")
	receipt, err := os.ReadFile("../testdata/escpos/ja.receipt")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		name, options string
		open          func(*testing.T) *hosted
	}{{"tcp", "", onTCP}, {"tty", "", onTTY}} {
		t.Run(at.name, func(t *testing.T) {
			if at.name == "tty" {
				node(t, "serialport")
			}
			t.Parallel()
			h := at.open(t)
			h.states(t, receiptio(t, dir, h.destination, string(receipt)))
		})
	}
}

// receiptio starts it, and returns what prints with it.
func receiptio(t *testing.T, dir, destination, receipt string) func(options string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, "node", "testdata/receiptio.js", dir, destination)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
		cancel()
	})
	answers := bufio.NewScanner(out)
	return func(options string) string {
		t.Helper()
		if err := json.NewEncoder(in).Encode(map[string]string{"options": options, "receipt": receipt}); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() {
			t.Fatalf("receiptio: %v: %s", answers.Err(), wrong.String())
		}
		return answers.Text()
	}
}

func (h *hosted) states(t *testing.T, print func(options string) string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const job, look = "-p escpos -c 48 -l ja -t 3", "-p escpos -q"
	for _, c := range []struct {
		name    string
		set     printer.Change
		faults  []printer.FaultAt
		options string
		want    string
	}{
		{name: "healthy", options: job, want: "success"},
		{name: "detected by itself", options: "-c 48 -l ja -t 3", want: "success"},
		{name: "asked", options: look, want: "online"},
		{name: "near end prints", set: printer.Change{Paper: "near-end"}, options: job, want: "success"},
		{name: "cover open", set: printer.Change{Cover: "open"}, options: job, want: "coveropen"},
		{name: "paper out", set: printer.Change{Paper: "out"}, options: job, want: "paperempty"},
		{name: "paper out in mid-receipt", faults: []printer.FaultAt{{Kind: printer.FaultPaper, Line: 3}}, options: job, want: "paperempty"},
		{name: "cover opened in mid-receipt", faults: []printer.FaultAt{{Kind: printer.FaultCover, Byte: 1500}}, options: job, want: "coveropen"},
		{name: "broken", faults: []printer.FaultAt{{Kind: printer.FaultBroken}}, options: job, want: "error"},
		{name: "drawer open", options: look + " drawer2", want: "draweropen"},
		{name: "drawer closed", options: look + " drawer2", want: "drawerclosed"},
	} {
		must(h.Set(printer.Change{Paper: "ok", Cover: "closed", Cutter: "ok", Power: "off"})) // nothing left of the case before
		must(h.Mend(printer.FaultBroken))
		must(h.Set(printer.Change{Power: "on"}))
		must(h.Set(c.set))
		must(h.Plan(c.faults...))
		h.open.Store(c.want == "draweropen")
		before := h.State()
		if got := print(c.options); got != c.want {
			t.Errorf("%s: receiptio says %q, want %q; the printer is %+v", c.name, got, c.want, h.State())
		}
		if c.want == "success" && !h.prints(before.Cuts) {
			t.Errorf("%s: not printed: %+v", c.name, h.State())
		}
	}
	// The fence that receiptio waits for is answered when it is read, before the
	// cut: it may call the job a success. When it looks again it knows better.
	must(h.Set(printer.Change{Cutter: "jammed"}))
	if got := print(job); got != "success" && got != "error" {
		t.Errorf("the cutter jams: receiptio says %q", got)
	}
	for end := time.Now().Add(time.Minute); !h.State().Offline && time.Now().Before(end); { // until it has come to the cut
		time.Sleep(10 * time.Millisecond)
	}
	if got := print(look); got != "error" {
		t.Errorf("the cutter has jammed: receiptio says %q, want error; the printer is %+v", got, h.State())
	}
}

// prints waits until the receipt is on the paper and cut off. That may be after
// the answer: the fence is read before the cut is made.
func (h *hosted) prints(cuts int) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if h.State().Cuts > cuts {
			return strings.Contains(h.Text(), "日本酒「獺祭」")
		}
	}
	return false
}

// TestReceiptPrinterEncoder: what it sends today is on the paper as it was meant.
func TestReceiptPrinterEncoder(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("node", "testdata/encoder.js", node(t, "@point-of-sale/receipt-printer-encoder")).Output()
	if err != nil {
		t.Fatal(err)
	}
	p := play(t, string(out))
	for _, want := range []string{"RECEIPT", "Coffee 200g                              1,080", "Total 4,380", "Thank you", strings.Repeat("─", 48)} {
		if !strings.Contains(p.Text(), want) {
			t.Errorf("%q is missing in\n%s", want, p.Text())
		}
	}
	var got []string
	styles := map[string]printer.Style{}
	for _, r := range p.Records(0) {
		switch r.Kind {
		case printer.KindCode:
			got = append(got, r.Code.Symbology+" "+r.Code.Data)
		case printer.KindText:
			for _, run := range r.Runs {
				styles[strings.TrimSpace(run.Text)] = run.Style
			}
		case printer.KindPicture, printer.KindCut, printer.KindPulse, printer.KindNV, printer.KindRefused:
			got = append(got, string(r.Kind)+" "+r.Cut+r.Why)
		}
	}
	want := []string{
		"ean-13 4901234567894", "code39 REGI-0001", "code128 {BRegi0001", "qr https://example.jp/r/000123", "pdf417 HELLO PDF417", "pulse ", "cut partial",
	}
	if !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
	if styles["RECEIPT"] != (printer.Style{Wide: 2, Tall: 2}) || !styles["Total 4,380"].Bold || styles["Thank you"].Underline == 0 {
		t.Errorf("styles %+v", styles)
	}
	path := picture(t, p, filepath.Join(dir(t), "encoder.png"), 2)
	read, err := exec.Command("node", "testdata/read.mjs", node(t, "zxing-wasm"), path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var codes []found
	if err := json.Unmarshal(read, &codes); err != nil || len(codes) != 5 {
		t.Errorf("%d codes read, want 5: %s", len(codes), read)
	}
}
