package sla

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func waits(ms time.Duration, n int64) []measure.WaitBucket {
	return []measure.WaitBucket{{UpTo: ms * time.Millisecond, N: n}}
}

func found(n, of int64) measure.Finding { return measure.Finding{N: n, Of: of} }

func TestClientIsJudged(t *testing.T) {
	type facts = measure.Client
	left := &measure.Ends{Left: measure.EndedTurns{N: 40}}
	for name, tt := range map[string]struct {
		o       scenario.Objective
		client  *facts
		ends    *measure.Ends
		state   ClientState
		verdict Verdict
	}{
		"nobody told": {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, nil, nil, Unseen, NotVerified},

		"never told to wait":    {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100}, nil, Unseen, Inconclusive},
		"waited":                {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(0, 20)}, nil, Clean, Pass},
		"waited, but few times": {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(0, 9)}, nil, Clean, Inconclusive},
		"mostly waited":         {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(1, 20)}, nil, Found, Pass},
		"did not wait":          {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(2, 20)}, nil, Found, Fail},
		"did not wait, of few":  {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(1, 2)}, nil, Found, Fail},
		"perhaps waited":        {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(0, 20), EarlyUnclear: 2}, nil, Unseen, Inconclusive},
		"perhaps once not":      {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 100, RetriedEarly: found(0, 20), EarlyUnclear: 1}, nil, Unseen, Pass},
		"waited, says a half":   {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 50, Untraced: 50, RetriedEarly: found(0, 20)}, nil, Unseen, Inconclusive},
		"did not, says a half":  {scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.95}, &facts{Calls: 50, Untraced: 50, RetriedEarly: found(9, 20)}, nil, Found, Fail},

		"left refusals alone":  {scenario.Objective{Client: scenario.ClientRetries4xx}, &facts{Calls: 100, Retried4xx: found(0, 10)}, nil, Clean, Pass},
		"insisted":             {scenario.Objective{Client: scenario.ClientRetries4xx}, &facts{Calls: 100, Retried4xx: found(1, 10)}, nil, Found, Fail},
		"insisted as allowed":  {scenario.Objective{Client: scenario.ClientRetries4xx, Max: 1}, &facts{Calls: 100, Retried4xx: found(1, 10)}, nil, Found, Pass},
		"refused nothing":      {scenario.Objective{Client: scenario.ClientRetries4xx}, &facts{Calls: 100}, nil, Unseen, Inconclusive},
		"foreign traces alone": {scenario.Objective{Client: scenario.ClientRetries4xx}, &facts{Foreign: 100}, nil, Unseen, Inconclusive},

		"stopped for who left":      {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 1, AfterLeft: found(0, 40)}, left, Clean, Pass},
		"went on for nobody":        {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 1, AfterLeft: found(3, 40)}, left, Found, Fail},
		"stopped, of those known":   {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 0.5, AfterLeft: found(0, 40)}, left, Clean, Inconclusive},
		"nothing tells it":          {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 1, AfterLeft: found(9, 40)}, &measure.Ends{Untold: true}, Unseen, Inconclusive},
		"nobody left":               {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 1}, &measure.Ends{}, Unseen, Inconclusive},
		"never called for who left": {scenario.Objective{Client: scenario.ClientAfterLeft}, &facts{Calls: 100, Known: 1}, left, Unseen, Inconclusive},

		"passed nothing on":     {scenario.Objective{Client: scenario.ClientBroken}, &facts{Calls: 100, Known: 1, Broken: 30}, left, Clean, Pass},
		"passed on":             {scenario.Objective{Client: scenario.ClientBroken}, &facts{Calls: 100, Known: 1, Broken: 30, PassedOn: found(2, 2)}, left, Found, Fail},
		"perhaps passed on":     {scenario.Objective{Client: scenario.ClientBroken}, &facts{Calls: 100, Known: 1, Broken: 30, PassedOn: found(0, 2), PassedOnUnclear: 2}, left, Unseen, Inconclusive},
		"may perhaps pass on":   {scenario.Objective{Client: scenario.ClientBroken, Max: 2}, &facts{Calls: 100, Known: 1, Broken: 30, PassedOn: found(0, 2), PassedOnUnclear: 2}, left, Unseen, Pass},
		"broke nothing":         {scenario.Objective{Client: scenario.ClientBroken}, &facts{Calls: 100, Known: 1}, left, Unseen, Inconclusive},
		"not all are looked up": {scenario.Objective{Client: scenario.ClientBroken}, &facts{Calls: 100, Known: 1, Broken: 30}, &measure.Ends{Good: measure.EndedTurns{Halved: 1}}, Clean, Inconclusive},

		"nothing failed":     {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100}, nil, Unseen, Inconclusive},
		"no retries":         {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 10}, nil, Clean, Pass},
		"few retries":        {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 10, Retries: 9, FirstWaits: waits(100, 9)}, nil, Unseen, Inconclusive},
		"only as told":       {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 10, Retries: 10}, nil, Unseen, Inconclusive},
		"once":               {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 10, Retries: 10, FirstWaits: waits(100, 10)}, nil, Clean, Pass},
		"at once":            {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 10, Retries: 10, FirstWaits: waits(2, 10)}, nil, Found, Fail},
		"at once, then not":  {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 20, Retries: 20, FirstWaits: waits(2, 10), SecondWaits: waits(50, 10)}, nil, Clean, Pass},
		"at constant gaps":   {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 20, Retries: 20, FirstWaits: waits(100, 10), SecondWaits: waits(119, 10)}, nil, Found, Fail},
		"at growing gaps":    {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 20, Retries: 20, FirstWaits: waits(100, 10), SecondWaits: waits(200, 10)}, nil, Clean, Pass},
		"few second retries": {scenario.Objective{Client: scenario.ClientBackoff}, &facts{Calls: 100, Failed: 20, Retries: 20, FirstWaits: waits(100, 10), SecondWaits: waits(200, 9)}, nil, Unseen, Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			o := tt.o
			o.Name, o.Kind = "x", scenario.KindClient
			s := &scenario.Scenario{LLM: &scenario.LLM{}, SLA: scenario.SLA{Objectives: []scenario.Objective{o}, Confidence: unit.Share(0.95)}}
			snap := measure.NewSnapshot(&measure.Plan{Stages: []measure.Stage{{Name: "hold", End: 8 * time.Second, Judged: true}}})
			r := Evaluate(s, snap, &measure.Facts{Client: tt.client, Ends: tt.ends})
			for _, j := range r.Objectives {
				if j.Name == "x" && (j.Verdict != tt.verdict || len(j.Reason) == 0) {
					t.Errorf("%s, want %s: %s", j.Verdict, tt.verdict, j.Reason)
				}
			}
			if tt.client == nil {
				if r.Client != nil {
					t.Errorf("findings %+v of nobody", r.Client)
				}
				return
			}
			for _, f := range r.Client {
				if f.What == o.Client && (f.State != tt.state || len(f.Text) == 0) {
					t.Errorf("%s, want %s: %s", f.State, tt.state, f.Text)
				}
			}
		})
	}
}

