package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestCashAndCardReachTheCloud(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.scan(riceBall)
	c.awaitKind("line.add", 2)
	c.keys("1", "0", "0", "0", "0", "CASH")
	cash := c.awaitKind("sale.commit", 1)[0]
	for _, part := range []string{"0" + notebook, "0" + riceBall, `"Tender"`, `"Tax"`, "Cash"} {
		if !strings.Contains(cash, part) {
			t.Errorf("the cash sale in the cloud lacks %s:\n%s", part, cash)
		}
	}
	c.closeDrawer()

	c.scan(notebook)
	c.awaitKind("line.add", 3)
	c.keys("CARD")
	c.Await("wait for card", func() bool { return c.till() == "CARD" })
	c.swipe(panGood)
	card := c.awaitKind("sale.commit", 2)[1]
	for _, part := range []string{"AES128-DUKPT-CTR-CMAC", `"ksn"`, `"ct"`, `"mac"`, `"last4":"1111"`} {
		if !strings.Contains(strings.ReplaceAll(card, " ", ""), part) {
			t.Errorf("the card sale in the cloud lacks %s:\n%s", part, card)
		}
	}
	c.Await("both receipts", func() bool { return len(c.soldLocally()) == 2 })
	for _, part := range []string{"登録番号", "T1180301018771", "※は軽減税率対象", "お釣り", "クレジットカード利用"} {
		if !strings.Contains(c.Paper(), part) {
			t.Errorf("the paper lacks %s:\n%s", part, c.Paper())
		}
	}
	c.settled()
	c.noCardNumber(panGood)
}

func TestCardDeclinedAndNoAnswerGoOn(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.awaitKind("line.add", 1)
	for i, pan := range []string{panDeclined, panNoAnswer} {
		c.keys("CARD")
		c.Await("wait for card", func() bool { return c.till() == "CARD" })
		c.swipe(pan)
		c.awaitKind("card.result", i+1)
		c.Await("tender again", func() bool { return c.till() == "TENDER" })
	}
	c.awaitKind("card.reversal", 1)
	c.keys("CASH")
	c.awaitKind("sale.commit", 1)
	c.settled()
	c.noCardNumber(panDeclined, panNoAnswer)
}

func TestCloudDownForTheShift(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.settled()
	c.cloud("down")
	c.Await("offline", func() bool { return !c.state().Cloud.Session })
	const sales = 5
	for range sales {
		c.sellCash()
	}
	c.scan(notebook)
	c.Await("line", func() bool { return c.till() == "SALE" })
	c.keys("CARD")
	c.Await("card refused", func() bool { return strings.Contains(c.display(), "C07") })
	c.keys("CASH")
	c.Await("receipt", func() bool { return len(c.soldLocally()) == sales+1 })
	c.closeDrawer()
	if n := len(c.ofKind("sale.commit")); n != 0 {
		t.Fatalf("%d sales reached a cloud that was down", n)
	}
	if c.state().Outbox == 0 {
		t.Error("nothing waits in the outbox")
	}
	c.cloud("up")
	c.awaitKind("sale.commit", sales+1)
	c.settled()
}

func TestKilledRolesComeBack(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.scan(riceBall)
	c.awaitKind("line.add", 2)
	for _, role := range []string{"capture", "uplink", "register"} {
		before := c.processes()[role]
		if before == 0 {
			t.Fatalf("no %s process", role)
		}
		c.kill(role)
		c.Await(role+" again", func() bool { pid := c.processes()[role]; return pid != 0 && pid != before })
		c.Await("ready again", func() bool { s := c.state(); return s.Till == "SALE" && s.Devices["card"] == "up" && s.Cloud.Session })
	}
	c.keys("CARD")
	c.Await("wait for card", func() bool { return c.till() == "CARD" })
	c.swipe(panGood)
	commit := c.awaitKind("sale.commit", 1)[0]
	if !strings.Contains(commit, "0"+notebook) || !strings.Contains(commit, "0"+riceBall) {
		t.Errorf("the sale lost a line over the kills:\n%s", commit)
	}
	c.settled()
}

func TestPowerCutInMidSale(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.sellCash()
	for n := range 3 {
		c.scan(notebook)
		c.Await("line", func() bool { return c.till() == "SALE" && strings.HasSuffix(c.display(), strconv.Itoa(220*(n+1))) })
		c.power("cut")
		c.power("restore")
		c.Await("sale restored", func() bool { return c.till() == "SALE" })
	}
	c.keys("CASH")
	commits := c.awaitKind("sale.commit", 2)
	if n := strings.Count(commits[1], "0"+notebook); n != 3 {
		t.Errorf("%d lines after three power cuts, want 3:\n%s", n, commits[1])
	}
	c.settled()
}

func TestScannerUnpluggedAndBack(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.Await("line", func() bool { return c.till() == "SALE" })
	c.device("scanner", "unplug")
	c.Await("the state says so", func() bool { return c.state().Devices["scanner"] != "up" })
	c.device("scanner", "plug")
	c.Await("the state says so", func() bool { return c.state().Devices["scanner"] == "up" })
	c.scan(riceBall)
	c.awaitKind("line.add", 2)
	c.keys("CASH")
	c.awaitKind("sale.commit", 1)
	c.settled()
}

