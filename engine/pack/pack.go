// Package pack is what the shards of a load are given to run it elsewhere: the
// scenario as text, the files it reads, and what each of them will need; and why
// a load cannot be spread over machines at all.
package pack

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// ScenarioFile is the name of the scenario in a pack.
const ScenarioFile = "scenario.yaml"

// Pack is what shards are given. Paths are those of the scenario, with slashes,
// below its folder.
type Pack struct {
	Scenario []byte
	Files    []File
	Secrets  []File   // files that ${file:PATH} and keys name
	Env      []string // names of environment variables that hold secrets
}

// File is one of a pack.
type File struct {
	Path string
	Data []byte
}

// mostFile bounds a file of a pack; scenarios take none that is larger.
const mostFile = 256 << 20

// New packs a scenario, given as text with every flag applied, with what lies in
// its folder. It errs, with the reason, when a file is missing or outside of it.
func New(s *scenario.Scenario, text []byte) (*Pack, error) {
	outside := s.Outside()
	p := &Pack{Scenario: text, Env: outside.Env}
	var err error
	if p.Files, err = files(s.Dir(), outside.Files); err != nil {
		return nil, err
	}
	p.Secrets, err = files(s.Dir(), outside.SecretFiles)
	return p, err
}

func files(dir string, paths []string) ([]File, error) {
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // only read from
	var list []File
	for _, name := range paths {
		clean := path.Clean(filepath.ToSlash(name))
		if !fs.ValidPath(clean) || clean == ScenarioFile {
			return nil, reason.Err(reason.New(reason.PackOutside, name))
		}
		data, err := read(root, clean)
		if err != nil {
			return nil, reason.Err(reason.New(reason.PackUnreadable, name, err))
		}
		list = append(list, File{clean, data})
	}
	return list, nil
}

func read(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		if strings.Contains(err.Error(), "escapes") {
			return nil, reason.Errorf("it lies outside of the scenario's folder")
		}
		return nil, errors.Unwrap(err)
	}
	if !info.Mode().IsRegular() {
		return nil, reason.Errorf("not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	data, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err == nil && len(data) > mostFile {
		err = reason.Errorf("it is larger than %d MiB", mostFile>>20)
	}
	return data, err
}

// Write puts the pack into a folder, which it makes; secrets only their owner may
// read. It gives the path of the scenario.
func (p *Pack) Write(dir string) (string, error) {
	place := func(f File, mode fs.FileMode) error {
		to := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, f.Data, mode)
	}
	err := place(File{ScenarioFile, p.Scenario}, 0o644)
	for _, f := range p.Files {
		err = errors.Join(err, place(f, 0o644))
	}
	for _, f := range p.Secrets {
		err = errors.Join(err, place(f, 0o600))
	}
	return filepath.Join(dir, ScenarioFile), err
}
