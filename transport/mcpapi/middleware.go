package mcpapi

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// contain keeps a panic in a handler from ending the process. The SDK runs
// handlers outside of what net/http guards.
func (s *server) contain(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			s.log.ErrorContext(ctx, "panic in a handler", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if call, ok := req.(*mcp.CallToolRequest); ok {
				s.observe(call.Params.Name, "fault", 0)
				res, err = failure("Error executing tool "+call.Params.Name+": the server had a fault; it goes on. "+
					"Repeat the call with the same idem_key to learn the outcome"), nil
				return
			}
			res, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the server had a fault"}
		}()
		return next(ctx, method, req)
	}
}

// followRequest ends a handler when its client has gone. For clients of older
// protocols the SDK would let it run on.
func (s *server) followRequest(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		request := requestOf(ctx)
		if request == nil {
			return next(ctx, method, req)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(request, cancel)()
		return next(ctx, method, req)
	}
}

// admitOthers counts what is no call of a tool among the calls in flight: those are
// counted where they can be refused as data.
func (s *server) admitOthers(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		if _, ok := req.(*mcp.CallToolRequest); ok {
			return next(ctx, method, req)
		}
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

// refuseUnknownTool tells a model that a tool does not exist; the SDK would tell the
// client alone.
func (s *server) refuseUnknownTool(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		if call, ok := req.(*mcp.CallToolRequest); ok && s.tools[call.Params.Name] == nil {
			return failure("Unknown tool: " + call.Params.Name), nil
		}
		return next(ctx, method, req)
	}
}
