package httpapi

import (
	"cmp"
	"net/http"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
)

// connectRoutes help who connects a client.
func (s *server) connectRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/api/teams/{team}/connect", access: byReader, serve: s.guide},
		{method: http.MethodGet, path: "/api/teams/{team}/connect/{ref}", access: byReader, serve: s.arrival},
	}
}

// arrivalShown is how far an agent got that somebody connects: five marks, in the order
// in which they come.
type arrivalShown struct {
	Agent   string        `json:"agent"` // its name
	AgentID atmcp.AgentID `json:"agent_id,omitempty"`
	Now     int64         `json:"now"`
	Marks   []mark        `json:"marks"`
	Problem *problem      `json:"problem,omitempty"`
}

type mark struct {
	ID string `json:"id"` // reached, accepted, joined, heartbeat, inbox
	At *int64 `json:"at"` // null: not yet
}

// problem is the last attempt under the name that failed, if none succeeded since. Only
// those see it who steer: it has an address in it, and may be of another team.
type problem struct {
	At   int64           `json:"at"`
	Code arrival.Problem `json:"code"`
	From string          `json:"from,omitempty"`
	Hint string          `json:"hint"`
}

// arrival tells how far an agent got, by name, whether it is a member yet or not.
func (s *server) arrival(c *call) error {
	return answer(c, c.r.PathValue("ref"), func(c *call, ref string) (shown arrivalShown, err error) {
		shown.Agent, shown.Now = ref, time.Now().UnixMilli()
		var joined, beat int64
		switch member, err := c.team.AgentRef(c.ctx(), ref); {
		case err == nil:
			shown.Agent, shown.AgentID, joined = member.DisplayName, member.AgentID, member.JoinedAt
			if member.Presence != atmcp.PresenceOffline {
				beat = member.LastSeen
			}
		case atmcp.CodeOf(err) != atmcp.CodeUnknownAgent:
			return shown, err
		}
		seen := s.opt.Arrivals.Of(c.team.ID(), shown.Agent)
		accepted := cmp.Or(millis(seen.Accepted), beat, joined)
		steers := s.opt.OpenReads || byConsole.serves(c.who.Role)
		reached := accepted
		if failed := seen.Failed; steers && failed.At.After(seen.Accepted) && !failed.At.IsZero() {
			reached = failed.At.UnixMilli()
			shown.Problem = &problem{reached, failed.Problem, failed.From, failed.Problem.Hint()}
		}
		for _, m := range []struct {
			id string
			at int64
		}{{"reached", reached}, {"accepted", accepted}, {"joined", joined}, {"heartbeat", beat}, {"inbox", millis(seen.Fetched)}} {
			shown.Marks = append(shown.Marks, mark{m.id, optional(m.at)})
		}
		return shown, nil
	})
}

// millis is a time in milliseconds, 0 for never.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func optional(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}
