package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReliabilityPageNamesTests: every test that docs/reliability.md names is in
// the package it is said to be in.
func TestReliabilityPageNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	source := map[string]string{}
	named, missing := 0, 0
	words := regexp.MustCompile("(cmd/cstest|trial/crew|trial/servers|trial|driver/internal/[a-z0-9]+|driver|load|measure|report|result|tui|sla): |`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	for line := range strings.SplitSeq(string(page), "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		folder := ""
		for _, m := range words.FindAllStringSubmatch(line, -1) {
			if m[1] != "" {
				folder = m[1]
				continue
			}
			if _, read := source[folder]; !read {
				files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
				if err != nil || len(files) == 0 {
					t.Fatalf("no tests in %q", folder)
				}
				for _, f := range files {
					b, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					source[folder] += string(b)
				}
			}
			named++
			if !strings.Contains(source[folder], "\nfunc "+m[2]+"(") {
				missing++
				t.Errorf("%s has no %s", folder, m[2])
			}
		}
	}
	if named < 80 {
		t.Errorf("the page names %d tests, %d of which are missing: is its layout another?", named, missing)
	}
	for _, row := range []string{"A1", "A3", "A4", "A5", "D1", "D2", "D3", "D4, D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "D15", "D16", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10"} {
		if !strings.Contains(string(page), "\n| "+row+" | ") {
			t.Errorf("the page has no row %s", row)
		}
	}
}
