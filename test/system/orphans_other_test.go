//go:build !linux

package system_test

import "syscall"

// withTest leaves a process to the cleanup of its test.
func withTest() *syscall.SysProcAttr { return nil }
