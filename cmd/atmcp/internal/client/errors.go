package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
)

// RefusedError is what the hub refused: nothing was changed, for a reason that was
// foreseen. Raw has the evidence.
type RefusedError struct {
	Reason string
	Hint   string
	Raw    json.RawMessage
}

func (e *RefusedError) Error() string {
	if e.Hint == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Hint
}

// Code is the refusal's, as docs/wire.md has it.
func (e *RefusedError) Code() atmcp.Code { return atmcp.Code(e.Reason) }

// StatusError is an answer with a status that is no success.
type StatusError struct {
	URL        string
	Team       string // which the request was about
	Agent      string // whom the request was about, empty if about nobody in particular
	Status     int
	Detail     string
	Ours       bool // whether an atmcpd answered, not something before it
	RetryAfter time.Duration
	TokenFrom  string
	HasToken   bool
	Raw        []byte
}

func (e *StatusError) Error() string {
	switch {
	case e.Status == http.StatusUnauthorized && !e.HasToken:
		return fmt.Sprintf("%s wants a token: atmcp login, ATMCP_TOKEN, or --token-file", e.URL)
	case e.Status == http.StatusUnauthorized:
		return fmt.Sprintf("%s does not take the token from %s (%s)", e.URL, cmp.Or(e.TokenFrom, "its settings"), cmp.Or(e.Detail, "unauthorized"))
	case e.NoRoute() && strings.Count(e.URL, "/") > 2:
		return fmt.Sprintf("the server at %s does not know of this: its address has a path too much, or it is older than atmcp", e.URL)
	case e.NoRoute():
		return fmt.Sprintf("the server at %s does not know of this: it is older than atmcp", e.URL)
	case e.UnknownAgent():
		if e.Agent == "" {
			return "there is no agent of that name in the team; atmcp agents lists them"
		}
		return fmt.Sprintf("there is no agent %q in the team; atmcp agents lists them", e.Agent)
	case e.Status == http.StatusNotFound && e.Detail == "unknown team":
		return fmt.Sprintf("there is no team %q on the server at %s; where it runs, atmcpd team list shows them", e.Team, e.URL)
	case e.Ours:
		return e.Detail
	}
	return fmt.Sprintf("what answers at %s is no atmcpd: %d %s", e.URL, e.Status, strings.ToLower(http.StatusText(e.Status)))
}

// UnknownAgent tells that the team has no agent of that name. The error says of which.
func (e *StatusError) UnknownAgent() bool {
	return e.Status == http.StatusNotFound && e.Detail == "unknown agent"
}

// NoRoute tells that the server has no such route, which is not that it has no such
// thing.
func (e *StatusError) NoRoute() bool {
	return e.Ours && (e.Detail == "Not Found" || e.Detail == "Method Not Allowed")
}

func (e *StatusError) temporary() bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// UnreachableError is a request without an answer.
type UnreachableError struct {
	URL string
	Err error
	// Sent tells that the server may have got it: what was asked may have been done.
	Sent bool
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the server at %s does not answer (%v): is it running there? --url or ATMCP_URL name another", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// errTooSlow ends an attempt whose time is up.
var errTooSlow = errors.New("no answer in time")
