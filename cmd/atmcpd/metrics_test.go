package main_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// metricsAt reads the metrics at an address, with a token or without.
func metricsAt(t *testing.T, url, token string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", http.NoBody)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestMetricsCountCallsAndNameNobody(t *testing.T) {
	dir, own := t.TempDir(), freeAddr(t)
	s := start(t, dir, "ATMCP_METRICS_ADDR="+own)
	join, admin := s.joinToken(), adminToken(t, dir)
	status, _ := s.ask("/api/teams/default/heartbeat", join, `{"display_name":"alice the secret"}`)
	require.Equal(t, http.StatusOK, status)
	status, _ = s.ask("/api/teams/default/heartbeat", join, `{}`)
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = s.ask("/api/teams/default/heartbeat", "no token", `{"display_name":"mallory"}`)
	require.Equal(t, http.StatusUnauthorized, status)

	for _, token := range []string{"", join} {
		status, _ := metricsAt(t, s.url, token)
		assert.Equal(t, http.StatusUnauthorized, status)
	}
	status, text := metricsAt(t, s.url, admin)
	assert.Equal(t, http.StatusOK, status)
	const beat = `atmcp_calls_total{by="rest",call="POST /api/teams/{team}/heartbeat",outcome=`
	assert.Contains(t, text, beat+`"ok"} 1`)
	assert.Contains(t, text, beat+`"400"} 1`)
	assert.Contains(t, text, beat+`"401"} 1`)
	assert.Contains(t, text, `atmcp_call_seconds_count{by="rest",call="POST /api/teams/{team}/heartbeat"} 3`)
	assert.Contains(t, text, `atmcp_agents{presence="healthy"} 1`)
	for _, name := range []string{"atmcp_commit_calls_bucket", "atmcp_waiters 0", "atmcp_feeds 0", "atmcp_connections", "atmcp_leases 0", "atmcp_index_lag_events 0", "go_goroutines", "process_resident_memory_bytes"} {
		assert.Contains(t, text, name)
	}
	for _, word := range []string{"secret", "default", join, admin} {
		assert.NotContains(t, text, word)
	}

	status, there := metricsAt(t, "http://"+own, "")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, there, beat+`"ok"} 1`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+own+"/metrics", http.NoBody)
	require.NoError(t, err)
	req.Host = "evil.example"
	rebound, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer rebound.Body.Close()
	assert.Equal(t, http.StatusMisdirectedRequest, rebound.StatusCode)
	res := runs(t, nil, "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--metrics-addr", own)
	assert.Equal(t, 1, res.code)
	assert.Contains(t, res.err, "is in use")
	s.stop()
}
