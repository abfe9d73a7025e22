package system_test

import (
	"fmt"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp"
)

// What a client may do with a task.
const (
	verbClaim    = "claim_next_task"
	verbComplete = "complete_task"
	verbFail     = "fail_task"
	verbRelease  = "release_task"
)

// step is an operation on one task as a client made it.
type step struct {
	verb  string
	task  atmcp.TaskID
	token atmcp.Token // of a claim: what it was given
}

// answer is what the client was told; an empty code means that it was done.
type answer struct {
	code atmcp.Code
	dead bool // of a failed attempt: there is no other
}

// taskModel is a task as the promise draws it: open, held under the token, or final.
type taskModel struct {
	token       atmcp.Token
	held, final bool
}

// claimsModel is the promise of claims, one task at a time: a grant comes under a
// larger token than all before it, and nothing else is granted until it has
// ended; who does not hold the current token changes nothing.
func claimsModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			return partition(history, func(op porcupine.Operation) atmcp.TaskID { return stepOf(op.Input).task })
		},
		Init: func() any { return taskModel{} },
		Step: func(state, input, output any) (bool, any) {
			before, _ := state.(taskModel)
			out, _ := output.(answer)
			return before.step(stepOf(input), out)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

func stepOf(input any) step {
	s, _ := input.(step)
	return s
}

func (m taskModel) step(in step, out answer) (bool, any) {
	current := m.held && in.token == m.token
	switch {
	case in.verb == verbClaim:
		return !m.held && !m.final && in.token > m.token, taskModel{token: in.token, held: true}
	case out.code == atmcp.CodeStaleToken:
		return !current, m
	case out.code == atmcp.CodeAlreadyFinal:
		return m.final && in.token == m.token, m
	case out.code != "":
		return false, m
	}
	final := in.verb == verbComplete || out.dead
	return current, taskModel{token: m.token, final: final}
}

// The alarm rings.
func TestModelOfClaimsRefusesWhatMustNotHappen(t *testing.T) {
	claim := func(token atmcp.Token) porcupine.Operation {
		return porcupine.Operation{Input: step{verbClaim, "x", token}, Output: answer{}}
	}
	end := func(verb string, token atmcp.Token, code atmcp.Code) porcupine.Operation {
		return porcupine.Operation{Input: step{verb, "x", token}, Output: answer{code: code}}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"a task's life":             {[]porcupine.Operation{claim(1), end(verbFail, 1, ""), claim(2), end(verbComplete, 2, "")}, true},
		"a stale end is refused":    {[]porcupine.Operation{claim(1), end(verbRelease, 1, ""), end(verbComplete, 1, atmcp.CodeStaleToken)}, true},
		"two grants at a time":      {[]porcupine.Operation{claim(1), claim(2)}, false},
		"the same token twice":      {[]porcupine.Operation{claim(1), end(verbRelease, 1, ""), claim(1)}, false},
		"a grant after the end":     {[]porcupine.Operation{claim(1), end(verbComplete, 1, ""), claim(2)}, false},
		"a stale end is accepted":   {[]porcupine.Operation{claim(1), end(verbRelease, 1, ""), claim(2), end(verbComplete, 1, "")}, false},
		"the holder is called late": {[]porcupine.Operation{claim(1), end(verbComplete, 1, atmcp.CodeStaleToken)}, false},
	} {
		for i := range c.history {
			c.history[i].Call, c.history[i].Return = int64(2*i), int64(2*i+1)
		}
		assert.Equal(t, c.want, porcupine.CheckOperations(claimsModel(), c.history), name)
	}
}
