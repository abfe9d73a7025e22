//go:build unix && !linux

package worker

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a job a process group of its own, so that it is signalled whole.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
