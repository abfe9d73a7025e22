package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait for something to be seen.
const patience = 30 * time.Second

// tab is a page in a browser that has no other. Whatever a page must never do fails its
// test: break the policy, throw, reject, log an error, ask another server, be answered
// that the server is broken, or open a dialog of the browser's own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	home string

	mu       sync.Mutex
	faults   []string
	pardoned []string
	requests []string // path and query of each, in order
}

// look says what a tab is like; the zero value is a light desktop in English.
type look struct {
	width, height int64
	theme, locale string
	density       float64
	init          string // a script that runs before the page's own
}

// open opens a tab on a site, signed in with a token, or as a stranger without one.
func (s *site) open(t *testing.T, token string, l look) *tab {
	t.Helper()
	return s.openFor(t, token, l, 4*time.Minute)
}

// openFor opens a tab that may be looked at for so long.
func (s *site) openFor(t *testing.T, token string, l look, most time.Duration) *tab {
	t.Helper()
	needBrowser(t)
	p := &tab{t: t, home: s.url}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.watch))
	bounded, stop := context.WithTimeout(ctx, most)
	p.ctx = bounded
	require.NoError(t, chromedp.Do(ctx)) // the tab lives as long as the context that it is made with
	t.Cleanup(func() {
		p.check()
		stop()
		cancel()
	})
	p.dress(l)
	if token != "" {
		p.cookie(s.signIn(t, token))
	}
	return p
}

// dress sets the size, theme and language, before there is a page.
func (p *tab) dress(l look) {
	p.t.Helper()
	// A tab that is not in front is hidden, and the page rests; to each test its tab is in front.
	_, err := chromedp.Call(p.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(p.t, err)
	p.size(cmp.Or(l.width, 1280), cmp.Or(l.height, 800), cmp.Or(l.density, 1))
	settings, err := json.Marshal(map[string]any{"theme": cmp.Or(l.theme, "light"), "locale": cmp.Or(l.locale, "en")})
	require.NoError(p.t, err)
	p.before(fmt.Sprintf(`addEventListener("securitypolicyviolation", (e) => console.error("policy", e.violatedDirective, e.blockedURI, e.sample));
		try { if (!localStorage.getItem("atmcp.settings")) localStorage.setItem("atmcp.settings", %q) } catch {}
		%s`, settings, l.init))
}

// before has a script run in each document before its own.
func (p *tab) before(script string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	require.NoError(p.t, err)
}

func (p *tab) size(width, height int64, density float64) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: density, Mobile: width < 700,
	})
	require.NoError(p.t, err)
}

func (p *tab) cookie(name, value string) {
	p.t.Helper()
	yes := true
	_, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: p.home + "/", HTTPOnly: &yes, SameSite: network.CookieSameSiteStrict})
	require.NoError(p.t, err)
}

// watch collects what happens in the tab. It runs in the loop that reads from the browser.
func (p *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.fault("exception: %s", said(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" {
			p.fault("console: %s", args(e.Args))
		}
	case *log.EventEntryAdded:
		// A request that failed is judged by its status below; here it is the browser's own comment.
		if e.Entry.Level == "error" && e.Entry.Source != "network" {
			p.fault("log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		p.request(e.Request.URL)
	case *network.EventWebSocketCreated:
		p.request(e.URL)
	case *network.EventResponseReceived:
		if e.Response.Status >= 500 {
			p.fault("status %d: %s", e.Response.Status, e.Response.URL)
		}
	case *page.EventJavascriptDialogOpening:
		p.fault("dialog: %s", e.Message)
	}
}

func said(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func args(list []*runtime.RemoteObject) string {
	words := make([]string, 0, len(list))
	for _, a := range list {
		if a.Description != "" {
			words = append(words, a.Description)
		} else {
			words = append(words, string(a.Value))
		}
	}
	return strings.Join(words, " ")
}

func (p *tab) request(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "data" || u.Scheme == "blob" || u.Scheme == "about" {
		return
	}
	if home := strings.TrimPrefix(p.home, "http://"); u.Host != home {
		p.fault("request to another server: %s", address)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, u.RequestURI())
}

func (p *tab) fault(format string, values ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Sprintf(format, values...))
}

// pardon names what this test makes happen on purpose.
func (p *tab) pardon(part ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pardoned = append(p.pardoned, part...)
}

// check fails the test for what the page must never do.
func (p *tab) check() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if !slices.ContainsFunc(p.pardoned, func(part string) bool { return strings.Contains(f, part) }) {
			p.t.Error("the page did what it must not:", f)
		}
	}
	p.faults = nil
}

