package atmcp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// ending is a wait and a hold on one token, and when they ended and why.
type ending struct {
	waited, held error
	at           time.Duration
}

// standOn begins a wait and a hold under a credential.
func standOn(t *testing.T, hub *atmcp.Hub, c atmcp.Credential) <-chan ending {
	t.Helper()
	a, err := hub.Identify(t.Context(), c)
	require.NoError(t, err)
	held, release := a.Hold(t.Context())
	began, done := time.Now(), make(chan ending, 1)
	go func() {
		defer release()
		_, err := a.Inbox(t.Context(), atmcp.InboxRequest{Wait: 30 * time.Second})
		<-held.Done()
		done <- ending{err, context.Cause(held), time.Since(began)}
	}()
	synctest.Wait()
	return done
}

func TestWhatStandsOnATokenEndsWithIt(t *testing.T) {
	t.Parallel()
	yes := true
	strict := atmcp.IdentityStrict
	for name, end := range map[string]func(context.Context, *atmcp.Hub, string) error{
		"revoked": func(ctx context.Context, h *atmcp.Hub, id string) error {
			_, err := h.RevokeToken(ctx, atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: id})
			return err
		},
		"rotated": func(ctx context.Context, h *atmcp.Hub, id string) error {
			_, err := h.RotateToken(ctx, atmcp.RotateTokenRequest{TeamName: "crew", TokenID: id})
			return err
		},
		"archived": func(ctx context.Context, h *atmcp.Hub, _ string) error {
			_, err := h.EditTeam(ctx, atmcp.EditTeamRequest{TeamName: "crew", Archived: &yes})
			return err
		},
		"strict": func(ctx context.Context, h *atmcp.Hub, _ string) error {
			_, err := h.EditTeam(ctx, atmcp.EditTeamRequest{TeamName: "crew", Identity: &strict})
			return err
		},
		"an agent token instead": func(ctx context.Context, h *atmcp.Hub, _ string) error {
			_, err := h.CreateToken(ctx, atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleAgent, Name: "alice"})
			return err
		},
	} {
		for _, where := range []string{"here", "through another hub"} {
			t.Run(name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := memstore.New()
					hub, other := openOn(t, store), openOn(t, store)
					token := made(t, hub, "crew").JoinToken
					done := standOn(t, hub, atmcp.Credential{Token: token, Name: "alice"})
					p, err := hub.Authenticate(t.Context(), token)
					require.NoError(t, err)
					by := hub
					if where != "here" {
						by = other
					}
					require.NoError(t, end(t.Context(), by, tokenID(t, hub, p.Role)))
					got := <-done
					refused(t, atmcp.CodeNotJoined, got.waited)
					refused(t, atmcp.CodeNotJoined, got.held)
					assert.LessOrEqual(t, got.at, time.Second)
				})
			})
		}
	}
}

func TestARotatedTokenIsGoodForTheOverlapAndNotLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := openOn(t, memstore.New())
		old := made(t, hub, "crew").JoinToken
		done := standOn(t, hub, atmcp.Credential{Token: old, Name: "alice"})
		rotated, err := hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{
			TeamName: "crew", TokenID: tokenID(t, hub, atmcp.RoleJoin), OverlapS: 20,
		})
		require.NoError(t, err)
		for _, token := range []string{old, rotated.Token} {
			_, err = hub.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
		_, err = hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{TeamName: "crew", TokenID: rotated.Rotated.TokenID})
		refused(t, atmcp.CodeInvalid, err)

		got := <-done
		refused(t, atmcp.CodeNotJoined, got.waited)
		assert.InDelta(t, 20, got.at.Seconds(), 1)
		_, err = hub.Authenticate(t.Context(), old)
		refused(t, atmcp.CodeNotJoined, err)
		_, err = hub.Authenticate(t.Context(), rotated.Token)
		require.NoError(t, err)
	})
}

func TestAHoldOnTheOwnersWordEndsWithItsContextAlone(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	team := newTeam(t, hub)
	ctx, cancel := context.WithCancel(t.Context())
	held, release := team.Hold(ctx)
	defer release()
	require.NoError(t, held.Err())
	cancel()
	<-held.Done()
	assert.Equal(t, context.Canceled, context.Cause(held))
}

func TestAHoldThatBeginsTooLateEndsAtOnce(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	token := made(t, hub, "crew").DashboardToken
	team, p, err := hub.Reader(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, atmcp.RoleViewer, p.Role)
	_, err = hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: tokenID(t, hub, atmcp.RoleViewer)})
	require.NoError(t, err)
	held, release := team.Hold(t.Context())
	defer release()
	refused(t, atmcp.CodeNotJoined, context.Cause(held))
	_, err = team.Sync(t.Context(), atmcp.SyncRequest{Wait: time.Minute})
	refused(t, atmcp.CodeNotJoined, err)
}

func TestWhatABrowserFollowsEndsWithItsSession(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"signed out", "signed out through another hub", "after twelve hours"} {
		for _, who := range []string{"a viewer", "the operator"} {
			t.Run(who+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := memstore.New()
					hub, other := openOn(t, store), openOn(t, store)
					in := atmcp.SignIn{Token: made(t, hub, "crew").DashboardToken}
					if who == "the operator" {
						in = atmcp.SignIn{Proof: []byte("hash of the admin token")}
					}
					crew, err := hub.Team(t.Context(), "crew")
					require.NoError(t, err)
					follow := func() (secret string, held context.Context) {
						secret, info, err := hub.OpenSession(t.Context(), in)
						require.NoError(t, err)
						held, release := crew.SignedIn(info).Hold(t.Context())
						t.Cleanup(release)
						return secret, held
					}
					secret, held := follow()
					began, limit := time.Now(), time.Second
					switch way {
					case "signed out":
						err = hub.CloseSession(t.Context(), secret)
					case "signed out through another hub":
						err = other.CloseSession(t.Context(), secret)
					default:
						limit += 12 * time.Hour
						time.Sleep(12*time.Hour - time.Minute)
						require.NoError(t, held.Err())
					}
					require.NoError(t, err)
					_, stays := follow()
					<-held.Done()
					assert.LessOrEqual(t, time.Since(began), limit)
					refused(t, atmcp.CodeNotJoined, context.Cause(held))
					assert.False(t, atmcp.IsBadToken(context.Cause(held)), "the token is still good")
					synctest.Wait()
					assert.NoError(t, stays.Err(), "another browser's goes on")
				})
			})
		}
	}
}
