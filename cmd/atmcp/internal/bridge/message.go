package bridge

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
)

// message is as much of a JSON-RPC message as the bridge has to know.
type message struct {
	raw    []byte
	begins chan struct{} // of initialize: closed when it is over
	safe   bool          // it may be sent twice

	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		URI       string          `json:"uri"`
		RequestID json.RawMessage `json:"requestId"`
		Meta      json.RawMessage `json:"_meta"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// parse reads a message. Of one whose members are not what MCP says, the server is
// to judge.
func parse(raw []byte) (*message, error) {
	if !json.Valid(raw) {
		var nothing json.RawMessage
		return nil, json.Unmarshal(raw, &nothing)
	}
	m := &message{raw: raw}
	_ = json.Unmarshal(raw, m)
	return m, nil
}

func (m *message) isRequest() bool {
	return m.Method != "" && len(m.ID) > 0 && string(m.ID) != "null"
}

// version is the protocol that a message says it is in, as those do that have no
// initialize before them.
func (m *message) version() string {
	var meta struct {
		Version string `json:"io.modelcontextprotocol/protocolVersion"`
	}
	_ = json.Unmarshal(m.Params.Meta, &meta)
	return meta.Version
}

// name is what the request is about, which newer protocols have in a header too.
func (m *message) name() string {
	switch m.Method {
	case "tools/call", "prompts/get":
		return m.Params.Name
	case "resources/read":
		return m.Params.URI
	}
	return ""
}

// answers tells whether a message of the server is the answer to a request.
func (m *message) answers(id json.RawMessage) bool {
	return m.Method == "" && (m.Result != nil || m.Error != nil) && bytes.Equal(m.ID, id)
}

// toolInfo is what of a tool decides whether a call of it may be sent again.
type toolInfo struct {
	reads bool // it changes nothing
	keyed bool // it takes an idempotency key
}

// toolsOf reads a list of tools from a result.
func toolsOf(result json.RawMessage) map[string]toolInfo {
	var list struct {
		Tools []struct {
			Name        string `json:"name"`
			Annotations struct {
				ReadOnly bool `json:"readOnlyHint"`
			} `json:"annotations"`
			InputSchema struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"inputSchema"`
		} `json:"tools"`
	}
	if json.Unmarshal(result, &list) != nil || len(list.Tools) == 0 {
		return nil
	}
	tools := make(map[string]toolInfo, len(list.Tools))
	for _, t := range list.Tools {
		_, keyed := t.InputSchema.Properties["idem_key"]
		tools[t.Name] = toolInfo{reads: t.Annotations.ReadOnly, keyed: keyed}
	}
	return tools
}

// keyed is a call with an idempotency key, which it has already or is given here.
// Then the server does it once, however often it is sent.
func (m *message) keyed() *message {
	var whole, params, args map[string]json.RawMessage
	if json.Unmarshal(m.raw, &whole) != nil || json.Unmarshal(whole["params"], &params) != nil {
		return m
	}
	if len(m.Params.Arguments) > 0 && json.Unmarshal(m.Params.Arguments, &args) != nil {
		return m
	}
	if key, has := args["idem_key"]; has && string(key) != "null" {
		return m
	}
	if args = maps.Clone(args); args == nil {
		args = make(map[string]json.RawMessage)
	}
	args["idem_key"] = quoted(rand.Text())
	params["arguments"] = object(args)
	whole["params"] = object(params)
	k := *m
	k.raw = object(whole)
	return &k
}

func object(members map[string]json.RawMessage) json.RawMessage {
	raw, _ := json.Marshal(members) // of good JSON, it is
	return raw
}

func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // of a text, it does not fail
	return raw
}

// The JSON-RPC codes that the bridge gives.
const (
	codeParse    = -32700
	codeInternal = -32603
)

// errorMessage answers in the place of the server.
func errorMessage(id json.RawMessage, code int, text string) []byte {
	type detail struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	return answerWith(id, detail{code, text})
}

// answerWith is an answer with an error.
func answerWith(id json.RawMessage, err any) []byte {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	raw, _ := json.Marshal(struct { // of what was JSON before
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, err})
	return raw
}
