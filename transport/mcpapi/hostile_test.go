package mcpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kindOf is the type of an argument in its schema; "any" where it has none.
func kindOf(t *testing.T, schema json.RawMessage) string {
	t.Helper()
	var p struct{ Type string }
	require.NoError(t, json.Unmarshal(schema, &p))
	if p.Type == "" {
		return "any"
	}
	return p.Type
}

// wrongTypes are values that an argument of a kind must refuse.
var wrongTypes = map[string][]any{
	"string":  {5, true, []string{"x"}, args{"x": 1}},
	"integer": {"x", "5", 1.5, true, []int{1}, args{}, json.RawMessage("1e400"), json.RawMessage("99999999999999999999")},
	"boolean": {"yes", "true", 1, []bool{true}},
	"array":   {7, true, args{"a": 1}, "a, b", []any{1}, []any{nil}},
	"object":  {7, false, []int{1}, "text", "[1]"},
}

// hostile are values that some parser, shell, path or terminal has stumbled over.
func hostile() []any {
	deep := any("x")
	for range 30 {
		deep = []any{deep}
	}
	list := make([]string, 5000)
	for i := range list {
		list[i] = fmt.Sprintf("item %d", i)
	}
	return []any{
		"", " ", "\x00", "a\x00b", "null", "[1]", "{}", "\"", "../../etc/passwd", "${HOME}", "$(id)", "'; DROP TABLE teams; --",
		"<script>alert(1)</script>", "\u202egnp.exe", "\x1b[2J\x1b]0;x\x07", "#0", "#18446744073709551616", "#-1", "%00", "%2e%2e",
		"console:root", "e\u0301\u0301\u0301", "👩‍👩‍👧‍👦", strings.Repeat("🙂", 5000), strings.Repeat("a", 300<<10), strings.Repeat("../", 1000),
		-1, -7, 0, 1 << 53, -(1 << 53), 1e15, nil, true, deep, list,
		args{"__proto__": args{"x": 1}, "ok": false},
	}
}

// matrix calls every tool with arguments of which one is changed.
type matrix struct {
	*stand

	t     *testing.T
	tools []listed
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	s := newStand(t)
	tools, _ := s.list(t, "/mcp", nil)
	m := &matrix{stand: s, t: t, tools: tools}
	s.call(t, s.as("ann"), "inbox", nil)
	s.call(t, s.as("bob"), "inbox", nil)
	return m
}

// good are arguments that the tool takes, as far as their types go.
func (m *matrix) good(tool listed) args {
	a := args{}
	for _, name := range tool.InputSchema.Required {
		switch kind := kindOf(m.t, tool.InputSchema.Properties[name]); kind {
		case "integer":
			a[name] = 1
		default:
			a[name] = "x"
		}
	}
	if tool.Name == "join_team" {
		a = args{"team_name": "crew", "display_name": "ann"}
	}
	return a
}

// try calls a tool and holds what must hold whatever came in: a reply that a model
// can use, no fault, and nothing changed unless it says so.
func (m *matrix) try(tool listed, a args) reply {
	m.t.Helper()
	who := m.as("ann")
	before := m.seq(m.t)
	r := m.call(m.t, who, tool.Name, a)
	if tool.Name == "leave_team" {
		defer m.call(m.t, who, "inbox", nil) // joins again
	}
	problem := ""
	switch changed := m.seq(m.t) != before; {
	case strings.Contains(r.Text, "the server had a fault"):
		problem = "a fault"
	case r.IsError && !strings.HasPrefix(r.Text, "Error executing tool "+tool.Name+": "):
		problem = "an error without its beginning"
	case r.IsError && len(r.Text) > 2000:
		problem = "a long error"
	case changed && (r.IsError || r.JSON["ok"] != true):
		problem = "refused and yet changed"
	}
	if problem != "" {
		m.t.Fatalf("%s: %s %.300s: %.400s", problem, tool.Name, fmt.Sprint(a), r.Text)
	}
	return r
}

func TestMissingArgumentsAreNamed(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, tool := range m.tools {
		for _, name := range tool.InputSchema.Required {
			a := m.good(tool)
			delete(a, name)
			r := m.try(tool, a)
			assert.True(t, r.IsError, "%s without %s: %s", tool.Name, name, r.Text)
			assert.Contains(t, r.Text, name+" is missing: give ", tool.Name)
		}
	}
}

func TestArgumentsOfAWrongTypeAreNamedWithWhatToGive(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, tool := range m.tools {
		for name, schema := range tool.InputSchema.Properties {
			for _, value := range wrongTypes[kindOf(t, schema)] {
				a := m.good(tool)
				a[name] = value
				r := m.try(tool, a)
				assert.True(t, r.IsError, "%s with %s = %v: %s", tool.Name, name, value, r.Text)
				assert.Contains(t, r.Text, name, tool.Name)
				assert.Contains(t, r.Text, "give ", tool.Name)
			}
		}
	}
}

func TestEveryArgumentOfTheSchemaIsRead(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, tool := range m.tools {
		a := m.good(tool)
		for name := range tool.InputSchema.Properties {
			if _, ok := a[name]; !ok {
				a[name] = nil
			}
		}
		a["no_such_argument"] = 1
		r := m.try(tool, a)
		if !r.IsError {
			assert.Equal(t, []any{"no_such_argument"}, r.JSON["ignored"], "%s: %s", tool.Name, r.Text)
		}
	}
}

func TestHostileArgumentsDoNoHarm(t *testing.T) {
	t.Parallel()
	for i, value := range hostile() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			tryEverywhere(newMatrix(t), i, value)
		})
	}
}

// tryEverywhere gives the i-th value to arguments of every tool, each time to
// every third: all take a third of the values.
func tryEverywhere(m *matrix, i int, value any) {
	for _, tool := range m.tools {
		for j, name := range slices.Sorted(maps.Keys(tool.InputSchema.Properties)) {
			if (i+j)%3 != 0 || name == "wait_ms" || name == "handle" {
				continue // a wait of any length is good; a handle of nobody is not joined
			}
			a := m.good(tool)
			a[name] = value
			m.try(tool, a)
		}
		if name := fmt.Sprint(value); len(name) < 1000 {
			m.try(tool, args{name: value})
		}
	}
}

func TestNegativeNumbersAreRefusedOrMeanTheDefault(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	taken := map[string]bool{
		"limit": true, "max_bytes": true, "wait_ms": true, // the default
		"priority": true, "weight": true, "progress_pct": true, // may be negative, or are cut to their bounds
		"since_event_id": true, "since_seq": true, // from the beginning
	}
	for _, tool := range m.tools {
		for name, schema := range tool.InputSchema.Properties {
			if kindOf(t, schema) != "integer" {
				continue
			}
			a := m.good(tool)
			a[name] = -7
			r := m.try(tool, a)
			if !taken[name] {
				assert.True(t, r.IsError, "%s with %s = -7: %s", tool.Name, name, r.Text)
				assert.Contains(t, r.Text, name)
			}
		}
	}
}
