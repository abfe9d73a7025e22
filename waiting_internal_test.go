package atmcp

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store/memstore"
)

// crew is a team in which many agents work on a directive each.
type crew struct {
	hub         *Hub
	boss, noisy *Agent
	workers     []*Agent
	orders      []DirectiveID
}

func newCrew(t *testing.T, workers int) *crew {
	t.Helper()
	hub, err := Open(t.Context(), Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	_, err = hub.CreateTeam(t.Context(), CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	enter := func(name string) *Agent {
		a, _, err := team.Join(t.Context(), JoinRequest{DisplayName: name})
		require.NoError(t, err)
		return a
	}
	c := &crew{hub: hub, boss: enter("boss"), noisy: enter("noisy")}
	for i := range workers {
		w := enter(fmt.Sprintf("w%d", i))
		id := c.order(t, w)
		_, err := w.ClaimDirective(t.Context(), ClaimDirectiveRequest{DirectiveID: id})
		require.NoError(t, err)
		c.workers, c.orders = append(c.workers, w), append(c.orders, id)
	}
	return c
}

func (c *crew) order(t *testing.T, to *Agent) DirectiveID {
	t.Helper()
	res, err := c.boss.SendDirective(t.Context(), SendDirectiveRequest{ToAgent: to.name, Instruction: "x"})
	require.NoError(t, err)
	return res.DirectiveID
}

func finish(t *testing.T, a *Agent, id DirectiveID) {
	t.Helper()
	_, err := a.ReportDirective(t.Context(), ReportDirectiveRequest{DirectiveID: id, Status: DirectiveDone})
	require.NoError(t, err)
}

func speak(t *testing.T, a *Agent) {
	t.Helper()
	_, err := a.AppendOutput(t.Context(), AppendOutputRequest{Text: "tick"})
	require.NoError(t, err)
}

// waits are what the i-th worker waits for: its inbox, its directive, the output
// of the next one, and whatever concerns it.
func (c *crew) waits(t *testing.T, i int, upTo time.Duration) []func() (int, error) {
	t.Helper()
	w, next := c.workers[i], c.workers[(i+1)%len(c.workers)].name
	return []func() (int, error){
		func() (int, error) {
			res, err := w.Inbox(t.Context(), InboxRequest{Wait: upTo})
			return res.Count, err
		},
		func() (int, error) {
			res, err := w.WaitDirective(t.Context(), WaitDirectiveRequest{DirectiveID: c.orders[i], Wait: upTo})
			return oneIf(res.Final), err
		},
		func() (int, error) {
			res, err := w.GetAgentOutput(t.Context(), GetAgentOutputRequest{Agent: next, Wait: upTo})
			return res.Count, err
		},
		func() (int, error) {
			res, err := w.Wait(t.Context(), WaitRequest{Wait: upTo})
			return res.Count, err
		},
	}
}

// A thousand agents wait while others are busy. The board counts who is woken.
func TestAWaitIsNotWokenByWhatDoesNotConcernIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const agents, chosen = 1000, 500
		c := newCrew(t, agents)
		var ended [4]atomic.Int64
		start := time.Now()
		for i := range agents {
			for kind, wait := range c.waits(t, i, 90*time.Second) {
				go func() {
					n, err := wait()
					assert.NoError(t, err)
					if n > 0 {
						assert.InDelta(t, 61*time.Second, time.Since(start), float64(50*time.Millisecond), "woken soon")
						ended[kind].Add(1)
					}
				}()
			}
		}
		synctest.Wait()
		before := c.hub.board.Stats()
		require.Equal(t, len(ended)*agents, before.Waiters)
		for range 300 { // three unrelated changes each, 15 a second
			time.Sleep(200 * time.Millisecond)
			speak(t, c.noisy)
			finish(t, c.noisy, c.order(t, c.noisy))
		}
		synctest.Wait()
		assert.Equal(t, before, c.hub.board.Stats(), "nobody was woken")

		time.Sleep(time.Second)
		c.order(t, c.workers[chosen])
		finish(t, c.workers[chosen], c.orders[chosen])
		speak(t, c.workers[chosen])
		synctest.Wait()
		for kind := range ended {
			assert.Equal(t, int64(1), ended[kind].Load(), "the right one of kind %d", kind)
		}
		assert.Equal(t, before.Waiters-len(ended), c.hub.board.Stats().Waiters)
		c.hub.Drain()
		synctest.Wait()
		assert.Zero(t, c.hub.board.Stats().Waiters)
	})
}
