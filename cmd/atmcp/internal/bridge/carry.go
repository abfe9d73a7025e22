package bridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
)

// The headers of MCP over HTTP.
const (
	headerSession = "Mcp-Session-Id"
	headerVersion = "Mcp-Protocol-Version"
	headerMethod  = "Mcp-Method"
	headerName    = "Mcp-Name"

	// modern is the first version whose requests say in headers what they are.
	modern = "2026-07-28"
)

// carry brings a message to the server, and what the server answers to the client.
func (b *bridge) carry(ctx context.Context, m *message) {
	began := time.Now()
	prepared := false
	for attempt := 0; ; attempt++ {
		var err error
		if !prepared {
			m, err = b.prepare(ctx, m)
			prepared = err == nil
		}
		if prepared {
			err = b.post(ctx, m)
		}
		if err == nil || ctx.Err() != nil {
			return // who cancels a request expects no answer
		}
		pause := backoff(attempt)
		if !again(err, m.safe || !prepared) || time.Since(began)+pause > b.Patience {
			b.giveUp(ctx, m, err)
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// prepare finds out whether a message may be sent twice, and makes it so where that
// is possible. Its error is one of asking the server about the tool.
func (b *bridge) prepare(ctx context.Context, m *message) (*message, error) {
	if m.Method != "tools/call" {
		m.safe = true
		return m, nil
	}
	tools, err := b.known(ctx, m)
	if err != nil {
		return m, err
	}
	info := tools[m.Params.Name]
	if info.keyed && !info.reads {
		m = m.keyed()
	}
	m.safe = info.reads || info.keyed
	return m, nil
}

// giveUp answers for a server that did not.
func (b *bridge) giveUp(ctx context.Context, m *message, err error) {
	b.Log.WarnContext(ctx, "the server did not answer", "method", m.Method, "error", err)
	if !m.isRequest() {
		return
	}
	text := fmt.Sprintf("the server at %s did not answer (%v)", b.Endpoint, err)
	if failed, ok := errors.AsType[*lostError](err); ok && failed.sent && m.Method == "tools/call" {
		text += "; whether it did what was asked is not known"
	}
	b.send(errorMessage(m.ID, codeInternal, text))
}

// lostError is a request without an answer.
type lostError struct {
	err  error
	sent bool // the server may have got it
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// again tells whether a request is sent again that failed so.
func again(err error, safe bool) bool {
	failed, ok := errors.AsType[*lostError](err)
	return ok && (safe || !failed.sent)
}

// backoff grows from a tenth of a second to two, and is spread.
func backoff(attempt int) time.Duration {
	d := min(100*time.Millisecond<<min(attempt, 6), 2*time.Second)
	return d/2 + rand.N(d/2+1) //nolint:gosec // no secret
}

// post sends a message once. Its error is a [lostError] where there was no answer;
// what the server refuses is answered here.
func (b *bridge) post(ctx context.Context, m *message) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Endpoint, bytes.NewReader(m.raw))
	if err != nil {
		return err
	}
	b.sign(req, m)
	res, err := b.http.Do(req)
	if err != nil {
		dial, isDial := errors.AsType[*net.OpError](err)
		return &lostError{unwrapURL(err), !isDial || dial.Op != "dial"}
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusBadGateway || res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusGatewayTimeout:
		return &lostError{errors.New(strings.ToLower(res.Status)), true}
	case res.StatusCode >= http.StatusMultipleChoices:
		return b.refused(m, res)
	case !m.isRequest():
		return nil
	}
	if m.Method == "initialize" {
		b.mu.Lock()
		b.session = res.Header.Get(headerSession)
		b.mu.Unlock()
	}
	return b.answer(m, res)
}

// unwrapURL leaves out what the bridge says itself.
func unwrapURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// sign says who asks, and what, where the protocol has that in headers.
func (b *bridge) sign(req *http.Request, m *message) {
	maps.Copy(req.Header, b.Header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	b.mu.Lock()
	session, version := b.session, b.version
	b.mu.Unlock()
	if own := m.version(); own != "" {
		session, version = "", own
	}
	if m.Method == "initialize" {
		session, version = "", ""
	}
	if session != "" {
		req.Header.Set(headerSession, session)
	}
	if version != "" {
		req.Header.Set(headerVersion, version)
	}
	if version >= modern && m.Method != "" {
		req.Header.Set(headerMethod, m.Method)
		if name := m.name(); name != "" {
			req.Header.Set(headerName, name)
		}
	}
}

// refused answers with what the server says, under the request's own id.
func (b *bridge) refused(m *message, res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // what there is of it
	if !m.isRequest() {
		return fmt.Errorf("%s: %.200s", res.Status, body)
	}
	var said message
	if json.Unmarshal(body, &said) == nil && said.Error != nil {
		b.send(answerWith(m.ID, said.Error))
		return nil
	}
	b.send(errorMessage(m.ID, codeInternal, fmt.Sprintf("%s answers %s", b.Endpoint, res.Status)))
	return nil
}

// answer passes on what the server says until it has answered the request.
func (b *bridge) answer(m *message, res *http.Response) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "text/event-stream" {
		body, err := io.ReadAll(io.LimitReader(res.Body, maxMessage))
		if err != nil || !json.Valid(body) {
			return &lostError{errors.Join(errors.New("the answer was cut off"), err), true}
		}
		b.pass(m, body)
		return nil
	}
	answered := false
	err := events(res.Body, func(data []byte) {
		answered = b.pass(m, data) || answered
	})
	if !answered {
		return &lostError{errors.Join(errors.New("the answer was cut off"), err), true}
	}
	return nil
}

// pass gives the client a message, and tells whether it was the answer.
func (b *bridge) pass(m *message, raw []byte) bool {
	said, err := parse(raw)
	if err != nil {
		return false
	}
	answered := said.answers(m.ID)
	if answered {
		b.learn(m, said)
	}
	b.send(raw)
	return answered
}

// learn keeps what later requests need to know.
func (b *bridge) learn(m, said *message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch m.Method {
	case "initialize":
		var agreed struct {
			Version string `json:"protocolVersion"`
		}
		if json.Unmarshal(said.Result, &agreed) == nil {
			b.version = agreed.Version
		}
	case "tools/list":
		if tools := toolsOf(said.Result); tools != nil {
			b.tools = tools
		}
	}
}

// known are the tools, for which the server is asked once where the client never did.
// What refuses to tell them has none that are known.
func (b *bridge) known(ctx context.Context, like *message) (map[string]toolInfo, error) {
	b.mu.Lock()
	tools := b.tools
	silent := &bridge{Config: b.Config, http: b.http, session: b.session, version: b.version, write: io.Discard, fail: func() {}}
	b.mu.Unlock()
	if tools != nil {
		return tools, nil
	}
	params := map[string]json.RawMessage{}
	if len(like.Params.Meta) > 0 {
		params["_meta"] = like.Params.Meta
	}
	ask := &message{ID: quoted("bridge"), Method: "tools/list", raw: object(map[string]json.RawMessage{
		"jsonrpc": quoted("2.0"), "id": quoted("bridge"), "method": quoted("tools/list"), "params": object(params),
	})}
	ask.Params.Meta = like.Params.Meta
	if err := silent.post(ctx, ask); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tools == nil {
		b.tools = silent.tools
	}
	return b.tools, nil
}

// events reads server-sent events and calls each with the data of one.
func events(r io.Reader, each func([]byte)) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), 2*maxMessage)
	var data []byte
	for scan.Scan() {
		line := scan.Text()
		switch value, isData := strings.CutPrefix(line, "data:"); {
		case isData:
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, strings.TrimPrefix(value, " ")...)
		case line == "" && data != nil:
			each(data)
			data = nil
		}
	}
	return scan.Err()
}
