//go:build unix

package slurm

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's signals from a process.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// drain has srun forward a signal that asks cstest to end.
func drain(p *os.Process) error { return p.Signal(syscall.SIGUSR1) }
