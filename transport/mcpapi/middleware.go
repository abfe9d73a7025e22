package mcpapi

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// receive stands before every method: a panic is contained, the end of the request ends
// what is under way, and what is no call of a tool is counted and fitted to the caller. It
// is one function because all that is between the SDK and a tool is on the stack of every
// wait.
func (s *server) receive(next mcp.MethodHandler) mcp.MethodHandler {
	others := s.admitOthers(s.listForCaller(next))
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		defer func() {
			if p := recover(); p != nil {
				res, err = s.panicked(ctx, method, req, p)
			}
		}()
		ctx, end := followRequest(ctx)
		defer end()
		call, ok := req.(*mcp.CallToolRequest)
		switch {
		case !ok:
			return others(ctx, method, req)
		case s.tools[call.Params.Name] == nil: // the SDK would tell the client alone, and not the model
			return failure("Unknown tool: " + call.Params.Name), nil
		}
		return next(ctx, method, req)
	}
}

// panicked answers for a handler that did not: the SDK runs handlers outside of what
// net/http guards, and the process would end.
func (s *server) panicked(ctx context.Context, method string, req mcp.Request, p any) (mcp.Result, error) {
	s.log.ErrorContext(ctx, "panic in a handler", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if call, ok := req.(*mcp.CallToolRequest); ok {
		s.observe(call.Params.Name, "fault", 0)
		return failure("Error executing tool " + call.Params.Name + ": the server had a fault; it goes on. " +
			"Repeat the call with the same idem_key to learn the outcome"), nil
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the server had a fault"}
}

// followRequest ends a context with the request that it is of: for clients of older
// protocols the SDK would let a handler run on when its client has gone.
func followRequest(ctx context.Context) (context.Context, context.CancelFunc) {
	request := requestOf(ctx)
	ctx, cancel := context.WithCancel(ctx)
	if request == nil {
		return ctx, cancel
	}
	leave := context.AfterFunc(request, cancel)
	return ctx, func() {
		leave()
		cancel()
	}
}

// admitOthers counts what is no call of a tool among the calls in flight: those are
// counted where they can be refused as data.
func (s *server) admitOthers(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		counts, err := s.limits.Enter()
		if err != nil {
			return nil, &jsonrpc.Error{Code: codeTooMany, Message: err.Error() + "; come again in a moment"}
		}
		defer counts.Leave()
		return next(ctx, method, req)
	}
}

// codeTooMany is the JSON-RPC code for what is too much, among those that are left to
// servers.
const codeTooMany = -32029

// listForCaller lists the argument handle only for those who need it.
func (s *server) listForCaller(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		res, err := next(ctx, method, req)
		if list, ok := res.(*mcp.ListToolsResult); ok && err == nil && !namesAgent(headerOf(req)) {
			list.Tools = s.all
		}
		return res, err
	}
}
