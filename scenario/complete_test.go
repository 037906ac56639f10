package scenario

import (
	"slices"
	"testing"
)

func TestCompletePath(t *testing.T) {
	sc, err := Parse("s.yaml", []byte(`
version: 1
name: s
target: {bundled: {}}
load: {stages: [{name: steady, for: 10s, starts: 5/s}, {name: peak, for: 10s, starts: 50/s}]}
conversations: [{name: c, turns: [{say: 你好}, {say: 再见}]}]
sla: {availability: 99%}
`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for begun, want := range map[string][]string{
		"na":                      {"name="},
		"se":                      {"seed="},
		"load.st":                 {"load.stages["},
		"load.stages":             {"load.stages["},
		"load.stages[":            {"load.stages[steady].", "load.stages[peak]."},
		"load.stages[p":           {"load.stages[peak]."},
		"load.stages[peak].st":    {"load.stages[peak].starts"},
		"load.stages[peak].f":     {"load.stages[peak].for="},
		"load.stages[none].f":     {"load.stages[none].for="},
		"conversations[c].turns[": {"conversations[c].turns[0].", "conversations[c].turns[1]."},
		"target.bundled.prof":     {"target.bundled.profile="},
		"target.bundled.k":        {"target.bundled.knobs."},
		"target.auth.jwt.se":      {"target.auth.jwt.secret="},
		"sla.av":                  {"sla.availability="},
		"nowhere.at.all":          nil,
		"name.deeper":             nil,
		"load.stages]":            nil,
		"[":                       nil,
		"..":                      nil,
	} {
		got := sc.CompletePath(begun)
		if begun == "load.stages[peak].st" { // a rate or a ramp: the way on is the form's
			got = []string{got[0][:len(want[0])]}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", begun, got, want)
		}
	}
	if got := sc.CompletePath(""); !slices.Contains(got, "target.") || !slices.Contains(got, "conversations[") || !slices.Contains(got, "name=") {
		t.Errorf("of nothing: %q", got)
	}
}
