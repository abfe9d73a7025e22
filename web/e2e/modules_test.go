package e2e_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestModulesKeepTheirPromisesInTheBrowser(t *testing.T) { // B33
	s := newSite(t, wiring{empty: true, mount: func(*atmcp.Hub, string) (http.Handler, *httpapi.Handler) {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><script type="module" src="dashboard/web-test/all.js"></script>`))
		})
		files := http.FileServer(http.Dir(filepath.Join("..", "..", "transport", "dashboard")))
		mux.Handle("GET /dashboard/", http.StripPrefix("/dashboard", files))
		return mux, nil
	}})
	p := s.open(t, "", look{})
	p.load("/")
	p.until(`globalThis.testResult`, "the tests have run")
	require.Empty(t, js[[]string](p, `testResult.failed`))
	require.Greater(t, js[int](p, `testResult.count`), 20)
}
