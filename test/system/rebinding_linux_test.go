package system_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/httpapi"
)

// lanAddress is what the server listens on in a network of its own: no loopback
// address, so that nothing is allowed for being one.
const lanAddress = "10.9.8.7"

// A page whose name was made to point at the server looks to a browser like one
// origin with it. Only the name in Host tells. A server on loopback would be
// protected by more than this, so the test needs another address, in a network
// namespace that it makes.
func TestANameThatWasPointedAtTheServerOpensNoRoute(t *testing.T) {
	t.Parallel()
	t.Run("in a namespace", func(t *testing.T) {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test, its namespace with the server
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			require.Empty(t, os.Getenv("CI"), "CI must let a test make a network namespace: %v", err)
			t.Skipf("needs a machine where a network namespace may be made (root, or CAP_SYS_ADMIN): %v", err)
		}
		lan(t)
		s := startATMcpdAt(t, lanAddress+":8000", "ATMCP_MCP_ALLOWED_HOSTS=team.example")
		admin, err := os.ReadFile(filepath.Join(s.dir, "admin-token"))
		require.NoError(t, err)
		for _, pattern := range append(httpapi.Routes(), "POST /mcp", "POST /mcp/", "POST /mcp/worker", "DELETE /mcp", "GET /nowhere") {
			method, path, _ := strings.Cut(pattern, " ")
			path = strings.NewReplacer("{team}", "default", "{ref}", "alice", "{id}", "1").Replace(path)
			for _, token := range []string{s.join, strings.TrimSpace(string(admin))} {
				knock := knock{method: method, path: path, token: token}
				for _, host := range []string{"evil.example", "evil.example:8000", lanAddress + ".evil.example", "team.example.evil.example", "localhost.evil.example", ""} {
					knock.host = host
					status := knock.status(t)
					assert.Contains(t, []int{http.StatusMisdirectedRequest, http.StatusBadRequest}, status, "%s from a page of %q", pattern, host)
				}
				for _, host := range []string{lanAddress + ":8000", "team.example", "team.example:8000"} {
					knock.host = host
					assert.NotEqual(t, http.StatusMisdirectedRequest, knock.status(t), "%s as %q", pattern, host)
				}
			}
		}
		absolute := knock{method: http.MethodGet, path: "http://evil.example/healthz", host: lanAddress}
		assert.Equal(t, http.StatusMisdirectedRequest, absolute.status(t), "the name in the request line counts")
	})
}

// lan gives the namespace its one address.
func lan(t *testing.T) {
	t.Helper()
	for _, command := range []string{"ip link set lo up", "ip address add " + lanAddress + "/32 dev lo"} {
		words := strings.Fields(command)
		out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
	}
}

// knock is a request as a page of the host would have the browser send it.
type knock struct{ method, path, host, token string }

// status sends the request on a connection of this thread's namespace. The reply to
// an upgrade or a stream is not read further.
func (k knock) status(t *testing.T) int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", lanAddress+":8000", 5*time.Second)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	head := k.method + " " + k.path + " HTTP/1.1\r\nHost: " + k.host + "\r\nOrigin: http://" + k.host + "\r\nSec-Fetch-Site: same-origin\r\n" +
		"Authorization: Bearer " + k.token + "\r\nX-ATMcp-Agent: eva\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
	if strings.HasPrefix(k.path, "/ws/") {
		head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	}
	_, err = io.WriteString(conn, head+"\r\n{}")
	require.NoError(t, err)
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err, "%s %s as %q", k.method, k.path, k.host)
	_ = reply.Body.Close() // the connection ends with this request
	return reply.StatusCode
}
