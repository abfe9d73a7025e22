package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// agentCommands take part in a team, on an agent's machine.
func agentCommands(a *app) []*cobra.Command {
	return grouped(groupAgent, heartbeatCommand(a), hookCommand(a), workerCommand(a), mcpCommand(a))
}

// agentName is the agent that the settings name, or else the client's token.
func agentName(ctx context.Context, s settings, c *client.Client) (string, error) {
	if s.Name != "" {
		return s.Name, nil
	}
	who, err := c.WhoAmI(ctx)
	if err != nil {
		return "", err
	}
	name := ""
	if who.Value.Role == "agent" {
		name = who.Value.Name
	}
	if name == "" {
		return "", usageError{errors.New("which agent is this? --name, ATMCP_NAME, or an agent's own token says it")}
	}
	return name, nil
}

// clientOf is a client for settings that a command has changed.
func (a *app) clientOf(s settings) (*client.Client, error) {
	c, err := client.New(client.Options{
		URL: s.URL, Team: s.Team, Token: s.Token, TokenFrom: s.TokenFrom, Name: s.Name,
		UserAgent: "atmcp/" + version(), Timeout: a.flags.timeout,
	})
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// withToken has a token that was given as an argument win. The original's programs
// take it so; every user of the machine can read it there.
func (s settings) withToken(token string) (settings, error) {
	if token == "" {
		return s, nil
	}
	s.Token, s.TokenFrom = token, "--token"
	return s, checkToken(s.Token, s.TokenFrom)
}
