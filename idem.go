package atmcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// maxIdemKey bounds an idempotency key: 128 printable ASCII characters.
const maxIdemKey = 128

// Outcome is part of every mutation's result.
type Outcome struct {
	// Replayed is set when an earlier call with the same idempotency key did the
	// work; the rest of the result is that call's.
	Replayed bool `json:"replayed,omitempty"`
}

func (o *Outcome) replay() { o.Replayed = true }

// call describes a mutation to the idempotency table: its operation, the key
// the caller gave, if any, and its whole request.
type call struct {
	op  string
	key string
	req any
}

// The operations that agents and consoles have in common.
const (
	opSendDirective   = "send_directive"
	opCancelDirective = "cancel_directive"
	opCreateTask      = "create_task"
	opCreateGoal      = "create_goal"
)

// writer is who writes to which team.
type writer struct {
	team *teamState
	by   actor
}

// idemRecord is what a key remembers. It commits in the same batch as the work.
type idemRecord struct {
	Op      string          `json:"op"`
	Args    []byte          `json:"args"` // SHA-256 of the request
	At      int64           `json:"at"`
	Refused Code            `json:"refused,omitempty"`
	Result  json.RawMessage `json:"result"`
}

func keyIdem(who, key string) keyspace.Key { return keyspace.Table(tableIdem).Str(who).Str(key) }

// once runs a mutation under its idempotency key. The same key and request
// again gives the first result and no second effect, for Config.IdemTTL, across
// restarts. R is a result struct that embeds Outcome.
func once[R any](ctx context.Context, w writer, c call, fn func(*teamTx) (R, error)) (R, error) {
	if c.key == "" {
		return update(ctx, w.team, w.by, fn)
	}
	var zero R
	if err := validIdemKey(c.key); err != nil {
		return zero, err
	}
	args, err := argsOf(c.op, c.req)
	if err != nil {
		return zero, err
	}
	out, err := update(ctx, w.team, w.by, func(t *teamTx) (settledResult[R], error) {
		k := keyIdem(w.by.id, c.key)
		if rec, ok := load[idemRecord](t, k); ok && rec.At > t.now()-t.hub.cfg.IdemTTL.Milliseconds() {
			return replay[R](rec, c.op, args)
		}
		mark := t.tx.Mark()
		res, err := fn(t)
		var refusal Refusal
		if err != nil && (!errors.As(err, &refusal) || !settled(refusal)) {
			return settledResult[R]{}, err
		}
		rec := idemRecord{Op: c.op, Args: args, At: t.now()}
		if refusal != nil {
			t.tx.Undo(mark)
			t.count = nil
			rec.Refused = refusal.Code()
			rec.Result, err = json.Marshal(refusal)
		} else {
			rec.Result, err = json.Marshal(res)
		}
		if err != nil {
			return settledResult[R]{}, fmt.Errorf("atmcp: encode %s result: %w", c.op, err)
		}
		save(t, k, rec)
		return settledResult[R]{res, refusal}, nil
	})
	if err != nil {
		return zero, err
	}
	if out.refusal != nil {
		return zero, out.refusal
	}
	return out.result, nil
}

// settledResult is a result or a refusal that is stored: a value to the
// transaction, which rolls back on errors.
type settledResult[R any] struct {
	result  R
	refusal Refusal
}

func replay[R any](rec idemRecord, op string, args []byte) (out settledResult[R], err error) {
	if rec.Op != op || !bytes.Equal(rec.Args, args) {
		return out, idemMismatch(rec.Op)
	}
	if rec.Refused != "" {
		out.refusal, err = reviveRefusal(rec.Refused, rec.Result)
		return out, err
	}
	err = json.Unmarshal(rec.Result, &out.result)
	if o, ok := any(&out.result).(interface{ replay() }); ok {
		o.replay()
	}
	return out, err
}

func idemMismatch(op string) error {
	return &IdemMismatchError{
		Reason: CodeIdemMismatch, Operation: op,
		Hint: "use a new idem_key for another call; the same key is for repeating the same call",
	}
}

// argsOf is the hash by which a request is known again.
func argsOf(op string, req any) ([]byte, error) {
	raw, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("atmcp: encode %s request: %w", op, err)
	}
	args := sha256.Sum256(raw)
	return args[:], nil
}

func validIdemKey(key string) error {
	if len(key) > maxIdemKey {
		return invalid("idem_key", "has %d characters, at most %d are allowed", len(key), maxIdemKey)
	}
	for _, r := range key {
		if r < 0x20 || r > 0x7e {
			return invalid("idem_key", "has a character outside printable ASCII")
		}
	}
	return nil
}
