package dashboard_test

import (
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/dashboard"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func openHub(t *testing.T) *atmcp.Hub {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	return hub
}

// answer is what came back.
type answer struct {
	StatusCode int
	Header     http.Header
	text       string
}

// ask sends a request to a handler as a browser that goes to an address, unless the
// header says otherwise.
func ask(t *testing.T, h http.Handler, method, target string, header http.Header) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+target, http.NoBody)
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// beside is the page next to the routes, as atmcpd has them, below a prefix.
func beside(t *testing.T, prefix string, o dashboard.Options) http.Handler {
	t.Helper()
	hub := openHub(t)
	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(hub, httpapi.Options{OpenReads: true, Page: "ui/"}))
	dashboard.Mount(mux, hub, o)
	return http.StripPrefix(prefix, mux)
}

func TestEveryAnswerHasThePolicyThatLetsNothingInButThePageItself(t *testing.T) {
	t.Parallel()
	h := beside(t, "", dashboard.Options{})
	for _, path := range []string{"/ui/", "/ui/t/crew/board", "/ui/licenses", "/ui/_/none/x.js", "/ui/_/" + dashboard.Assets() + "/vendor/preact.js"} {
		got := ask(t, h, http.MethodGet, path, nil).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy":           "camera=(), microphone=(), geolocation=()",
		} {
			assert.Equal(t, []string{want}, got.Values(name), "%s of %s", name, path)
		}
	}
	framed := ask(t, beside(t, "", dashboard.Options{FrameAncestors: "https://portal.example"}), http.MethodGet, "/ui/", nil)
	assert.Contains(t, framed.Header.Get("Content-Security-Policy"), "; frame-ancestors https://portal.example; require-trusted-types-for 'script'")
}

func TestThePageIsServedWhereverABrowserGoesAndNowhereElse(t *testing.T) {
	t.Parallel()
	h := beside(t, "", dashboard.Options{})
	for path, want := range map[string]int{
		"/ui": 302, "/ui/": 200, "/ui/t/crew": 200, "/ui/t/a%2Fb/tasks/01J": 200, "/ui/licenses": 200, "/ui/t/crew/agents/a.b": 200,
		"/ui/_/x/js/main.js": 404, "/ui/_/" + dashboard.Assets() + "/index.html": 404, "/ui/_/": 404, "/ui/.well-known/openid-configuration": 404,
		"/ui/t/../../etc/passwd": 307, "/ui/1/2/3/4/5/6/7/8/9/10": 404,
		"/.well-known/oauth-protected-resource": 404, "/.well-known/oauth-authorization-server": 404, "/.well-known/openid-configuration": 404,
		"/.well-known/oauth-protected-resource/ui": 404, "/register": 404, "/authorize": 404, "/token": 404,
	} {
		r := ask(t, h, http.MethodGet, path, nil)
		body := r.text
		assert.Equal(t, want, r.StatusCode, path)
		if want == http.StatusNotFound {
			assert.Equal(t, "application/json", r.Header.Get("Content-Type"), path)
			assert.JSONEq(t, `{"detail":"Not Found"}`, body, path)
		}
	}
	assert.Equal(t, http.StatusNotFound, ask(t, h, http.MethodGet, "/ui/t/crew", http.Header{"Accept": {"application/json"}}).StatusCode, "a script that guesses")
	assert.Equal(t, http.StatusNotFound, ask(t, h, http.MethodGet, "/ui/register", http.Header{"Accept": {"*/*"}}).StatusCode)
	for _, path := range []string{"/ui/", "/ui/t/crew", "/ui/t/crew/directives"} {
		for _, accept := range []http.Header{{"Accept": nil}, {"Accept": {"*/*"}}} {
			r := ask(t, h, http.MethodGet, path, accept)
			assert.Equal(t, http.StatusOK, r.StatusCode, "curl and monitors, of %s", path)
			assert.Contains(t, r.Header.Get("Content-Type"), "text/html")
		}
	}
	posted := ask(t, h, http.MethodPost, "/ui/token", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, posted.StatusCode)
	assert.Equal(t, "GET, HEAD", posted.Header.Get("Allow"))
	assert.Empty(t, ask(t, h, http.MethodHead, "/ui/", nil).text)
}

