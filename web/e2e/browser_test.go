package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is the one that all tests share, each with tabs and cookies of its own.
// It is nil where there is none.
var browser context.Context

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(serveChild(dir))
	}
	stop, err := startBrowser()
	if err != nil && os.Getenv("ATMCP_E2E") == "required" {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// startBrowser starts what all pages are opened in; the function ends it.
func startBrowser() (stop func(), err error) {
	path, err := exec.LookPath(chrome())
	if err != nil {
		return func() {}, fmt.Errorf("no browser: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1280, 800), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"),
		chromedp.WSURLReadTimeout(time.Minute))
	all, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(all)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return func() {}, fmt.Errorf("start %s: %w", path, err)
	}
	browser = ctx
	return func() {
		bounded, done := context.WithTimeout(ctx, 10*time.Second)
		defer done()
		_ = chromedp.Cancel(bounded)
		cancel()
	}, nil
}

func chrome() string {
	if path := os.Getenv("ATMCP_CHROME"); path != "" {
		return path
	}
	return "chromium"
}

// needBrowser skips a test on a machine that has no browser.
func needBrowser(t *testing.T) {
	t.Helper()
	if browser == nil {
		t.Skip("this machine has no Chromium: install it, or name it in ATMCP_CHROME")
	}
}
