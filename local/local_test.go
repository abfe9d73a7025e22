package local_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/local"
	"github.com/atmcp/atmcp/search/blevesearch"
	"github.com/atmcp/atmcp/search/scansearch"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/store/memstore"
)

func open(t *testing.T, dir string, change ...func(*local.Config)) *local.Hub {
	t.Helper()
	hub, err := local.Open(t.Context(), dir, change...)
	require.NoError(t, err)
	return hub
}

func alice(t *testing.T, hub *local.Hub) *atmcp.Agent {
	t.Helper()
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	if atmcp.CodeOf(err) != atmcp.CodeTeamExists {
		require.NoError(t, err)
	}
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	a, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(t, err)
	return a
}

func find(t *testing.T, a *atmcp.Agent, query string) []string {
	t.Helper()
	found, err := a.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Query: query})
	require.NoError(t, err)
	titles := []string{}
	for _, f := range found.Items {
		titles = append(titles, f.Title)
	}
	return titles
}

func TestHubFindsWhatWasPostedAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 3 {
		hub := open(t, dir)
		a := alice(t, hub)
		if i > 0 {
			assert.Equal(t, []string{fmt.Sprint("renewing leases ", i-1)}, find(t, a, fmt.Sprint("renewed lease ", i-1)))
		}
		_, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: fmt.Sprint("renewing leases ", i)})
		require.NoError(t, err)
		assert.Equal(t, []string{fmt.Sprint("renewing leases ", i)}, find(t, a, fmt.Sprint("renew leese ", i)))
		require.NoError(t, hub.Close())
		require.NoError(t, hub.Close())
	}
}

func TestIndexThatIsGoneOrDamagedIsBuiltAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hub := open(t, dir)
	_, err := alice(t, hub).PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "the only one"})
	require.NoError(t, err)
	for _, hurt := range []func(path string) error{
		os.RemoveAll,
		func(path string) error {
			segments, err := filepath.Glob(filepath.Join(path, "*", "root.bolt"))
			require.NoError(t, err)
			require.NotEmpty(t, segments)
			return os.Truncate(segments[0], 4096)
		},
	} {
		assert.Equal(t, []string{"the only one"}, find(t, alice(t, hub), "only"))
		require.NoError(t, hub.Close())
		require.NoError(t, hurt(filepath.Join(dir, local.IndexDir)))
		hub = open(t, dir)
		assert.Equal(t, []string{"the only one"}, find(t, alice(t, hub), "only"))
	}
	require.NoError(t, hub.Close())
}

func TestDataOfTheSizeThatItMayHaveIsFullAndNothingIsLost(t *testing.T) {
	t.Parallel()
	hub := open(t, t.TempDir(), func(c *local.Config) { c.MaxSize = 1 << 20 })
	a := alice(t, hub)
	full := error(nil)
	for i := 0; full == nil && i < 1000; i++ {
		_, full = a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("key ", i), Value: json.RawMessage(`"` + strings.Repeat("v", 8<<10) + `"`)})
	}
	assert.Equal(t, atmcp.CodeStorageFull, atmcp.CodeOf(full), "%v", full)
	got, err := a.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: "key 0"})
	require.NoError(t, err)
	assert.True(t, got.Found)
	require.NoError(t, hub.Close())
}

// Not parallel: nobody else's goroutines are there.
func TestCloseLeavesNothingBehindNorDoesAFailedOpen(t *testing.T) {
	busy := func() string {
		buf := make([]byte, 4<<20)
		var own []string
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "created by") && !strings.Contains(stack, "testing.") {
				own = append(own, stack)
			}
		}
		return strings.Join(own, "\n\n")
	}
	// A goroutine says that it is done before it is gone.
	left := func() string {
		for deadline := time.Now().Add(5 * time.Second); busy() != "" && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		return busy()
	}
	require.Empty(t, left())
	dir := t.TempDir()
	hub := open(t, dir)
	_, err := alice(t, hub).PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "one"})
	require.NoError(t, err)
	_, err = local.Open(t.Context(), dir)
	require.ErrorIs(t, err, boltstore.ErrInUse)
	require.NoError(t, hub.Close())
	assert.Empty(t, left())

	x, err := blevesearch.Open(filepath.Join(dir, local.IndexDir), blevesearch.Options{})
	require.NoError(t, err, "the lock of the index is free")
	_, err = local.Open(t.Context(), dir)
	require.ErrorIs(t, err, blevesearch.ErrInUse)
	require.NoError(t, x.Close())
	_, err = local.Open(t.Context(), dir, func(c *local.Config) { c.LeaseTTL = 1 })
	require.ErrorContains(t, err, "LeaseTTL")
	assert.Empty(t, left())
	require.NoError(t, open(t, dir).Close())
}

func TestWhatTheCallerBringsStaysTheCallers(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), scansearch.New()
	hub := open(t, dir, func(c *local.Config) { c.Index = index })
	a := alice(t, hub)
	_, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "one"})
	require.NoError(t, err)
	assert.Equal(t, []string{"one"}, find(t, a, "one"))
	require.NoError(t, hub.Close())
	assert.NoDirExists(t, filepath.Join(dir, local.IndexDir))
	_, err = index.Position(t.Context(), "any")
	require.NoError(t, err, "it is open")

	_, err = local.Open(t.Context(), dir, func(c *local.Config) { c.Store = memstore.New() })
	require.ErrorContains(t, err, "Config.Store")
}
