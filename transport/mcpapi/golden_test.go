package mcpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

var update = flag.Bool("update", false, "write the golden files and docs/wire.md anew")

// golden is one call in a golden file. What differs from run to run stands as a
// placeholder.
type golden struct {
	Case   string          `json:"case"`
	Args   json.RawMessage `json:"arguments"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"` // the text of a reply with isError
}

// script is a scripted conversation about one tool. Its agents are ann, bob and
// whoever else a call names; their ids are their names.
type script struct {
	*bubble

	tool  string
	cases []golden
	names map[string]string // placeholders of ids, by id
}

// as returns the headers by which somebody calls; nobody has none.
func (s *script) as(who string) http.Header {
	if who == "" {
		return http.Header{}
	}
	return s.bubble.as(who)
}

// call makes a call that is not shown.
func (s *script) call(who, name string, a args) reply { return s.callWith(s.as(who), name, a) }

func (s *script) callWith(h http.Header, name string, a args) reply {
	s.t.Helper()
	c, done := s.startWith(s.t.Context(), h, rawCall(s.t, name, a))
	<-done
	return replyOf(s.t, c.got())
}

// show makes a call of the script's tool that stands in the golden file.
func (s *script) show(label, who string, a args) reply { return s.showWith(label, s.as(who), a) }

func (s *script) showWith(label string, h http.Header, a args) reply {
	s.t.Helper()
	if a == nil {
		a = args{}
	}
	r := s.callWith(h, s.tool, a)
	raw, err := json.Marshal(a)
	require.NoError(s.t, err)
	g := golden{Case: label, Args: json.RawMessage(s.stable(string(raw)))}
	if r.IsError {
		g.Error = s.stable(r.Text)
	} else {
		g.Result = json.RawMessage(s.stable(r.Text))
		require.True(s.t, json.Valid(g.Result), "%s", g.Result)
	}
	s.cases = append(s.cases, g)
	return r
}

// made makes something and returns the id of it.
func (s *script) made(who, name, id string, a args) string {
	s.t.Helper()
	r := s.call(who, name, a)
	require.Equal(s.t, true, r.JSON["ok"], r.Text)
	return r.text(s.t, id)
}

// claimed makes a task and claims it for somebody.
func (s *script) claimed(who string, a args) (task string, token any) {
	s.t.Helper()
	task = s.made("ann", "create_task", "task_id", a)
	r := s.call(who, "claim_task", args{"task_id": task})
	require.Equal(s.t, true, r.JSON["ok"], r.Text)
	return task, r.JSON["fencing_token"]
}

var (
	ulids  = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}`)
	tokens = regexp.MustCompile(`(atm_[a-z]+_|atmh_)[0-9A-Za-z_-]{20,}`)
	hashes = regexp.MustCompile(`"(hash)":"[0-9a-f]{64}"`)
	cursor = regexp.MustCompile(`"((?:next_)?cursor)":"[0-9A-Za-z_-]{32,}"`)
	times  = regexp.MustCompile(`\b9466\d{8}(\d{1})?\b`)
)

// stable replaces what is random, and cuts times to the second: they are those of
// the bubble.
func (s *script) stable(text string) string {
	text = tokens.ReplaceAllString(text, "${1}…")
	text = hashes.ReplaceAllString(text, `"$1":"…"`)
	text = cursor.ReplaceAllString(text, `"$1":"…"`)
	text = times.ReplaceAllStringFunc(text, func(ms string) string {
		n, err := strconv.ParseInt(ms, 10, 64)
		require.NoError(s.t, err)
		return strconv.FormatInt(n-n%1000, 10)
	})
	return ulids.ReplaceAllStringFunc(text, func(id string) string {
		if s.names[id] == "" {
			s.names[id] = "ID" + strconv.Itoa(len(s.names)+1)
		}
		return s.names[id]
	})
}

// play runs a script in a bubble of its own and returns what it shows.
func play(t *testing.T, tool string, run func(s *script)) (cases []golden) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), TaskMaxAttempts: 2, MaxRegisters: 3})
		require.NoError(t, err)
		defer func() { require.NoError(t, hub.Close()) }()
		made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
		require.NoError(t, err)
		team, err := hub.Team(t.Context(), "crew")
		require.NoError(t, err)
		for _, name := range []string{"ann", "bob"} {
			_, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: name, AgentID: atmcp.AgentID(name)})
			require.NoError(t, err)
		}
		h, err := mcpapi.New(hub, mcpapi.Options{})
		require.NoError(t, err)
		s := &script{
			bubble: &bubble{stand: &stand{hub: hub, team: team, join: made.JoinToken}, t: t, handler: h},
			tool:   tool, names: make(map[string]string),
		}
		run(s)
		cases = s.cases
	})
	return cases
}

func goldenFile(tool string) string { return filepath.Join("testdata", "golden", tool+".json") }

func indented(tb testing.TB, v any) []byte {
	tb.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(tb, enc.Encode(v))
	return b.Bytes()
}

func TestRepliesAreAsTheGoldenFilesSay(t *testing.T) {
	all := scripts()
	tools, _ := newStand(t).list(t, "/mcp", nil)
	for _, tool := range tools {
		run, ok := all[tool.Name]
		if !assert.True(t, ok, "%s has no script", tool.Name) {
			continue
		}
		t.Run(tool.Name, func(t *testing.T) {
			got := indented(t, play(t, tool.Name, run))
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(goldenFile(tool.Name)), 0o750))
				require.NoError(t, os.WriteFile(goldenFile(tool.Name), got, 0o600))
				return
			}
			want, err := os.ReadFile(goldenFile(tool.Name))
			require.NoError(t, err, "make it with go test ./transport/mcpapi -update")
			assert.Equal(t, string(want), string(got), "if this is meant, go test ./transport/mcpapi -update")
		})
	}
	files, err := filepath.Glob(goldenFile("*"))
	require.NoError(t, err)
	assert.Len(t, files, len(tools), "one golden file a tool")
}

// notOverTools are refusals that no tool gives: of the operator's and the console's
// calls, of reads that are not tools, and of a full store, which tests elsewhere make.
var notOverTools = []string{
	"team_exists", "unknown_token", "rate_limited", "unknown_key", "dependency_cycle", "storage_full", "invalid", "not_held",
	"not_final",
}

func TestEveryRefusalStandsInAGoldenFile(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "outcome.go"))
	require.NoError(t, err)
	var all strings.Builder
	files, err := filepath.Glob(goldenFile("*"))
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(raw)
	}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(codes), 20)
	for _, code := range codes {
		if !slices.Contains(notOverTools, code[1]) {
			shown := strings.Contains(all.String(), `"error": "`+code[1]+`"`)
			assert.True(t, shown, "no golden file shows %s", code[1])
		}
	}
}

// tick lets time pass in the bubble.
func (s *script) tick(d time.Duration) { time.Sleep(d) }
