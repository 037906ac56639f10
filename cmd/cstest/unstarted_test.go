package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

// A CI job is told why a run could not begin where it looks for results, and the
// same directory takes the run that can.
func TestRunThatCannotStartIsToldToCI(t *testing.T) {
	t.Parallel()
	for lang, heading := range map[string]string{"en": "could not start (exit code 69)", "zh": "未能开始（退出码 69）"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			srv := &talker{}
			l := listen(t, "127.0.0.1:0")
			url := "http://" + l.Addr().String()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			dir, summary := filepath.Join(t.TempDir(), "result"), filepath.Join(t.TempDir(), "summary.md")
			if err := os.WriteFile(summary, []byte("before\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			path := write(t, direct(url, ", headers: {authorization: 'Bearer s3cr3t-t0ken-of-mine'}", "{arrivals: constant, stages: [{name: s, for: 1s, starts: 20/s}], drain: 5s}"))
			start := func() ended {
				cmd := command(t, "run", path, "--results-dir", dir, "--no-tui", "--lang", lang, "--on-inconclusive", "pass")
				cmd.Env = append(cmd.Env, "GITHUB_STEP_SUMMARY="+summary)
				return finished(t, cmd)
			}
			r := start()
			read := func(path string) string {
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Error(err)
				}
				return string(raw)
			}
			if r.code != exitTarget {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			var suites struct {
				Tests  int `xml:"tests,attr"`
				Errors int `xml:"errors,attr"`
				Suite  struct {
					Name string `xml:"name,attr"`
					Case struct {
						Error struct {
							Message string `xml:"message,attr"`
						} `xml:"error"`
					} `xml:"testcase"`
				} `xml:"testsuite"`
			}
			junit := read(filepath.Join(dir, "junit.xml"))
			if err := xml.Unmarshal([]byte(junit), &suites); err != nil {
				t.Fatal(err)
			}
			if m := suites.Suite.Case.Error.Message; suites.Tests != 1 || suites.Errors != 1 || suites.Suite.Name != "direct" || !strings.Contains(m, url) {
				t.Errorf("junit.xml: %+v", suites)
			}
			for _, text := range []string{read(summary), read(filepath.Join(dir, "report.md"))} {
				if !strings.Contains(text, heading) || !strings.Contains(text, url) || strings.Contains(text, "s3cr3t") {
					t.Errorf("for people:\n%s", text)
				}
			}
			if !strings.HasPrefix(read(summary), "before\n") || strings.Contains(junit, "s3cr3t") {
				t.Errorf("summary:\n%s\njunit:\n%s", read(summary), junit)
			}
			if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); !os.IsNotExist(err) {
				t.Errorf("there is a result of what was not run: %v", err)
			}
			srv.serve(t, listen(t, strings.TrimPrefix(url, "http://")))
			if r := start(); r.code != exitPass || strings.Contains(read(filepath.Join(dir, "junit.xml")), "not started") {
				t.Errorf("then: exit %d\n%s", r.code, r.stderr)
			}
			open(t, dir)
		})
	}
}

// Wrong usage is told at the terminal, and leaves nothing behind.
func TestWrongUsageLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	path := write(t, direct("http://192.0.2.1:80", "", "{arrivals: constant, stages: [{name: s, for: 1s, starts: 20/s}], drain: 5s}"))
	r := cstest(t, "run", path, "--results-dir", dir, "--no-tui")
	if _, err := os.Stat(dir); r.code != exitUsage || !os.IsNotExist(err) {
		t.Errorf("exit %d, %v\n%s", r.code, err, r.stderr)
	}
}
