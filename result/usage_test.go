package result

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// What was told is summed, and what was not is said to be unknown, never zero.
func TestUsage(t *testing.T) {
	quarter := 0.25
	prices := &scenario.Prices{Input: 1, Cached: &quarter, Output: 4, Currency: "USD"}
	openAI := scenario.Target{API: scenario.APIOpenAI}
	priced := openAI
	priced.Prices = prices
	for name, tt := range map[string]struct {
		target scenario.Target
		usage  measure.Usage
		want   string
	}{
		"no model":      {scenario.Target{API: scenario.APIReference}, measure.Usage{}, `null`},
		"none answered": {openAI, measure.Usage{}, `{"answers":0,"told":0,"tool_calls":0,"input_tokens":null,"cached_tokens":null,"cached_told":0,"output_tokens":null,"reasoning_tokens":null,"reasoning_told":0,"turns":0,"turns_told":0,"input_per_turn":null,"output_per_turn":null,"input_per_s":null,"output_per_s":null}`},
		"none told":     {priced, measure.Usage{Answers: 5, Turns: 4}, `{"answers":5,"told":0,"tool_calls":0,"input_tokens":null,"cached_tokens":null,"cached_told":0,"output_tokens":null,"reasoning_tokens":null,"reasoning_told":0,"turns":4,"turns_told":0,"input_per_turn":null,"output_per_turn":null,"input_per_s":null,"output_per_s":null}`},
		"all told": {
			priced,
			measure.Usage{Answers: 3, Told: 3, Calls: 1, Input: 3_000_000, Cached: 1_000_000, CachedTold: 3, Output: 250_000, Turns: 2, TurnsTold: 2, TurnInput: 3_000_000, TurnOutput: 250_000},
			`{"answers":3,"told":3,"tool_calls":1,"input_tokens":3000000,"cached_tokens":1000000,"cached_told":3,"output_tokens":250000,"reasoning_tokens":null,"reasoning_told":0,"turns":2,"turns_told":2,"input_per_turn":1500000,"output_per_turn":125000,"input_per_s":300000,"output_per_s":25000,"cost":{"currency":"USD","total":3.25,"per_turn":1.625,"at_least":false}}`,
		},
		"some told": {
			priced,
			measure.Usage{Answers: 3, Told: 2, Input: 10, Output: 7, Reasoning: 3, ReasoningTold: 1, Turns: 2, TurnsTold: 1, TurnInput: 5, TurnOutput: 2},
			`{"answers":3,"told":2,"tool_calls":0,"input_tokens":10,"cached_tokens":null,"cached_told":0,"output_tokens":7,"reasoning_tokens":3,"reasoning_told":1,"turns":2,"turns_told":1,"input_per_turn":5,"output_per_turn":2,"input_per_s":1,"output_per_s":0.7,"cost":{"currency":"USD","total":0.000038,"per_turn":null,"at_least":true}}`,
		},
	} {
		got, err := json.Marshal(usageOf(&scenario.Scenario{Target: tt.target}, &measure.Snapshot{Elapsed: 10 * time.Second, Usage: tt.usage}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
