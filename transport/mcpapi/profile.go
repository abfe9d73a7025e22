package mcpapi

import (
	"cmp"
	"fmt"
	"slices"
)

// Profile is a selection of tools: a shorter list leaves a model more room.
type Profile string

// The profiles.
const (
	ProfileAll     Profile = ""        // every tool
	ProfileWorker  Profile = "worker"  // take tasks and directives, share what was learned
	ProfileConsole Profile = "console" // watch the team and direct it
)

func profiles() []Profile { return []Profile{ProfileAll, ProfileWorker, ProfileConsole} }

// members are the tools of a profile, nil for all.
func (p Profile) members() ([]string, error) {
	switch p {
	case ProfileAll:
		return nil, nil
	case ProfileWorker:
		return []string{
			"join_team", "heartbeat", "wait", "claim_next_task", "update_task_progress", "complete_task", "fail_task",
			"inbox", "claim_directive", "report_directive", "post_knowledge", "search_knowledge", "set_memory", "get_memory",
		}, nil
	case ProfileConsole:
		return []string{
			"join_team", "wait", "list_agents", "get_team_status", "sync", "create_goal", "create_task", "list_tasks",
			"send_directive", "wait_directive", "cancel_directive", "list_directives", "get_agent_output",
			"search_knowledge", "get_memory",
		}, nil
	default:
		return nil, fmt.Errorf("mcpapi: there is no profile %q", p)
	}
}

// toolsOf returns the tools of a profile by name.
func toolsOf(p Profile) ([]*tool, error) {
	names, err := p.members()
	if err != nil {
		return nil, err
	}
	var chosen []*tool
	for _, t := range allTools() {
		if names == nil || slices.Contains(names, t.name) {
			chosen = append(chosen, &t)
		}
	}
	slices.SortFunc(chosen, func(a, b *tool) int { return cmp.Compare(a.name, b.name) })
	return chosen, nil
}

// allTools is the table. Every tool is an entry of one of its parts.
func allTools() []tool {
	return slices.Concat(memberTools(), feedTools(), taskTools(), directiveTools(), knowledgeTools(), memoryTools())
}
