package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	named := 0
	for line := range strings.SplitSeq(string(page), "\n") {
		if strings.HasPrefix(line, "| ") {
			named += holdTests(t, line)
		}
	}
	if named < 80 {
		t.Errorf("the page names %d tests: is its layout another?", named)
	}
	for _, row := range []string{"A1", "A3", "A4", "A5", "D1", "D2", "D3", "D4, D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "D15", "D16", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10"} {
		if !strings.Contains(string(page), "\n| "+row+" | ") {
			t.Errorf("the page has no row %s", row)
		}
	}
}

var namedTest = regexp.MustCompile("(cmd/cstest|trial/crew|trial/servers|trial|driver/internal/[a-z0-9]+|driver|load|measure|report/directory|report|result|tui|sla): |`((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([^`]+))?`")

// holdTests holds the tests that a row of a table names, behind the package that has
// them, and gives how many these are. A part of one stands in its file as a text.
func holdTests(t *testing.T, row string) (named int) {
	t.Helper()
	folder := ""
	for _, m := range namedTest.FindAllStringSubmatch(row, -1) {
		if m[1] != "" {
			folder = m[1]
			continue
		}
		named++
		files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
		if err != nil || folder == "" || len(files) == 0 {
			t.Fatalf("no tests in %q: %s", folder, row)
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			text := readFile(t, file)
			return strings.Contains(text, "\nfunc "+m[2]+"(") && (m[3] == "" || strings.Contains(text, `"`+m[3]+`"`))
		}) {
			t.Errorf("%s has no %s %s", folder, m[2], m[3])
		}
	}
	return named
}

// Every shape of a back-end in decision 014 is expressed by something, and a test that
// is there shows it.
func TestShapesHaveTests(t *testing.T) {
	rows := readPage(t, "../../docs/decisions/014-mapping.md").rows
	shapes := map[string]bool{}
	for _, row := range rows[min(2, len(rows)):] {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 3 || slices.Contains(cells, "") || holdTests(t, row) == 0 {
			t.Errorf("a shape, what expresses it and a test: %s", row)
		}
		shapes[cells[0]] = true
	}
	for _, want := range []string{
		"cookie session", "id in a response header", "form in, XML out", "GET with query, plain text", "array of bubbles", "nested arrays, session in the path",
		"send, then poll", "job by id", "job by URL", "Dify", "Coze", "Ollama", "Anthropic Messages", "OpenAI Responses", "OpenAI-compatible behind a gateway", "GraphQL", "CSRF",
		"success by value", "JSONP", "JSON inside a string", "socket.io web chat", "WebSocket web chat", "session expiry",
	} {
		if !shapes[want] {
			t.Errorf("the page has no shape %s", want)
		}
	}
}
