package atmcp

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a directive.
const (
	maxInstruction = 64 << 10 // bytes
	maxPayload     = 64 << 10 // bytes
	maxThread      = 64       // characters
	maxExpiry      = 7 * 24 * time.Hour

	shownInstruction = 200 // characters of it that its event carries
)

// SendDirectiveRequest gives an agent an order.
type SendDirectiveRequest struct {
	ToAgent     string          `json:"to_agent"`          // id or name; an id wins
	Instruction string          `json:"instruction"`       // at most 64 KiB
	Payload     json.RawMessage `json:"payload,omitempty"` // an object of at most 64 KiB, with no number beyond a float64
	Priority    int             `json:"priority"`          // the highest is shown first
	// Re is the directive that this one answers.
	Re     DirectiveID `json:"re,omitempty"`
	Thread string      `json:"thread,omitempty"` // at most 64 characters
	// ExpiresS is after how many seconds the directive fails if nobody has
	// claimed it; 0 is never, 7 days the most.
	ExpiresS int    `json:"expires_s,omitempty"`
	IdemKey  string `json:"idem_key,omitempty"`
}

// SendDirectiveResult names the directive and the member it went to.
type SendDirectiveResult struct {
	Outcome

	DirectiveID DirectiveID `json:"directive_id"`
	ToAgent     AgentID     `json:"to_agent"`
	EventID     Seq         `json:"event_id"`
	Number      string      `json:"number"`
}

// SendDirective gives a member an order, which may be offline or the sender
// itself. Refusals: [UnknownAgentError], [CodeForbidden] where the team takes
// directives from consoles only or the member is retired, [LimitError] when
// Config.MaxInbox directives wait for it.
func (a *Agent) SendDirective(ctx context.Context, req SendDirectiveRequest) (SendDirectiveResult, error) {
	if err := req.check(); err != nil {
		return SendDirectiveResult{}, err
	}
	id := DirectiveID(newID())
	return mutate(ctx, a, call{opSendDirective, req.IdemKey, req}, func(t *teamTx) (SendDirectiveResult, error) {
		if err := t.mayDirect(); err != nil {
			return SendDirectiveResult{}, err
		}
		return t.sendDirective(id, req)
	})
}

// mayDirect refuses directives from anybody but a console where the team says so.
func (t *teamTx) mayDirect() error {
	if t.settings().DirectivesFrom != string(RoleConsole) {
		return nil
	}
	return refuse(CodeForbidden, "in this team only consoles send directives; create_task offers work to whoever can do it")
}

// check normalises what was asked for and tells what is wrong with it.
func (r *SendDirectiveRequest) check() error {
	if err := checkText("instruction", &r.Instruction, maxInstruction); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(r.Instruction) == "":
		return invalid("instruction", "is empty")
	case r.Priority < -maxPriority || r.Priority > maxPriority:
		return invalid("priority", "is %d, must be from %d to %d", r.Priority, -maxPriority, maxPriority)
	case !utf8.ValidString(r.Thread):
		return invalid("thread", "is not valid UTF-8")
	case utf8.RuneCountInString(r.Thread) > maxThread:
		return invalid("thread", "has more than %d characters", maxThread)
	case r.ExpiresS < 0 || r.ExpiresS > seconds(maxExpiry):
		return invalid("expires_s", "is %d, must be from 0 (never) to %d", r.ExpiresS, seconds(maxExpiry))
	}
	return r.checkPayload()
}

func (r *SendDirectiveRequest) checkPayload() error {
	if len(r.Payload) == 0 || string(bytes.TrimSpace(r.Payload)) == "null" {
		r.Payload = nil
		return nil
	}
	var compact bytes.Buffer
	if !utf8.Valid(r.Payload) || json.Compact(&compact, r.Payload) != nil || compact.Bytes()[0] != '{' {
		return invalid("payload", "is not a JSON object")
	}
	if r.Payload = compact.Bytes(); len(r.Payload) > maxPayload {
		return invalid("payload", "has %d bytes, at most %d are allowed; put it into knowledge or memory and name it", len(r.Payload), maxPayload)
	}
	return checkNumbers("payload", r.Payload)
}

