package guard_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/internal/guard"
)

// asked sends a request through the guard and returns the answer of the guard or,
// as 200, of what stands behind it.
func asked(t *testing.T, o guard.Options, host string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	behind := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
	r.Host = host
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	guard.New(o)(behind).ServeHTTP(w, r)
	return w
}

func TestHostIsHeldToTheNamesOfTheServer(t *testing.T) {
	loopback := guard.Options{
		PublicURL: "https://Team.example:8443/atmcp", LoopbackBind: true,
		Hosts: []string{"hub.internal", "one.internal:9000", "any.internal:*"},
	}
	open := loopback
	open.LoopbackBind = false
	for _, c := range []struct {
		host           string
		loopback, open bool
	}{
		{"localhost", true, true},
		{"localhost.:8000", true, true},
		{"LOCALHOST:8000", true, true},
		{"127.0.0.1:8000", true, true},
		{"127.3.2.1", true, true},
		{"[::1]:8000", true, true},
		{"team.example", true, true},
		{"team.example:8443", true, true},
		{"hub.internal:1", true, true},
		{"one.internal:9000", true, true},
		{"one.internal:9001", false, false},
		{"any.internal:7", true, true},
		{"192.168.1.20:8000", false, true},
		{"[fd00::7]:8000", false, true},
		{"evil.example", false, false},
		{"127.0.0.1.evil.example:8000", false, false},
		{"localhost.evil.example", false, false},
		{"team.example.evil.example", false, false},
		{"", false, false},
	} {
		for name, want := range map[*guard.Options]bool{&loopback: c.loopback, &open: c.open} {
			w := asked(t, *name, c.host, nil)
			if want {
				assert.Equal(t, http.StatusOK, w.Code, "host %q, loopback bind %v", c.host, name.LoopbackBind)
				continue
			}
			assert.Equal(t, http.StatusMisdirectedRequest, w.Code, "host %q, loopback bind %v", c.host, name.LoopbackBind)
			assert.JSONEq(t, `{"detail":"Invalid Host header"}`, w.Body.String())
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	o := guard.Options{PublicURL: "https://team.example", Origins: []string{"https://portal.example"}, LoopbackBind: true}
	for _, c := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"no page at all", nil, http.StatusOK},
		{"the server's own page", http.Header{"Origin": {"http://127.0.0.1:8000"}}, http.StatusOK},
		{"behind a proxy that rewrites Host", http.Header{"Origin": {"https://team.example"}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusOK},
		{"a page that was allowed", http.Header{"Origin": {"https://portal.example"}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusOK},
		{"a foreign page", http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		{"a page on another port", http.Header{"Origin": {"http://127.0.0.1:3000"}}, http.StatusForbidden},
		{"a sandboxed page", http.Header{"Origin": {"null"}}, http.StatusForbidden},
		{"two origins", http.Header{"Origin": {"http://127.0.0.1:8000", "https://evil.example"}}, http.StatusForbidden},
		{"a file", http.Header{"Origin": {"file://127.0.0.1:8000"}}, http.StatusForbidden},
		{"an old trick without Origin", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
	} {
		w := asked(t, o, "127.0.0.1:8000", c.header)
		assert.Equal(t, c.want, w.Code, c.name)
	}
}

func TestEveryAnswerClosesTheDoorsOfABrowser(t *testing.T) {
	for _, host := range []string{"localhost", "evil.example"} {
		h := asked(t, guard.Options{LoopbackBind: true}, host, nil).Header()
		assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		assert.Equal(t, "no-store", h.Get("Cache-Control"))
	}
}

func TestUnauthorizedNamesBearerAndNothingMore(t *testing.T) {
	w := httptest.NewRecorder()
	guard.Fail(w, http.StatusUnauthorized, "invalid join token")
	require.Equal(t, http.StatusUnauthorized, w.Code)
	assert.Equal(t, []string{"Bearer"}, w.Header().Values("WWW-Authenticate"))
}
