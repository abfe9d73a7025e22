package worker

import (
	"os/exec"
	"strconv"
	"syscall"
)

// ownGroup keeps a job from the console's Ctrl-C, which is the worker's.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interruptGroup does nothing: a process without a console cannot be asked to end.
// It has the grace to end by itself.
func interruptGroup(*exec.Cmd) {}

// killGroup ends a job and what it started, which Windows has a program for.
func killGroup(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() //nolint:gosec,noctx // a number; it ends at once
	}
}
