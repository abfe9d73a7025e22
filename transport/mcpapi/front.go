package mcpapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/canon"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/internal/guard"
)

// sessionPrefix begins every session id that a hub mints.
const sessionPrefix = "atmh_"

// front is what stands before the SDK: it mends headers that clients and proxies
// leave out, refuses bodies that parsers could read in two ways, gives clients of
// older protocols a session id, and keeps long responses alive.
type front struct {
	hub  *atmcp.Hub
	log  *slog.Logger
	came *arrival.Log
	next http.Handler
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		f.post(w, r)
	case http.MethodDelete:
		f.endSession(w, r)
	default:
		w.Header().Set("Allow", "POST, DELETE")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	}
}

func (f *front) post(w http.ResponseWriter, r *http.Request) {
	body, err := guard.Body(w, r, MaxBody)
	if err != nil {
		status := http.StatusBadRequest
		if refused, ok := errors.AsType[*guard.BodyError](err); ok {
			status = refused.Status
		}
		protocolError(w, status, codeInvalidRequest, err.Error())
		return
	}
	method, refusal := methodOf(body)
	if refusal != "" {
		protocolError(w, http.StatusBadRequest, codeParse, refusal)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := newStream(w, r, cancel)
	defer s.close()
	if method == "initialize" && r.Header.Get(headerSession) == "" {
		w.Header().Set(headerSession, f.hub.NewHandle())
	}
	if f.came != nil && greets(method) {
		f.greet(r)
	}
	r = r.WithContext(withRequest(ctx, s))
	r.Header = mended(r.Header)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(s, r)
}

// greets tells whether a client begins with a method.
func greets(method string) bool {
	return method == "initialize" || method == "server/discover" || method == "tools/list"
}

// greet notes who comes, before any tool is called: a client that is not let in calls none.
func (f *front) greet(r *http.Request) {
	cred := credentialOf(r.Header, nil)
	problem := arrival.Shown(r.Header, cred.Name)
	if problem == "" {
		p, err := f.hub.Authenticate(r.Context(), cred.Token)
		if err == nil {
			if name := cmp.Or(cred.Name, p.Name); name != "" {
				f.came.Accepted(p.Team, name, false)
			}
			return
		}
		problem = arrival.ProblemOf(err)
	}
	f.came.Failed(r, cred.Name, problem)
}

// endSession makes the session id speak for nobody. Whose it was is not told.
func (f *front) endSession(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(headerSession); strings.HasPrefix(id, sessionPrefix) {
		if err := f.hub.Unbind(r.Context(), id); err != nil {
			f.log.ErrorContext(r.Context(), "session not ended", "error", err)
			protocolError(w, http.StatusInternalServerError, codeInternal, "the server had a fault")
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// mended returns the headers with the content types that MCP requires, where a
// client or a proxy left them out.
func mended(h http.Header) http.Header {
	accept := strings.Join(h.Values("Accept"), ",")
	acceptsAll := accepts(accept, "application/json") && accepts(accept, "text/event-stream")
	if acceptsAll && h.Get("Content-Type") != "" {
		return h // the usual case, in every wait
	}
	h = h.Clone()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if !acceptsAll {
		h.Set("Accept", "application/json, text/event-stream")
	}
	return h
}

func accepts(accept, mediaType string) bool {
	return strings.Contains(accept, mediaType) || strings.Contains(accept, "*/*")
}

// methodOf checks a body and returns its method. A message is one JSON object: no
// batch, no name twice, nothing behind it, no deep nesting.
func methodOf(body []byte) (method, refusal string) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return "", "batches are not served: send one message in each request"
	}
	object, err := canon.Compact(body)
	if err != nil {
		return "", "the request is not one good JSON message: " + strings.TrimPrefix(err.Error(), "canon: ")
	}
	var message map[string]json.RawMessage
	if err := json.Unmarshal(object, &message); err != nil {
		return "", "the request is not a JSON object"
	}
	_ = json.Unmarshal(message["method"], &method) // a response has none, and the SDK judges the rest
	return method, ""
}

// The JSON-RPC codes that front gives.
const (
	codeParse          = -32700
	codeInvalidRequest = -32600
	codeInternal       = -32603
)

// protocolError answers before the SDK has seen the message, so that no id is known.
func protocolError(w http.ResponseWriter, status, code int, text string) {
	type detail struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		ID      *int   `json:"id"`
		Error   detail `json:"error"`
	}{"2.0", nil, detail{code, text}})
	if err != nil {
		http.Error(w, text, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}
