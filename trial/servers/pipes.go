package servers

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// Pipes are the two ends that a parent holds of a child process: what it writes
// the child reads, and the other way round.
type Pipes struct {
	In  io.WriteCloser
	Out io.ReadCloser
}

// StartPiped starts cmd with its standard error going to stderr and its standard
// input and output piped. The process gets a group of its own: a Ctrl-C in a
// terminal goes to the whole foreground group, and who started the child decides
// when it ends. log is closed where the child does not start.
func StartPiped(cmd *exec.Cmd, what string, stderr io.Writer, log io.Closer) (p Pipes, err error) {
	cmd.Stderr = stderr
	cmd.SysProcAttr = ownGroup()
	if p.In, err = cmd.StdinPipe(); err == nil {
		p.Out, err = cmd.StdoutPipe()
	}
	if err == nil {
		if err = cmd.Start(); err != nil {
			err = fmt.Errorf("start %s: %w", what, err)
		}
	}
	if err != nil {
		return Pipes{}, errors.Join(err, log.Close())
	}
	return p, nil
}
