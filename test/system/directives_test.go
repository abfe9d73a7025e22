package system_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

// directiveCall is what somebody does with one directive.
type directiveCall struct {
	verb string // claim, report or cancel
	id   atmcp.DirectiveID
}

// directivesModel is a directive as the promise draws it: pending, claimed by one
// at most, and final once.
func directivesModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			return partition(history, func(op porcupine.Operation) atmcp.DirectiveID {
				call, _ := op.Input.(directiveCall)
				return call.id
			})
		},
		Init: func() any { return atmcp.DirectivePending },
		Step: func(state, input, output any) (bool, any) {
			call, _ := input.(directiveCall)
			code, _ := output.(atmcp.Code)
			final := state != atmcp.DirectivePending && state != atmcp.DirectiveRunning
			switch {
			case call.verb == "claim" && code == "":
				return state == atmcp.DirectivePending, atmcp.DirectiveRunning
			case call.verb == "claim":
				return code == atmcp.CodeNotPending && state != atmcp.DirectivePending, state
			case code == "":
				return !final, atmcp.DirectiveStatus(call.verb)
			}
			return code == atmcp.CodeAlreadyFinal && final, state
		},
	}
}

// TestDirectivesHaveOneClaimantAndOneEnd has an addressee with three clients, the
// issuer and a console race over the same directives.
func TestDirectivesHaveOneClaimantAndOneEnd(t *testing.T) {
	hub := atmcptest.NewHub(t)
	issuer, addressee := atmcptest.Join(t, hub, "issuer"), atmcptest.Join(t, hub, "addressee")
	console, err := atmcptest.Team(t, hub).Console("desk")
	require.NoError(t, err)
	ctx := t.Context()
	claim := func(id atmcp.DirectiveID) error {
		_, err := addressee.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: id})
		return err
	}
	report := func(id atmcp.DirectiveID) error {
		_, err := addressee.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: id, Status: atmcp.DirectiveDone})
		return err
	}
	racers := []struct {
		verb string
		do   func(atmcp.DirectiveID) error
	}{
		{"claim", claim},
		{"claim", claim},
		{"report", report},
		{"report", report},
		{"cancel", func(id atmcp.DirectiveID) error {
			_, err := issuer.CancelDirective(ctx, atmcp.CancelDirectiveRequest{DirectiveID: id})
			return err
		}},
		{"cancel", func(id atmcp.DirectiveID) error {
			_, err := console.CancelDirective(ctx, atmcp.CancelDirectiveRequest{DirectiveID: id})
			return err
		}},
	}
	h := history{start: time.Now()}
	rng := rand.New(rand.NewPCG(19, 19))
	for n := range sized(500, 100) {
		sent, err := issuer.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "addressee", Instruction: fmt.Sprint("do ", n)})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for _, i := range rng.Perm(len(racers))[:2+rng.IntN(len(racers)-1)] {
			r := racers[i]
			wg.Go(func() {
				began := h.now()
				err := r.do(sent.DirectiveID)
				assert.True(t, err == nil || foreseen(err), "%v", err)
				h.record(porcupine.Operation{ClientId: i, Call: began, Input: directiveCall{r.verb, sent.DirectiveID}, Output: atmcp.CodeOf(err)})
			})
		}
		wg.Wait()
		_ = report(sent.DirectiveID) // leaves the inbox empty
	}
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(directivesModel(), h.ops, time.Minute))
}
