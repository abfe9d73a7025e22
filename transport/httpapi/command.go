package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// commandRoutes are the original's way to steer by a line of text.
func (s *server) commandRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/api/teams/{team}/console/command", access: byConsole, serve: s.command, bodyToken: true},
	}
}

// commandReply is what a line of the console brings.
type commandReply struct {
	OK      bool   `json:"ok"`
	Kind    string `json:"kind"` // the verb, or "help", "usage" or "unknown"
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// verb is one word that the console knows.
type verb struct {
	kind  string
	usage string // after the word: what is to be given
	about string
	// wants is how many words must follow; the last one is the rest of the line.
	wants int
	run   func(c *call, console *atmcp.Console, args []string) (commandReply, error)
}

// verbs are the words by which a line may begin.
func verbs() map[string]verb {
	status := verb{kind: "status", about: "the team at a glance", run: commandStatus}
	return map[string]verb{
		"status": status, "list": status, "agents": status,
		"todo":       {kind: "todo", about: "the tasks that nobody holds", run: commandTodo},
		"send":       {kind: "send", usage: "<agent> <instruction>", about: "give an agent an order", wants: 2, run: commandSend},
		"dispatch":   {kind: "dispatch", usage: "<instruction>", about: "make a task that any agent can claim", wants: 1, run: commandDispatch},
		"watch":      {kind: "watch", usage: "<directive_id>", about: "what has become of an order", wants: 1, run: commandWatch},
		"logs":       {kind: "logs", usage: "<agent>", about: "what an agent wrote last", wants: 1, run: commandLogs},
		"directives": {kind: "directives", usage: "[sent|received]", about: "the orders of the team, or your own", run: commandDirectives},
		"cancel":     {kind: "cancel", usage: "<directive_id>", about: "take an order of yours back", wants: 1, run: commandCancel},
	}
}

// commandHelp lists the verbs in the order in which people need them.
func commandHelp() commandReply {
	known := verbs()
	var lines []string
	for _, word := range []string{"status", "todo", "send", "dispatch", "watch", "logs", "directives", "cancel"} {
		lines = append(lines, strings.TrimSpace(word+" "+known[word].usage)+" – "+known[word].about)
	}
	return commandReply{OK: true, Kind: "help", Message: strings.Join(lines, "\n")}
}

// command runs one line as console:<name>. What the hub refuses is told in the
// reply, but for who may do it at all.
func (s *server) command(c *call) error {
	line := c.args.TextOr("command", "")
	c.idemKey() // known here, though not every word takes it
	console, err := s.console(c)
	if err != nil {
		return err
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	reply, err := runCommand(c, console, line)
	if code := atmcp.CodeOf(err); code == atmcp.CodeForbidden || code == atmcp.CodeNotJoined {
		return err
	}
	var refusal atmcp.Refusal
	text, wrong := wire.Invalid(err)
	switch {
	case wrong:
		reply.Message, reply.Data = text, nil
	case errors.As(err, &refusal):
		reply.Message, reply.Data = refusalText(refusal), json.RawMessage(wire.Refusal(refusal))
	case err != nil:
		return err
	}
	return c.replyPlain(http.StatusOK, reply)
}

// refusalText is a refusal in one line, with what to do if it says so.
func refusalText(r atmcp.Refusal) string {
	var said struct{ Hint string }
	if json.Unmarshal(wire.Refusal(r), &said) != nil || said.Hint == "" {
		return string(r.Code())
	}
	return string(r.Code()) + ": " + said.Hint
}

// runCommand finds the verb of a line, which may begin with /team, and runs it.
func runCommand(c *call, console *atmcp.Console, line string) (commandReply, error) {
	line = strings.TrimSpace(line)
	if rest, ok := strings.CutPrefix(line, "/team"); ok && (rest == "" || rest[0] == ' ') {
		line = strings.TrimSpace(rest)
	}
	word, rest, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	word = strings.ToLower(word)
	switch word {
	case "", "help", "?", "h":
		return commandHelp(), nil
	}
	v, ok := verbs()[word]
	if !ok {
		return commandReply{Kind: "unknown", Message: "there is no command " + strings.ToValidUTF8(word[:min(len(word), 40)], "") + "; help shows those there are"}, nil
	}
	args := splitWords(rest, max(1, v.wants))
	if len(args) < v.wants {
		return commandReply{Kind: "usage", Message: "usage: " + word + " " + v.usage}, nil
	}
	reply, err := v.run(c, console, args)
	reply.OK, reply.Kind = err == nil, v.kind
	return reply, err
}

// splitWords cuts a line into so many words, of which the last is all that is left.
func splitWords(line string, n int) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if len(words) == n-1 {
			return append(words, line)
		}
		var word string
		word, line, _ = strings.Cut(line, " ")
		words = append(words, word)
	}
	return words
}
