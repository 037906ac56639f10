package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/scenario"
)

// A scenario names the faults that the mock LLM has, no more and no fewer:
// neither package imports the other.
func TestFaultKindsAgree(t *testing.T) {
	text, err := scenario.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Enum []string `json:"enum"`
			} `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	written, built := schema.Defs["Fault"].Properties["kind"].Enum, mockllm.Kinds()
	slices.Sort(written)
	slices.Sort(built)
	if len(built) == 0 || !slices.Equal(written, built) {
		t.Errorf("a scenario may say %q, the mock LLM has %q", written, built)
	}
}
