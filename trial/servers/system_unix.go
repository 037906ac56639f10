//go:build unix

package servers

import (
	"os"
	"syscall"
)

// ownGroup keeps a child out of the terminal's foreground group, to which a
// Ctrl-C goes.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Freeze stops the child where it stands.
func (c *Child) Freeze() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen child go on.
func (c *Child) Thaw() error { return c.cmd.Process.Signal(syscall.SIGCONT) }

// killGroup ends a process that has its own group, and whoever is in it.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
