package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// lines are the names of the teams of an overview.
func lines(t *testing.T, a answer) []string {
	t.Helper()
	require.Equal(t, 200, a.status, a.text)
	list := []string{}
	teams, _ := a.body["teams"].([]any)
	for _, team := range teams {
		members, _ := team.(map[string]any)
		name, _ := members["team"].(string)
		list = append(list, name)
	}
	return list
}

func TestAnOverviewHasTheTeamsThatItsCallerMayRead(t *testing.T) {
	for _, open := range []bool{false, true} {
		s := serve(t, func(o *httpapi.Options) { o.OpenReads = open })
		other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
		require.NoError(t, err)
		_, err = s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "past"})
		require.NoError(t, err)
		archived := true
		_, err = s.hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "past", Archived: &archived})
		require.NoError(t, err)

		both := s.signIn(s.crew.DashboardToken) + "; " + s.signIn(other.DashboardToken)
		for _, x := range []struct {
			as   answer
			want []string
		}{
			{s.get("/api/overview", ""), nil},
			{s.get("/api/overview", "wrong"), nil},
			{s.get("/api/overview", s.crew.JoinToken), []string{"crew"}},
			{s.browse(http.MethodGet, "/api/overview", both, ""), []string{"crew", "other"}},
		} {
			want := x.want
			if open {
				want = []string{"crew", "other"}
			}
			assert.ElementsMatch(t, want, lines(t, x.as), x.as.text)
			assert.Equal(t, open, x.as.body["open_reads"])
			assert.Equal(t, false, x.as.body["admin"])
		}
		operator := s.browse(http.MethodGet, "/api/overview", s.signIn(admin), "")
		assert.Equal(t, []string{"crew", "other", "past"}, lines(t, operator))
		assert.Equal(t, true, operator.body["admin"])
		page := s.get("/api/overview?limit=2", admin)
		assert.Equal(t, []string{"crew", "other"}, lines(t, page))
		next, _ := page.body["next_cursor"].(string)
		assert.Equal(t, []string{"past"}, lines(t, s.get("/api/overview?limit=2&cursor="+next, admin)))
	}
}

func TestWhereReadingIsOpenASignedInBrowserIsKnownAllTheSame(t *testing.T) {
	o := listen(t, func(o *httpapi.Options) { o.OpenReads, o.Assets = true, "3fa9" })
	for _, x := range []struct {
		cookie string
		want   []string
	}{
		{"", []string{"read"}},
		{"atmcp_admin=gone", []string{"read"}},
		{o.signIn(o.mint("console", "nina")), []string{"read", "console"}},
		{o.signIn(admin), []string{"read", "console", "admin"}},
	} {
		line := o.stream("", http.Header{"Cookie": {x.cookie}})
		_, hello := line.until("hello")
		assert.Equal(t, x.want, hello.Scopes, x.cookie)
		assert.Equal(t, "3fa9", hello.Assets)
		line.close()
	}
}
