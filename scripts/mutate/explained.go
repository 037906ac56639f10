package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// explainedFile holds, beside a package, the changes that no test can notice and
// why: a line that names the change as key does, and indented lines of reason under it.
const explainedFile = "testdata/mutants.explained"

// explained are the keys that a package explains, by file; empty where it has no
// such file. A key without a reason, or one named twice, is refused.
func explained(dir string) (map[string]bool, error) {
	path := filepath.Join(dir, explainedFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	var open []string // keys that wait for their reason
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, " \r\n")
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			open = nil
		case keys[line]:
			return nil, fmt.Errorf("%s:%d: explained twice: %s", path, number, line)
		default:
			keys[line] = true
			open = append(open, line)
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("%s: no reason for %s", path, open[0])
	}
	return keys, nil
}

// key names a change by what is there and not by where it is: the file, the
// function, the line of source with an arrow before what changes, and the change.
func (m mutant) key() string {
	return m.file + " " + m.function + ": " + m.line + ": " + m.what
}

// unfound are the explanations of some files that are of no change in them, as
// when the line they name was written anew.
func unfound(keys map[string]bool, files []string, list []mutant) (stale []string) {
	left := map[string]bool{}
	for k := range keys {
		if file, _, _ := strings.Cut(k, " "); slices.Contains(files, file) {
			left[k] = true
		}
	}
	for _, m := range list {
		delete(left, m.key())
	}
	for k := range left {
		stale = append(stale, k)
	}
	slices.Sort(stale)
	return stale
}

// lineAt is the line of source that an offset lies in, with an arrow before it.
func lineAt(source []byte, offset int) string {
	from := bytes.LastIndexByte(source[:offset], '\n') + 1
	to := len(source)
	if n := bytes.IndexByte(source[offset:], '\n'); n >= 0 {
		to = offset + n
	}
	return strings.TrimSpace(string(source[from:offset]) + "→" + string(source[offset:to]))
}
