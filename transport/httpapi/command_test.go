package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// say sends a line of the console as the original's page does.
func (s *steered) say(line string) answer {
	s.t.Helper()
	body := fmt.Sprintf(`{"command":%q,"console":"desk","token":%q}`, line, s.crew.JoinToken)
	a := s.post("/api/teams/crew/console/command", "", body)
	require.Equal(s.t, 200, a.status, a.text)
	return a
}

func TestTheConsolesLinesAreTheOriginals(t *testing.T) {
	s := steer(t)
	_, err := s.alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "at work"})
	require.NoError(t, err)
	data := func(a answer, path ...any) any {
		t.Helper()
		require.Equal(t, true, a.body["ok"], a.text)
		return dig(t, a.body["data"], path...)
	}

	sent := s.say("/team send alice  write the  report")
	assert.Equal(t, "send", sent.body["kind"])
	id := data(sent, "directive_id")
	assert.Equal(t, "console:desk", *s.last().Actor)
	watched := s.say(fmt.Sprint("watch ", id))
	assert.Equal(t, "write the  report", data(watched, "instruction"))
	assert.Equal(t, "pending", data(watched, "status"))

	long := strings.Repeat("paint ", 60)
	assert.Equal(t, "dispatch", s.say("/dispatch " + long).body["kind"])
	assert.Equal(t, strings.TrimSpace(long), data(s.say("TODO"), "tasks", 0, "description"))

	assert.Equal(t, "at work", data(s.say("logs alice"), "chunks", 0, "text"))
	for _, word := range []string{"status", "list", "agents", "/team status"} {
		a := s.say(word)
		assert.Equal(t, "status", a.body["kind"])
		assert.Len(t, data(a, "agents"), 1)
	}
	assert.InDelta(t, 1, data(s.say("directives sent"), "count"), 0)
	assert.InDelta(t, 0, data(s.say("directives received"), "count"), 0)
	assert.Equal(t, "cancel", s.say(fmt.Sprint("cancel ", id)).body["kind"])
	assert.Equal(t, atmcp.EventDirectiveCanceled, s.last().Kind)
}

func TestAWrongLineSaysWhatToWrite(t *testing.T) {
	s := steer(t)
	before := s.last().EventID
	for line, want := range map[string][3]any{
		"":                  {true, "help", "dispatch <instruction>"},
		"/team":             {true, "help", "logs <agent>"},
		"?":                 {true, "help", "watch"},
		"/teamster":         {false, "unknown", "help shows"},
		"send alice":        {false, "usage", "send <agent> <instruction>"},
		"watch":             {false, "usage", "watch <directive_id>"},
		"send nobody do it": {false, "send", "unknown_agent: list_agents"},
		"watch #999":        {false, "watch", "unknown_directive"},
		"logs nobody":       {false, "logs", "unknown_agent"},
		"cancel #999":       {false, "cancel", "unknown_directive"},
		"send alice " + strings.Repeat("x", 70_000): {false, "send", "instruction"},
	} {
		a := s.say(line)
		assert.Equal(t, want[0], a.body["ok"], a.text)
		assert.Equal(t, want[1], a.body["kind"], a.text)
		assert.Contains(t, a.body["message"], want[2], a.text)
	}
	assert.Equal(t, before, s.last().EventID)
	assert.Equal(t, 403, s.post("/api/teams/crew/console/command", s.crew.DashboardToken, `{"command":"status"}`).status)
	assert.Equal(t, 401, s.post("/api/teams/crew/console/command", "", `{"command":"status"}`).status)
}
