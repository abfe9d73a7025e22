package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/httpapi"
)

const key = "the key of the house"

// portal is the example as it runs.
type portal struct {
	t              *testing.T
	cmd            *exec.Cmd
	address, token string
}

func start(t *testing.T) *portal {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "http-mount")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), "PORTAL_ADDR=127.0.0.1:0", "PORTAL_KEY="+key)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	address, token, _ := strings.Cut(strings.TrimSpace(line), " ")
	return &portal{t: t, cmd: cmd, address: address, token: token}
}

// stop ends the portal, which has to end well.
func (p *portal) stop() {
	p.t.Helper()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:errcheck // it is one
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(p.t, p.cmd.Wait())
}

// headers are added to every request.
type headers map[string]string

func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range h {
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// alice shows the house's key and the team's token.
func (p *portal) alice() headers {
	return headers{"X-Portal-Key": key, "Authorization": "Bearer " + p.token, "X-ATMcp-Agent": "alice"}
}

// ask returns the status, the body and the first cookie.
func (p *portal) ask(h headers, method, path, body string) (status int, text, cookie string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.address+path, strings.NewReader(body))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/html")
	res, err := (&http.Client{Transport: h}).Do(req)
	require.NoError(p.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	return res.StatusCode, string(answer), res.Header.Get("Set-Cookie")
}

func (p *portal) connect(h headers) (*mcp.ClientSession, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	return client.Connect(p.t.Context(), &mcp.StreamableClientTransport{
		Endpoint: p.address + "/atmcp/mcp", HTTPClient: &http.Client{Transport: h}, MaxRetries: -1,
	}, nil)
}

func TestTeamsAreServedBelowAPrefixOfSomebodyElsesServer(t *testing.T) {
	p := start(t)
	session, err := p.connect(p.alice())
	require.NoError(t, err)
	made, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "create_task", Arguments: map[string]any{"title": "measure the cache"}})
	require.NoError(t, err)
	assert.False(t, made.IsError)
	require.NoError(t, session.Close())

	status, text, _ := p.ask(p.alice(), http.MethodGet, "/atmcp/api/teams/crew/status", "")
	require.Equal(t, http.StatusOK, status, text)
	var team struct {
		Tasks map[string]int `json:"tasks"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &team))
	assert.Equal(t, 1, team.Tasks["open"])

	_, text, _ = p.ask(p.alice(), http.MethodGet, "/atmcp/", "")
	assert.Contains(t, text, `"`+p.address+`/atmcp/mcp"`, "it says where it is")
	status, text, cookie := p.ask(headers{"X-Portal-Key": key}, http.MethodPost, "/atmcp/api/session", `{"token":"`+p.token+`"}`)
	require.Equal(t, http.StatusOK, status, text)
	assert.Contains(t, cookie, "; Path=/atmcp/;", "the house gets no cookie of ours")

	_, text, _ = p.ask(p.alice(), http.MethodGet, "/atmcp/dashboard?team=crew", "")
	assert.Contains(t, text, `<meta name="atmcp-api" content="../../">`, "the page of the team, which asks below the prefix")
	for _, m := range regexp.MustCompile(`src="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		status, _, _ = p.ask(p.alice(), http.MethodGet, path.Join("/atmcp/ui/t/", m[1]), "")
		assert.Equal(t, http.StatusOK, status, m[1])
	}

	line, _, err := websocket.Dial(t.Context(), p.address+"/atmcp/ws/crew", &websocket.DialOptions{HTTPClient: &http.Client{Transport: p.alice()}}) //nolint:bodyclose // the connection is
	require.NoError(t, err)
	_, hello, err := line.Read(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(hello), `"hello"`)
	require.NoError(t, line.CloseNow())

	_, text, _ = p.ask(headers{"X-Portal-Key": key}, http.MethodGet, "/", "")
	assert.Equal(t, "the portal\n", text, "its own pages are as they were")
	p.stop()
}

func TestNothingOpensWithoutTheKeyOfTheHouse(t *testing.T) {
	p := start(t)
	stranger := p.alice()
	delete(stranger, "X-Portal-Key")
	_, err := p.connect(stranger)
	require.Error(t, err)
	for _, route := range append(httpapi.Routes(), "POST /mcp", "POST /mcp/worker", "POST /mcp/console", "GET /ui/t/crew") {
		method, path, _ := strings.Cut(route, " ")
		status, _, _ := p.ask(stranger, method, "/atmcp"+strings.NewReplacer("{team}", "crew").Replace(path), "{}")
		assert.Equal(t, http.StatusUnauthorized, status, route)
	}
	status, _, _ := p.ask(headers{"X-Portal-Key": key}, http.MethodGet, "/atmcp/api/teams/crew/status", "")
	assert.Equal(t, http.StatusUnauthorized, status, "nor with the key of the house alone")
	p.stop()
}
