package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bare is a scenario by its fields: what a page shows replaces some of them.
var bare = map[string]string{
	"version":       "1",
	"name":          "page",
	"target":        `{url: "http://127.0.0.1:8080", api: custom, request: {path: /chat, body: {text: "${turn.text}"}}, response: {answer: answer}}`,
	"load":          "{stages: [{name: evening, for: 2m, starts: 50/s}]}",
	"conversations": "[{name: coupon, turns: [{say: 优惠券怎么用}, {say: 我要退货}]}]",
	"llm":           "{admin: \"http://127.0.0.1:9001\", faults: [{name: storm, at: 10s, for: 20s, kind: status, status: 503}]}",
	"sla":           "{latency: {p99: 1s}, availability: 99%}",
}

// othersFiles are YAML of others: their first fields.
var othersFiles = []string{"jobs", "include", "rule_files", "groups", "apiVersion"}

// A scenario that a page shows, or a part of one, is one that cstest takes. In a
// part the rest is a bare scenario's, and … stands for what is left out.
func TestScenariosOfPagesAreScenarios(t *testing.T) {
	field := regexp.MustCompile(`(?m)^([a-z_A-Z]+):`)
	outside := regexp.MustCompile(`\$\{(env|file):([^}]+)\}`)
	seen := 0
	for _, path := range everyPage(t) {
		for _, b := range readPage(t, path).blocks {
			if b.language != "yaml" {
				continue
			}
			text := strings.ReplaceAll(strings.Join(b.lines, "\n")+"\n", ", …}", "}")
			shown := field.FindAllStringSubmatch(text, -1)
			if len(shown) == 0 {
				t.Errorf("%s: no field in\n%s", path, text)
				continue
			}
			if slices.Contains(othersFiles, shown[0][1]) {
				continue
			}
			seen++
			rest := maps.Clone(bare)
			for _, m := range shown {
				delete(rest, m[1])
			}
			if strings.Contains(text, "bundled:") {
				delete(rest, "llm") // it gets its own
			}
			for _, key := range slices.Sorted(maps.Keys(rest)) {
				text += key + ": " + rest[key] + "\n"
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "page.yaml")
			args := []string{"validate", file}
			for _, m := range outside.FindAllStringSubmatch(text, -1) {
				value := "https://" + strings.ToLower(m[2]) + ".example/x"
				if m[1] == "env" {
					args = append(args, "-e", m[2]+"="+value)
				} else if err := os.WriteFile(filepath.Join(dir, m[2]), []byte(value), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"upload.txt"} { // of the cookbook's photo
				if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if s := says(t, "", args...); !strings.Contains(s.out, ": valid\n") {
				t.Errorf("%s: %s%s in\n%s", path, s.out, s.err, text)
			}
		}
	}
	if seen < 25 {
		t.Errorf("%d scenarios, too few to have seen the pages", seen)
	}
}
