package e2e_test

import (
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// What the agents of the story do; each must succeed.

func (s *story) claim(who string, i int) {
	s.t.Helper()
	got, err := s.agents[who].ClaimTask(s.ctx, atmcp.ClaimTaskRequest{TaskID: s.tasks[i]})
	require.NoError(s.t, err)
	s.leases[i] = s.agents[who].Lease(got.TaskID, got.FencingToken)
}

func (s *story) progress(_ string, i, pct int, note string) {
	s.t.Helper()
	_, err := s.leases[i].Progress(s.ctx, atmcp.ProgressRequest{ProgressPct: &pct, Note: &note})
	require.NoError(s.t, err)
}

func (s *story) blocked(_ string, i int, note string) {
	s.t.Helper()
	_, err := s.leases[i].Progress(s.ctx, atmcp.ProgressRequest{Status: atmcp.TaskBlocked, Note: &note})
	require.NoError(s.t, err)
}

func (s *story) done(_ string, i int, result string) {
	s.t.Helper()
	_, err := s.leases[i].Complete(s.ctx, atmcp.CompleteRequest{ResultSummary: &result})
	require.NoError(s.t, err)
}

func (s *story) fail(_ string, i int, why string) {
	s.t.Helper()
	_, err := s.leases[i].Fail(s.ctx, atmcp.FailRequest{Error: &why})
	require.NoError(s.t, err)
}

func (s *story) fatal(_ string, i int, why string) {
	s.t.Helper()
	_, err := s.leases[i].Fail(s.ctx, atmcp.FailRequest{Error: &why, Retryable: ptr(false)})
	require.NoError(s.t, err)
}

func (s *story) release(_ string, i int, why string) {
	s.t.Helper()
	_, err := s.leases[i].Release(s.ctx, atmcp.ReleaseRequest{})
	require.NoError(s.t, err, why)
}

func (s *story) cancel(i int, why string) {
	s.t.Helper()
	_, err := s.boss.CancelTask(s.ctx, atmcp.TaskRequest{TaskID: s.tasks[i], Reason: why})
	require.NoError(s.t, err)
}

func (s *story) send(to, what string, priority int) atmcp.DirectiveID {
	s.t.Helper()
	sent, err := s.boss.SendDirective(s.ctx, atmcp.SendDirectiveRequest{ToAgent: to, Instruction: what, Priority: priority})
	require.NoError(s.t, err)
	return sent.DirectiveID
}

func (s *story) begin(who string, id atmcp.DirectiveID) {
	s.t.Helper()
	_, err := s.agents[who].ClaimDirective(s.ctx, atmcp.ClaimDirectiveRequest{DirectiveID: id})
	require.NoError(s.t, err)
}

func (s *story) report(who string, id atmcp.DirectiveID, how atmcp.DirectiveStatus, summary string) {
	s.t.Helper()
	_, err := s.agents[who].ReportDirective(s.ctx, atmcp.ReportDirectiveRequest{DirectiveID: id, Status: how, ResultSummary: &summary})
	require.NoError(s.t, err)
}

func (s *story) write(who string, id atmcp.DirectiveID, text string) {
	s.t.Helper()
	_, err := s.agents[who].AppendOutput(s.ctx, atmcp.AppendOutputRequest{Text: text, DirectiveID: id})
	require.NoError(s.t, err)
}
