package atmcp

import (
	"context"
	"slices"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// WaitDirectiveRequest asks how a directive ends.
type WaitDirectiveRequest struct {
	DirectiveID DirectiveID   `json:"directive_id"`
	Wait        time.Duration `json:"-"` // how long to wait while it is not final
}

// WaitDirectiveResult has the directive as it is, final or not.
type WaitDirectiveResult struct {
	Final     bool            `json:"final"`
	Directive DirectiveDetail `json:"directive"`
}

// WaitDirective returns a directive, and waits until it is final if asked to.
// Nothing else ends the wait: not a claim, and not what others do. Any member may
// wait for any directive. The refusal is [CodeUnknownDirective].
func (t *Team) WaitDirective(ctx context.Context, req WaitDirectiveRequest) (WaitDirectiveResult, error) {
	return t.waitDirective(ctx, req, nil)
}

// WaitDirective is [Team.WaitDirective]; a waiting agent stays present.
func (a *Agent) WaitDirective(ctx context.Context, req WaitDirectiveRequest) (WaitDirectiveResult, error) {
	a.alive(ctx)
	return a.waitDirective(ctx, req, a)
}

func (t *Team) waitDirective(ctx context.Context, req WaitDirectiveRequest, who *Agent) (res WaitDirectiveResult, err error) {
	id, err := view(ctx, t.state, func(tx *teamTx) (DirectiveID, error) {
		x, err := tx.directive(req.DirectiveID)
		if err != nil {
			return "", err
		}
		return x.id, nil
	})
	if err != nil {
		return res, err
	}
	w := waiting{who: who, upTo: req.Wait, topics: []string{topicDirective(t.state.id, id)}}
	err = t.await(ctx, w, func() (bool, error) {
		res, err = view(ctx, t.state, func(tx *teamTx) (WaitDirectiveResult, error) {
			x, err := tx.directive(id)
			if err != nil {
				return WaitDirectiveResult{}, err
			}
			return WaitDirectiveResult{Final: x.Status.final(), Directive: tx.detailOf(x)}, nil
		})
		return res.Final, err
	})
	return res, err
}

// The roles of ListDirectivesRequest.
const (
	DirectivesSent     = "sent"
	DirectivesReceived = "received"
)

// ListDirectivesRequest selects directives.
type ListDirectivesRequest struct {
	Listing

	// Role selects what the caller sent or received; anything else is the whole team.
	Role   string          `json:"role,omitempty"`
	Status DirectiveStatus `json:"status,omitempty"`
	// Agent selects those of this member, by id or name, in place of the caller's:
	// what it received, unless Role says sent.
	Agent string `json:"agent,omitempty"`
	Limit int    `json:"limit,omitempty"` // 50 by default, 300 at most
}

// ListDirectivesResult has directives, the newest first.
type ListDirectivesResult struct {
	Count      int         `json:"count"`
	Directives []Directive `json:"directives"`
	NextCursor string      `json:"next_cursor,omitempty"` // set when there are more
}

// ListDirectives returns a page of the agent's directives or of the team's. It
// costs what it returns, however long the history is.
func (a *Agent) ListDirectives(ctx context.Context, req ListDirectivesRequest) (ListDirectivesResult, error) {
	a.alive(ctx)
	return a.listDirectives(ctx, req, string(a.id))
}

// ListDirectives returns a page of the team's directives. A team has sent and
// received none itself: without an agent a role selects nothing here.
func (t *Team) ListDirectives(ctx context.Context, req ListDirectivesRequest) (ListDirectivesResult, error) {
	return t.listDirectives(ctx, req, "")
}

// listDirectives lists for a caller, an agent's id or "console:<name>".
func (t *Team) listDirectives(ctx context.Context, req ListDirectivesRequest, caller string) (ListDirectivesResult, error) {
	after, err := parseCursor(req.Cursor, func(r *keyspace.Reader) { r.Desc(); r.Str() })
	if err != nil {
		return ListDirectivesResult{}, err
	}
	return view(ctx, t.state, func(tx *teamTx) (ListDirectivesResult, error) {
		res := ListDirectivesResult{Directives: []Directive{}}
		page := newPage(req.Listing, clampLimit(req.Limit, 50, 300))
		if req.Agent != "" {
			m, ok := tx.agentRef(req.Agent)
			if !ok {
				return res, unknownAgent("agent", req.Agent)
			}
			caller = string(m.ID)
			if req.Role != DirectivesSent {
				req.Role = DirectivesReceived
			}
		}
		list := req.place(caller)
		r := keyspace.Range(list, 0)
		if after != nil {
			r = keyspace.RangeFrom(list, append(slices.Clip(list), after...), 0)
		}
		var last keyspace.Key
		for k := range tx.keys(r) {
			at := keyspace.Parse(append(keyspace.Table(tableDirOrder), k[len(list):]...))
			at.Desc()
			x, err := tx.directive(DirectiveID(at.Str()))
			if err != nil {
				return ListDirectivesResult{}, err
			}
			row := tx.publicDirective(x)
			if !page.take(row, row.Brief()) {
				res.NextCursor = cursorText(last)
				break
			}
			res.Directives, last = append(res.Directives, row), k[len(list):]
		}
		res.Count = len(res.Directives)
		return res, nil
	})
}

// place is where the selected directives stand. A status that does not exist
// selects nothing, as in the original.
func (r ListDirectivesRequest) place(caller string) keyspace.Key {
	r.Status = DirectiveStatus(cutText(string(r.Status), maxName)) // a key holds no more
	switch r.Role {
	case DirectivesSent:
		return keyDirectives(listSent, caller, r.Status)
	case DirectivesReceived:
		return keyDirectives(listReceived, caller, r.Status)
	default:
		return keyDirectives(listTeam, "", r.Status)
	}
}
