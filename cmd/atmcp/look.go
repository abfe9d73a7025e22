package main

import "github.com/spf13/cobra"

// lookCommands show a team.
func lookCommands(a *app) []*cobra.Command {
	return grouped(groupLook,
		statusCommand(a), agentsCommand(a), tasksCommand(a), goalsCommand(a), directivesCommand(a), eventsCommand(a),
		outputCommand(a), logsCommand(a), knowledgeCommand(a), memoryCommand(a), usageCommand(a))
}
