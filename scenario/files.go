package scenario

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/template"
)

const (
	maxSecret = 64 << 10 // bytes of a ${file:…}
	maxUpload = 1 << 20  // of a file in a multipart body: each turn in flight holds it
)

// readInside reads a regular file below dir. Neither ".." nor a symbolic link
// leads out of it, unless anyPath says so; pipes and devices are refused without
// waiting for them.
func readInside(dir, path string, anyPath bool, limit int64) ([]byte, error) {
	if dir == "" {
		dir = "."
	}
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	if anyPath {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		f, err := os.OpenFile(path, flags, 0)
		if err != nil {
			return nil, plainError(err)
		}
		return readRegular(f, limit)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, plainError(err)
	}
	defer func() { _ = root.Close() }()
	f, err := root.OpenFile(path, flags, 0)
	if err != nil {
		return nil, plainError(err)
	}
	return readRegular(f, limit)
}

// plainError keeps the cause and says what to do about the most frequent ones.
func plainError(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return reason.Errorf("there is no such file: paths are relative to the scenario's folder")
	case errors.As(err, &path) && strings.Contains(path.Err.Error(), "escapes"):
		return reason.Errorf("is outside of the scenario's folder: move it there")
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// Dir is the folder that relative paths in the scenario are taken from.
func (s *Scenario) Dir() string { return s.source.options.Dir }

// Secret gives the value behind a variable from outside: "env:NAME" or
// "file:PATH" (a regular file of at most 64 KiB in the scenario's folder, its
// last line end cut off). Errors name the variable, never a value. It is safe
// for concurrent use.
func (s *Scenario) Secret(name string) (string, error) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "env":
		lookup := s.source.options.Env
		if lookup == nil {
			lookup = os.LookupEnv
		}
		value, ok := lookup(rest)
		if !ok {
			return "", reason.Errorf("the environment has no %s: set it", short(rest))
		}
		return value, nil
	case "file":
		text, err := readInside(s.source.options.Dir, rest, s.source.options.AnyPath, maxSecret)
		if err != nil {
			return "", reason.Errorf("${file:%s}: %w", short(rest), err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
	}
	return "", reason.Errorf("%s does not come from outside: only env:NAME and file:PATH do", short(name))
}

// Upload gives a file that a multipart body sends, of the scenario's folder.
func (s *Scenario) Upload(path string) ([]byte, error) {
	text, err := readInside(s.source.options.Dir, path, s.source.options.AnyPath, maxUpload)
	if err != nil {
		return nil, reason.Errorf("%s: %w", short(path), err)
	}
	return text, nil
}

// Expand renders a template whose variables all come from outside: a Redis URL,
// a key. Errors name the variable, never a value.
func (s *Scenario) Expand(text string) (string, error) {
	t, err := template.Parse(text, template.Text)
	if err != nil {
		return "", err
	}
	bound, err := template.Bind(t, func(name string) (template.Variable[struct{}], error) {
		value, err := s.Secret(name)
		return template.Constant[struct{}](value), err
	})
	if err != nil {
		return "", errors.Unwrap(err) // the variable is named already
	}
	expanded, _ := bound.Constant()
	return expanded, nil
}

// CheckSecrets tries every ${env:…} and ${file:…} of the scenario. The error is
// *Problems, with what cannot be had and where it is asked for. Parse does not
// do this: a scenario can be validated where its secrets are not. The fields in
// but are left out.
func (s *Scenario) CheckSecrets(but ...string) error {
	var problems []Problem
	for _, f := range s.templates() {
		if slices.Contains(but, f.path) {
			continue
		}
		for _, use := range f.Uses() {
			if !strings.Contains(use.Name, ":") {
				continue
			}
			if _, err := s.Secret(use.Name); err != nil {
				problems = append(problems, s.source.problem(f.path+within(use.At), "%s", err))
			}
		}
	}
	return problemsError(problems)
}
