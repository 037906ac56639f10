package result

import (
	"math"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Usage is what the run cost the model behind the target, as its answers tell: of all
// stages, judged or not. Told of Answers tell their tokens; sums are of those alone. A
// figure that none told is null, never 0.
type Usage struct {
	Answers         int64  `json:"answers"` // of the model: a turn has several where tools were called
	Told            int64  `json:"told"`
	ToolCalls       int64  `json:"tool_calls"`
	InputTokens     *int64 `json:"input_tokens"`
	CachedTokens    *int64 `json:"cached_tokens"` // of the input; told by CachedTold answers
	CachedTold      int64  `json:"cached_told"`
	OutputTokens    *int64 `json:"output_tokens"`
	ReasoningTokens *int64 `json:"reasoning_tokens"` // of the output; told by ReasoningTold answers
	ReasoningTold   int64  `json:"reasoning_told"`
	// Turns had an answer of the model; of TurnsTold all answers tell their tokens, and of
	// these is what a turn took on average.
	Turns         int64    `json:"turns"`
	TurnsTold     int64    `json:"turns_told"`
	InputPerTurn  *float64 `json:"input_per_turn"`
	OutputPerTurn *float64 `json:"output_per_turn"`
	// What was told, over the whole duration.
	InputPerS  *float64 `json:"input_per_s"`
	OutputPerS *float64 `json:"output_per_s"`
	Cost       *Cost    `json:"cost,omitempty"` // where the scenario has prices and tokens were told
}

// Cost is what the tokens told cost at the scenario's prices. It is a lower bound where
// not every answer told its tokens.
type Cost struct {
	Currency string   `json:"currency"`
	Total    float64  `json:"total"`
	PerTurn  *float64 `json:"per_turn"` // of turns all of whose answers told; null where that cannot be known
	AtLeast  bool     `json:"at_least"`
}

// usageOf is nil where nothing was said of where answers tell their tokens.
func usageOf(s *scenario.Scenario, snap *measure.Snapshot) *Usage {
	asked := s.Target.API == scenario.APIOpenAI || s.Target.Response != nil && s.Target.Response.Usage != nil
	u := &snap.Usage
	if !asked && u.Answers == 0 {
		return nil
	}
	out := &Usage{
		Answers: u.Answers, Told: u.Told, ToolCalls: u.Calls, CachedTold: u.CachedTold, ReasoningTold: u.ReasoningTold,
		Turns: u.Turns, TurnsTold: u.TurnsTold,
	}
	if u.Told > 0 {
		out.InputTokens, out.OutputTokens = &u.Input, &u.Output
		if elapsed := snap.Elapsed.Seconds(); elapsed > 0 {
			out.InputPerS, out.OutputPerS = figure(u.Input, elapsed), figure(u.Output, elapsed)
		}
		out.Cost = costOf(s.Target.Prices, u)
	}
	if u.CachedTold > 0 {
		out.CachedTokens = &u.Cached
	}
	if u.ReasoningTold > 0 {
		out.ReasoningTokens = &u.Reasoning
	}
	if u.TurnsTold > 0 {
		out.InputPerTurn, out.OutputPerTurn = figure(u.TurnInput, float64(u.TurnsTold)), figure(u.TurnOutput, float64(u.TurnsTold))
	}
	return out
}

func figure(n int64, by float64) *float64 { return known(math.Round(float64(n)/by*100) / 100) }

func costOf(p *scenario.Prices, u *measure.Usage) *Cost {
	if p == nil {
		return nil
	}
	cached := p.Input
	if p.Cached != nil {
		cached = *p.Cached
	}
	total := (float64(u.Input-u.Cached)*p.Input + float64(u.Cached)*cached + float64(u.Output)*p.Output) / 1e6
	c := &Cost{Currency: p.Currency, Total: money(total), AtLeast: u.Told < u.Answers}
	if u.TurnsTold > 0 && u.Told == u.Answers {
		perTurn := money(total / float64(u.TurnsTold))
		c.PerTurn = &perTurn
	}
	return c
}

// money is v to six significant digits: prices are no more exact.
func money(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
	if rounded := math.Round(v*scale) / scale; !math.IsInf(rounded, 0) && !math.IsNaN(rounded) {
		return rounded
	}
	return v
}
