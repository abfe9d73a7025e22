package main

import "github.com/spf13/cobra"

// actCommands steer a team.
func actCommands(a *app) []*cobra.Command {
	return grouped(groupAct,
		sendCommand(a), watchCommand(a), cancelCommand(a), dispatchCommand(a), taskCommand(a), goalCommand(a), retireCommand(a))
}
