package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
)

// crashFile holds what a programmer needs of a panic.
const crashFile = "crash.txt"

// crashed writes down a panic of the load, without secrets, and gives the error
// that says so; nil without one. The results are written all the same.
func (j *job) crashed(c *load.Crash) error {
	if c == nil {
		return nil
	}
	secrets := secretsOf(j.chosen.Scenario, j.about.Scenario)
	path := filepath.Join(j.dir, crashFile)
	text := report.ScrubString(fmt.Sprintf("cstest %s\n%s\n\n%s", j.about.Version, c.Value, c.Stack), secrets)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		path = "(not written: " + err.Error() + ")"
	}
	what := report.ScrubString(report.Clean(c.Error()), secrets)
	return fmt.Errorf("internal error: %s: what was measured until then is in the results, and what happened in %s: please report it", what, path)
}

// secretsOf are the values behind every ${env:…} and ${file:…} of a scenario.
func secretsOf(s *scenario.Scenario, resolved string) []string {
	var secrets []string
	for _, m := range regexp.MustCompile(`\$\{((?:env|file):[^}]+)\}`).FindAllStringSubmatch(resolved, -1) {
		if v, err := s.Secret(m[1]); err == nil { // one that cannot be had was told before the run
			secrets = append(secrets, v)
		}
	}
	return secrets
}
