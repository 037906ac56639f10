package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// example is a command in a console block of a page, with what must be in its
// output and its exit code.
type example struct {
	line string
	want []string
	code int
}

// TestReadme runs the examples of the READMEs and of every page under docs, as they
// stand there.
func TestReadme(t *testing.T) {
	for _, page := range everyPage(t) {
		examples := examplesOf(t, page)
		if len(examples) == 0 {
			if strings.HasPrefix(filepath.Base(page), "README") && filepath.Dir(page) == "../.." {
				t.Errorf("%s has no example in a console block", page)
			}
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/readme")); err != nil {
				t.Fatal(err)
			}
			for _, e := range examples {
				cmd := command(t, strings.Fields(e.line)[1:]...)
				cmd.Dir = dir
				out, _ := cmd.CombinedOutput() // the exit code is compared below
				if got := cmd.ProcessState.ExitCode(); got != e.code {
					t.Errorf("$ %s: exit %d, the page says %d\n%s", e.line, got, e.code, out)
				}
				for _, want := range e.want {
					if !strings.Contains(string(out), want) {
						t.Errorf("$ %s: the page shows %q, it printed\n%s", e.line, want, out)
					}
				}
			}
		})
	}
}

func examplesOf(t *testing.T, page string) (list []example) {
	t.Helper()
	f, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case strings.HasPrefix(line, "$ cstest "):
			list = append(list, example{line: strings.TrimPrefix(line, "$ ")})
		case strings.HasPrefix(line, "# exit "):
			code, err := strconv.Atoi(strings.TrimPrefix(line, "# exit "))
			if err != nil {
				t.Fatal(err)
			}
			list[len(list)-1].code = code
		default:
			list[len(list)-1].want = append(list[len(list)-1].want, line)
		}
	}
	return list
}
