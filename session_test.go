package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestASessionSpeaksForItsTokenAndDiesWithIt(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	crew := made(t, hub, "crew")
	secret, info, err := hub.OpenSession(t.Context(), atmcp.SignIn{Token: crew.DashboardToken})
	require.NoError(t, err)
	assert.NotEqual(t, crew.DashboardToken, secret)
	assert.Equal(t, atmcp.RoleViewer, info.Role)
	again, err := hub.Session(t.Context(), secret)
	require.NoError(t, err)
	assert.Equal(t, info, again)
	team, err := hub.ReaderOf(t.Context(), again.Principal)
	require.NoError(t, err)
	assert.Equal(t, crew.TeamID, team.ID())

	_, err = hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: tokenID(t, hub, atmcp.RoleViewer)})
	require.NoError(t, err)
	_, err = hub.Session(t.Context(), secret)
	refused(t, atmcp.CodeNotJoined, err)
	_, _, err = hub.OpenSession(t.Context(), atmcp.SignIn{Token: crew.DashboardToken})
	refused(t, atmcp.CodeNotJoined, err)
	_, _, err = hub.OpenSession(t.Context(), atmcp.SignIn{})
	refused(t, atmcp.CodeNotJoined, err)
	_, err = hub.NewCode(t.Context(), atmcp.SignIn{})
	refused(t, atmcp.CodeNotJoined, err)
}

func TestACodeOpensOneSessionWithinAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := openOn(t, memstore.New())
		operator := atmcp.SignIn{Proof: []byte("hash of the admin token")}
		code, err := hub.NewCode(t.Context(), operator)
		require.NoError(t, err)
		_, info, err := hub.OpenSession(t.Context(), atmcp.SignIn{Code: code})
		require.NoError(t, err)
		assert.Equal(t, atmcp.RoleAdmin, info.Role)
		assert.Equal(t, operator.Proof, info.Proof)
		_, _, err = hub.OpenSession(t.Context(), atmcp.SignIn{Code: code})
		refused(t, atmcp.CodeNotJoined, err)

		late, err := hub.NewCode(t.Context(), operator)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, _, err = hub.OpenSession(t.Context(), atmcp.SignIn{Code: late})
		refused(t, atmcp.CodeNotJoined, err)
		_, _, err = hub.OpenSession(t.Context(), atmcp.SignIn{Code: "made up"})
		refused(t, atmcp.CodeNotJoined, err)
	})
}

func TestASessionEndsAfterTwelveHoursOrWhenItIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		hub := openOn(t, store)
		token := made(t, hub, "crew").DashboardToken
		open := func() string {
			secret, _, err := hub.OpenSession(t.Context(), atmcp.SignIn{Token: token})
			require.NoError(t, err)
			return secret
		}
		closed, kept := open(), open()
		require.NoError(t, hub.CloseSession(t.Context(), closed))
		require.NoError(t, hub.CloseSession(t.Context(), closed))
		_, err := hub.Session(t.Context(), closed)
		refused(t, atmcp.CodeNotJoined, err)
		time.Sleep(12*time.Hour - time.Minute)
		_, err = openOn(t, store).Session(t.Context(), kept)
		require.NoError(t, err, "over a restart too")
		time.Sleep(2 * time.Minute)
		_, err = hub.Session(t.Context(), kept)
		refused(t, atmcp.CodeNotJoined, err)
	})
}
