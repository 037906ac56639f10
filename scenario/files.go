package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const maxSecret = 64 << 10 // bytes of a ${file:…}

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
		return fmt.Errorf("there is no such file: paths are relative to the scenario's folder")
	case errors.As(err, &path) && strings.Contains(path.Err.Error(), "escapes"):
		return fmt.Errorf("is outside of the scenario's folder: move it there")
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
			return "", fmt.Errorf("the environment has no %s: set it", short(rest))
		}
		return value, nil
	case "file":
		text, err := readInside(s.source.options.Dir, rest, s.source.options.AnyPath, maxSecret)
		if err != nil {
			return "", fmt.Errorf("${file:%s}: %w", short(rest), err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
	}
	return "", fmt.Errorf("%s does not come from outside: only env:NAME and file:PATH do", short(name))
}

// Expand renders a template whose variables all come from outside: a Redis URL,
// a key. Errors name the variable, never a value.
func (s *Scenario) Expand(text string) (string, error) {
	t, err := ParseTemplate(text)
	if err != nil {
		return "", err
	}
	values := map[string]string{}
	for _, name := range t.Names() {
		if values[name], err = s.Secret(name); err != nil {
			return "", err
		}
	}
	return string(t.Append(nil, ValuesFunc(func(name string) string { return values[name] }))), nil
}

// CheckSecrets tries every ${env:…} and ${file:…} of the scenario. The error is
// *Problems, with what cannot be had and where it is asked for. Parse does not
// do this: a scenario can be validated where its secrets are not.
func (s *Scenario) CheckSecrets() error {
	var problems []Problem
	for _, use := range s.templates() {
		t, err := ParseTemplate(use.text)
		if err != nil {
			continue // told by Parse
		}
		for _, name := range t.Names() {
			if !strings.Contains(name, ":") {
				continue
			}
			if _, err := s.Secret(name); err != nil {
				problems = append(problems, s.source.problem(use.path, "%s", err))
			}
		}
	}
	return problemsError(problems)
}
