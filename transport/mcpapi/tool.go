package mcpapi

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tool is one entry of the table.
type tool struct {
	name   string
	about  string // what a model needs to choose and use it
	effect effect
	core   bool // a client shows it to its model at once
	params []param
	run    func(ctx context.Context, c *call) (any, error)
}

// effect tells clients what a call may do. Clients run what only reads in
// parallel, so waits are reads.
type effect int

const (
	reads    effect = iota
	adds            // changes the team's state, and destroys nothing
	repeats         // adds, and a second call adds nothing more
	destroys        // takes something away, or ends it
)

// param is one argument as the model sees it.
type param struct {
	name     string
	schema   string // its JSON schema: one type, never a list of types
	required bool
}

const (
	textSchema    = `{"type":"string"}`
	integerSchema = `{"type":"integer"}`
	booleanSchema = `{"type":"boolean"}`
	listSchema    = `{"type":"array","items":{"type":"string"}}`
	objectSchema  = `{"type":"object"}`
	anySchema     = `{}`
)

func need(name string, schema string, about ...string) param {
	return param{name: name, schema: describe(schema, about), required: true}
}

func opt(name string, schema string, about ...string) param {
	return param{name: name, schema: describe(schema, about)}
}

// describe adds a description to a schema where the name does not speak for itself.
func describe(schema string, about []string) string {
	if len(about) == 0 {
		return schema
	}
	text := `"description":` + strconv.Quote(strings.Join(about, " "))
	if schema == anySchema {
		return `{` + text + `}`
	}
	return strings.TrimSuffix(schema, "}") + "," + text + "}"
}

// Arguments that many tools have.
func idemKey() param { return opt("idem_key", textSchema) }
func waitMS() param  { return opt("wait_ms", integerSchema) }
func atMost() param  { return opt("limit", integerSchema) }

// listing are the arguments of every list.
func listing() []param {
	return []param{
		atMost(), opt("cursor", textSchema), opt("max_bytes", integerSchema),
		opt("view", `{"type":"string","enum":["full","brief"]}`),
	}
}

// handleParam lets a client say who it is that cannot set headers.
func handleParam() param { return opt("handle", textSchema, "from join_team") }

// describe is the tool as tools/list shows it.
func (t *tool) describe(withHandle bool) *mcp.Tool {
	params := t.params
	if withHandle && t.name != toolJoin {
		params = append(slices.Clip(params), handleParam())
	}
	no := false
	hints := &mcp.ToolAnnotations{OpenWorldHint: &no, ReadOnlyHint: t.effect == reads}
	switch t.effect {
	case repeats:
		hints.DestructiveHint, hints.IdempotentHint = &no, true
	case adds:
		hints.DestructiveHint = &no
	case reads, destroys:
	}
	out := &mcp.Tool{Name: t.name, Description: t.about, InputSchema: schemaOf(params), Annotations: hints}
	if t.core {
		out.Meta = mcp.Meta{"anthropic/alwaysLoad": true}
	}
	return out
}

// schemaOf is the JSON schema of an object with the parameters as members.
func schemaOf(params []param) json.RawMessage {
	var members, required []string
	for _, p := range params {
		members = append(members, strconv.Quote(p.name)+":"+p.schema)
		if p.required {
			required = append(required, strconv.Quote(p.name))
		}
	}
	schema := `{"type":"object","properties":{` + strings.Join(members, ",") + "}"
	if len(required) > 0 {
		schema += `,"required":[` + strings.Join(required, ",") + "]"
	}
	return json.RawMessage(schema + "}")
}
