package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/atmcp/atmcp"
)

// The description of the routes in OpenAPI 3.1, made of the table of routes and of
// what openapi_table.go says of each. A test calls every handler and compares what
// it reads with what is said.

// operation is what is said of a route, beyond what the table of routes knows.
type operation struct {
	summary string
	query   string // see params
	body    string // see params
	result  any    // an example of the result's type; nil is said in words
}

// param is an argument, in a query or a body.
type param struct {
	name, kind string
	required   bool
}

// params reads a list of arguments such as "title! priority:integer tags:strings":
// the kind is string where none is named, and ! marks what must be there.
func params(list string) []param {
	var all []param
	for word := range strings.FieldsSeq(list) {
		name, kind, typed := strings.Cut(word, ":")
		if !typed {
			kind = "string"
		}
		bare := strings.TrimSuffix(name, "!")
		all = append(all, param{bare, kind, bare != name})
	}
	return all
}

func (p param) schema() object {
	switch p.kind {
	case "strings":
		return object{"type": "array", "items": object{"type": "string"}}
	case "any":
		return object{}
	}
	return object{"type": p.kind}
}

type object = map[string]any

// openAPI serves the description.
func (s *server) openAPI(c *call) error {
	doc, err := s.described()
	if err != nil {
		return err
	}
	c.send(http.StatusOK, doc)
	return nil
}

// describe makes the description of all routes.
func (s *server) describe() ([]byte, error) {
	paths, schemas := object{}, object{}
	for _, r := range s.routes() {
		at, ok := paths[r.pattern()].(object)
		if !ok {
			at = object{}
			paths[r.pattern()] = at
		}
		op, err := r.describe(operations()[r.method+" "+r.pattern()], schemas)
		if err != nil {
			return nil, fmt.Errorf("describe %s %s: %w", r.method, r.path, err)
		}
		at[strings.ToLower(r.method)] = op
	}
	schemas["Failure"] = object{
		"type": "object", "required": []string{"detail"},
		"properties": object{"detail": object{"type": "string", "description": "what is wrong, and what to do"}},
	}
	schemas["Mistyped"] = object{
		"type": "object", "required": []string{"detail"},
		"properties": object{"detail": object{"type": "array", "items": object{"$ref": "#/components/schemas/Mistake"}}},
	}
	if _, err := addSchema(schemas, reflect.TypeFor[mistake]()); err != nil {
		return nil, err
	}
	schemas["Refusal"] = object{
		"type": "object", "required": []string{"ok", "error"}, "description": "A foreseen reason why nothing was done; docs/wire.md has all.",
		"properties": object{"ok": object{"const": false}, "error": object{"type": "string"}, "hint": object{"type": "string"}},
	}
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "ATMcp", "version": s.opt.Version, "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "REST beside MCP: for scripts, hooks, workers, consoles and pages.",
		},
		"servers": []object{{"url": s.opt.PublicURL}},
		"paths":   paths,
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"token":  object{"type": "http", "scheme": "bearer", "description": "a token of the team, or the admin token"},
				"cookie": object{"type": "apiKey", "in": "cookie", "name": cookiePrefix + "{team_id}", "description": "what POST /api/session gave to a browser"},
			},
		},
	})
}

// pattern is the path as people write it.
func (r route) pattern() string { return strings.TrimSuffix(r.path, "{$}") }

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (r route) describe(op operation, schemas object) (object, error) {
	args := []object{}
	for _, name := range pathParam.FindAllStringSubmatch(r.pattern(), -1) {
		args = append(args, object{"name": name[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range params(op.query) {
		args = append(args, object{"name": p.name, "in": "query", "required": p.required, "schema": p.schema()})
	}
	success := object{"description": op.summary}
	if op.result != nil {
		name, err := addSchema(schemas, reflect.TypeOf(op.result))
		if err != nil {
			return nil, err
		}
		success["content"] = jsonOf(object{"oneOf": []object{{"$ref": name}, {"$ref": "#/components/schemas/Refusal"}}})
	}
	responses := object{
		"200":     success,
		"default": object{"description": "an error", "content": jsonOf(object{"$ref": "#/components/schemas/Failure"})},
	}
	if op.query != "" || op.body != "" {
		responses["422"] = object{"description": "wrong parameters, or no JSON object", "content": jsonOf(object{"$ref": "#/components/schemas/Mistyped"})}
	}
	described := object{
		"summary": op.summary, "operationId": r.id(), "parameters": args, "responses": responses,
		"description": "For " + r.access.who() + ".",
	}
	if r.access != byAnyone {
		described["security"] = r.access.security()
	}
	if body := params(op.body); len(body) > 0 {
		described["requestBody"] = object{"required": true, "content": jsonOf(r.bodySchema(body))}
	}
	return described, nil
}

func jsonOf(schema object) object { return object{"application/json": object{"schema": schema}} }

func (r route) bodySchema(body []param) object {
	props, required := object{}, []string{}
	for _, p := range body {
		props[p.name] = p.schema()
		if p.required {
			required = append(required, p.name)
		}
	}
	if r.bodyToken {
		props["token"] = object{"type": "string", "description": "the token, where no header has it"}
	}
	return object{"type": "object", "properties": props, "required": required}
}

// id is a name for the route that generators of clients can use.
func (r route) id() string {
	words := strings.FieldsFunc(r.pattern(), func(c rune) bool { return strings.ContainsRune("/{}.", c) })
	return strings.ToLower(r.method) + "_" + strings.Join(words, "_")
}

// who says for whom a route is.
func (a access) who() string {
	return map[access]string{
		byAnyone: "anybody", byAdmin: "the operator", byMember: "the join token, or the agent's own",
		byReader:  "any token of the team, or anybody where reads are open",
		byConsole: "a console token or the operator; the join token sends directives and makes tasks", byHolder: "any good token",
	}[a]
}

func (a access) security() []object {
	token, cookie := object{"token": []string{}}, object{"cookie": []string{}}
	switch a {
	case byMember, byHolder:
		return []object{token}
	case byReader:
		return []object{token, cookie, {}}
	case byAnyone, byAdmin, byConsole:
	}
	return []object{token, cookie}
}

// addSchema adds the schema of a type by its name and returns the reference.
func addSchema(schemas object, t reflect.Type) (string, error) {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	if _, ok := schemas[name]; !ok {
		schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
			reflect.TypeFor[json.RawMessage]():  {},
			reflect.TypeFor[atmcp.ClientInfo](): {Type: "object"},
		}})
		if err != nil {
			return "", err
		}
		schema.AdditionalProperties = nil // a later version may add members
		if schema.Properties != nil {
			schema.Properties["ok"] = &jsonschema.Schema{Type: "boolean"}
		}
		schemas[name] = schema
	}
	return "#/components/schemas/" + name, nil
}