// asked counts the requests whose address has a part, since it was last forgotten.
func (p *tab) asked(part string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.requests {
		if strings.Contains(r, part) {
			n++
		}
	}
	return n
}

func (p *tab) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

// go opens an address of the site and waits until the page stands.
func (p *tab) visit(path string) {
	p.t.Helper()
	p.load(path)
	p.until(`!!document.querySelector("main h1") && !document.querySelector("main .skel")`, "the view stands: "+path)
}

// load opens an address and waits for nothing but the document.
func (p *tab) load(path string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.Navigate(p.home+path)), "open %s", path)
}

// live opens a view of the team and waits until it follows the team.
func (p *tab) live(path string) {
	p.t.Helper()
	p.visit("/ui/t/" + teamName + path)
	p.until(`atmcp.app.conn?.name === "live"`, "the page is live")
}

// js evaluates an expression in the page, awaiting what it promises. Each %s in it stands
// for a value.
func js[T any](p *tab, expression string, values ...any) T {
	p.t.Helper()
	expression = p.with(expression, values)
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, "evaluate %s", expression)
	return v
}

// with puts values into an expression, as JavaScript has them.
func (p *tab) with(expression string, values []any) string {
	p.t.Helper()
	for _, v := range values {
		text, err := json.Marshal(v)
		require.NoError(p.t, err)
		expression = strings.Replace(expression, "%s", string(text), 1)
	}
	return expression
}

// run evaluates an expression for what it does.
func (p *tab) run(expression string, values ...any) {
	p.t.Helper()
	_ = js[int](p, "("+expression+", 0)", values...)
}

// until waits for a condition of the page; %s in it stand for values.
func (p *tab) until(condition, what string, values ...any) {
	p.t.Helper()
	p.within(patience, condition, what, values...)
}

func (p *tab) within(limit time.Duration, condition, what string, values ...any) {
	p.t.Helper()
	condition = p.with(condition, values)
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`(() => { try { return Boolean(`+condition+`) } catch { return false } })()`))
		if err == nil && ok {
			return
		}
		select {
		case <-deadline.C:
			p.t.Fatalf("not within %v: %s\n%s\nerror: %v\nfaults: %v\npage:\n%s", limit, what, condition, err, p.faults, p.text())
		case <-p.ctx.Done():
			p.t.Fatalf("the tab is gone: %s: %v", what, p.ctx.Err())
		case <-tick.C:
		}
	}
}

// text is what can be read on the page.
func (p *tab) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	s, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`(document.body?.innerText || "").slice(0, 3000)`))
	return s
}

// sees waits until a text can be read.
func (p *tab) sees(text string) {
	p.t.Helper()
	p.until(`document.body.innerText.includes(%s)`, "the page says "+text, text)
}

// click clicks on an element, once it is there and enabled.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.until(`(() => { const e = document.querySelector(%s); return e && !e.disabled && e.getClientRects().length })()`, "there is "+selector, selector)
	at := js[[]float64](p, `(() => { const e = document.querySelector(%s); e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, selector)
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.MouseClickXY(at[0], at[1])), "click %s", selector)
}

// press clicks on the button or link that has a text, in an element.
func (p *tab) press(within, text string) {
	p.t.Helper()
	const find = `[...document.querySelectorAll(%s)].filter((e) => e.innerText.trim().includes(%s) && e.getClientRects().length && !e.disabled)`
	p.until(find+`.length`, "there is a button "+text, within, text)
	p.run(find+`[0].click()`, within, text)
}

// fill types into a field that is empty.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.until(`document.querySelector(%s)`, "there is "+selector, selector)
	p.run(`document.querySelector(%s).focus()`, selector)
	p.write(text)
}

// write types where the focus is.
func (p *tab) write(text string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.KeyEvent(text)))
}

// keys are those that have a name.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp,
	"ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight, "Space": " ",
}

// key presses a key, by name or as itself. As with a keyboard, its letter comes with its
// going down: where the page takes the key, the letter does not fall into a field that it
// opens. chromedp sends the letter after it, whatever has the focus by then.
func (p *tab) key(name string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	for _, r := range cmpOr(keys[name], name) {
		events := kb.Encode(r)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 && len(modifiers) == 0 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, e := range []*input.DispatchKeyEventParams{down, up} {
			chromedp.KeyModifiers(modifiers...)(e)
			_, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, *e)
			require.NoError(p.t, err)
		}
	}
}

// picture is the tab as it is.
func (p *tab) picture() []byte {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	return png
}

func cmpOr[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}
