package scenario

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/cstest/cstest/reason"
)

// Options are what a scenario needs besides its text.
type Options struct {
	// Dir is the folder that data tables and ${file:…} are looked for in, and
	// never outside of; the current one when empty.
	Dir string
	// AnyPath lets them be outside of Dir.
	AnyPath bool
	// Recorded: the text is that of a run that was, to be judged where its data
	// tables are not. They stay unread, with no columns and no rows.
	Recorded bool
	// Target, unless empty, is the URL of one's own server to take in place of the
	// target's, be that the bundled one or another. What was filled in for the
	// bundled server (canaries on, a mock LLM) does not come in; what was written
	// stays.
	Target string
	// Set holds overrides, "PATH=VALUE" each: "load.stages[peak].starts=600/s".
	// Items of a list go by name or by index.
	Set []string
	// Knobs, unless nil, says what is wrong with the knobs that a scenario sets on top
	// of a profile of the bundled server, by their names; under "" what is wrong with
	// them together.
	Knobs func(profile string, set map[string]string) map[string]error
	// Env looks ${env:NAME} up; os.LookupEnv when nil.
	Env func(name string) (string, bool)
}

// LoadFile reads a scenario from a regular file of at most 1 MiB. Paths inside
// it are relative to its folder unless opt.Dir says otherwise. The error is
// *Problems where the content is at fault.
func LoadFile(path string, opt Options) (*Scenario, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, reason.Errorf("open scenario: %w", err)
	}
	text, err := readRegular(f, maxFile)
	if err != nil {
		return nil, reason.Errorf("read scenario %s: %w", path, err)
	}
	if opt.Dir == "" {
		opt.Dir = filepath.Dir(path)
	}
	return Parse(path, text, opt)
}

// errNotRegular refuses devices, pipes and folders, which may have no end.
var errNotRegular = reason.Errorf("not a regular file")

// readRegular reads and closes f.
func readRegular(f *os.File, limit int64) ([]byte, error) {
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = reason.Errorf("larger than %d bytes", limit)
	}
	return text, err
}

// Parse reads a scenario: text into values, overrides, defaults, data tables,
// meaning. name stands before positions in problems. The error is *Problems,
// with everything that is wrong; the Scenario is nil then.
func Parse(name string, text []byte, opt Options) (*Scenario, error) {
	if opt.Env == nil {
		opt.Env = os.LookupEnv
	}
	root, problems := parseTree(name, text)
	if root == nil {
		return nil, problemsError(problems)
	}
	d := decoder{source: source{file: name, sets: opt.Set, at: map[string]position{}, options: opt}}
	for i, set := range opt.Set {
		d.override(root, i, set)
	}
	s := &Scenario{}
	d.value(root, "", reflect.ValueOf(s).Elem())
	s.source = d.source
	if len(d.problems) > 0 {
		return nil, problemsError(d.problems)
	}
	if problems := append(s.readTables(), s.readCurve()...); len(problems) > 0 {
		return nil, problemsError(problems)
	}
	switch {
	case opt.Target != "":
		s.replaceTarget(opt.Target)
	case strings.Contains(s.Target.URL, "${"):
		url, err := s.Expand(s.Target.URL)
		if err != nil {
			return nil, problemsError([]Problem{s.source.problem("target.url", "%s, or say which server with --target URL (CSTEST_TARGET)", err)})
		}
		s.Target.URL = url
	}
	return s.finish()
}

// finish fills in what was left out and checks the meaning.
func (s *Scenario) finish() (*Scenario, error) {
	s.fill()
	c := checker{Scenario: s}
	c.scenario()
	if len(c.problems) > 0 {
		return nil, problemsError(c.problems)
	}
	c.warnings = append(c.warnings, s.source.read...)
	sortProblems(c.warnings)
	s.source.warnings = slices.Compact(c.warnings)
	return s, nil
}

// Warnings tells what is allowed and probably not meant, in the order of the file.
func (s *Scenario) Warnings() []Problem { return slices.Clone(s.source.warnings) }