// Calls per turn and calls open at a time need no trace ids.
func TestClientFigures(t *testing.T) {
	b := &measure.Facts{
		LLMKnown: true, Client: &measure.Client{Untraced: 100},
		Storms: []measure.Storm{{Name: "hang", Kind: "hang", Start: 2 * time.Second, End: 4 * time.Second}},
	}
	snap := measure.NewSnapshot(&measure.Plan{Stages: []measure.Stage{{Name: "hold", End: 6 * time.Second, Judged: true}}})
	snap.Seconds = make([]measure.Second, 6)
	for second := range 6 {
		snap.Seconds[second].Outcomes[measure.OK] = 10
		c := measure.CallSecond{Second: second, Calls: 10, Open: 2}
		if second == 2 || second == 3 {
			c.Calls, c.Open = 40, 30
		}
		b.Calls = append(b.Calls, c)
	}
	snap.Counts[measure.OK] = 60
	for name, tt := range map[string]struct {
		turns  int64 // in flight in the storm
		peak   int64
		calls  float64 // allowed per turn
		flight float64 // allowed at a time
		state  ClientState
		want   [2]Verdict
	}{
		"calls follow the turns": {30, 30, 4, 30, Found, [2]Verdict{Pass, Inconclusive}},
		"too many calls":         {30, 30, 3.9, 29, Found, [2]Verdict{Fail, Fail}},
		"something holds them":   {60, 30, 4, 30, Clean, [2]Verdict{Pass, Pass}},
		"between":                {45, 30, 4, 30, Unseen, [2]Verdict{Pass, Pass}},
		"too few to tell":        {10, 10, 4, 30, Unseen, [2]Verdict{Pass, Inconclusive}},
	} {
		t.Run(name, func(t *testing.T) {
			facts := *b
			facts.Calls = append([]measure.CallSecond(nil), b.Calls...)
			facts.Calls[2].Open, facts.Calls[3].Open = tt.peak, tt.peak
			facts.Generator.Seconds = []measure.GeneratorSecond{{Second: 1, InFlight: 2}, {Second: 2, InFlight: tt.turns}, {Second: 3, InFlight: tt.turns}}
			s := &scenario.Scenario{LLM: &scenario.LLM{}, SLA: scenario.SLA{Confidence: 0.95, Client: &scenario.ClientSLA{CallsPerTurn: tt.calls, InFlight: unit.Count(tt.flight)}}}
			r := Evaluate(s, snap, &facts)
			for i, name := range []string{"client-calls-per-turn", "client-in-flight"} {
				for _, j := range r.Objectives {
					if j.Name == name && j.Verdict != tt.want[i] {
						t.Errorf("%s is %s, want %s: %s", name, j.Verdict, tt.want[i], j.Reason)
					}
				}
			}
			if f := r.Client[0]; f.State != Found || f.Figure != 4 {
				t.Errorf("calls per turn: %+v", f)
			}
			if f := r.Client[6]; f.State != tt.state || f.Figure != float64(tt.peak) {
				t.Errorf("in flight: %+v, %s", f, f.Text)
			}
		})
	}
}
