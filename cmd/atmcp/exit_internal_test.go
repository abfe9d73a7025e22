package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

func TestEveryKindOfFailureHasItsExitCode(t *testing.T) {
	t.Parallel()
	for code, errs := range map[int][]error{
		exitOK:          {nil},
		exitError:       {assert.AnError, &client.RefusedError{Reason: "storage_full"}, &client.StatusError{Status: 500}, &client.StatusError{Status: 429}, &client.StatusError{Status: 404, Ours: true, Detail: "Not Found"}},
		exitUsage:       {usageError{assert.AnError}, &client.StatusError{Status: 400}, &client.RefusedError{Reason: "invalid"}},
		exitNotFound:    {&client.StatusError{Status: 404, Ours: true, Detail: "unknown agent"}, &client.RefusedError{Reason: "unknown_task"}, outcome{exitNotFound, ""}},
		exitForbidden:   {&client.StatusError{Status: 401}, &client.StatusError{Status: 403}, &client.RefusedError{Reason: "not_yours"}},
		exitConflict:    {&client.StatusError{Status: 409}, &client.RefusedError{Reason: "conflict"}, &client.RefusedError{Reason: "already_final"}},
		exitTimeout:     {outcome{exitTimeout, "the time is up"}},
		exitFailed:      {outcome{exitFailed, ""}},
		exitCancelled:   {outcome{exitCancelled, ""}},
		exitUnreachable: {&client.UnreachableError{Err: assert.AnError}, &client.StatusError{Status: 502}},
		exitInterrupted: {context.Canceled},
	} {
		for _, err := range errs {
			assert.Equal(t, code, exitCode(err), "%v", err)
			if err != nil {
				assert.Equal(t, code, exitCode(fmt.Errorf("task 3: %w", err)), "wrapped %v", err)
			}
		}
	}
}

func TestEveryRefusalHasAnExitCodeOfItsOwnKind(t *testing.T) {
	t.Parallel()
	plain := map[atmcp.Code]bool{ // no better word for them than an error
		atmcp.CodeNothingToClaim: true, atmcp.CodeRateLimited: true, atmcp.CodeLimit: true, atmcp.CodeStorageFull: true,
	}
	for _, code := range []atmcp.Code{
		atmcp.CodeNotJoined, atmcp.CodeMissingJoinToken, atmcp.CodeInvalidJoinToken, atmcp.CodeUnknownTeam, atmcp.CodeTeamExists,
		atmcp.CodeDisplayNameTaken, atmcp.CodeIdentityMismatch, atmcp.CodeForbidden, atmcp.CodeUnknownAgent, atmcp.CodeUnknownContentID,
		atmcp.CodeConflict, atmcp.CodeUnknownKey, atmcp.CodeUnknownTask, atmcp.CodeUnknownGoal, atmcp.CodeUnknownDependency,
		atmcp.CodeDependencyCycle, atmcp.CodeNotOpen, atmcp.CodeNotHeld, atmcp.CodeNotFinal, atmcp.CodeDepsUnmet, atmcp.CodeNothingToClaim, atmcp.CodeStaleToken,
		atmcp.CodeAlreadyFinal, atmcp.CodeUnknownDirective, atmcp.CodeRateLimited, atmcp.CodeUnknownToken, atmcp.CodeNotYours,
		atmcp.CodeNotPending, atmcp.CodeBadStatus, atmcp.CodeIdemMismatch, atmcp.CodeInvalid, atmcp.CodeLimit, atmcp.CodeStorageFull,
	} {
		assert.Equal(t, plain[code], refusalCode(code) == exitError, code)
	}
}

func TestAServerThatIsNotThereIsToldInOneLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, args := range [][]string{{"status"}, {"send", "bob", "hello"}, {"events", "-f"}, {"output", "bob", "-f"}, {"task", "add", "x"}, {"status", "--watch"}} {
		r := w.run(append(args, "--url", gone.URL)...)
		assert.Equal(t, exitUnreachable, r.code, "%q", args)
		assert.Regexp(t, `^atmcp: the server at http://127\.0\.0\.1:\d+ does not answer \(.*connection refused\): is it running there\? --url or ATMCP_URL name another\n$`, r.err)
		assert.Empty(t, r.out)
	}
}

func TestWhatIsNoServerOfOursIsToldAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) }))
	defer page.Close()
	r := w.run("status", "--url", page.URL)
	assert.Equal(t, exitError, r.code)
	assert.Contains(t, r.err, "is no atmcpd")
	for _, url := range []string{"localhost:8000", "ftp://x", "http://", "http://x?y"} {
		assert.Equal(t, exitUsage, w.run("status", "--url", url).code, url)
	}
}

func TestAnInterruptedCommandEndsAsShellsExpect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	b := w.start("events", "-f")
	b.shows("agent_joined")
	b.stop()
	assert.Equal(t, exitInterrupted, b.wait())
	assert.Empty(t, b.err.String())
	require.NotContains(t, b.out.String(), "context canceled")
}

func TestAnAddressWithAPathTooMuchIsToldAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("status", "--url", w.server.URL+"/api/teams")
	assert.Equal(t, exitError, r.code)
	assert.Contains(t, r.err, "has a path too much")
	for url, want := range map[string]string{"127.0.0.1:8000": "does not begin with http://", "http://": "names no host"} {
		r := w.run("status", "--url", url)
		assert.Equal(t, exitUsage, r.code)
		assert.Contains(t, r.err, want)
	}
}
