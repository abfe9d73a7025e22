package system_test

import "syscall"

// withTest has the kernel end a process with the test that started it, however that
// ends.
func withTest() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