func TestOldAddressesLeadToTheViewAndLoseTheirToken(t *testing.T) {
	t.Parallel()
	h := beside(t, "", dashboard.Options{})
	for path, want := range map[string]string{
		"/ui": "ui/", "/dashboard": "ui/", "/dashboard?team=crew": "ui/t/crew", "/workbench?team=night+shift&token=secret": "ui/t/night%20shift/directives",
		"/dashboard?team=a/../../b&token=secret": "ui/t/a%2F..%2F..%2Fb", "/dashboard?team=//evil.example": "ui/t/%2F%2Fevil.example", "/workbench": "ui/",
	} {
		r := ask(t, h, http.MethodGet, path, nil)
		assert.Equal(t, http.StatusFound, r.StatusCode, path)
		assert.Equal(t, want, r.Header.Get("Location"), path)
	}
}

// follow resolves an address of a page as a browser does.
func follow(t *testing.T, page, address string) string {
	t.Helper()
	base, err := url.Parse("http://localhost" + page)
	require.NoError(t, err)
	to, err := base.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "localhost", to.Host)
	return to.EscapedPath()
}

var (
	reference = regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	meta      = regexp.MustCompile(`<meta name="atmcp-(root|api)" content="([^"]+)">`)
)

func TestAllAddressesAreRelativeAndGoodBelowAnyPrefixAtAnyDepth(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/tools/atmcp"} {
		h := beside(t, prefix, dashboard.Options{})
		for _, view := range []string{"", "t/crew", "t/crew/tasks/01J", "t/a%2Fb/tasks", "t/crew/"} {
			page := prefix + "/ui/" + view
			body := ask(t, h, http.MethodGet, page, nil).text
			found := reference.FindAllStringSubmatch(body, -1)
			require.NotEmpty(t, found)
			for _, m := range found {
				assert.NotRegexp(t, `^(/|[a-z]+:)`, m[1])
				r := ask(t, h, http.MethodGet, follow(t, page, m[1]), http.Header{"Accept": {"*/*"}})
				assert.Equal(t, http.StatusOK, r.StatusCode, "%s of %s", m[1], page)
				assert.Equal(t, "public, max-age=31536000, immutable", r.Header.Get("Cache-Control"), m[1])
			}
			where := map[string]string{}
			for _, m := range meta.FindAllStringSubmatch(body, -1) {
				where[m[1]] = follow(t, page, m[2])
			}
			assert.Equal(t, map[string]string{"root": prefix + "/ui/", "api": prefix + "/"}, where, page)
			status := ask(t, h, http.MethodGet, where["api"]+"api/teams/crew/status", nil)
			assert.Equal(t, http.StatusOK, status.StatusCode)
			assert.Contains(t, body, `<html data-assets="`+dashboard.Assets()+`" lang="en">`)
		}
	}
}

func TestTheHandlerServesItsRoutesItselfWhereNobodyElseDoes(t *testing.T) {
	t.Parallel()
	site := dashboard.Handler(openHub(t), dashboard.Options{Version: "1.4", Routes: httpapi.Options{PublicURL: "http://localhost/teams", OpenReads: true}})
	defer func() { require.NoError(t, site.Close(t.Context())) }()
	h := http.StripPrefix("/teams", site)
	body := ask(t, h, http.MethodGet, "/teams/t/crew/tasks", nil).text
	assert.Contains(t, body, `<meta name="atmcp-api" content="../../">`)
	assert.Contains(t, body, `<meta name="atmcp-version" content="1.4">`)
	assert.Equal(t, http.StatusOK, ask(t, h, http.MethodGet, "/teams/api/teams/crew/status", nil).StatusCode)
	assert.Equal(t, http.StatusNotFound, ask(t, h, http.MethodGet, "/teams/register", http.Header{"Accept": {"*/*"}}).StatusCode)
}

