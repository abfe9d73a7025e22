// Package guard is what stands before every route, whichever transport serves it:
// the checks that keep web pages out of a server that trusts its network
// position, and the reading of bodies.
//
// A page in a browser can reach a server on the same machine in two ways. It can
// send a request across origins, which the Origin check and
// [http.CrossOriginProtection] refuse; or its name can be made to point at the
// server ("DNS rebinding"), so that all looks like one origin, which only the Host
// check refuses. Both are needed, for reading too.
package guard

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Options say under which names a server is reached.
type Options struct {
	// PublicURL is the address that clients are told: its host is allowed, and its
	// origin is the server's own, whatever Host a proxy in between sends.
	PublicURL string
	// Hosts are further names. One without a port is good on every port, and so is
	// one that ends in ":*".
	Hosts []string
	// Origins are further origins, as https://team.example, whose pages may call.
	Origins []string
	// LoopbackBind says that the server listens on a loopback address. Where it
	// does not, any literal IP address is a good Host: rebinding needs a name.
	LoopbackBind bool
}

// New returns the checks as middleware. They answer 421 to a Host that is not
// allowed and 403 to a foreign Origin, before anything else is looked at.
func New(o Options) func(http.Handler) http.Handler {
	c := newChecks(o)
	return func(next http.Handler) http.Handler {
		protected := c.cross.Handler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w = &patient{w, http.NewResponseController(w)}
			expect(w, r)
			maps.Copy(w.Header(), doors)
			switch {
			case !c.hostAllowed(r.Host):
				Fail(w, http.StatusMisdirectedRequest, "Invalid Host header")
			case !c.originAllowed(r):
				Fail(w, http.StatusForbidden, "Invalid Origin header")
			default:
				protected.ServeHTTP(w, r)
			}
		})
	}
}

// doors are the headers that close every door of a browser; a page that needs one open
// sets its own. All answers share the values, which nobody may change.
//
//nolint:gochecknoglobals // constants that Go cannot write as such
var doors = http.Header{
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Cache-Control":                {"no-store"},
}

// Fail answers with an error in the form of the REST routes, {"detail": …}: a text, or
// a list of what is wrong.
func Fail(w http.ResponseWriter, status int, detail any) {
	body, err := json.Marshal(map[string]any{"detail": detail})
	if err != nil { // neither fails to encode
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusUnauthorized {
		// Exactly this: anything more sends some clients into an OAuth flow.
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}

type checks struct {
	loopbackBind bool
	hosts        map[string]bool // as in Options.Hosts, lower case
	origins      map[string]bool // scheme://host[:port], lower case
	cross        *http.CrossOriginProtection
}

func newChecks(o Options) *checks {
	c := &checks{
		loopbackBind: o.LoopbackBind,
		hosts:        make(map[string]bool),
		origins:      make(map[string]bool),
		cross:        http.NewCrossOriginProtection(),
	}
	for _, host := range o.Hosts {
		c.hosts[strings.TrimSuffix(strings.ToLower(host), ":*")] = true
	}
	for _, origin := range append([]string{o.PublicURL}, o.Origins...) {
		u, err := url.Parse(strings.ToLower(origin))
		if err != nil || u.Host == "" {
			continue // it can match nothing
		}
		c.origins[u.Scheme+"://"+u.Host] = true
		_ = c.cross.AddTrustedOrigin(u.Scheme + "://" + u.Host) // an odd one stays untrusted
	}
	if u, err := url.Parse(strings.ToLower(o.PublicURL)); err == nil && u.Host != "" {
		c.hosts[u.Hostname()] = true
	}
	c.cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Fail(w, http.StatusForbidden, "Invalid Origin header")
	}))
	return c
}

func (c *checks) hostAllowed(host string) bool {
	host = strings.ToLower(host)
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(name, "]"), "["), ".")
	if name == "localhost" || c.hosts[host] || c.hosts[name] {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && (!c.loopbackBind || ip.IsLoopback())
}

// originAllowed accepts a request without an Origin, which no page can send
// across origins in a way that changes or reads anything, one from the server's
// own origin, and those that are configured.
func (c *checks) originAllowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin := strings.ToLower(origins[0])
	if len(origins) > 1 {
		return false
	}
	if c.origins[origin] {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host == strings.ToLower(r.Host)
}
