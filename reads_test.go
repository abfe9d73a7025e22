package atmcp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/store/memstore"
)

// noIndex is an index that is never fed.
type noIndex struct{ search.Index }

func (noIndex) Position(context.Context, string) (search.Position, error) {
	return search.Position{}, errors.New("not now")
}

// Over a store on another machine every read is a round trip: what a hub wrote itself it
// need not read, and what it must read it reads at once.
func TestACallReadsTheStoreOnceAtMost(t *testing.T) {
	t.Parallel()
	m := &meter{Store: memstore.New()}
	a := join(t, newTeam(t, openHub(t, atmcp.Config{Store: m, Index: noIndex{}, ReapInterval: -1})), "alice")
	var (
		ctx  = t.Context()
		n    int
		held atmcp.ClaimResult
		sent atmcp.SendDirectiveResult
	)
	lease := func() *atmcp.Lease { return a.Lease(held.TaskID, held.FencingToken) }
	calls := []struct {
		name  string
		reads int64
		do    func() error
	}{
		{"news", 1, func() error { _, err := a.News(ctx); return err }},
		{"set_memory", 0, func() error {
			_, err := a.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "k", Value: []byte("1")})
			return err
		}},
		{"set_memory under a key", 1, func() error {
			_, err := a.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "k", Value: []byte("1"), IdemKey: fmt.Sprint(n)})
			return err
		}},
		{"post_knowledge", 1, func() error {
			_, err := a.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: fmt.Sprint(n), Body: "b"})
			return err
		}},
		{"create_task", 0, func() error { _, err := a.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "x"}); return err }},
		{"claim_next_task", 1, func() (err error) {
			held, err = a.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
			return err
		}},
		{"update_task_progress", 0, func() error {
			_, err := lease().Progress(ctx, atmcp.ProgressRequest{Note: new("half")})
			return err
		}},
		{"complete_task", 1, func() error {
			_, err := lease().Complete(ctx, atmcp.CompleteRequest{ResultSummary: new("done")})
			return err
		}},
		{"send_directive", 1, func() (err error) {
			sent, err = a.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x"})
			return err
		}},
		{"claim_directive", 0, func() error {
			_, err := a.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: sent.DirectiveID, LeaseTTLS: new(60)})
			return err
		}},
		{"report_directive", 0, func() error {
			_, err := a.ReportDirective(ctx, atmcp.ReportDirectiveRequest{
				DirectiveID: sent.DirectiveID, Status: atmcp.DirectiveDone, FencingToken: new(atmcp.Token(1)),
			})
			return err
		}},
		{"append_output", 0, func() error { _, err := a.AppendOutput(ctx, atmcp.AppendOutputRequest{Text: "x"}); return err }},
	}
	for ; n < 3; n++ {
		for _, c := range calls {
			m.reads.Store(0)
			require.NoError(t, c.do(), c.name)
			if n > 0 {
				assert.LessOrEqual(t, m.reads.Load(), c.reads, c.name)
			}
		}
	}
}