// sendDirective writes a directive of the transaction's actor, an agent or a console.
func (t *teamTx) sendDirective(id DirectiveID, req SendDirectiveRequest) (res SendDirectiveResult, err error) {
	to, ok := t.agentRef(req.ToAgent)
	if !ok {
		return res, unknownAgent("to_agent", req.ToAgent)
	}
	if to.Retired {
		return res, refuse(CodeForbidden, to.Name+" was retired by the console; list_agents shows who else there is")
	}
	if most := t.hub.cfg.MaxInbox; t.waitingDirectives(to.ID, most) >= most {
		return res, limitError("directives that wait for "+to.Name, most)
	}
	x := &directive{id: id, isNew: true, directiveRecord: directiveRecord{
		From: t.by.id, To: to.ID, Status: DirectivePending, Priority: req.Priority, Thread: req.Thread, CreatedAt: t.now(),
	}}
	if req.Re != "" {
		re, err := t.directive(req.Re)
		if err != nil {
			return res, unknownIDs(CodeUnknownDirective, "re", "list_directives shows the directives there are", string(req.Re))
		}
		x.Re = re.id
	}
	if req.ExpiresS > 0 {
		x.ExpiresAt = t.in(time.Duration(req.ExpiresS) * time.Second)
	}
	x.Instruction = t.keepText(x.text(partInstruction), nil, &req.Instruction)
	if req.Payload != nil {
		payload := string(req.Payload)
		x.Payload = t.keepText(x.text(partPayload), nil, &payload)
	}
	seq := t.putDirective(x, change{kind: EventDirectiveSent, payload: map[string]any{
		"to_agent": to.ID, "instruction": cutText(req.Instruction, shownInstruction),
	}})
	return SendDirectiveResult{DirectiveID: id, ToAgent: to.ID, EventID: seq, Number: numberText(seq)}, nil
}

// CancelDirectiveRequest names the directive to cancel.
type CancelDirectiveRequest struct {
	DirectiveID DirectiveID `json:"directive_id"`
	IdemKey     string      `json:"idem_key,omitempty"`
}

// CancelDirectiveResult names the directive.
type CancelDirectiveResult struct {
	Outcome

	DirectiveID DirectiveID `json:"directive_id"`
}

// CancelDirective ends a directive that the agent sent and that is not final. Its
// addressee is told if it has seen it, and a lease on it is over. Refusals:
// [CodeUnknownDirective], [CodeNotYours], [AlreadyFinalError].
func (a *Agent) CancelDirective(ctx context.Context, req CancelDirectiveRequest) (CancelDirectiveResult, error) {
	return mutate(ctx, a, call{opCancelDirective, req.IdemKey, req}, func(t *teamTx) (CancelDirectiveResult, error) {
		return t.cancelDirective(req.DirectiveID)
	})
}

// cancelDirective cancels for the transaction's actor: an issuer its own, a
// console any.
func (t *teamTx) cancelDirective(ref DirectiveID) (CancelDirectiveResult, error) {
	x, err := t.directive(ref)
	if err != nil {
		return CancelDirectiveResult{}, err
	}
	if x.From != t.by.id && t.by.role != RoleConsole {
		return CancelDirectiveResult{}, refuse(CodeNotYours, "you did not send it: its issuer or a console can cancel it")
	}
	if x.Status.final() {
		return CancelDirectiveResult{}, x.alreadyFinal()
	}
	x.Status, x.TTLS = DirectiveCanceled, 0
	t.putDirective(x, change{kind: EventDirectiveCanceled})
	t.endLease(leaseDirective, string(x.id))
	if x.DeliveredAt != 0 && string(x.To) != t.by.id {
		t.tell(x.To, newsRecord{Kind: NewsDirectiveCancelled, Entity: EntityDirective, ID: string(x.id)})
	}
	return CancelDirectiveResult{DirectiveID: x.id}, nil
}

func (x *directive) alreadyFinal() error {
	return &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: string(x.Status), Hint: "nothing was changed"}
}
