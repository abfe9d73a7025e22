// Package dashboard serves the page on which people see a team and steer it. It is
// one handler with everything in it, and goes below any path of any server: all its
// addresses are relative.
//
//	site := dashboard.Handler(hub, dashboard.Options{})
//	mux.Handle("/teams/", http.StripPrefix("/teams", site))
//
// The page holds no token. Who may read and steer is for the routes of package httpapi
// to say, which are served beside the page, or below it where nobody else does.
package dashboard

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// Options configures the page; the zero value serves it with its routes below it.
type Options struct {
	// API is where the routes of package httpapi are, as seen from where the page is
	// mounted: "../" where the page is at /ui/ and they are at /. Empty has the
	// handler serve them itself, next to the page, as Routes says.
	API string
	// Routes configures the routes that the handler serves itself. Its PublicURL is
	// the address of the page, prefix included.
	Routes httpapi.Options
	// FrameAncestors are the origins whose pages may show this one in a frame, as
	// Content-Security-Policy has them. Empty is none.
	FrameAncestors string
	// Dir serves the files of a directory in place of those in the program, and reads
	// them anew each time. It is for who works on the page.
	Dir string
	// Version is what the page says of the server. Empty is "dev".
	Version string
	// Logger receives what goes wrong inside. Nil is silence.
	Logger *slog.Logger
}

// Site is the page, and what it reads where it serves that too.
type Site struct {
	http.Handler

	routes *httpapi.Handler // nil where somebody else serves them
}

// Close says goodbye to those who follow a feed; see [httpapi.Handler.Close].
func (s *Site) Close(ctx context.Context) error {
	if s.routes == nil {
		return nil
	}
	return s.routes.Close(ctx)
}

// Handler returns the page over a hub. It serves the paths below where it is mounted,
// which [http.StripPrefix] takes off.
func Handler(hub *atmcp.Hub, o Options) *Site {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	p := &pages{o: o, files: embedded()}
	if o.Dir != "" {
		p.files, p.fresh = os.DirFS(o.Dir), true
	}
	if o.API != "" {
		return &Site{Handler: p}
	}
	if o.Routes.Assets == "" {
		o.Routes.Assets = Assets()
	}
	routes := httpapi.New(hub, o.Routes)
	mux := http.NewServeMux()
	mux.Handle("/api/", routes)
	mux.Handle("/ws/", routes)
	mux.Handle("/", p)
	return &Site{mux, routes}
}

// Mount serves the page on mux at /ui/, and the routes of package httpapi are at the
// root of mux already.
func Mount(mux *http.ServeMux, hub *atmcp.Hub, o Options) {
	o.API = "../"
	mux.Handle("/ui/", http.StripPrefix("/ui", Handler(hub, o)))
	mux.HandleFunc("/ui", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "ui/") // relative, whatever was stripped before us
		w.WriteHeader(http.StatusFound)
	})
}

// Assets names the files that are in the program: a page that was loaded with others
// should be loaded anew. It is empty in a program without the page.
func Assets() string {
	b, err := built()
	if err != nil {
		return ""
	}
	return b.hash
}

// pages serves the files, and the page for every other path.
type pages struct {
	o     Options
	files fs.FS // nil in a program without the page
	fresh bool  // the files may change
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.secure(w.Header())
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if p.files == nil {
		fail(w, http.StatusNotFound, "this program was built without the page; the routes below /api/ have the data")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	b, err := p.bundle()
	if err != nil {
		p.o.Logger.ErrorContext(r.Context(), "the page cannot be read", "error", err)
		fail(w, http.StatusInternalServerError, "the page cannot be read")
		return
	}
	switch {
	case strings.HasPrefix(path, "_/"):
		p.asset(w, r, b, strings.TrimPrefix(path, "_/"))
	case path == "licenses":
		b.files[licences].serve(w, r, "no-cache")
	case !wantsPage(r, path):
		fail(w, http.StatusNotFound, "Not Found")
	default:
		b.page(strings.Count(path, "/"), p.o).serve(w, r, "no-store")
	}
}

// bundle returns the files as they are now.
func (p *pages) bundle() (*bundle, error) {
	if p.fresh {
		return newBundle(p.files, func(_ string, raw []byte) []byte { return raw })
	}
	return built()
}

// asset serves a file under the hash of all. Under another hash it is gone: what it
// was then nobody knows.
func (p *pages) asset(w http.ResponseWriter, r *http.Request, b *bundle, path string) {
	hash, name, _ := strings.Cut(path, "/")
	file := b.files[name]
	if file == nil || name == index || (hash != b.hash && !p.fresh) {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	caching := "public, max-age=31536000, immutable"
	if p.fresh {
		caching = "no-store"
	}
	file.serve(w, r, caching)
}

// maxDepth is how deep below the mount the page is served.
const maxDepth = 8

// wantsPage tells whether a request is a browser's that goes to a view: everything else
// that is not there is not found. So nothing here looks like a service that is not. What
// takes anything, as curl and monitors do, is shown the views that /dashboard leads to.
func wantsPage(r *http.Request, path string) bool {
	if strings.HasPrefix(path, ".") || strings.Contains(path, "/.") || strings.Count(path, "/") > maxDepth {
		return false
	}
	accept := r.Header.Get("Accept")
	if path == "" || strings.HasPrefix(path, "t/") {
		return accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*")
	}
	return strings.Contains(accept, "text/html")
}

// secure sets the headers that every answer has. Scripts and styles come from the page's
// own server alone, nothing turns text into markup, and no page of another shows it.
func (p *pages) secure(h http.Header) {
	ancestors := p.o.FrameAncestors
	if ancestors == "" {
		ancestors = "'none'"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
		"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors "+ancestors+"; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
}

// fail answers as the routes beside the page do.
func fail(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"detail":%q}`, detail) // of ASCII alone, so that it is JSON
}
