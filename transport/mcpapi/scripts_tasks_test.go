package mcpapi_test

func taskScripts() map[string]func(*script) {
	return map[string]func(*script){
		"create_goal": createGoal, "create_task": createTask, "claim_task": claimTask, "claim_next_task": claimNextTask,
		"update_task_progress": updateTaskProgress, "complete_task": completeTask, "fail_task": failTask,
		"release_task": releaseTask, "list_tasks": listTasks,
	}
}

func createGoal(s *script) {
	s.show("made", "ann", args{"title": "ship it", "description": "by Friday"})
	s.show("wrong arguments", "ann", args{"title": ""})
}

func createTask(s *script) {
	first := s.show("made", "ann", args{"title": "write the parser", "priority": 5})
	s.show("that waits for another", "ann", args{
		"title": "test the parser", "depends_on": []any{first.JSON["task_id"]}, "required_capabilities": []string{"go"},
		"weight": 2, "lease_ttl_s": 600, "parent_id": first.JSON["number"],
	})
	s.show("unknown_dependency", "ann", args{"title": "x", "depends_on": []string{"nonsense"}})
	s.show("unknown_goal", "ann", args{"title": "x", "goal_id": "nonsense"})
	s.show("unknown_task", "ann", args{"title": "x", "parent_id": "#999"})
	s.show("wrong arguments", "ann", args{"priority": "high", "depends_on": "first", "lease_ttl_s": 0.5})
	s.show("a term that no lease has", "ann", args{"title": "x", "lease_ttl_s": -5})
	s.show("an argument that is not known", "ann", args{"title": "x", "prioritiy": 3})
}

func claimTask(s *script) {
	first := s.made("ann", "create_task", "task_id", args{"title": "write the parser"})
	s.show("claimed", "bob", args{"task_id": first})
	s.show("not_open", "ann", args{"task_id": first})
	second := s.made("ann", "create_task", "task_id", args{"title": "test it", "depends_on": []string{first}})
	s.show("deps_unmet", "bob", args{"task_id": second})
	s.show("unknown_task", "bob", args{"task_id": "nonsense"})
	able := s.made("ann", "create_task", "task_id", args{"title": "draw it", "required_capabilities": []string{"svg"}})
	s.show("forbidden", "bob", args{"task_id": able})
}

func claimNextTask(s *script) {
	first := s.made("ann", "create_task", "task_id", args{"title": "write the parser"})
	s.made("ann", "create_task", "task_id", args{"title": "test it", "depends_on": []string{first}})
	s.made("ann", "create_task", "task_id", args{"title": "draw it", "required_capabilities": []string{"svg"}})
	got := s.show("claimed", "bob", nil)
	s.show("none", "bob", args{"wait_ms": 100})
	token := got.JSON["fencing_token"]
	s.call("bob", "update_task_progress", args{"task_id": first, "fencing_token": token, "checkpoint": "lexer is done"})
	s.call("bob", "fail_task", args{"task_id": first, "fencing_token": token, "error": "out of time", "retry_after_s": 0})
	s.show("where another stopped", "ann", nil)
}

func updateTaskProgress(s *script) {
	task, token := s.claimed("bob", args{"title": "write the parser", "lease_ttl_s": 5})
	s.show("noted, lease renewed", "bob", args{"task_id": task, "fencing_token": token, "progress_pct": 40, "note": "lexer is done"})
	s.show("blocked", "bob", args{"task_id": task, "fencing_token": token, "status": "blocked"})
	s.show("stale_token: another holder", "ann", args{"task_id": task, "fencing_token": token})
	s.lapse()
	s.show("stale_token: the lease has lapsed", "bob", args{"task_id": task, "fencing_token": token})
	s.show("unknown_task", "bob", args{"task_id": "nonsense", "fencing_token": 1})
	s.show("wrong arguments", "bob", args{"task_id": task, "fencing_token": -1})
}

func completeTask(s *script) {
	task, token := s.claimed("bob", args{"title": "write the parser"})
	s.made("ann", "create_task", "task_id", args{"title": "test it", "depends_on": []string{task}})
	s.show("stale_token", "bob", args{"task_id": task, "fencing_token": 999})
	s.show("done", "bob", args{"task_id": task, "fencing_token": token, "result_summary": "in parse.go"})
	s.show("already_final", "bob", args{"task_id": task, "fencing_token": token})
	s.show("unknown_task", "bob", args{"task_id": "#999", "fencing_token": 1})
	other, token := s.claimed("bob", args{"title": "another"})
	s.cancelTask(other)
	s.show("cancelled meanwhile", "bob", args{"task_id": other, "fencing_token": token})
}

func failTask(s *script) {
	task, token := s.claimed("bob", args{"title": "write the parser"})
	s.show("to be tried again", "bob", args{"task_id": task, "fencing_token": token, "error": "no disk"})
	s.show("stale_token", "bob", args{"task_id": task, "fencing_token": token})
	task, token = s.claimed("bob", args{"title": "write the lexer"})
	s.show("dead", "bob", args{"task_id": task, "fencing_token": token, "error": "no such grammar", "retryable": false})
	s.show("unknown_task", "bob", args{"task_id": "nonsense", "fencing_token": 1})
	s.show("wrong arguments", "bob", args{"task_id": task, "fencing_token": token, "retryable": "no", "retry_after_s": -1})
}

func releaseTask(s *script) {
	task, token := s.claimed("bob", args{"title": "write the parser"})
	s.show("given back", "bob", args{"task_id": task, "fencing_token": token})
	s.show("stale_token", "bob", args{"task_id": task, "fencing_token": token})
	s.show("unknown_task", "bob", args{"task_id": "nonsense", "fencing_token": 1})
}

func listTasks(s *script) {
	s.claimed("bob", args{"title": "write the parser", "description": "a small one"})
	s.made("ann", "create_task", "task_id", args{"title": "test it", "priority": 1})
	s.show("all", "ann", nil)
	page := s.show("brief, a page", "ann", args{"view": "brief", "limit": 1})
	s.show("brief, the next page", "ann", args{"view": "brief", "limit": 1, "cursor": page.JSON["next_cursor"]})
	s.show("of one agent", "ann", args{"view": "brief", "assignee": "bob", "status": "claimed"})
	s.show("wrong arguments", "ann", args{"status": 1, "cursor": "nonsense"})
}
