package servers

import (
	"errors"
	"os"
	"syscall"
)

// ownGroup keeps a child out of the console's group, to which a Ctrl-C goes.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

var errFreeze = errors.New("selftest freezes a server, which cannot be done on Windows: run it on Linux or macOS")

// Freeze would stop the child where it stands.
func (c *Child) Freeze() error { return errFreeze }

// Thaw would let a frozen child go on.
func (c *Child) Thaw() error { return errFreeze }

// killGroup ends the process alone.
func killGroup(p *os.Process) error { return p.Kill() }
