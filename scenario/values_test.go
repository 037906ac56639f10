package scenario

import (
	"maps"
	"testing"
)

func TestValues(t *testing.T) {
	got, err := Values([]byte("name: x\nllm:\n  faults:\n  - {name: storm, for: 20s}\n  - {name: storm, for: 3s}\n  - {for: 1s}\nsay: [a, b]\n"))
	want := map[string]string{
		"name": "x", "llm.faults.storm.name": "storm", "llm.faults.storm.for": "20s", "llm.faults.2.name": "storm", "llm.faults.2.for": "3s",
		"llm.faults.3.for": "1s", "say.1": "a", "say.2": "b",
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, hostile := range []string{"", "a: [", "a: &x [*x]", "- - - a", "!!binary x", "a: 1\na: 2"} {
		if v, err := Values([]byte(hostile)); err == nil && v == nil {
			t.Errorf("%q: neither values nor an error", hostile)
		}
	}
}