func TestPaperOutInMidReceipt(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"tm-t88v", "star-mc-print3"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			paperOutInMidReceipt(t, model)
		})
	}
}

func paperOutInMidReceipt(t *testing.T, model string) {
	t.Helper()
	dir := t.TempDir()
	settings(t, dir, "", `"tm-t88v" `, `"`+model+`" `)
	c := startAt(t, dir)
	c.Await("open shift", func() bool { return c.till() == "IDLE" })
	c.scan(notebook)
	c.Await("line", func() bool { return c.till() == "SALE" })
	c.printer("paper", "out@6")
	c.keys("CASH")
	c.awaitKind("sale.commit", 1)
	c.closeDrawer()
	c.Await("operator told", func() bool { return strings.Contains(c.Log.String(), "paper out") })
	if len(c.soldLocally()) != 0 {
		t.Fatal("the receipt was complete although the paper was out")
	}
	c.printer("paper", "ok")
	c.Await("rest of the receipt", func() bool { return len(c.soldLocally()) == 1 })
	c.awaitKind("print.done", 1)
	if n := strings.Count(c.Paper(), "登録番号"); n != 1 {
		t.Errorf("the receipt's head is on the paper %d times:\n%s", n, c.Paper())
	}
	c.settled()
}

func TestBadInputNeverStopsTheSale(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.scan(notebook)
	c.Await("line", func() bool { return c.till() == "SALE" })
	for name, data := range map[string]string{
		"unknown code": "4900000000016", "wrong check digit": "4901234567890", "10 kB": strings.Repeat("4", 10_000),
		"control bytes": "49\x1b@\x10\x14\x01\x00\x01234", "not a code": "hello",
	} {
		before := strings.Count(c.Log.String(), "notice")
		c.scan(data)
		c.Await("a message about "+name, func() bool { return strings.Count(c.Log.String(), "notice") > before })
		c.keys("CLEAR")
	}
	c.keys("CARD")
	c.Await("wait for card", func() bool { return c.till() == "CARD" })
	before := strings.Count(c.Log.String(), "notice")
	c.Post("/api/swipe", map[string]string{"track2": ";41111111=?&%!11"})
	c.Await("a message about the swipe", func() bool { return strings.Count(c.Log.String(), "notice") > before })
	c.swipe(panGood)
	if commit := c.awaitKind("sale.commit", 1)[0]; strings.Count(commit, "0"+notebook) != 1 {
		t.Errorf("bad input changed the sale:\n%s", commit)
	}
	c.settled()
	if strings.ContainsAny(c.Paper(), "\x1b\x10\x14") {
		t.Error("control bytes reached the paper")
	}
}

