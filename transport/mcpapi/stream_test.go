package mcpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/memlive"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// beats counts what an agent shows of its life, and can panic at it.
type beats struct {
	liveness.Liveness

	mu sync.Mutex
	n  int
}

func (b *beats) Beat(ctx context.Context, team, agent string, beat liveness.Beat, ttl time.Duration) error {
	b.mu.Lock()
	b.n++
	b.mu.Unlock()
	if beat.Status == "boom" {
		panic("boom")
	}
	return b.Liveness.Beat(ctx, team, agent, beat, ttl)
}

func (b *beats) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// client is the other end of a response: it can be read while it is written, and
// can stop taking anything.
type client struct {
	header http.Header

	mu     sync.Mutex
	status int
	text   strings.Builder
	gone   bool
}

func (c *client) Header() http.Header { return c.header }

func (c *client) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return 0, errors.New("the client has gone")
	}
	return c.text.Write(p)
}

func (c *client) Flush() {}

func (c *client) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

func (c *client) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
}

// bubble is a stand without sockets, for tests of time.
type bubble struct {
	*stand

	t       *testing.T
	handler http.Handler
	beats   *beats
}

func inBubble(t *testing.T, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		live := &beats{Liveness: memlive.New()}
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), Liveness: live})
		require.NoError(t, err)
		defer func() { require.NoError(t, hub.Close()) }()
		made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
		require.NoError(t, err)
		h, err := mcpapi.New(hub, mcpapi.Options{})
		require.NoError(t, err)
		test(&bubble{stand: &stand{hub: hub, join: made.JoinToken}, t: t, handler: h, beats: live})
	})
}

// start makes a call; done is closed when its response is complete.
func (b *bubble) start(ctx context.Context, era, body string) (c *client, done chan struct{}) {
	b.t.Helper()
	h := b.as("ann")
	if era == modern {
		h.Set("Mcp-Protocol-Version", modern)
		h.Set("Mcp-Method", "tools/call")
		h.Set("Mcp-Name", "inbox")
	}
	return b.startWith(ctx, h, body)
}

func (b *bubble) startWith(ctx context.Context, h http.Header, body string) (c *client, done chan struct{}) {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body)).WithContext(ctx)
	r.Header = h
	c, done = &client{header: make(http.Header)}, make(chan struct{})
	go func() {
		defer close(done)
		b.handler.ServeHTTP(c, r)
	}()
	synctest.Wait()
	return c, done
}

func inboxWait(era string) string {
	meta := ""
	if era == modern {
		meta = `,"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modern + `","io.modelcontextprotocol/clientCapabilities":{}}`
	}
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox","arguments":{"wait_ms":25000}` + meta + `}}`
}

func isOver(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func TestAWaitShowsLifeAtOnceAndEveryTenSeconds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		t := b.t
		begin := time.Now()
		c, done := b.start(t.Context(), legacy, inboxWait(legacy))
		assert.Equal(t, ": waiting\n\n", c.got(), "clients give up where no header comes")
		time.Sleep(9 * time.Second)
		assert.Equal(t, 1, strings.Count(c.got(), ":"))
		time.Sleep(2 * time.Second)
		assert.Equal(t, 1, strings.Count(c.got(), ": at work"))
		<-done
		assert.Equal(t, 25*time.Second, time.Since(begin))
		assert.Equal(t, 2, strings.Count(c.got(), ": at work"))
		assert.EqualValues(t, 0, replyOf(t, c.got()).JSON["count"])
		whole := c.got()
		time.Sleep(time.Minute)
		assert.Equal(t, whole, c.got(), "nothing is written behind the response")
	})
}

func TestAShortCallHasNoHeartbeat(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		t := b.t
		c, done := b.start(t.Context(), legacy, rawCall(t, "inbox", nil))
		<-done
		assert.True(t, strings.HasPrefix(c.got(), "event: message"), c.got())
	})
}

func TestAWaitEndsWithItsClient(t *testing.T) {
	t.Parallel()
	for _, era := range []string{legacy, modern} {
		inBubble(t, func(b *bubble) {
			t := b.t
			ctx, leave := context.WithCancel(t.Context())
			_, done := b.start(ctx, era, inboxWait(era))
			time.Sleep(11 * time.Second)
			require.False(t, isOver(done), era)
			leave()
			synctest.Wait()
			require.True(t, isOver(done), era)
			before := b.beats.count()
			time.Sleep(time.Minute)
			assert.Equal(t, before, b.beats.count(), "%s: nobody waits any more", era)
		})
	}
}

func TestAWaitEndsWhenItsClientTakesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bubble) {
		t := b.t
		c, done := b.start(t.Context(), legacy, inboxWait(legacy))
		c.leave()
		time.Sleep(11 * time.Second)
		assert.True(t, isOver(done))
	})
}

func TestDrainingAnswersWaits(t *testing.T) {
	t.Parallel()
	for _, era := range []string{legacy, modern} {
		inBubble(t, func(b *bubble) {
			t := b.t
			c, done := b.start(t.Context(), era, inboxWait(era))
			time.Sleep(time.Second)
			b.hub.Drain()
			synctest.Wait()
			require.True(t, isOver(done), era)
			assert.Equal(t, true, replyOf(t, c.got()).JSON["ok"], era)
		})
	}
}

func TestAPanicEndsACallAndNothingElse(t *testing.T) {
	t.Parallel()
	s := standOver(t, atmcp.Config{Store: memstore.New(), Liveness: &beats{Liveness: memlive.New()}})
	for _, era := range []string{legacy, modern} {
		c := s.connect(t, era, "/mcp", s.as("ann"))
		r := tool(t, c, "heartbeat", args{"status_summary": "boom"})
		assert.True(t, r.IsError)
		assert.Contains(t, r.Text, "Error executing tool heartbeat:")
		assert.NotContains(t, r.Text, "boom", "details are for the log")
	}
}
