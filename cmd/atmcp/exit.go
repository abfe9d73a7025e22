package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// The exit codes. docs/cli.md has them too.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitForbidden   = 4
	exitConflict    = 5
	exitTimeout     = 6
	exitFailed      = 7 // a directive, or a task
	exitCancelled   = 8
	exitUnreachable = 69
	exitInterrupted = 130
)

// usageError is a mistake of whoever started the program.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// outcome ends the program with a code that is no error of its own: a directive that
// failed, a time that is up. The text may be empty.
type outcome struct {
	code int
	text string
}

func (o outcome) Error() string { return o.text }

// exitCode is the code that an error ends the program with.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return o.code
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if _, ok := errors.AsType[*client.UnreachableError](err); ok {
		return exitUnreachable
	}
	if status, ok := errors.AsType[*client.StatusError](err); ok {
		return statusCode(status)
	}
	if code := atmcp.CodeOf(err); code != "" {
		return refusalCode(code)
	}
	return exitError
}

func statusCode(e *client.StatusError) int {
	if e.NoRoute() {
		return exitError
	}
	switch e.Status {
	case http.StatusBadRequest:
		return exitUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitForbidden
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict:
		return exitConflict
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitUnreachable
	}
	return exitError
}

func refusalCode(code atmcp.Code) int {
	switch code {
	case atmcp.CodeConflict, atmcp.CodeStaleToken, atmcp.CodeAlreadyFinal, atmcp.CodeNotOpen, atmcp.CodeNotHeld, atmcp.CodeNotFinal, atmcp.CodeNotPending,
		atmcp.CodeDepsUnmet, atmcp.CodeDependencyCycle, atmcp.CodeIdemMismatch, atmcp.CodeDisplayNameTaken, atmcp.CodeTeamExists:
		return exitConflict
	case atmcp.CodeNotJoined, atmcp.CodeForbidden, atmcp.CodeIdentityMismatch, atmcp.CodeNotYours,
		atmcp.CodeMissingJoinToken, atmcp.CodeInvalidJoinToken:
		return exitForbidden
	case atmcp.CodeInvalid, atmcp.CodeBadStatus:
		return exitUsage
	default:
	}
	if strings.HasPrefix(string(code), "unknown_") {
		return exitNotFound
	}
	return exitError
}
