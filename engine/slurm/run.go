// Package slurm runs the shards of a load as the tasks of one step: srun places,
// starts and labels them, and carries what they write.
package slurm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/reason"
)

// Step is one srun. It is a conduct.Cluster.
type Step struct {
	Srun    string   // the program; empty: srun
	Name    string   // of the job, for squeue
	Shards  int      // tasks
	Cores   int      // of each
	More    []string // arguments for srun besides
	Command []string // what a task runs, all but --start-at
	Dir     string   // a folder that every node sees, for the instant to start at

	cmd     *exec.Cmd
	out     conduct.Out
	reading sync.WaitGroup
	ended   chan struct{}

	mu   sync.Mutex
	says string // srun's last line
}

// startFile holds the instant to start at.
const startFile = "start-at"

// Args are srun's.
func (s *Step) Args() []string {
	args := []string{
		fmt.Sprintf("--ntasks=%d", s.Shards), fmt.Sprintf("--cpus-per-task=%d", max(s.Cores, 1)), "--job-name=" + s.Name,
		// A lost node or a killed task does not end the others: what they drove counts.
		"--no-kill", "--kill-on-bad-exit=0", "--wait=0", "--label", "--input=none",
	}
	args = append(args, s.More...)
	args = append(args, "--")
	args = append(args, s.Command...)
	return append(args, "--start-at", "@"+filepath.Join(s.Dir, startFile))
}

// Start runs srun.
func (s *Step) Start(ctx context.Context, out conduct.Out) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	program := s.Srun
	if program == "" {
		program = "srun"
	}
	s.cmd = exec.Command(program, s.Args()...)
	s.out, s.ended = out, make(chan struct{})
	ownGroup(s.cmd) // Ctrl-C in the terminal is for us to pass on
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return reason.Err(reason.New(reason.SrunMissing, err))
	}
	s.reading.Go(func() { s.read(stdout) })
	s.reading.Go(func() { s.read(stderr) })
	go func() {
		s.reading.Wait()
		err := s.cmd.Wait()
		how := "srun ended"
		if err != nil {
			how = "srun: " + err.Error()
		}
		if last := s.lastSaid(); last != "" {
			how += ": " + last
		}
		out.AllGone(how)
		close(s.ended)
	}()
	return nil
}

// mostLine bounds a line: a journal's piece is shorter.
const mostLine = 64 << 10

func (s *Step) read(from io.Reader) {
	in := bufio.NewReaderSize(from, mostLine)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			s.line(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// Lines of srun itself, and of tasks by its label.
var (
	labelled = regexp.MustCompile(`^ *(\d+): `)
	ofTask   = regexp.MustCompile(`^srun: error: \S+: tasks? ([\d,-]+): (.*)`)
)

func (s *Step) line(line []byte) {
	if m := labelled.FindSubmatchIndex(line); m != nil {
		task, err := strconv.Atoi(string(line[m[2]:m[3]]))
		if err == nil && task < s.Shards {
			s.out.Line(task, line[m[1]:])
			return
		}
	}
	s.out.Line(-1, line)
	text := strings.TrimSpace(string(line))
	if m := ofTask.FindStringSubmatch(text); m != nil {
		for _, task := range tasks(m[1], s.Shards) {
			s.out.Gone(task, m[2])
		}
	}
	if strings.HasPrefix(text, "srun: ") {
		s.mu.Lock()
		s.says = strings.TrimPrefix(text, "srun: ")
		s.mu.Unlock()
	}
}

// tasks reads a list such as 0-2,5, as far as there are so many.
func tasks(list string, most int) (all []int) {
	for part := range strings.SplitSeq(list, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		last := first
		if ranged {
			if last, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		for i := first; i <= last && i < most; i++ {
			all = append(all, i)
		}
	}
	return all
}

func (s *Step) lastSaid() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.says
}

// Look says what srun said last: why it waits is all that it tells.
func (s *Step) Look(context.Context) (reason.Reasons, error) {
	if says := s.lastSaid(); says != "" {
		return reason.Reasons{reason.Said(says)}, nil
	}
	return nil, nil
}

// Tell writes the file that every task waits for, whole at once.
func (s *Step) Tell(_ context.Context, at time.Time) error {
	path := filepath.Join(s.Dir, startFile)
	if err := os.WriteFile(path+".new", []byte(at.UTC().Format(time.RFC3339Nano)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Drain passes a signal to every task: of those that ask to end, srun forwards
// this one alone. It may have ended already.
func (s *Step) Drain() { _ = drain(s.cmd.Process) }

// Clean ends a step that still runs: tasks on a node that is lost never end.
func (s *Step) Clean(ctx context.Context) error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it ends its tasks
	within := time.NewTimer(endWithin)
	defer within.Stop()
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
	case <-within.C:
	}
	_ = s.cmd.Process.Kill()
	select {
	case <-s.ended:
	case <-ctx.Done():
		return reason.Err(reason.New(reason.SrunHangs))
	}
	return nil
}

// endWithin is how long srun may take to end its tasks.
const endWithin = 10 * time.Second
