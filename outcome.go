package atmcp

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atmcp/atmcp/store"
)

// Code names a refusal. Codes are stable: programs branch on them.
type Code string

// The refusals. docs/wire.md says of each what it means and what to do.
const (
	CodeNotJoined         Code = "not_joined"
	CodeMissingJoinToken  Code = "missing_join_token"
	CodeInvalidJoinToken  Code = "invalid_join_token"
	CodeUnknownTeam       Code = "unknown_team"
	CodeTeamExists        Code = "team_exists"
	CodeDisplayNameTaken  Code = "display_name_taken"
	CodeIdentityMismatch  Code = "identity_mismatch"
	CodeForbidden         Code = "forbidden"
	CodeUnknownAgent      Code = "unknown_agent"
	CodeUnknownContentID  Code = "unknown_content_id"
	CodeConflict          Code = "conflict"
	CodeUnknownKey        Code = "unknown_key"
	CodeUnknownTask       Code = "unknown_task"
	CodeUnknownGoal       Code = "unknown_goal"
	CodeUnknownDependency Code = "unknown_dependency"
	CodeDependencyCycle   Code = "dependency_cycle"
	CodeNotOpen           Code = "not_open"
	CodeNotHeld           Code = "not_held"
	CodeNotFinal          Code = "not_final"
	CodeDepsUnmet         Code = "deps_unmet"
	CodeNothingToClaim    Code = "none"
	CodeStaleToken        Code = "stale_token"
	CodeAlreadyFinal      Code = "already_final"
	CodeUnknownDirective  Code = "unknown_directive"
	CodeRateLimited       Code = "rate_limited"
	CodeUnknownToken      Code = "unknown_token"
	CodeNotYours          Code = "not_yours"
	CodeNotPending        Code = "not_pending"
	CodeBadStatus         Code = "bad_status"
	CodeIdemMismatch      Code = "idem_mismatch"
	CodeInvalid           Code = "invalid"
	CodeLimit             Code = "limit_exceeded"
	CodeStorageFull       Code = "storage_full"
)

// Refusal is an error that was foreseen: nothing was changed, and the error
// says why and what to do. Its JSON is what MCP and REST send.
type Refusal interface {
	error
	Code() Code
}

// CodeOf returns the code of the refusal in err's chain, and "" where there is none.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[Refusal](err); ok {
		return r.Code()
	}
	return ""
}

// RefusedError is the refusal without further evidence than a hint.
type RefusedError struct {
	Reason Code `json:"error"`
	// Hint says what to do next.
	Hint string `json:"hint,omitempty"`

	badToken bool
}

// IsBadToken tells whether a call was refused for the token that it showed: wrong,
// revoked, or of another server. Other calls that are not joined show none, or a
// good one and no name.
func IsBadToken(err error) bool {
	refused, ok := errors.AsType[*RefusedError](err)
	return ok && refused.badToken
}

func (e *RefusedError) Error() string {
	if e.Hint == "" {
		return "atmcp: " + string(e.Reason)
	}
	return fmt.Sprintf("atmcp: %s: %s", e.Reason, e.Hint)
}

// Code implements [Refusal].
func (e *RefusedError) Code() Code { return e.Reason }

// maxEcho is how much of what named nothing a refusal repeats, in characters.
const maxEcho = 128

func refuse(c Code, hint string) error { return &RefusedError{Reason: c, Hint: hint} }

// InvalidError refuses an argument. Over MCP it is a tool error that tells the
// model what to change, over REST a 400.
type InvalidError struct {
	Field   string `json:"field"`
	Problem string `json:"problem"`
}

func (e *InvalidError) Error() string { return fmt.Sprintf("atmcp: %s: %s", e.Field, e.Problem) }

// Code implements [Refusal].
func (e *InvalidError) Code() Code { return CodeInvalid }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// IdemMismatchError refuses an idempotency key that was used with other arguments or
// for another operation.
type IdemMismatchError struct {
	Reason    Code   `json:"error"`
	Operation string `json:"operation"` // what the key was first used for
	Hint      string `json:"hint"`
}

func (e *IdemMismatchError) Error() string {
	return fmt.Sprintf("atmcp: idempotency key was used for another %s call", e.Operation)
}

// Code implements [Refusal].
func (e *IdemMismatchError) Code() Code { return CodeIdemMismatch }

// settled tells whether a refusal can never turn into a success by itself, so
// that it is stored under the idempotency key and repeated.
func settled(r Refusal) bool {
	switch r.Code() {
	case CodeStaleToken, CodeAlreadyFinal:
		return true
	default:
		return false
	}
}

// reviveRefusal makes the error of a stored refusal again.
func reviveRefusal(code Code, stored json.RawMessage) (Refusal, error) {
	var r Refusal
	switch code {
	case CodeStaleToken:
		r = &StaleTokenError{}
	case CodeAlreadyFinal:
		r = &AlreadyFinalError{}
	default:
		r = &RefusedError{}
	}
	return r, json.Unmarshal(stored, r)
}

// outward turns what the store and txn report into what a caller can act on.
func outward(err error) error {
	if errors.Is(err, store.ErrFull) {
		return refuse(CodeStorageFull, "nothing was changed; the operator must free or add space, reads go on to work")
	}
	if errors.Is(err, store.ErrRejected) {
		return fmt.Errorf("%w: %w", &LimitError{
			Reason: CodeLimit, Limit: "size of one change", Hint: "nothing was changed; give less at once, or shorter texts",
		}, err)
	}
	return err
}
