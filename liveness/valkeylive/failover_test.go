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

	"github.com/atmcp/atmcp/store/memstore"
)

// watched starts a server, a replica of it, and a sentinel that makes the replica the
// server when the first one dies. It returns the URL of whichever serves.
func watched(t *testing.T) (first, replica *server, url string) {
	t.Helper()
	first = startServer(t)
	host, port, err := net.SplitHostPort(first.addr)
	require.NoError(t, err)
	replica = startServer(t, "--replicaof", host, port)
	// A sentinel asks for replicas when it begins, and then every ten seconds.
	require.Eventually(t, func() bool {
		return strings.Contains(replica.do("INFO", "replication"), "master_link_status:up")
	}, patience, 20*time.Millisecond)
	dir := shortDir(t)
	conf := filepath.Join(dir, "sentinel.conf")
	require.NoError(t, os.WriteFile(conf, []byte("sentinel monitor crew "+host+" "+port+" 1\n"+
		"sentinel down-after-milliseconds crew 300\nsentinel failover-timeout crew 3000\n"), 0o600))
	sentinel := &server{t: t, addr: freeAddr(t), dir: dir}
	sentinel.startSentinel(conf)
	t.Cleanup(sentinel.kill)
	require.Eventually(t, func() bool {
		return strings.Contains(sentinel.do("INFO", "sentinel"), "slaves=1")
	}, patience, 20*time.Millisecond)
	return first, replica, "redis://" + sentinel.addr + "?master_set=crew"
}

func TestAFailoverOfSentinelsCostsWritesNothingAndPresenceAMoment(t *testing.T) {
	t.Parallel()
	first, replica, url := watched(t)
	here, there := first.open(url), first.open(url)
	with, without := newWriter(t, memstore.New(), here), newWriter(t, memstore.New(), nil)
	beat(t, there, "team", "other")
	sees(t, here, "team", "other")

	first.kill()
	lost, limit := false, time.Now().Add(20*time.Second)
	promoted := func() bool { // it hangs up on everybody when it is
		info, err := replica.try("INFO", "replication")
		return err == nil && strings.Contains(info, "role:master")
	}
	for !promoted() || here.Err() != nil || there.Err() != nil {
		require.True(t, time.Now().Before(limit), "no failover: %v", here.Err())
		for range 50 {
			with.write(t)
			without.write(t)
		}
		lost = lost || here.Err() != nil
	}
	assert.True(t, lost, "the writes were made while nobody answered")
	assert.LessOrEqual(t, with.percentile(99)-without.percentile(99), 10*time.Millisecond)

	beat(t, here, "team", "own")
	sees(t, there, "team", "own")
	sees(t, replica.open(replica.url()), "team", "other")
}
