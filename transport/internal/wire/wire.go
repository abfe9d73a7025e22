// Package wire turns results and refusals into the JSON that callers see, and
// the JSON that callers send into arguments. Every transport uses it, so that a
// tool and a route never say the same thing in two ways.
//
// A result is an object whose first member is "ok": true. A refusal is one whose
// first member is "ok": false; the rest is the refusal's own evidence. All output
// is compact, in UTF-8, and HTML characters stand as they are.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atmcp/atmcp"
)

// Result returns v, which encodes as an object, with "ok": true in front. A v whose
// first member is ok keeps its own.
func Result(v any) ([]byte, error) {
	raw, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	if raw[0] != '{' {
		return nil, fmt.Errorf("encode result: %T is not an object", v)
	}
	if bytes.HasPrefix(raw, []byte(`{"ok":`)) {
		return raw, nil
	}
	return prepend(`"ok":true`, raw), nil
}

// Refusal returns the refusal's JSON with "ok": false in front.
func Refusal(r atmcp.Refusal) []byte {
	raw, err := encode(r)
	if err != nil || raw[0] != '{' {
		raw, _ = encode(atmcp.RefusedError{Reason: r.Code()}) // two strings cannot fail
	}
	return prepend(`"ok":false`, raw)
}

// Splice returns the object with one member more at its end, whose value is raw
// JSON. What is in the object keeps its bytes.
func Splice(object []byte, name string, value []byte) []byte {
	out := make([]byte, 0, len(object)+len(name)+len(value)+4)
	out = append(out, object[:len(object)-1]...)
	if len(object) > len(`{}`) {
		out = append(out, ',')
	}
	out = append(append(append(out, '"'), name...), '"', ':')
	return append(append(out, value...), '}')
}

// Extra is Splice of a Go value.
func Extra(object []byte, name string, v any) ([]byte, error) {
	raw, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return Splice(object, name, raw), nil
}

// Invalid tells whether err says that the arguments are wrong, and what to change.
func Invalid(err error) (text string, ok bool) {
	if args, ok := errors.AsType[*ArgumentError](err); ok {
		return args.Error(), true
	}
	if field, ok := errors.AsType[*atmcp.InvalidError](err); ok {
		return field.Field + " " + field.Problem, true
	}
	return "", false
}

// Outcome names how a call ended, for counting: "ok", the code of a refusal,
// "invalid" for wrong arguments, and "fault" for anything else.
func Outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if code := atmcp.CodeOf(err); code != "" {
		return string(code)
	}
	if _, invalid := Invalid(err); invalid {
		return "invalid"
	}
	return "fault"
}

// prepend puts a member in front of an object's members.
func prepend(member string, object []byte) []byte {
	out := make([]byte, 0, len(object)+len(member)+1)
	out = append(append(out, '{'), member...)
	if len(object) > len(`{}`) {
		out = append(out, ',')
	}
	return append(out, object[1:]...)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
