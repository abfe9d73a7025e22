package atmcp

import "context"

// What a console writes into what the team shares is of the author "console:<name>".

// The names of what agents and consoles both do.
const (
	opSetMemory        = "set_memory"
	opPostKnowledge    = "post_knowledge"
	opRetractKnowledge = "retract_knowledge"
)

func (c *Console) author() AgentID { return AgentID(c.actor().id) }

// SetMemory is [Agent.SetMemory] for a console.
func (c *Console) SetMemory(ctx context.Context, req SetMemoryRequest) (SetMemoryResult, error) {
	req, err := req.checked()
	if err != nil {
		return SetMemoryResult{}, err
	}
	return steer(ctx, c, call{opSetMemory, req.IdemKey, req}, func(t *teamTx) (SetMemoryResult, error) {
		return t.setRegister(c.author(), req)
	})
}

// PostKnowledge is [Agent.PostKnowledge] for a console.
func (c *Console) PostKnowledge(ctx context.Context, req PostKnowledgeRequest) (PostKnowledgeResult, error) {
	tags, err := req.check()
	if err != nil {
		return PostKnowledgeResult{}, err
	}
	return steer(ctx, c, call{opPostKnowledge, req.IdemKey, req}, func(t *teamTx) (PostKnowledgeResult, error) {
		return t.postFinding(c.author(), req, tags)
	})
}

// RetractKnowledge is [Agent.RetractKnowledge] for a console.
func (c *Console) RetractKnowledge(ctx context.Context, req RetractKnowledgeRequest) (RetractKnowledgeResult, error) {
	return steer(ctx, c, call{opRetractKnowledge, req.IdemKey, req}, func(t *teamTx) (RetractKnowledgeResult, error) {
		return t.retractFinding(req.ContentID)
	})
}
