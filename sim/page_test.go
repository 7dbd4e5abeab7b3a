package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is headless Chromium with a page of the counter open; an error or an
// exception on the page fails the test.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium here: the page was NOT tested (.ci/chromium installs it where it may)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits for the browser, whose folder is removed next
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	console, cancel := context.WithCancel(ctx)
	messages, said := chromedp.Console(console), make(chan struct{})
	go func() {
		defer close(said)
		for m, err := range messages {
			if err != nil {
				return
			}
			t.Errorf("the page's console: %v", m)
		}
	}()
	t.Cleanup(func() { cancel(); <-said })
	if err := chromedp.Do(limited(t, ctx), chromedp.Navigate(url), chromedp.WaitVisible("#display")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// limited is ctx for the actions of one step.
func limited(t *testing.T, ctx context.Context) context.Context { //nolint:revive // t first, as everywhere here
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	return ctx
}

// TestPage sells as a newcomer does: two goods, cash; one good, card; all of it
// by clicks, seen on the page.
func TestPage(t *testing.T) {
	t.Parallel()
	c := start(t)
	ctx := browser(t, c.URL)
	click := func(selector string) {
		t.Helper()
		if err := chromedp.Do(limited(t, ctx), chromedp.Click(chromedp.CSS(selector))); err != nil {
			t.Fatalf("click %s: %v", selector, err)
		}
	}
	shows := func(selector, part string) {
		t.Helper()
		text := ""
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			var err error
			if text, err = chromedp.Run(limited(t, ctx), chromedp.TextContent(chromedp.CSS(selector))); err != nil {
				t.Fatalf("%s: %v", selector, err)
			}
			if strings.Contains(text, part) {
				return
			}
		}
		t.Fatalf("%s does not show %q but %q", selector, part, text)
	}
	click(`[data-scan="` + notebook + `"]`)
	shows("#display", "220")
	click(`[data-scan="` + riceBall + `"]`)
	shows("#display", "370")
	for _, key := range []string{"5", "0", "0", "CASH"} {
		click(`[data-key="` + key + `"]`)
	}
	shows("#ledger", "370")
	c.Await("open drawer", func() bool { return c.drawer() == "open" })
	click("#drawer-push")
	c.Await("idle till", func() bool { return c.drawer() == "closed" && c.till() == "IDLE" })

	click(`[data-scan="` + notebook + `"]`)
	shows("#display", "220")
	click(`[data-key="CARD"]`)
	c.Await("wait for card", func() bool { return c.till() == "CARD" })
	click(`[data-card="visa-ok"]`)
	c.awaitKind("sale.commit", 2)
	shows("#ledger", "1111")
	c.Await("both receipts", func() bool { return len(c.soldLocally()) == 2 })
	c.settled()
	shows("#outbox", "0")
	keepScreenshot(ctx, t)
}

// keepScreenshot writes what a person would see to REGI_SCREENSHOT, if set: the
// picture in README.md is made so.
func keepScreenshot(ctx context.Context, t *testing.T) {
	t.Helper()
	path := os.Getenv("REGI_SCREENSHOT")
	if path == "" {
		return
	}
	png, err := chromedp.Run(limited(t, ctx), chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Clean(path), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
