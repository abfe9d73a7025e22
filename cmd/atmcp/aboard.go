package main

import "github.com/spf13/cobra"

// aboardCommands bring a person or a client aboard.
func aboardCommands(a *app) []*cobra.Command {
	return grouped(groupAboard, loginCommand(a), logoutCommand(a), whichTokenCommand(a), connectCommand(a), doctorCommand(a))
}
