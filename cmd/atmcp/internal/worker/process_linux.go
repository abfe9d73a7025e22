package worker

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a job a process group of its own, so that it is signalled whole,
// and has the kernel end it with a worker that is killed: what another worker has
// begun anew must not go on here.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