func TestConfigurationMistakesAreNamed(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.power("cut")
	good, err := os.ReadFile(filepath.Join(c.Dir, "register.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ name, old, new, want string }{
		{"unknown key", "[scanner]", "[scanner]\ncolour = \"red\"", "unknown key \"scanner.colour\""},
		{"no such port", filepath.Join(c.Dir, "dev", "scanner"), "/dev/serial/by-path/none", "FAIL  scanner"},
	} {
		path := filepath.Join(t.TempDir(), "register.toml")
		if err := os.WriteFile(path, []byte(strings.Replace(string(good), m.old, m.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := run(t, binaries.Regi, "check", "--config", path)
		if err == nil || !strings.Contains(said, m.want) {
			t.Errorf("%s: error %v, said:\n%s", m.name, err, said)
		}
	}
	said, err := run(t, binaries.Regi, "check", "--config", filepath.Join(c.Dir, "register.toml"))
	if err != nil {
		t.Errorf("check of a healthy counter: %v\n%s", err, said)
	}
	t.Logf("regi check:\n%s", said)
}

// TestOnlyTheUplinkHasASocket looks at the real processes.
func TestOnlyTheUplinkHasASocket(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.settled()
	inodes := networkSockets(t)
	for role, pid := range c.processes() {
		fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		if err != nil {
			t.Fatal(err)
		}
		network := 0
		for _, fd := range fds {
			target, err := os.Readlink(fd)
			if err != nil {
				continue
			}
			listening, ok := inodes[target]
			if ok {
				network++
			}
			if listening {
				t.Errorf("%s listens", role)
			}
		}
		if want := map[string]int{"uplink": 1}[role]; network != want {
			t.Errorf("%s has %d network sockets, want %d", role, network, want)
		}
	}
}

// networkSockets maps "socket:[inode]" to whether it listens.
func networkSockets(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue // no IPv6 here
		}
		for _, line := range strings.Split(string(b), "\n")[1:] {
			if f := strings.Fields(line); len(f) > 9 {
				found["socket:["+f[9]+"]"] = f[3] == "0A"
			}
		}
	}
	return found
}

func TestReportAndReopen(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.sellCash()
	c.keys("Z")
	c.Await("closed", func() bool { return c.till() == "CLOSED" })
	c.awaitKind("shift.close", 1)
	c.Await("Z slip", func() bool {
		_, slip, begun := strings.Cut(c.Paper(), "精算")
		return begun && strings.Contains(slip, "✂")
	})
	c.keys("2", "OPEN")
	c.Await("open again", func() bool { return c.till() == "IDLE" })
	c.sellCash()
	c.settled()
}

// TestPaperWidths sells on both widths of paper: columns stand under each
// other, and the tax of three goods of 105 yen without tax is 31, not 30.
// A reader that encrypts in its own head is passed through: the hsm opens it.
func TestEncryptingReaders(t *testing.T) {
	t.Parallel()
	for reader, suite := range map[string]string{"idtech": "IDTECH-TDES-DUKPT-CBC", "magtek": "MAGTEK-TDES-DUKPT-CBC"} {
		dir := t.TempDir()
		startAt(t, dir, "--no-register").Stop()
		path := filepath.Join(dir, "register.toml")
		config, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(config), `reader   = "msr"`, `reader   = "`+reader+`"`, 1)
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		c := startAt(t, dir)
		c.Await("open shift", func() bool { return c.till() == "IDLE" })
		for i, pan := range []string{panDeclined, panGood} {
			if i == 0 {
				c.scan(notebook)
				c.awaitKind("line.add", 1)
			}
			c.keys("CARD")
			c.Await("wait for card", func() bool { return c.till() == "CARD" })
			c.swipe(pan)
			c.awaitKind("card.result", i+1)
		}
		sale := strings.ReplaceAll(c.awaitKind("sale.commit", 1)[0], " ", "")
		for _, part := range []string{suite, `"source":"encrypting-reader"`, `"mac":""`, `"last4":"1111"`, `"bin":"411111"`} {
			if !strings.Contains(sale, part) {
				t.Errorf("%s: the card sale in the cloud lacks %s:\n%s", reader, part, sale)
			}
		}
		c.settled()
		c.noCardNumber(panGood, panDeclined)
		c.Stop()
	}
}

func TestPaperWidths(t *testing.T) {
	t.Parallel()
	for model, columns := range map[string]int{"tm-t88v": 42, "tm-t20iii": 48, "star-mc-print3": 48, "star-line": 48} {
		dir := t.TempDir()
		first := startAt(t, dir, "--no-register")
		first.Stop()
		path := filepath.Join(dir, "register.toml")
		config, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer(`"tm-t88v" `, `"`+model+`" `, `"inclusive" `, `"exclusive" `).Replace(string(config))
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		c := startAt(t, dir)
		c.Await("open shift", func() bool { return c.till() == "IDLE" })
		c.keys("3", "QTY")
		c.Await("3 x", func() bool { return strings.Contains(c.display(), "3 x") })
		c.scan(pencil)
		c.scan(riceBall)
		c.awaitKind("line.add", 2)
		c.keys("1", "0", "0", "0", "0", "CASH")
		commit := c.awaitKind("sale.commit", 1)[0]
		for _, part := range []string{`{"Percent":10,"TaxableAmount":315,"Amount":31,"Included":false}`, `"Total":508`} {
			if !strings.Contains(commit, part) {
				t.Errorf("%s: the sale lacks %s:\n%s", model, part, commit)
			}
		}
		c.Await("receipt", func() bool { return strings.Contains(c.Paper(), "お釣り") && strings.Contains(c.Paper(), "✂") })
		checkColumns(t, c.Paper(), columns)
		c.closeDrawer()
		c.settled()
		c.Stop()
	}
}

// checkColumns: no line is wider than the paper, rules are as wide as it, and
// every amount of a line of normal size ends in the same column.
func checkColumns(t *testing.T, paper string, columns int) {
	t.Helper()
	amount := regexp.MustCompile(`¥[0-9,]+`)
	ends := map[int]bool{}
	rules, amounts := 0, 0
	for line := range strings.Lines(paper) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "✂") || strings.Contains(line, "合計") {
			continue
		}
		if w := paperWidth(line); w > columns {
			t.Errorf("%d columns: %q has %d", columns, line, w)
		}
		if strings.Trim(line, "-") == "" && line != "" {
			rules++
			if len(line) != columns {
				t.Errorf("%d columns: a rule of %d", columns, len(line))
			}
		}
		if at := amount.FindAllStringIndex(line, -1); at != nil && !strings.Contains(line, "点 x") {
			amounts++
			ends[paperWidth(line[:at[len(at)-1][1]])] = true
		}
	}
	if len(ends) != 1 || rules < 3 || amounts < 6 {
		t.Errorf("%d columns: amounts end in columns %v, %d rules, %d amounts:\n%s", columns, ends, rules, amounts, paper)
	}
}

// paperWidth counts half-width columns: kanji, kana and full-width signs take
// two, half-width katakana one.
func paperWidth(s string) (n int) {
	for _, c := range s {
		n++
		if c >= 0x2E80 && c < 0xFF61 || c == '※' {
			n++
		}
	}
	return n
}
