package system_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/atmcp/atmcp"
)

// crashKinds are the calls of a writer, in turn: the first call is of the first
// kind. A claim and its end go on from the task that the call before made.
func crashKinds() []string {
	return []string{"task", "claim", "end", "register", "finding", "directive", "line"}
}

// crashWriter makes calls that are told from their number alone, so that another
// process can repeat them under the same key.
type crashWriter struct {
	*atmcp.Agent

	id int
}

func (w *crashWriter) key(n int) string { return fmt.Sprintf("%d-%d", w.id, n) }

// call makes the n-th call.
func (w *crashWriter) call(ctx context.Context, n int) (err error) {
	key := w.key(n)
	switch kinds := crashKinds(); kinds[n%len(kinds)] {
	case "task":
		_, err = w.task(ctx, n)
	case "claim":
		_, err = w.claim(ctx, n)
	case "end":
		var lease *atmcp.Lease
		if lease, err = w.claim(ctx, n-1); err == nil {
			_, err = lease.Complete(ctx, atmcp.CompleteRequest{IdemKey: key})
		}
	case "register":
		_, err = w.SetMemory(ctx, atmcp.SetMemoryRequest{Key: fmt.Sprint(w.id), Value: json.RawMessage(fmt.Sprint(n)), IdemKey: key})
	case "finding":
		_, err = w.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: key, Body: "as it is", IdemKey: key})
	case "directive":
		_, err = w.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: w.DisplayName(), Instruction: key, IdemKey: key})
	default:
		_, err = w.AppendOutput(ctx, atmcp.AppendOutputRequest{Text: key, IdemKey: key})
	}
	return err
}

func (w *crashWriter) task(ctx context.Context, n int) (atmcp.TaskID, error) {
	res, err := w.CreateTask(ctx, atmcp.CreateTaskRequest{Title: w.key(n), IdemKey: w.key(n)})
	return res.TaskID, err
}

// claim makes or repeats the claim that is the n-th call.
func (w *crashWriter) claim(ctx context.Context, n int) (*atmcp.Lease, error) {
	id, err := w.task(ctx, n-1)
	if err != nil {
		return nil, err
	}
	res, err := w.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: id, IdemKey: w.key(n)})
	return w.Lease(res.TaskID, res.FencingToken), err
}
