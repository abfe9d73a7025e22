package client_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// wire carries requests to a handler without a network, so that time is a bubble's.
type wire struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code == 1000 {
		return nil, io.ErrUnexpectedEOF
	}
	res := rec.Result()
	res.Request = r
	return res, nil
}

// lost is a handler's answer that never arrives.
func lost(w http.ResponseWriter) { w.(*httptest.ResponseRecorder).Code = 1000 } //nolint:errcheck,forcetypeassert // it is one

func made(t *testing.T, handler http.HandlerFunc, change ...func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{URL: "http://hub", Team: "crew", Token: "a-token", Transport: wire{handler}}
	for _, fn := range change {
		fn(&o)
	}
	c, err := client.New(o)
	require.NoError(t, err)
	return c
}

func TestAChangeIsMadeOnceHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		c := made(t, func(w http.ResponseWriter, r *http.Request) {
			var body map[string]any
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
			key, _ := body["idem_key"].(string)
			keys = append(keys, key)
			switch len(keys) {
			case 1:
				lost(w)
			case 2:
				w.WriteHeader(http.StatusBadGateway)
			default:
				_, _ = w.Write([]byte(`{"ok":true,"replayed":true}`))
			}
		})
		_, err := c.Do(t.Context(), client.Request{Path: "/x", Body: client.Body{"a": 1}, Keyed: true})
		require.NoError(t, err)
		require.Len(t, keys, 3)
		assert.GreaterOrEqual(t, len(keys[0]), 20)
		assert.Equal(t, []string{keys[0], keys[0], keys[0]}, keys)
		first := keys[0]
		_, err = c.Do(t.Context(), client.Request{Path: "/x", Body: client.Body{"a": 1}, Keyed: true})
		require.NoError(t, err)
		assert.NotEqual(t, first, keys[3], "another change has a key of its own")
	})
}

func TestAChangeWithoutAKeyIsSentOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := made(t, func(w http.ResponseWriter, _ *http.Request) { calls++; lost(w) })
		_, err := c.Do(t.Context(), client.Request{Path: "/x", Body: client.Body{}})
		var failed *client.UnreachableError
		require.ErrorAs(t, err, &failed)
		assert.True(t, failed.Sent, "it may have been done")
		assert.Equal(t, 1, calls)
	})
}

func TestAReadIsRepeatedAFewTimesAndThenGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, began := 0, time.Now()
		c := made(t, func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(http.StatusServiceUnavailable) })
		_, err := c.Do(t.Context(), client.Request{Path: "/x"})
		var status *client.StatusError
		require.ErrorAs(t, err, &status)
		assert.Equal(t, 3, calls)
		assert.Less(t, time.Since(began), 2*time.Second)

		calls = 0
		_, err = c.With(func(o *client.Options) { o.Patience = time.Minute }).Do(t.Context(), client.Request{Path: "/x"})
		require.ErrorAs(t, err, &status)
		assert.Greater(t, calls, 10, "with patience it is tried for that long")
		assert.InDelta(t, 60, time.Since(began).Seconds(), 7)
	})
}

func TestWhoIsAskedToComeLaterComesThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, calls := time.Now(), 0
		c := made(t, func(w http.ResponseWriter, _ *http.Request) {
			if calls++; calls == 1 {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			_, _ = w.Write([]byte(`{"ok":true}`))
		})
		_, err := c.Do(t.Context(), client.Request{Path: "/x", Body: client.Body{}})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 7*time.Second)
	})
}

func TestWhatIsRefusedIsNotRepeated(t *testing.T) {
	t.Parallel()
	calls := 0
	answer := `{"ok":false,"error":"conflict","current_version":3,"hint":"merge"}`
	c := made(t, func(w http.ResponseWriter, _ *http.Request) { calls++; _, _ = w.Write([]byte(answer)) })
	_, err := c.Do(t.Context(), client.Request{Path: "/x"})
	assert.Equal(t, atmcp.CodeConflict, atmcp.CodeOf(err))
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.JSONEq(t, answer, string(refused.Raw))
	assert.Equal(t, "conflict: merge", err.Error())
	assert.Equal(t, 1, calls)
}

func TestATokenFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var asked []string
	c := made(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Host)
		http.Redirect(w, r, "http://elsewhere/", http.StatusTemporaryRedirect)
	})
	_, err := c.Do(t.Context(), client.Request{Path: "/x"})
	require.ErrorContains(t, err, "is no atmcpd: 307")
	assert.Equal(t, []string{"hub"}, asked)
}

func TestTheTeamIsTheTokensWhereNobodyNamesOne(t *testing.T) {
	t.Parallel()
	var asked []string
	c := made(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = w.Write([]byte(`{"ok":true,"role":"viewer","team":"night shift"}`))
	}, func(o *client.Options) { o.Team = "" })
	for range 2 {
		path, err := c.TeamPath(t.Context(), "tasks", "a/b #1")
		require.NoError(t, err)
		assert.Equal(t, "/api/teams/night%20shift/tasks/a%2Fb%20%231", path)
	}
	assert.Equal(t, []string{"/api/whoami"}, asked)
	nobody := made(t, nil, func(o *client.Options) { o.Team, o.Token = "", "" })
	team, err := nobody.Team(t.Context())
	require.NoError(t, err)
	assert.Equal(t, client.DefaultTeam, team)
}

func TestASlowServerIsGivenUpAndAnInterruptedCallAtOnce(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(hung)
	c, err := client.New(client.Options{URL: server.URL, Team: "crew", Timeout: 50 * time.Millisecond, Attempts: 2})
	require.NoError(t, err)
	_, err = c.Do(t.Context(), client.Request{Path: "/x"})
	require.ErrorContains(t, err, "no answer in time")
	assert.Equal(t, int32(2), calls.Load())

	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for calls.Load() < 3 {
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	_, err = c.With(func(o *client.Options) { o.Timeout = time.Minute }).Do(ctx, client.Request{Path: "/x"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestARequestSaysWhoAsks(t *testing.T) {
	t.Parallel()
	var got http.Header
	c := made(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header; _, _ = w.Write([]byte(`{}`)) },
		func(o *client.Options) { o.Name, o.UserAgent = "Алиса", "atmcp/1" })
	_, err := c.Do(t.Context(), client.Request{Path: "/x"})
	require.NoError(t, err)
	assert.Equal(t, "Bearer a-token", got.Get("Authorization"))
	assert.Equal(t, "%D0%90%D0%BB%D0%B8%D1%81%D0%B0", got.Get("X-ATMcp-Agent"))
	assert.Equal(t, "atmcp/1", got.Get("User-Agent"))
}

func TestAClientMayBeUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	c := made(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ok":true,"team":"crew"}`)) },
		func(o *client.Options) { o.Team = "" })
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := client.AskTeam[map[string]any](t.Context(), c, client.Request{Body: client.Body{}, Keyed: true}, "x")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
}
