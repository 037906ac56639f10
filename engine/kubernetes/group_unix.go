//go:build unix

package kubernetes

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's signals from a process.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
