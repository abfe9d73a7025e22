// Package proof connects as an agent's client will, by what stands in that client's
// own file, and finds out whether it gets through.
package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp/internal/clients"
)

// Options says how to connect.
type Options struct {
	// Environ is the environment of a program that the target names, as os.Environ.
	Environ []string
	// Version is told to the server as this program's.
	Version string
	// Err receives what such a program writes to its standard error.
	Err io.Writer
}

// Report is what the server said.
type Report struct {
	Server   string `json:"server"`
	Version  string `json:"version"`
	Protocol string `json:"protocol"`
	Tools    int    `json:"tools"`
	// Online is how many of the team's agents are there, this one among them.
	Online int   `json:"agents_online"`
	TookMS int64 `json:"took_ms"`
}

// NotJoinedError means that the server was reached and does not know who calls: the
// token, or the agent's name, did not arrive or is not good.
type NotJoinedError struct{ Hint string }

func (e *NotJoinedError) Error() string {
	return "the server was reached, but does not let this agent in: " + e.Hint
}

// maxWait bounds a proof whose context has no end.
const maxWait = 15 * time.Second

// Connect does what a client does at its start, a real initialize and tools/list,
// and makes one call, since those two would be answered without a token as well.
func Connect(ctx context.Context, t clients.Target, o Options) (r Report, err error) {
	ctx, stop := context.WithTimeout(ctx, maxWait)
	defer stop()
	began := time.Now()
	session, err := Dial(ctx, t, o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if info := session.InitializeResult(); info != nil && info.ServerInfo != nil {
		r.Server, r.Version, r.Protocol = info.ServerInfo.Name, info.ServerInfo.Version, info.ProtocolVersion
	}
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return r, fmt.Errorf("the list of tools does not come: %w", err)
	}
	if r.Tools = len(tools.Tools); !offers(tools.Tools, "claim_next_task") && !offers(tools.Tools, "send_directive") {
		return r, fmt.Errorf("%s is no server of ATMcp: its %d tools are others", r.Server, r.Tools)
	}
	r.Online, err = status(ctx, session)
	r.TookMS = time.Since(began).Milliseconds()
	return r, err
}

// Dial begins a session. Who asks for it closes it.
func Dial(ctx context.Context, t clients.Target, o Options) (*mcp.ClientSession, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "atmcp", Version: o.Version}, nil)
	session, err := client.Connect(ctx, transport(ctx, t, o), nil)
	if err != nil {
		return nil, fmt.Errorf("MCP does not begin: %w", err)
	}
	return session, nil
}

func offers(tools []*mcp.Tool, name string) bool {
	for _, tool := range tools {
		if tool.Name == name {
			return true
		}
	}
	return false
}

// status asks for the team at a glance, which takes an identity and changes nothing
// but that the agent is seen.
func status(ctx context.Context, session *mcp.ClientSession) (online int, err error) {
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "get_team_status", Arguments: map[string]any{}})
	if err != nil {
		return 0, fmt.Errorf("a call does not get through: %w", err)
	}
	text := Text(res)
	var reply struct {
		OK     bool   `json:"ok"`
		Error  string `json:"error"`
		Hint   string `json:"hint"`
		Online int    `json:"agents_online"`
	}
	if err := json.Unmarshal([]byte(text), &reply); err != nil || res.IsError {
		return 0, fmt.Errorf("a call is not answered as it should be: %s", text)
	}
	if !reply.OK {
		return 0, &NotJoinedError{strings.TrimSpace(reply.Error + ": " + reply.Hint)}
	}
	return reply.Online, nil
}

// Text is what a tool answered, as text.
func Text(res *mcp.CallToolResult) string {
	var b strings.Builder
	for _, content := range res.Content {
		if t, ok := content.(*mcp.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

func transport(ctx context.Context, t clients.Target, o Options) mcp.Transport {
	if t.Command != "" {
		cmd := exec.CommandContext(ctx, t.Command, t.Args...) //nolint:gosec // what the client would start
		cmd.Env = o.Environ
		for name, value := range t.Env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Stderr = o.Err
		return &mcp.CommandTransport{Command: cmd}
	}
	return &mcp.StreamableClientTransport{
		Endpoint: t.URL, MaxRetries: -1, DisableStandaloneSSE: true,
		HTTPClient: &http.Client{
			Transport: &headers{t.Headers},
			// A token goes to the address that was named and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// headers adds those of a client's file to each request.
type headers struct{ add map[string]string }

// RoundTrip implements [http.RoundTripper].
func (h *headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range h.add {
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}
