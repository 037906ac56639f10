package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
)

// crashFile holds what a programmer needs of a panic.
const crashFile = "crash.txt"

// crashed writes down a panic of the load, without secrets, and gives the error
// that says so; nil without one. The results are written all the same.
func (j *job) crashed(c *load.Crash) error {
	if c == nil {
		return nil
	}
	path := filepath.Join(j.dir, crashFile)
	text := j.secrets.Text(fmt.Sprintf("cstest %s\n%s\n\n%s", j.about.Version, c.Value, c.Stack))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		path = "(not written: " + err.Error() + ")"
	}
	what := j.secrets.Text(escape.Clean(c.Error()))
	return reason.Errorf("internal error: %s: what was measured until then is in the results, and what happened in %s: please report it", what, path)
}
