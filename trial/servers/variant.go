package servers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// readyEvery is how often a server is asked whether it is ready.
const readyEvery = 100 * time.Millisecond

// Apply puts one's own server into the state that v names: it runs the command of
// v in dir and waits until the server is ready. The command and what it started
// in its own process group end with ctx or its time limit; a server that left the
// group lives on. output is the end of what the command wrote, with its secrets.
func Apply(ctx context.Context, v *scenario.Variant, dir string) (output []byte, err error) {
	output, err = runCommand(ctx, &v.Apply, dir)
	command := fmt.Sprintf("%q", v.Apply.Run)
	switch {
	case errors.Is(err, errTooLong):
		err = reason.Err(reason.New(reason.CommandTooLong, command, v.Apply.Timeout, lastLine(output)))
	case err != nil:
		err = reason.Err(reason.New(reason.CommandFailed, command, err, lastLine(output)))
	case v.Ready != nil:
		err = awaitReady(ctx, v.Ready)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return output, err
}

// errTooLong: the command was ended by its time limit.
var errTooLong = errors.New("too long")

// mostOutput is how much of a command's output is kept.
const mostOutput = 256 << 10

func runCommand(ctx context.Context, c *scenario.Command, dir string) (output []byte, err error) {
	// A file, not a pipe: a server that the command leaves running would hold a
	// pipe open for good.
	log, err := os.CreateTemp("", "cstest-apply-")
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = log.Close()
		_ = os.Remove(log.Name())
	}()
	limited, cancel := context.WithTimeout(ctx, c.Timeout.D())
	defer cancel()
	cmd := exec.CommandContext(limited, c.Run[0], c.Run[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	err = cmd.Run()
	if limited.Err() != nil {
		err = errTooLong
	}
	if size, failed := log.Seek(0, io.SeekEnd); failed == nil {
		output = make([]byte, min(size, mostOutput))
		n, _ := log.ReadAt(output, size-int64(len(output))) // what is there; a log that cannot be read is no reason to stop
		output = output[:n]
	}
	return output, err
}

// lastLine is the last line of a command's output, for the end of an error.
func lastLine(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	last := []rune(strings.TrimSpace(lines[len(lines)-1]))
	if len(last) == 0 {
		return ""
	}
	return ": " + string(last[:min(len(last), 200)])
}

// awaitReady asks until the answer has the status.
func awaitReady(ctx context.Context, r *scenario.Ready) error {
	limited, cancel := context.WithTimeout(ctx, r.Timeout.D())
	defer cancel()
	client := http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // only the status of the answer is looked at, and nothing is sent
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	last := "no answer"
	again := time.NewTicker(readyEvery)
	defer again.Stop()
	for {
		status, err := askStatus(limited, &client, r.URL)
		switch {
		case err == nil && status == int(r.Status):
			return nil
		case err == nil:
			last = fmt.Sprintf("HTTP %d", status)
		case limited.Err() == nil:
			last = err.Error()
		}
		select {
		case <-limited.Done():
			return reason.Err(reason.New(reason.VariantNotReady, r.URL, strconv.Itoa(int(r.Status)), r.Timeout, last))
		case <-again.C:
		}
	}
}

func askStatus(ctx context.Context, client *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
