package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// brokenLog is a server whose log has events 1 to last; each connection carries two of
// them and then breaks off.
func brokenLog(t *testing.T, last int, before func(http.ResponseWriter, *http.Request) bool) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var connections atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connections.Add(1)
		if before != nil && before(w, r) {
			return
		}
		since, err := strconv.Atoi(r.URL.Query().Get("since"))
		if err != nil {
			since = 0
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "retry: 10\n\nid: %d\ndata: {\"type\":\"hello\",\"head\":%d,\"epoch\":\"e\"}\n\n: here\n\n", since, last)
		for n := since + 1; n <= min(last, since+2); n++ {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: {\"type\":\"batch\",\"from\":%d,\"to\":%d,\"events\":[{\"id\":%d}]}\n\n", n, n, n, n)
		}
	}))
	t.Cleanup(server.Close)
	return server, &connections
}

func following(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: url, Team: "crew", Token: "a-token"})
	require.NoError(t, err)
	return c
}

func TestAFeedThatBreaksOffGoesOnWithoutAHole(t *testing.T) {
	t.Parallel()
	server, connections := brokenLog(t, 7, nil)
	var seen []atmcp.Seq
	since := atmcp.Seq(0)
	for f, err := range following(t, server.URL).Follow(t.Context(), client.FollowRequest{Since: &since, Epoch: "e"}) {
		require.NoError(t, err)
		if f.Type == "batch" {
			seen = append(seen, f.To)
		}
		if f.To == 7 {
			break
		}
	}
	assert.Equal(t, []atmcp.Seq{1, 2, 3, 4, 5, 6, 7}, seen)
	assert.Equal(t, int32(4), connections.Load())
}

func TestAFeedEndsWithATokenThatIsGoodNoLonger(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(http.ResponseWriter){
		"goodbye": func(w http.ResponseWriter) {
			_, _ = w.Write([]byte("data: {\"type\":\"bye\",\"reason\":\"token_revoked\"}\n\n"))
		},
		"refused": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"detail":"dashboard token required"}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, connections := brokenLog(t, 1, func(w http.ResponseWriter, _ *http.Request) bool { say(w); return true })
			for _, err := range following(t, server.URL).Follow(t.Context(), client.FollowRequest{}) {
				var status *client.StatusError
				require.ErrorAs(t, err, &status)
				assert.Equal(t, http.StatusUnauthorized, status.Status)
			}
			assert.Equal(t, int32(1), connections.Load())
		})
	}
}

func TestWhereStreamsAreGatheredAFeedIsPolled(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stream") { // a proxy that waits for the end
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		since := r.URL.Query().Get("since")
		switch since {
		case "":
			_, _ = w.Write([]byte(`{"ok":true,"events":[],"head":4,"epoch":"e"}`))
		case "4":
			_, _ = w.Write([]byte(`{"ok":true,"events":[{"id":5,"kind":"task_created"}],"head":5,"epoch":"e","next_since":5}`))
		default:
			_, _ = w.Write([]byte(`{"ok":true,"events":[],"head":9,"epoch":"f","gap":"epoch"}`))
		}
	}))
	defer server.Close()
	var types []string
	for f, err := range following(t, server.URL).Follow(t.Context(), client.FollowRequest{}) {
		require.NoError(t, err)
		types = append(types, f.Type)
		if f.Type == "batch" {
			assert.Contains(t, string(f.Events[0]), `"kind":"task_created"`)
		}
		if f.Type == "gap" {
			break
		}
	}
	assert.Equal(t, []string{"hello", "batch", "poll", "gap"}, types)
}

func TestAFeedEndsWithWhoFollowsIt(t *testing.T) {
	t.Parallel()
	open := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("data: {\"type\":\"hello\",\"head\":4,\"epoch\":\"e\"}\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		open <- struct{}{}
	}))
	defer server.Close()
	for _, err := range following(t, server.URL).Follow(t.Context(), client.FollowRequest{}) {
		require.NoError(t, err)
		break
	}
	<-open
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for _, err := range following(t, server.URL).Follow(ctx, client.FollowRequest{}) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		stop()
	}
	select {
	case <-open:
	case <-time.After(10 * time.Second):
		require.FailNow(t, "the connection stays open")
	}
}
