package main_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// becomes waits until /readyz says so of Valkey; of the server it always says that it is
// ready.
func (s *server) becomes(redis bool) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		status, state := s.ask("/readyz", "", "")
		assert.Equal(s.t, http.StatusOK, status, "losing presence is no loss of readiness")
		assert.Equal(s.t, true, state["store"])
		return state["redis"] == redis && state["liveness"] == redis
	}, patience, 10*time.Millisecond)
}

func (s *server) online() float64 {
	s.t.Helper()
	_, status := s.ask("/api/teams/default/status", "", "")
	n, _ := status["agents_online"].(float64)
	return n
}

func TestPresenceInAValkeyOutlivesTheServer(t *testing.T) {
	m := miniredis.RunT(t)
	m.ClockTTL(true)
	for _, name := range []string{"ATMCP_VALKEY_URL", "ATMCP_REDIS_URL"} {
		dir := t.TempDir()
		env := name + "=redis://:@" + m.Addr() + "/1"
		s := start(t, dir, env)
		assert.Contains(t, s.banner, "  Presence     shared through redis://"+m.Addr()+"/1\n")
		s.becomes(true)
		status, _ := s.ask("/api/teams/default/heartbeat", s.joinToken(), `{"display_name":"alice"}`)
		require.Equal(t, http.StatusOK, status)
		require.Eventually(t, func() bool { return len(m.DB(1).Keys()) > 0 }, patience, 10*time.Millisecond)
		s.stop()

		s = start(t, dir, env)
		assert.InDelta(t, 1, s.online(), 0, "alice was heard of before")
		s.stop()
		s = start(t, dir)
		assert.InDelta(t, 0, s.online(), 0, "a server by itself has not heard of her")
		s.stop()
		m.FlushAll()
	}
}

func TestAServerStartsAndServesWithoutItsValkey(t *testing.T) {
	addr, dir := freeAddr(t), t.TempDir()
	s := start(t, dir, "ATMCP_VALKEY_URL=redis://user:hunter2@"+addr, "ATMCP_REDIS_URL=redis://ignored:1")
	assert.Contains(t, s.banner, "redis://"+addr+" does not answer yet")
	s.becomes(false)
	token := s.joinToken()
	status, _ := s.ask("/api/teams/default/heartbeat", token, `{"display_name":"alice"}`)
	assert.Equal(t, http.StatusOK, status)
	assert.InDelta(t, 1, s.online(), 0)

	m := miniredis.NewMiniRedis()
	m.RequireUserAuth("user", "hunter2")
	require.NoError(t, m.StartAddr(addr))
	s.becomes(true)
	_, text := metricsAt(t, s.url, adminToken(t, dir))
	assert.Contains(t, text, "atmcp_presence_shared 1")
	m.Close()
	s.becomes(false)
	_, text = metricsAt(t, s.url, adminToken(t, dir))
	assert.Contains(t, text, "atmcp_presence_shared 0")
	assert.InDelta(t, 1, s.online(), 0)
	s.stop()
	assert.NotContains(t, s.errs.String()+s.banner, "hunter2")
	assert.Contains(t, s.errs.String(), "valkey serves")
}

func TestABadValkeyURLStopsTheServerWithoutItsPassword(t *testing.T) {
	for _, name := range []string{"ATMCP_VALKEY_URL", "ATMCP_REDIS_URL"} {
		r := runs(t, []string{name + "=redis://user:hunter2@host/0?retry=1"}, "--data-dir", t.TempDir())
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, name)
		assert.NotContains(t, r.err, "hunter2")
	}
	assert.NotContains(t, runs(t, nil, "--help").out, "--valkey-url", "a password in an argument can be read by every user")
}
