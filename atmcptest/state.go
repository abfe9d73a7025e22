package atmcptest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/atmcp/atmcp"
)

// stateOf reads what the team has now, through its own lists. Findings that
// were retracted stand in no list: those that the log tells of are looked up.
func stateOf(ctx context.Context, team *atmcp.Team, replayed state) (state, error) {
	s := make(state)
	for _, read := range []func(context.Context, *atmcp.Team, state) error{
		readAgents, readGoals, readTasks, readDirectives, readMemory,
	} {
		if err := read(ctx, team, s); err != nil {
			return nil, err
		}
	}
	return s, readKnowledge(ctx, team, replayed, s)
}

// put files one row of a list.
func (s state) put(kind atmcp.EntityType, id string, row any) error {
	raw, err := json.Marshal(row)
	if err != nil {
		return err
	}
	var e entity
	err = json.Unmarshal(raw, &e)
	s[keyOf(kind, id)] = e
	return err
}

func readAgents(ctx context.Context, team *atmcp.Team, s state) error {
	list, err := team.ListAgents(ctx, atmcp.ListAgentsRequest{Listing: atmcp.Listing{MaxBytes: 1 << 20}})
	for _, a := range list.Agents {
		if err == nil {
			err = s.put(atmcp.EntityAgent, string(a.AgentID), a)
		}
	}
	return err
}

func readGoals(ctx context.Context, team *atmcp.Team, s state) error {
	for cursor := ""; ; {
		list, err := team.ListGoals(ctx, atmcp.ListGoalsRequest{Listing: atmcp.Listing{Cursor: cursor}})
		if err != nil {
			return err
		}
		for _, g := range list.Goals {
			if err := s.put(atmcp.EntityGoal, string(g.GoalID), g); err != nil {
				return err
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			return nil
		}
	}
}

func readTasks(ctx context.Context, team *atmcp.Team, s state) error {
	for cursor := ""; ; {
		list, err := team.ListTasks(ctx, atmcp.ListTasksRequest{Listing: atmcp.Listing{Cursor: cursor}, Limit: 500})
		if err != nil {
			return err
		}
		for _, x := range list.Tasks {
			if err := s.put(atmcp.EntityTask, string(x.TaskID), x); err != nil {
				return err
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			return nil
		}
	}
}

// checkCounters compares the team's status with a count of its lists.
func checkCounters(ctx context.Context, team *atmcp.Team, now state) error {
	status, err := team.Status(ctx)
	if err != nil {
		return err
	}
	byStatus := make(map[atmcp.TaskStatus]int)
	var weight, done int64
	for k, e := range now {
		if !strings.HasPrefix(k, string(atmcp.EntityTask)+" ") {
			continue
		}
		var x atmcp.Task
		raw, err := json.Marshal(e)
		if err == nil {
			err = json.Unmarshal(raw, &x)
		}
		if err != nil {
			return err
		}
		byStatus[x.Status]++
		if x.Status != atmcp.TaskCancelled {
			weight += int64(x.Weight)
		}
		if x.Status == atmcp.TaskDone {
			done += int64(x.Weight)
		}
	}
	if !maps.Equal(byStatus, status.Tasks) || weight != status.TotalWeight || done != status.DoneWeight {
		return fmt.Errorf("status says %v, %d of %d done; the lists say %v, %d of %d", status.Tasks, status.DoneWeight, status.TotalWeight, byStatus, done, weight)
	}
	return nil
}

func readDirectives(ctx context.Context, team *atmcp.Team, s state) error {
	for cursor := ""; ; {
		list, err := team.ListDirectives(ctx, atmcp.ListDirectivesRequest{Listing: atmcp.Listing{Cursor: cursor}, Limit: 200})
		if err != nil {
			return err
		}
		for _, d := range list.Directives {
			whole, err := team.WaitDirective(ctx, atmcp.WaitDirectiveRequest{DirectiveID: d.DirectiveID})
			if err != nil {
				return err
			}
			if err := s.put(atmcp.EntityDirective, string(d.DirectiveID), whole.Directive); err != nil {
				return err
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			return nil
		}
	}
}

func readMemory(ctx context.Context, team *atmcp.Team, s state) error {
	for cursor := ""; ; {
		list, err := team.ListMemory(ctx, atmcp.ListMemoryRequest{Listing: atmcp.Listing{Cursor: cursor}})
		if err != nil {
			return err
		}
		for key, r := range list.Keys {
			if err := s.put(atmcp.EntityMemory, key, atmcp.GetMemoryResult{Key: key, Register: r}); err != nil {
				return err
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			return nil
		}
	}
}

func readKnowledge(ctx context.Context, team *atmcp.Team, replayed, s state) error {
	for k := range replayed {
		id, ok := strings.CutPrefix(k, string(atmcp.EntityKnowledge)+" ")
		if !ok {
			continue
		}
		f, err := team.Finding(ctx, atmcp.ContentID(id))
		if err != nil {
			return err
		}
		if err := s.put(atmcp.EntityKnowledge, id, f); err != nil {
			return err
		}
	}
	return nil
}
