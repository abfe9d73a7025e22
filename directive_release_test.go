package atmcp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestADirectiveThatIsGivenBackWaitsForTheNextAtOnce(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	id := send(t, boss, "worker", "x")
	held := take(t, worker, id, new(60))
	release := atmcp.ReleaseDirectiveRequest{DirectiveID: id, Note: strings.Repeat("ä", 300)}
	_, err := worker.ReleaseDirective(t.Context(), release)
	refused(t, atmcp.CodeStaleToken, err)
	_, err = boss.ReleaseDirective(t.Context(), release)
	refused(t, atmcp.CodeNotYours, err)

	release.FencingToken, release.IdemKey = &held.FencingToken, "once"
	for _, replayed := range []bool{false, true} {
		res, err := worker.ReleaseDirective(t.Context(), release)
		require.NoError(t, err)
		assert.Equal(t, atmcp.ReleaseDirectiveResult{
			Outcome: atmcp.Outcome{Replayed: replayed}, DirectiveID: id, Status: atmcp.DirectivePending,
		}, res)
	}
	event := lastEvent(t, team)
	assert.Equal(t, atmcp.EventDirectiveRequeued, event.Kind)
	assert.JSONEq(t, `{"reason":"released","attempts":0,"note":"`+strings.Repeat("ä", 200)+`"}`, string(event.Payload))
	require.Len(t, inboxOf(t, worker), 1)
	assert.Equal(t, "released: "+strings.Repeat("ä", 200), detailOf(t, team, id).Returned, "its issuer sees it without the log")

	late := done(id)
	late.FencingToken = &held.FencingToken
	refused(t, atmcp.CodeStaleToken, report(t, worker, late))
	again := take(t, worker, id, new(60))
	assert.Greater(t, again.FencingToken, held.FencingToken)
	assert.Equal(t, 1, again.Attempt, "to give back is no attempt")
}

func TestWhatNobodyHasBegunIsGivenBackWithoutAnEvent(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	id := send(t, boss, "worker", "x")
	before := lastEvent(t, team).EventID
	res, err := worker.ReleaseDirective(t.Context(), atmcp.ReleaseDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	assert.Equal(t, atmcp.DirectivePending, res.Status)
	assert.Equal(t, before, lastEvent(t, team).EventID)

	take(t, worker, id, nil)
	res, err = worker.ReleaseDirective(t.Context(), atmcp.ReleaseDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	assert.Equal(t, atmcp.DirectivePending, res.Status, "also without a lease, as claims of the original are")

	require.NoError(t, report(t, worker, done(id)))
	_, err = worker.ReleaseDirective(t.Context(), atmcp.ReleaseDirectiveRequest{DirectiveID: id})
	refused(t, atmcp.CodeAlreadyFinal, err)
	_, err = worker.ReleaseDirective(t.Context(), atmcp.ReleaseDirectiveRequest{DirectiveID: "x"})
	refused(t, atmcp.CodeUnknownDirective, err)
}

func TestADirectiveThatKillsItsWorkersFailsInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.TaskMaxAttempts = 3 }))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		id := send(t, boss, "worker", "x")
		giveUp := func() atmcp.ReleaseDirectiveResult {
			held := take(t, worker, id, new(60))
			res, err := worker.ReleaseDirective(t.Context(), atmcp.ReleaseDirectiveRequest{
				DirectiveID: id, FencingToken: &held.FencingToken, Attempted: true, Note: "out of memory",
			})
			require.NoError(t, err)
			return res
		}
		assert.Equal(t, atmcp.ReleaseDirectiveResult{DirectiveID: id, Status: atmcp.DirectivePending, Attempts: 1}, giveUp())
		take(t, worker, id, new(10))
		time.Sleep(13 * time.Second) // a lease that lapses counts with it
		assert.Equal(t, atmcp.ReleaseDirectiveResult{DirectiveID: id, Status: atmcp.DirectiveFailed, Attempts: 3}, giveUp())
		d := detailOf(t, team, id)
		assert.Equal(t, "released: its worker gave it up 3 times; out of memory", *d.ResultSummary)
		got, err := boss.Wait(t.Context(), atmcp.WaitRequest{})
		require.NoError(t, err)
		require.Len(t, got.Items, 1)
		assert.Equal(t, atmcp.NewsDirectiveFinal, got.Items[0].Kind)
	})
}
