package main

import "testing"

func TestGoldenWritesOfAConsole(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	for _, line := range []string{
		"memory set branch dev", "memory set branch main --if-version 1", "memory set branch x --if-version 1", "memory set branch x --if-version 1 --json --fields current_version",
		"memory set flags [1,2] -q", "memory set flags [1,3]", "memory diff flags", "memory diff flags 0 1", "memory diff flags --json --fields key,equal", "memory diff flags 1 9", "memory diff none", "memory set new x --if-version 3",
		`knowledge post "paint dries" in two days --tag paint`, `knowledge post "paint dries" in two days --tag paint`, "knowledge search paint", "memory list", "events --kind knowledge_added", "events --kind none_of_these", "events --since 99",
		"task add first", "task add second --after 7", "task cancel 7", "status",
	} {
		s.on(line)
	}
	s.compare("writes")
}
