package atmcp

import "context"

// CreateTokenRequest asks for one token more.
type CreateTokenRequest struct {
	TeamName string `json:"team_name"`
	Role     Role   `json:"role"` // RoleJoin, RoleViewer, RoleConsole or RoleAgent
	// Name is the agent that an agent token is for, by id or name, and the name
	// under which a console acts. The others need none.
	Name string `json:"name,omitempty"`
}

// CreateTokenResult has the token, which is shown this once.
type CreateTokenResult struct {
	TeamID TeamID `json:"team_id"`
	Role   Role   `json:"role"`
	Token  string `json:"token"`
}

// CreateToken makes a token for a team, beside those it has: they stay good. An
// agent that has a token of its own is closed to the join token from then on.
func (h *Hub) CreateToken(ctx context.Context, req CreateTokenRequest) (CreateTokenResult, error) {
	switch req.Role {
	case RoleJoin, RoleViewer:
	case RoleConsole, RoleAgent:
		if err := validName("name", req.Name); err != nil {
			return CreateTokenResult{}, err
		}
	default:
		return CreateTokenResult{}, invalid("role", "is %q; give %q, %q, %q or %q", cutText(string(req.Role), maxName), RoleJoin, RoleViewer, RoleConsole, RoleAgent)
	}
	team, err := h.Team(ctx, req.TeamName)
	if err != nil {
		return CreateTokenResult{}, err
	}
	made := newToken(req.Role, team.ID())
	return update(ctx, team.state, actor{}, func(t *teamTx) (CreateTokenResult, error) {
		var agent AgentID
		name := req.Name
		if req.Role == RoleAgent {
			m, ok := t.agentRef(req.Name)
			if !ok {
				return CreateTokenResult{}, unknownAgent("agent", req.Name)
			}
			m.Tokens++
			save(t, keyMember(m.ID), m)
			agent, name = m.ID, m.Name
		}
		t.saveToken(made, agent, name)
		return CreateTokenResult{TeamID: team.ID(), Role: req.Role, Token: made.text}, nil
	})
}
