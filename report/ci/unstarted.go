package ci

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/markdown"
)

// Unstarted is a run that could not begin: there is no result, but a CI job wants
// to be told where it looks.
type Unstarted struct {
	Scenario, RunID, Version string
	Seed                     uint64
	At                       time.Time
	Why                      string // lines
	ExitCode                 int
}

// Write writes those files of a result directory that tell of it.
func (u *Unstarted) Write(dir string, lang reason.Lang) error {
	var problems []error
	for _, f := range []directory.File{
		{Name: "junit.xml", Write: u.WriteJUnit},
		{Name: "report.md", Write: func(w io.Writer) error { return u.WriteMarkdown(w, lang) }},
	} {
		problems = append(problems, directory.WriteFile(dir, f))
	}
	return errors.Join(problems...)
}

// WriteJUnit writes the run as the one test case, which is an error.
func (u *Unstarted) WriteJUnit(out io.Writer) error {
	lines := u.lines()
	name := escape.Clean(u.Scenario)
	return writeSuite(out, &junitSuite{
		Name: name, Time: "0", Timestamp: u.At.UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"run_id", escape.Clean(u.RunID)},
			{"seed", strconv.FormatUint(u.Seed, 10)},
			{"cstest_version", escape.Clean(u.Version)},
			{"exit_code", strconv.Itoa(u.ExitCode)},
		},
		Cases: []junitCase{{Class: name, Name: "run", Time: "0", Error: &junitProblem{Message: lines[0], Type: "not started", Text: strings.Join(lines, "\n")}}},
	})
}

// WriteMarkdown writes a few lines for a job's page.
func (u *Unstarted) WriteMarkdown(out io.Writer, lang reason.Lang) error {
	said := "could not start (exit code %d)"
	if lang == reason.Chinese {
		said = "未能开始（退出码 %d）"
	}
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "## ❌ %s: "+said+"\n\n", markdown.Escape(u.Scenario), u.ExitCode)
	for _, line := range u.lines() {
		fmt.Fprintf(b, "    %s\n", line) // a block of code, in which nothing else has a meaning
	}
	fmt.Fprintln(b)
	return b.Flush()
}

func (u *Unstarted) lines() []string {
	lines := strings.Split(strings.TrimSpace(u.Why), "\n")
	for i := range lines {
		lines[i] = escape.Clean(lines[i])
	}
	return lines
}
