package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheFirstStartNeedsNothingAndSaysHowToComeIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, dir)
	assert.Contains(t, s.banner, s.url+"/dashboard")
	assert.Contains(t, s.banner, filepath.Join(dir, "admin-token"))
	assert.NotContains(t, s.banner, adminToken(t, dir), "the admin token stands in its file alone")
	token := s.joinToken()
	assert.Contains(t, s.banner, `claude mcp add --transport http atmcp `+s.url+`/mcp --header "Authorization: Bearer `+token+`" --header "X-ATMcp-Agent: alice"`)

	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "admin-token"): 0o600, filepath.Join(dir, "hub.db"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
	status, _ := s.ask("/api/teams/default/heartbeat", token, `{"display_name":"alice"}`)
	assert.Equal(t, http.StatusOK, status)
	s.stop()
	for _, told := range []string{"msg=\"stopping: what is under way is ended\" at_most=8s", "msg=\"stopped serving\""} {
		assert.Contains(t, s.errs.String(), told)
	}
}

func TestALaterStartKeepsTokensAndShowsNone(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	join, admin := s.joinToken(), adminToken(t, dir)
	s.stop()

	s = start(t, dir)
	assert.NotContains(t, s.banner, "atm_")
	again := regexp.MustCompile(`atmcpd (token mint default --role join --data-dir '(.*)')`).FindStringSubmatch(s.banner)
	require.NotNil(t, again, "how to get a new join token: %s", s.banner)
	minted := runs(t, nil, "token", "mint", "default", "--role", "join", "--data-dir", again[2])
	require.Zero(t, minted.code, minted.err)
	status, _ := s.ask("/api/teams/default/heartbeat", joinToken.FindString(minted.out), `{"display_name":"carol"}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, admin, adminToken(t, dir))
	status, _ = s.ask("/api/teams/default/heartbeat", join, `{"display_name":"alice"}`)
	assert.Equal(t, http.StatusOK, status)

	status, made := s.ask("/api/teams/default/tokens", admin, `{}`)
	require.Equal(t, http.StatusOK, status)
	token, _ := made["token"].(string)
	status, _ = s.ask("/api/teams/default/heartbeat", token, `{"display_name":"bob"}`)
	assert.Equal(t, http.StatusOK, status)
	s.stop()
}

func TestAConfiguredServerMakesNoTeam(t *testing.T) {
	s := start(t, t.TempDir(), "ATMCP_ADMIN_TOKEN=a token of the operator")
	assert.NotContains(t, s.banner, "default\"")
	status, _ := s.ask("/api/teams", "a token of the operator", `{"name":"crew"}`)
	assert.Equal(t, http.StatusOK, status)
	s.stop()
}

func TestASecondServerOnTheSameDataIsRefusedInTime(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	took := time.Hour
	for n := 0; n < 3 && took >= 2*time.Second; n++ { // what else the machine does only ever adds
		began := time.Now()
		second := runs(t, nil, "--addr", "127.0.0.1:0", "--data-dir", dir)
		took = time.Since(began)
		assert.Equal(t, 1, second.code)
		assert.Contains(t, second.err, "is in use by another atmcpd")
		assert.Equal(t, 1, strings.Count(second.err, "\n"), second.err)
	}
	assert.Less(t, took, 2*time.Second)
	s.stop()
	start(t, dir).stop()
}

func TestAWaitIsAnsweredWhenTheServerStops(t *testing.T) {
	s := start(t, t.TempDir())
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint:   s.url + "/mcp",
		HTTPClient: &http.Client{Transport: asAlice{s.joinToken()}},
		MaxRetries: -1,
	}, nil)
	require.NoError(t, err)
	defer func() { _ = session.Close() }() // its server is gone by then
	type answer struct {
		res *mcp.CallToolResult
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "wait", Arguments: map[string]any{"wait_ms": 50_000}})
		answered <- answer{res, err}
	}()
	require.Eventually(t, func() bool { // alice is in the team: her call is under way
		_, status := s.ask("/api/teams/default/status", "", "")
		return status["agents_total"] == 1.0
	}, patience, 10*time.Millisecond)

	began := time.Now()
	s.stop()
	assert.Less(t, time.Since(began), 10*time.Second)
	a := <-answered
	require.NoError(t, a.err)
	assert.False(t, a.res.IsError)
}

func TestASecondSignalEndsWhatHangs(t *testing.T) {
	s := start(t, t.TempDir())
	hangs, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = hangs.Close() }()
	_, err = fmt.Fprintf(hangs, "POST /api/teams/default/heartbeat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", s.joinToken())
	require.NoError(t, err)
	_, err = hangs.Read(make([]byte, 64)) // the server waits for the body
	require.NoError(t, err)
	began := time.Now()
	for ended := false; !ended; { // a request whose body never comes is waited for, until somebody insists
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
		select {
		case err := <-s.ended:
			require.Error(t, err, "the signal ended it")
			ended = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	assert.Less(t, time.Since(began), 5*time.Second)
}

// asAlice adds the headers that say who calls.
type asAlice struct{ token string }

func (a asAlice) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("X-ATMcp-Agent", "alice")
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	token := s.joinToken()
	s.ask("/api/teams/default/heartbeat", token, `{"display_name":"alice"}`)
	for round := range 3 {
		status, kept := s.ask("/api/teams/default/agents/alice/output", token, `{"text":"line"}`)
		require.Equal(t, http.StatusOK, status)
		require.InDelta(t, round+1, kept["seq"], 0, "no chunk was lost or counted twice")
		require.Error(t, s.signal(syscall.SIGKILL))
		s = start(t, dir)
	}
	s.stop()
}

func TestAnAddressInUseIsToldBeforeAnythingIsMade(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	dir := filepath.Join(t.TempDir(), "data")
	r := runs(t, nil, "serve", "--addr", taken.Addr().String(), "--data-dir", dir)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "is in use")
	assert.Contains(t, r.err, "--addr")
	assert.NoDirExists(t, dir)
}

func TestADirectoryThatCannotBeMadeIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	r := runs(t, nil, "--addr", "127.0.0.1:0", "--data-dir", filepath.Join(file, "data"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "--data-dir")
	assert.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
}

func TestOnlyHTTP1AndSmallHeadersAreServed(t *testing.T) {
	s := start(t, t.TempDir())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", nil)
	require.NoError(t, err)
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)

	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", nil)
	require.NoError(t, err)
	h2 := http.Client{Transport: &http.Transport{Protocols: protocols}}
	refused, err := h2.Do(req)
	if err == nil {
		refused.Body.Close()
	}
	require.Error(t, err)
	s.stop()
}

func TestBothTransportsRefuseForeignHosts(t *testing.T) {
	s := start(t, t.TempDir())
	for _, path := range []string{"/", "/healthz", "/mcp", "/mcp/", "/mcp/worker", "/api/teams/default/status"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader("{}"))
		require.NoError(t, err)
		req.Host = "rebound.example"
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		assert.Equal(t, http.StatusMisdirectedRequest, res.StatusCode, path)
	}
	s.stop()
}
