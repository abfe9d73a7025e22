package e2e_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyIsStrictAndTheBrowserKeepsIt(t *testing.T) { // B14
	s := newSite(t, wiring{})
	status, header, body := s.call(t, http.MethodGet, "/ui/t/"+teamName+"/tasks/1", nil, http.Header{"Accept": {"text/html"}})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "+
		"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", header.Get("Content-Security-Policy"))
	require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.NotRegexp(t, regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\son[a-z]+\s*=|\sstyle\s*=|javascript:`), string(body))

	p := s.open(t, s.view, look{})
	p.live("")
	p.pardon("policy", "csp", "Content Security Policy", "Trusted", "example.invalid", "violates")
	require.Equal(t, "TypeError", js[string](p, `(() => { try { document.body.innerHTML = "<b>x</b>"; return "set" } catch (e) { return e.name } })()`))
	require.Equal(t, "TypeError", js[string](p, `(() => { try { trustedTypes.createPolicy("x", {}); return "made" } catch (e) { return e.name } })()`))
	require.Equal(t, "blocked", js[string](p, `fetch("https://example.invalid/").then(() => "sent", () => "blocked")`))
	require.Equal(t, "blocked", js[string](p, `new Promise((done) => { const i = new Image(); i.onload = () => done("loaded"); i.onerror = () => done("blocked"); i.src = "https://example.invalid/x.png" })`))
	require.Equal(t, "blocked", js[string](p, `new Promise((done) => { const x = document.createElement("script"); x.textContent; x.onerror = () => done("blocked"); x.onload = () => done("ran"); try { x.src = "data:text/javascript,window.__pwned=1"; document.head.append(x) } catch { done("blocked") } })`))
	require.False(t, js[bool](p, `"__pwned" in window`))
	p.until(`atmcp.app.stats.violations > 0`, "the page counts what was tried")
}

func TestNothingLooksLikeAnAuthorizationServer(t *testing.T) { // B26
	s := newSite(t, wiring{})
	for _, path := range []string{
		"/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
		"/.well-known/openid-configuration", "/register", "/authorize", "/token", "/ui/.well-known/oauth-authorization-server",
	} {
		for _, accept := range []string{"application/json", "text/html"} {
			status, header, body := s.call(t, http.MethodGet, path, nil, http.Header{"Accept": {accept}})
			require.Equal(t, http.StatusNotFound, status, path)
			require.Contains(t, header.Get("Content-Type"), "application/json", path)
			require.Contains(t, string(body), "detail", path)
		}
	}
}
