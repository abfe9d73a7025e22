package valkeylive_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/livetest"
	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// patience is how long a test waits for what takes a moment.
const patience = 30 * time.Second

// sees waits until a roster has an agent.
func sees(t *testing.T, l liveness.Liveness, team, agent string) {
	t.Helper()
	require.Eventually(t, func() bool {
		entries, err := l.Roster(t.Context(), team)
		_, there := entries[agent]
		return err == nil && there
	}, patience, 10*time.Millisecond, "%s is not on the roster of %s", agent, team)
}

func TestLiveKeepsThePromisesOfTheLeafOverARealServer(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	livetest.Run(t, func(t *testing.T, test func(*testing.T, livetest.Backend)) {
		t.Helper()
		prefix := t.Name()
		t.Parallel()
		l, err := valkeylive.Open(t.Context(), valkeylive.Options{URL: s.url(), Prefix: prefix})
		require.NoError(t, err)
		serves(t, l, patience)
		test(t, livetest.Backend{Live: l, Advance: time.Sleep, TTL: 3 * time.Second, Grain: time.Second})
	})
}

// TestURLsLeadToServersOfEveryKind shares an agent between two processes over each.
func TestURLsLeadToServersOfEveryKind(t *testing.T) {
	t.Parallel()
	shares := func(t *testing.T, s *server, url string) {
		t.Helper()
		here, there := s.open(url), s.open(url)
		serves(t, here, patience)
		beat(t, here, "team", "a")
		sees(t, there, "team", "a")
	}
	t.Run("Database", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		shares(t, s, s.url()+"/3?prefix=ours:")
		assert.Equal(t, "0", s.do("EXISTS", "ours:team:live"), "it is in database 3")
	})
	t.Run("Socket", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		shares(t, s, "unix://"+s.socket())
		assert.Equal(t, "1", s.do("EXISTS", "atmcp:team:live"))
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "--cluster-enabled", "yes")
		s.do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
		require.Eventually(t, func() bool {
			return strings.Contains(s.do("CLUSTER", "INFO"), "cluster_state:ok")
		}, patience, 50*time.Millisecond)
		shares(t, s, s.url()+"?cluster=true")
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		host, port, err := net.SplitHostPort(s.addr)
		require.NoError(t, err)
		dir := shortDir(t)
		conf := filepath.Join(dir, "sentinel.conf")
		require.NoError(t, os.WriteFile(conf, []byte("sentinel monitor crew "+host+" "+port+" 1\n"), 0o600))
		watcher := &server{t: t, addr: freeAddr(t), dir: dir}
		watcher.startSentinel(conf)
		t.Cleanup(watcher.kill)
		shares(t, s, "redis://"+watcher.addr+"?master_set=crew")
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		cert, key := certificate(t)
		addr := freeAddr(t)
		_, port, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		s := startServer(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
		shares(t, s, "rediss://"+addr+"?ca="+cert)
		stranger := s.open("rediss://" + addr)
		assert.ErrorContains(t, stranger.Err(), "certificate", "the system does not know its authority")
	})
	t.Run("User", func(t *testing.T) {
		t.Parallel()
		s := startServer(t)
		for _, words := range [][]string{aclUser(t), {"ACL", "SETUSER", "default", "off"}} {
			s.do(words...)
		}
		url := "redis://atmcp:secret@" + s.addr
		shares(t, s, url)
		hears(t, s.open(url), s.open(url))
		wrong := s.open("redis://atmcp:wrong@" + s.addr)
		require.ErrorContains(t, wrong.Err(), "WRONGPASS")
		assert.NotContains(t, wrong.Err().Error(), "wrong@")
	})
}

// hears waits until a hint of one process is heard in another.
func hears(t *testing.T, from, to *valkeylive.Live) {
	t.Helper()
	heard := make(chan string, 1000)
	go func() {
		_ = to.Watch(t.Context(), func(team, topic string) { heard <- team + " " + topic }) // ends with the test
	}()
	require.Eventually(t, func() bool {
		require.NoError(t, from.Notify(t.Context(), "team", "topic"))
		select {
		case got := <-heard:
			return assert.Equal(t, "team topic", got)
		default:
			return false
		}
	}, patience, 10*time.Millisecond, "no hint was heard")
}

func TestBadURLsAreToldWithoutTheirPasswords(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "localhost:6379", "http://user:hunter2@host", "redis://user:hunter2@host:port", "redis://user:hunter2@host/x",
		"redis://user:hunter2@host?max_retries=3", "redis://user:hunter2@host?ca=/nowhere", "rediss://user:hunter2@host?ca=/nowhere",
		"redis://user:hunter2@host/0/1", "\x00redis://user:hunter2@host",
	} {
		_, err := valkeylive.Open(t.Context(), valkeylive.Options{URL: url})
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.Equal(t, err, valkeylive.CheckURL(url))
	}
	require.NoError(t, valkeylive.CheckURL("rediss://user:hunter2@host:6380/1?prefix=crew:&addr=other"))
}
