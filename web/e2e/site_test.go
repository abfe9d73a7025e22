package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/dashboard"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

const (
	teamName   = "core-team"
	adminToken = "adm-e2e-0123456789abcdef"
)

// site is a hub behind the handlers that the server has, on a port of loopback.
type site struct {
	url     string
	hub     *atmcp.Hub
	team    *atmcp.Team
	console *atmcp.Console
	api     *httpapi.Handler
	join    string // the team's tokens
	steer   string
	view    string
}

// wiring changes what a site is made of.
type wiring struct {
	store     atmcp.Store
	config    func(*atmcp.Config)
	openReads bool
	public    string // the address that clients are told; empty is where it listens
	mount     func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler)
	empty     bool // without a team
}

// newSite serves a hub with one team, which nobody has joined yet.
func newSite(t *testing.T, w wiring) *site {
	t.Helper()
	needBrowser(t)
	if w.store == nil {
		w.store = memstore.New()
	}
	cfg := atmcp.Config{Store: w.store}
	if w.config != nil {
		w.config(&cfg)
	}
	hub, err := atmcp.Open(context.Background(), cfg)
	require.NoError(t, err)
	s := &site{hub: hub}
	s.serve(t, w)
	t.Cleanup(func() {
		atmcptest.Check(t, hub)
		require.NoError(t, hub.Close())
	})
	if !w.empty {
		s.enrol(t)
	}
	return s
}

// serve listens until the test ends.
func (s *site) serve(t *testing.T, w wiring) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + listener.Addr().String()
	mount := w.mount
	if mount == nil {
		mount = func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler) {
			return handlers(hub, cmp.Or(w.public, home), w.openReads)
		}
	}
	var handler http.Handler
	handler, s.api = mount(s.hub, s.url)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if s.api != nil {
			_ = s.api.Close(ctx)
		}
		_ = server.Close()
		<-done
	})
}

// handlers are those of cmd/atmcpd.
func handlers(hub *atmcp.Hub, home string, openReads bool) (http.Handler, *httpapi.Handler) {
	mux := http.NewServeMux()
	came := arrival.New()
	api := httpapi.New(hub, httpapi.Options{
		PublicURL: home, AdminToken: adminToken, OpenReads: openReads, Page: "ui/", Assets: dashboard.Assets(), Arrivals: came, Version: "1.0.0",
	})
	mux.Handle("/", api)
	dashboard.Mount(mux, hub, dashboard.Options{Version: "1.0.0"})
	if err := mcpapi.Mount(mux, hub, mcpapi.Options{PublicURL: home, Arrivals: came, Version: "1.0.0"}); err != nil {
		panic(err) // of options that are constant
	}
	return mux, api
}

// enrol makes the team if need be, and finds its tokens.
func (s *site) enrol(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	made, err := s.hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: teamName})
	if atmcp.CodeOf(err) != atmcp.CodeTeamExists {
		require.NoError(t, err)
	}
	s.join = made.JoinToken
	if s.join == "" {
		s.join = s.token(t, atmcp.RoleJoin, "")
	}
	s.steer = s.token(t, atmcp.RoleConsole, "nina")
	s.view = s.token(t, atmcp.RoleViewer, "")
	s.team, err = s.hub.Team(ctx, teamName)
	require.NoError(t, err)
	s.console, err = s.team.Console("nina")
	require.NoError(t, err)
}

func (s *site) token(t *testing.T, role atmcp.Role, name string) string {
	t.Helper()
	made, err := s.hub.CreateToken(context.Background(), atmcp.CreateTokenRequest{TeamName: teamName, Role: role, Name: name})
	require.NoError(t, err)
	return made.Token
}

// signIn exchanges a token for the cookie of a session.
func (s *site) signIn(t *testing.T, token string) (name, value string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"token": token})
	require.NoError(t, err)
	res, err := http.Post(s.url+"/api/session", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NotEmpty(t, res.Cookies())
	return res.Cookies()[0].Name, res.Cookies()[0].Value
}

// call makes a request as the operator, with headers as "Name: value" in place of the token.
func (s *site) call(t *testing.T, method, path string, body any, header http.Header) (int, http.Header, []byte) {
	t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, in)
	require.NoError(t, err)
	if header == nil {
		header = http.Header{"X-Admin-Token": {adminToken}}
	}
	req.Header = header.Clone()
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, raw
}

// member joins an agent.
func (s *site) member(t *testing.T, name string) *atmcp.Agent {
	t.Helper()
	agent, _, err := s.team.Join(context.Background(), atmcp.JoinRequest{DisplayName: name})
	require.NoError(t, err)
	return agent
}
