package system_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
)

// mcpClient calls tools over HTTP as one agent. Where it gets no whole reply the
// outcome is unknown, as it is to any client.
type mcpClient struct {
	url, token, name string

	http *http.Client
}

// args are the arguments of a tool.
type args = map[string]any

// call runs a tool and decodes its result into res, which may be nil. A refusal
// is returned as an error that has its code.
func (c *mcpClient) call(ctx context.Context, tool string, a args, res any) error {
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": a},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/mcp", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("X-ATMcp-Agent", c.name)
	reply, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	message, err := lastMessage(reply)
	if err != nil {
		return fmt.Errorf("%s: %w", tool, err)
	}
	return outcome(message, res)
}

// lastMessage reads a response to its end and returns its last JSON-RPC message.
func lastMessage(r *http.Response) (message []byte, err error) {
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", r.StatusCode)
	}
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			message = []byte(data)
		}
	}
	if len(message) == 0 && lines.Err() == nil {
		return nil, errors.New("no reply")
	}
	return message, lines.Err()
}

// outcome turns a tool's result into what a call of the hub would return.
func outcome(message []byte, res any) error {
	var m struct {
		Result *struct {
			IsError           bool
			Content           []struct{ Text string }
			StructuredContent json.RawMessage
		}
		Error json.RawMessage
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return fmt.Errorf("reply %q: %w", message, err)
	}
	if m.Result == nil || m.Result.IsError {
		return fmt.Errorf("tool error: %s", message)
	}
	var status struct {
		OK    bool       `json:"ok"`
		Error atmcp.Code `json:"error"`
	}
	if err := json.Unmarshal(m.Result.StructuredContent, &status); err != nil {
		return err
	}
	if !status.OK {
		return &atmcp.RefusedError{Reason: status.Error, Hint: string(m.Result.StructuredContent)}
	}
	if res == nil {
		return nil
	}
	return json.Unmarshal(m.Result.StructuredContent, res)
}
