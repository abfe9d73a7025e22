package atmcp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestSyncReadsTheLogInPagesWithoutAGap(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	var wg sync.WaitGroup
	for i := range 8 {
		a := join(t, team, fmt.Sprintf("a%d", i))
		wg.Go(func() {
			for range 50 {
				_, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x"})
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	var seen, since atmcp.Seq
	for more := true; more; {
		page, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: since, Limit: 33})
		require.NoError(t, err)
		for _, e := range page.Events {
			seen++
			require.Equal(t, seen, e.EventID)
		}
		since, more = page.NextCursor, page.More
	}
	assert.EqualValues(t, 8+400, seen)
	report, err := team.VerifyLog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, seen, report.Last)
}

func TestCursorOfNoUseIsAnsweredWithResyncAtOnce(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	join(t, team, "alice")
	for reason, req := range map[string]atmcp.SyncRequest{
		"ahead": {SinceEventID: 99, Wait: time.Hour},
		"epoch": {SinceEventID: 1, Epoch: "another", Wait: time.Hour},
	} {
		page, err := team.Sync(t.Context(), req)
		require.NoError(t, err)
		assert.Equal(t, reason, page.Resync)
		assert.Empty(t, page.Events)
		assert.EqualValues(t, 1, page.NextCursor)
	}
}

func TestPrunedEventsAreSaidToBePruned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) {
			c.EventMinimum = 10
			c.ReapInterval = time.Hour
		}))
		a := join(t, team, "alice")
		for range 30 {
			create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		}
		time.Sleep(31 * 24 * time.Hour)
		page, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: 3})
		require.NoError(t, err)
		assert.Equal(t, "pruned", page.Resync)
		assert.EqualValues(t, 21, page.MinEventID, "dropped while more than ten are newer")
		report, err := team.VerifyLog(t.Context())
		require.NoError(t, err)
		assert.Equal(t, page.MinEventID, report.First)
	})
}

func TestSyncWakesForTheNextEventAndNotBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		start := time.Now()
		page, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: 1, Wait: 20 * time.Second})
		require.NoError(t, err)
		assert.Empty(t, page.Events)
		assert.Equal(t, 20*time.Second, time.Since(start))
		go func() {
			time.Sleep(7 * time.Second)
			_, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x"})
			assert.NoError(t, err)
		}()
		start = time.Now()
		page, err = team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: 1, Wait: 20 * time.Second})
		require.NoError(t, err)
		assert.Len(t, page.Events, 1)
		assert.Equal(t, 7*time.Second, time.Since(start))
	})
}

func TestDrainAnswersEveryWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t)
		a := join(t, newTeam(t, hub), "alice")
		go func() {
			time.Sleep(3 * time.Second)
			hub.Drain()
		}()
		start := time.Now()
		page, err := a.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: 1, Wait: time.Minute})
		require.NoError(t, err)
		assert.Empty(t, page.Events)
		assert.Equal(t, 3*time.Second, time.Since(start))
		_, err = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "calls go on"})
		require.NoError(t, err)
	})
}

func TestEditedEventIsFound(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	team := newTeam(t, openHub(t, atmcp.Config{Store: data, ReapInterval: -1}))
	a := join(t, team, "alice")
	for range 3 {
		create(t, a, atmcp.CreateTaskRequest{Title: "pay 10"})
	}
	key := keyspace.Table('e').Uint(3)
	snap, err := data.Read(t.Context(), string(team.ID()), store.Range{Start: key})
	require.NoError(t, err)
	edit := func(b store.Batch) {
		now, err := data.Read(t.Context(), string(team.ID()))
		require.NoError(t, err)
		b.Base, b.Head = now.Head, store.Head{Rev: now.Head.Rev + 1, Seq: now.Head.Seq, Tag: 7}
		require.NoError(t, data.Commit(t.Context(), string(team.ID()), b))
	}
	stored := snap.Rows[0][0].Value
	for name, b := range map[string]store.Batch{
		"edited":    {Puts: []store.KV{{Key: key, Value: bytes.Replace(stored, []byte("pay 10"), []byte("pay 99"), 1)}}},
		"taken out": {Dels: [][]byte{key}},
	} {
		edit(b)
		_, err = team.VerifyLog(t.Context())
		var damage *atmcp.DamageError
		require.ErrorAs(t, err, &damage, name)
		assert.EqualValues(t, 3, damage.EventID, name)
	}
	edit(store.Batch{Puts: []store.KV{{Key: key, Value: stored}}})
	_, err = team.VerifyLog(t.Context())
	require.NoError(t, err)
}

func TestAPageOfTheLogIsCutByItsSizeAndGoesOnBehindIt(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	for range 40 {
		create(t, a, atmcp.CreateTaskRequest{Title: strings.Repeat("x", 200)})
	}
	whole, err := a.Sync(t.Context(), atmcp.SyncRequest{})
	require.NoError(t, err)
	require.Len(t, whole.Events, 41)
	assert.NotEmpty(t, whole.Events[1].Patch)
	var all []atmcp.Event
	req := atmcp.SyncRequest{MaxBytes: 4000, Lean: true}
	for more := true; more; {
		page, err := a.Sync(t.Context(), req)
		require.NoError(t, err)
		raw, err := json.Marshal(page.Events)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(raw), req.MaxBytes+1)
		all, more, req.SinceEventID = append(all, page.Events...), page.More, page.NextCursor
	}
	for i, e := range whole.Events {
		e.Patch, e.Hash = nil, ""
		assert.Equal(t, e, all[i])
	}
	req.SinceEventID, req.MaxBytes = 1, 1
	page, err := a.Sync(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, 1, page.Count, "one event is always returned")
}

func TestTheChainHoldsWhicheverHubCommitsAndWhatever(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	first := newTeam(t, openOn(t, data))
	second, err := openOn(t, data).Team(t.Context(), "crew")
	require.NoError(t, err)
	agents := []*atmcp.Agent{join(t, first, "alice"), join(t, second, "bob")}
	var wg sync.WaitGroup
	for i, a := range agents {
		dice := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for range 300 {
				var err error
				if dice.IntN(3) == 0 { // a commit without an event
					_, err = a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "x"})
				} else {
					_, err = a.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "k", Value: []byte("1")})
				}
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	report, err := first.VerifyLog(t.Context())
	require.NoError(t, err)
	assert.Greater(t, report.Last, atmcp.Seq(300))
}