func TestFilesAreCompressedAndRememberedByTheirHash(t *testing.T) {
	t.Parallel()
	h := beside(t, "", dashboard.Options{})
	path := "/ui/_/" + dashboard.Assets() + "/vendor/preact.js"
	plain := ask(t, h, http.MethodGet, path, nil)
	assert.Equal(t, "text/javascript; charset=utf-8", plain.Header.Get("Content-Type"))
	assert.Equal(t, "Accept-Encoding", plain.Header.Get("Vary"))
	zipped := ask(t, h, http.MethodGet, path, http.Header{"Accept-Encoding": {"br, gzip"}})
	assert.Equal(t, "gzip", zipped.Header.Get("Content-Encoding"))
	assert.NotEqual(t, plain.Header.Get("ETag"), zipped.Header.Get("ETag"), "a strong tag names bytes")
	unpacked, err := gzip.NewReader(strings.NewReader(zipped.text))
	require.NoError(t, err)
	got, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	assert.Equal(t, plain.text, string(got))

	for _, tag := range []string{zipped.Header.Get("ETag"), "W/" + zipped.Header.Get("ETag"), `"other", ` + zipped.Header.Get("ETag"), "*"} {
		again := ask(t, h, http.MethodGet, path, http.Header{"Accept-Encoding": {"gzip"}, "If-None-Match": {tag}})
		assert.Equal(t, http.StatusNotModified, again.StatusCode, tag)
		assert.Empty(t, again.text)
	}
	refused := ask(t, h, http.MethodGet, path, http.Header{"Accept-Encoding": {"gzip;q=0"}})
	assert.Empty(t, refused.Header.Get("Content-Encoding"))
	page := ask(t, h, http.MethodGet, "/ui/", nil)
	assert.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	assert.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
	assert.Contains(t, ask(t, h, http.MethodGet, "/ui/licenses", nil).text, "Jason Miller")
}

func TestADirectoryIsReadAnewEachTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "vendor"), 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	h := beside(t, "", dashboard.Options{Dir: dir})
	assert.Equal(t, http.StatusInternalServerError, ask(t, h, http.MethodGet, "/ui/", nil).StatusCode, "there is nothing")
	write("vendor/THIRD_PARTY_LICENSES.txt", "none")
	write("index.html", `<!-- modulepreload --><script type="module" src="_/a.js"></script>`)
	write("a.js", "import {\n b,\n} from \"./b.js\"\nimport('./late.js')\n")
	write("b.js", "export * from './vendor/c.js'\nimport \"./a.js\"\n")
	write("vendor/c.js", "const none = 1\nexport { none }\n")
	write("late.js", "")
	first := ask(t, h, http.MethodGet, "/ui/", nil).text
	assert.Equal(t, []string{"a.js", "b.js", "vendor/c.js", "a.js"}, names(first), "each once, and what is imported late not at all")
	write("a.js", "")
	second := ask(t, h, http.MethodGet, "/ui/", nil).text
	assert.Equal(t, []string{"a.js", "a.js"}, names(second))
	assert.NotEqual(t, first[:60], second[:60])
	file := ask(t, h, http.MethodGet, "/ui/_/any/b.js", nil)
	assert.Equal(t, "no-store", file.Header.Get("Cache-Control"))
}

// names are the files that a page refers to.
func names(page string) (list []string) {
	for _, m := range regexp.MustCompile(`"_/[0-9a-f]{12}/([^"]+)"`).FindAllStringSubmatch(page, -1) {
		list = append(list, m[1])
	}
	if len(list) == 0 {
		list = strings.Fields(page)
	}
	return list
}
