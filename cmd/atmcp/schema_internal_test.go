package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// ask is what a route of the team answers.
func (w *world) ask(path string) map[string]any {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/api/teams/crew/"+path, nil)
	require.NoError(w, err)
	req.Header.Set("Authorization", "Bearer "+w.env["ATMCP_TOKEN"])
	res, err := http.DefaultClient.Do(req)
	require.NoError(w, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(w, err)
	var v map[string]any
	require.NoError(w, json.Unmarshal(body, &v), string(body))
	return v
}

func TestJSONIsWhatTheServerSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	w.good("goal", "add", "house")
	w.good("task", "add", "paint", "--goal", "2")
	w.good("send", "bob", "begin")
	id := work(t, bob)
	write(t, bob, "begun", id)
	report(t, bob, id, atmcp.DirectiveDone)
	found, err := bob.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "paint dries", Body: "in two days"})
	require.NoError(t, err)
	for _, value := range []string{`"red"`, `{"r":1}`} {
		_, err = bob.SetMemory(t.Context(), memory("colour", value))
		require.NoError(t, err)
	}
	for line, route := range map[string]string{
		"status": "status", "agents": "agents", "tasks": "tasks", "task show 3": "tasks/%233", "goals": "goals", "directives": "directives",
		"watch 4": "directives/%234", "output bob": "agents/bob/output", "knowledge search dries": "knowledge?query=dries",
		"knowledge show " + string(found.ContentID): "knowledge/" + string(found.ContentID),
		"memory list": "memory", "memory get colour": "memory/colour", "memory history colour": "memory/colour/history", "events": "events?since=0", "usage": "usage",
	} {
		got, want := w.decode(strings.Fields(line)...), w.ask(route)
		for _, clock := range []string{"now", "next_since", "next_before"} { // of the moment, and of the direction in which it was read
			delete(got, clock)
			delete(want, clock)
		}
		forgetAges(got)
		forgetAges(want)
		assert.Equal(t, want, got, "atmcp %s --json and GET %s", line, route)
	}
}

// forgetAges takes out when agents were last seen: every call is a sign of life.
func forgetAges(doc map[string]any) {
	agents, _ := doc["agents"].([]any)
	for _, x := range agents {
		if agent, ok := x.(map[string]any); ok {
			delete(agent, "last_seen")
		}
	}
}

func TestAListOfManyPagesIsOneDocument(t *testing.T) {
	t.Parallel()
	c := newCanned(t, nil)
	pages := []string{
		`{"ok":true,"count":2,"tasks":[{"task_id":"a","number":"#1"},{"task_id":"b","number":"#2"}],"next_cursor":"two"}`,
		`{"ok":true,"count":1,"tasks":[{"task_id":"c","number":"#3"}],"next_cursor":"three"}`,
		`{"ok":true,"count":1,"tasks":[{"task_id":"d","number":"#4"}]}`,
	}
	c.next = func() string { page := pages[0]; pages = pages[1:]; return page }
	doc := c.decode("tasks", "--limit", "0")
	assert.InDelta(t, 4, doc["count"], 0)
	assert.Len(t, doc["tasks"], 4)
	assert.NotContains(t, doc, "next_cursor")
	require.Len(t, c.asked, 3)
	assert.NotContains(t, c.asked[0], "cursor")
	assert.Contains(t, c.asked[1], "cursor=two")
	assert.Contains(t, c.asked[2], "cursor=three")

	c.asked, pages = nil, []string{`{"ok":true,"count":2,"tasks":[{"task_id":"a"},{"task_id":"b"}],"next_cursor":"two"}`}
	r := c.run("tasks", "--limit", "2", "--fields", "task_id", "--jsonl")
	assert.Equal(t, result{0, `{"task_id":"a"}` + "\n" + `{"task_id":"b"}` + "\n", "there are more: --limit 0 for all, or --cursor two\n"}, result{r.code, r.out, r.err})
	assert.Contains(t, c.asked[0], "limit=2")
}
