package arrival_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
)

func TestWhatAClientShowsIsJudged(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		header http.Header
		name   string
		want   arrival.Problem
	}{
		{http.Header{}, "alice", arrival.NoToken},
		{http.Header{"Authorization": {""}}, "alice", arrival.EmptyToken},
		{http.Header{"Authorization": {"Bearer "}}, "alice", arrival.EmptyToken},
		{http.Header{"Authorization": {"Bearer ${ATMCP_TOKEN}"}}, "alice", arrival.NotExpanded},
		{http.Header{"Authorization": {"Bearer {env:ATMCP_TOKEN}"}}, "alice", arrival.NotExpanded},
		{http.Header{"Authorization": {"Bearer <token>"}}, "alice", arrival.NotExpanded},
		{http.Header{"Authorization": {"Bearer good"}}, "${ATMCP_NAME}", arrival.NotExpanded},
		{http.Header{"Authorization": {"Bearer good"}}, "alice", ""},
		{http.Header{"X-Atmcp-Token": {"good"}}, "alice", ""},
	} {
		got := arrival.Shown(x.header, x.name)
		assert.Equal(t, x.want, got, "%v", x)
		assert.Equal(t, x.want == "", got.Hint() == "")
	}
}

func TestHowFarAnAgentGotIsToldToItsTeamAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := arrival.New()
		r := &http.Request{RemoteAddr: "10.0.0.7:4711"}
		log.Failed(r, "alice", arrival.EmptyToken)
		failed := time.Now()
		time.Sleep(time.Second)
		log.Accepted("crew", "alice", false)
		accepted := time.Now()
		time.Sleep(time.Second)
		log.Accepted("crew", "alice", true)
		want := arrival.Seen{Accepted: time.Now(), Fetched: time.Now(), Failed: arrival.Attempt{At: failed, Problem: arrival.EmptyToken, From: "10.0.0.7"}}
		assert.Equal(t, want, log.Of("crew", "alice"))
		assert.True(t, want.Accepted.After(accepted))
		assert.Equal(t, arrival.Seen{Failed: want.Failed}, log.Of("others", "alice"))
		assert.Zero(t, log.Of("crew", "bob"))
		log.Failed(r, "", arrival.NoToken)
		assert.Equal(t, arrival.NoToken, log.Of("crew", "bob").Failed.Problem, "it may have been anybody")
	})
}

func TestTheLogIsBoundedAndForgetsTheOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := arrival.New()
		for i := range 2001 {
			log.Failed(nil, fmt.Sprint("agent ", i), arrival.BadToken)
			log.Accepted(atmcp.TeamID("crew"), fmt.Sprint("agent ", i), false)
			time.Sleep(time.Millisecond)
		}
		assert.Zero(t, log.Of("crew", "agent 0"))
		assert.NotZero(t, log.Of("crew", "agent 1").Failed.At)
		assert.NotZero(t, log.Of("crew", "agent 2000").Accepted)
	})
	var none *arrival.Log
	none.Failed(nil, "alice", arrival.BadToken)
	none.Accepted("crew", "alice", true)
	assert.Zero(t, none.Of("crew", "alice"))
}
