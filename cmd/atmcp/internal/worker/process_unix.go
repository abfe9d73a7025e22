//go:build unix

package worker

import (
	"os/exec"
	"syscall"
)

// interruptGroup asks everything that a job started to end.
func interruptGroup(cmd *exec.Cmd) { signalGroup(cmd, syscall.SIGINT) }

// killGroup ends everything that a job started. A group that is gone is not an error.
func killGroup(cmd *exec.Cmd) { signalGroup(cmd, syscall.SIGKILL) }

func signalGroup(cmd *exec.Cmd, sig syscall.Signal) {
	_ = syscall.Kill(-cmd.Process.Pid, sig)
}
