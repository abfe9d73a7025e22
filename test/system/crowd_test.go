package system_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowdSize is how many agents are there at once.
const crowdSize = 1000

// Beating is what every agent does all day, so that it must cost next to nothing.
//
// What a request costs that finds the machine asleep depends on the machine more than on
// the server, and changes twofold within hours where others share it. So where the
// twentieth is missed, an empty handler is measured beside it: four of its requests are
// what a beat may cost on a machine that is as slow as that.
func TestAThousandBeatingAgentsCostATwentiethOfACore(t *testing.T) {
	s := startATMcpd(t)
	inTurn(32, crowdSize, func(n int) { s.beat(t, n) }) // the first beat of each makes it a member
	bare := startBare(t)
	rounds := sized(2, 1)
	for range attempts {
		share := s.beating(t, rounds)
		if share < 0.05 {
			return
		}
		if empty := bare.beating(t, rounds); share < 4*empty {
			return
		}
	}
	assert.Fail(t, "beating costs too much")
}

func (s *atmcpd) beat(t *testing.T, n int) {
	t.Helper()
	body := fmt.Sprintf(`{"display_name":"agent %d","status_summary":"at work","progress_pct":%d}`, n, n%100)
	status, text := s.ask(t, http.MethodPost, "/api/teams/default/heartbeat", s.join, body)
	assert.Equal(t, http.StatusOK, status, text)
}

// beating has each of the crowd beat every ten seconds, and returns which part of a core
// the server takes for it.
func (s *atmcpd) beating(t *testing.T, rounds int) float64 {
	t.Helper()
	const every = 10 * time.Second
	tick := time.NewTicker(every / crowdSize)
	defer tick.Stop()
	began, used := time.Now(), s.cpuTime(t)
	for n := range rounds * crowdSize {
		s.beat(t, n%crowdSize)
		<-tick.C
	}
	took, used := time.Since(began), s.cpuTime(t)-used
	share := float64(used) / float64(time.Duration(rounds)*every)
	t.Logf("%s: %d beats in %v took %v of the processor: %.1f %% of one core", filepath.Base(s.cmd.Path), rounds*crowdSize, took, used, 100*share)
	return share
}

// bareVariable makes this test's binary a server that does nothing.
const bareVariable = "SYSTEM_TEST_BARE"

// startBare starts a server of net/http that reads what it is sent and answers each
// request alike.
func startBare(t *testing.T) *atmcpd {
	t.Helper()
	s := &atmcpd{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	s.cmd.SysProcAttr = withTest()
	s.cmd.Env = append(os.Environ(), bareVariable+"=1")
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	s.addr = strings.TrimSpace(line)
	return s
}

func serveNothing() error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	})}
	return server.Serve(listener)
}

// A waiting agent waits for free: that is what makes waiting better than asking again.
func TestAThousandWaitingAgentsCostNothingWhileNothingHappens(t *testing.T) {
	s := startATMcpd(t, "GOGC=5") // collects what is garbage soon, so that it does not count as the waits'
	admin := s.adminToken(t)
	inTurn(32, crowdSize, func(n int) { s.inbox(t, n, 0).hear(t, "data: ") }) // makes members of them, and the server's pools warm
	idle := s.memory(t, admin)
	used := leastOf(600*time.Millisecond, func() time.Duration {
		waits := make([]*openWait, crowdSize)
		inTurn(32, crowdSize, func(n int) {
			waits[n] = s.inbox(t, n, 30_000)
			waits[n].hear(t, ": waiting")
		})
		s.waitsAreOpen(t, admin)
		each := (s.memory(t, admin) - idle) / crowdSize
		used := s.cpuTime(t)
		time.Sleep(12 * time.Second) // in real time: each wait shows once that it lives
		used = s.cpuTime(t) - used
		t.Logf("a wait takes %d bytes of heap and stack; %d of them used %v of the processor in 12 s", each, crowdSize, used)
		assert.Less(t, each, int64(60<<10))
		for _, w := range waits {
			w.end(t)
		}
		return used
	})
	assert.Less(t, used, 600*time.Millisecond, "a twentieth of a core")
}

// inTurn calls fn with 0 to n-1, several at a time.
func inTurn(atOnce, n int, fn func(int)) {
	numbers := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range numbers {
				fn(i)
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	all.Wait()
}

// ask sends a request to the real server.
func (s *atmcpd) ask(t *testing.T, method, path, token, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, reply.Body.Close()) }()
	raw, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return reply.StatusCode, string(raw)
}

func (s *atmcpd) adminToken(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(s.dir, "admin-token"))
	require.NoError(t, err)
	return strings.TrimSpace(string(token))
}

// cpuTime is how much of the processor the server has used.
func (s *atmcpd) cpuTime(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(s.cmd.Process.Pid), "stat"))
	require.NoError(t, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	require.NoError(t, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond // a clock tick, on every Linux
}

// metric is the value of one of the server's metrics.
func (s *atmcpd) metric(t *testing.T, admin, name string) float64 {
	t.Helper()
	status, text := s.ask(t, http.MethodGet, "/metrics", admin, "")
	require.Equal(t, http.StatusOK, status, text)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err)
			return number
		}
	}
	require.Fail(t, "no metric "+name, text)
	return 0
}

// memory is what the server has in heap and stacks: the least of many looks, each of
// which makes some garbage, as that counts until it is collected.
func (s *atmcpd) memory(t *testing.T, admin string) int64 {
	t.Helper()
	least := int64(1 << 62)
	for range 100 {
		now := int64(s.metric(t, admin, "go_memstats_heap_alloc_bytes") + s.metric(t, admin, "go_memstats_stack_inuse_bytes"))
		least = min(least, now)
	}
	return least
}

func (s *atmcpd) waitsAreOpen(t *testing.T, admin string) {
	t.Helper()
	require.Eventually(t, func() bool { return s.metric(t, admin, "atmcp_waiters") >= crowdSize }, 20*time.Second, 50*time.Millisecond)
}

// openWait is a call on a connection of its own.
type openWait struct {
	conn  net.Conn
	reply *bufio.Reader
}

// inbox asks for the inbox of an agent.
func (s *atmcpd) inbox(t *testing.T, agent, waitMS int) *openWait {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox","arguments":{"wait_ms":%d}}}`, waitMS)
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nX-ATMcp-Agent: agent %d\r\nConnection: close\r\n"+
		"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: %d\r\n\r\n%s", s.addr, s.join, agent, len(body), body)
	require.NoError(t, err)
	return &openWait{conn, bufio.NewReaderSize(conn, 512)}
}

// hear reads the reply up to a line that begins so.
func (w *openWait) hear(t *testing.T, prefix string) {
	t.Helper()
	for {
		line, err := w.reply.ReadString('\n')
		require.NoError(t, err, "no line of the reply begins with %q", prefix)
		if strings.HasPrefix(line, prefix) {
			return
		}
	}
}

// end gives the call up.
func (w *openWait) end(t *testing.T) {
	t.Helper()
	require.NoError(t, w.conn.Close())
}
