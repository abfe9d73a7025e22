package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canned is a server that answers by a list, and remembers what it was asked.
type canned struct {
	*world

	answers map[string]string // by method and path below the team
	next    func() string     // what it answers next, whatever it is asked
	asked   []string
}

func newCanned(t *testing.T, answers map[string]string) *canned {
	t.Helper()
	c := &canned{answers: answers}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sent map[string]any
		if json.Unmarshal(body, &sent) == nil {
			assert.NotEmpty(t, sent["idem_key"], "%s %s can be repeated", r.Method, r.URL.Path)
			delete(sent, "idem_key")
			body, _ = json.Marshal(sent)
		}
		if r.URL.Path == "/api/whoami" { // a server that does not say
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"detail":"Not Found"}`)
			return
		}
		at := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/api/teams/crew/")
		c.asked = append(c.asked, strings.TrimSpace(at+" "+string(body)))
		path, _, _ := strings.Cut(at, "?")
		answer, ok := c.answers[path]
		if c.next != nil {
			answer, ok = c.next(), true
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"detail":"Not Found"}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	c.world = &world{T: t, server: server, env: map[string]string{"ATMCP_URL": server.URL, "ATMCP_TEAM": "crew", "ATMCP_TOKEN": "t"}}
	return c
}

func TestRegistersAreWrittenAsTheyAreGiven(t *testing.T) {
	t.Parallel()
	c := newCanned(t, map[string]string{"POST memory/k": `{"ok":true,"key":"k","version":3}`, "POST memory/a%2Fb": `{"ok":true,"key":"a/b","version":1}`})
	for line, want := range map[string]string{
		`memory set k dev`:                  `POST memory/k {"value":"dev"}`,
		`memory set k 5 --if-version 0`:     `POST memory/k {"expected_version":0,"value":5}`,
		`memory set k 5 --text`:             `POST memory/k {"value":"5"}`,
		`memory set k {"a":1}`:              `POST memory/k {"value":{"a":1}}`,
		`memory set k [1,null] --name nina`: `POST memory/k {"console":"nina","value":[1,null]}`,
		`memory set a/b two words`:          `POST memory/a%2Fb {"value":"two words"}`,
	} {
		c.asked = nil
		out := c.good(strings.Fields(line)...)
		assert.Equal(t, []string{want}, c.asked, line)
		assert.Contains(t, out, " is at version ")
	}
	assert.Equal(t, "3\n", c.good("memory", "set", "k", "1", "-q"))
}

func TestAConflictTellsTheVersionThatThereIs(t *testing.T) {
	t.Parallel()
	refusal := `{"ok":false,"error":"conflict","conflict":true,"key":"k","current_value":"main","current_version":7,"current_writer":"w","hint":"merge"}`
	c := newCanned(t, map[string]string{"POST memory/k": refusal})
	r := c.run("memory", "set", "k", "dev", "--if-version", "3")
	assert.Equal(t, result{exitConflict, "", "atmcp: it is at version 7: merge your change into that, and set it with --if-version 7\n"}, r)
	r = c.run("memory", "set", "k", "dev", "--if-version", "3", "--json")
	assert.Equal(t, exitConflict, r.code)
	assert.JSONEq(t, refusal, r.out)
}

func TestVersionsAreComparedLineByLine(t *testing.T) {
	t.Parallel()
	c := newCanned(t, map[string]string{"GET memory/k/diff": `{"ok":true,"key":"k","from":{"version":1},"to":{"version":2},"equal":false,"added":1,"removed":1,
		"hunks":[{"from_line":1,"from_lines":2,"to_line":1,"to_lines":2,"lines":[{"op":" ","text":"{"},{"op":"-","text":"  \"a\": \"\u001b[2J1\""},{"op":"+","text":"  \"a\": \"ü\""}]}]}`})
	assert.Equal(t, "--- k version 1\n+++ k version 2\n@@ -1,2 +1,2 @@\n {\n-  \"a\": \"1\"\n+  \"a\": \"ü\"\n", c.good("memory", "diff", "k", "1", "2"))
	assert.Equal(t, []string{"GET memory/k/diff?from=1&to=2"}, c.asked)
	c.env["CLICOLOR_FORCE"] = "1"
	assert.Contains(t, c.good("memory", "diff", "k"), "\x1b[32m+  \"a\": \"ü\"\x1b[0m")
	assert.Equal(t, exitUsage, c.run("memory", "diff", "k", "first").code)
	assert.Contains(t, c.good("memory", "diff", "k", "--json"), `"hunks"`)
}

func TestFindingsAreSharedAndTakenBack(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 32)
	c := newCanned(t, map[string]string{
		"POST knowledge": `{"ok":true,"content_id":"` + id + `","deduped":false}`, "POST knowledge/" + id + "/retract": `{"ok":true}`,
		"GET knowledge": `{"ok":true,"count":2,"items":[{"content_id":"` + id + `"},{"content_id":"abcd` + id[4:] + `"}]}`,
	})
	assert.Equal(t, "finding "+id+" is shared\n", c.good("knowledge", "post", "a title", "a", "body", "--tag", "x,y"))
	assert.Equal(t, exitUsage, c.run("knowledge", "post", "a title").code, "a finding has a body")
	r := c.runWith(t.Context(), "from a pipe\n", "knowledge", "post", "a title", "-q")
	assert.Equal(t, result{0, id + "\n", ""}, r)
	assert.Equal(t, []string{
		`POST knowledge {"body":"a body","tags":["x","y"],"title":"a title"}`,
		`POST knowledge {"body":"from a pipe","tags":[],"title":"a title"}`,
	}, c.asked)
	c.good("knowledge", "retract", "ababab")
	assert.Equal(t, `POST knowledge/`+id+`/retract {}`, c.asked[len(c.asked)-1])
	assert.Equal(t, exitOK, c.run("knowledge", "retract", id).code)
}

func TestTheStatusSaysWhoNeedsSomebodyAndWhatToType(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"GET status":    `{"ok":true,"agents_total":1,"agents_online":1,"tasks":{"open":2,"failed":1},"goals":[],"head_event_id":9}`,
		"GET agents":    `{"ok":true,"count":1,"agents":[{"agent_id":"A","display_name":"bob","presence":"healthy","last_seen":1}]}`,
		"GET tasks":     `{"ok":true,"count":0,"tasks":[]}`,
		"GET attention": `{"ok":true,"count":3,"more":1,"items":[{"id":"directive_failed:directive/D","rule":"directive_failed","severity":"high","entity":"directive/D","number":"#91","title":"run\u001b[2J it","agent_name":"bob","detail":"exit 2","since":946684800000},{"rule":"agents_idle","severity":"low","entity":"team","count":4,"since":946684800000},{"rule":"dependency_dead","severity":"high","entity":"task/T","number":"#7","others":["#3"],"since":946684800000}]}`,
	}
	c := newCanned(t, answers)
	assert.Equal(t, `crew  1/1 agents  0% done  open 2  active 0  blocked 0  done 0  failed 1  head 9

NEEDS ATTENTION
  directive #91 run it → bob  directive failed: exit 2       2000-01-01T00:00:00Z  atmcp logs 91
  team                        4 tasks ready, nobody at work  2000-01-01T00:00:00Z  atmcp tasks
  task #7                     dependency dead: #3            2000-01-01T00:00:00Z  atmcp task show 7
  and 1 more

AGENT  STATE    TASK  LEASE  SEEN                  CLIENT  STATUS
bob    healthy  -     -      1970-01-01T00:00:00Z  -       -
`, c.good("status"))
	r := c.run("status", "--fields", "tasks")
	assert.Equal(t, exitUsage, r.code, "what it cannot do is not passed over in silence")
	assert.Contains(t, r.err, "atmcp status --json --fields tasks")
	delete(answers, "GET attention") // a server from before there was that
	assert.NotContains(t, c.good("status"), "ATTENTION")
	require.Equal(t, exitError, c.run("memory", "diff", "k").code)
}
