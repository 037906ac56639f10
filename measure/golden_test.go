package measure

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
)

var update = flag.Bool("update", false, "write testdata/journal-9.cst anew")

// A journal written long ago is still read, and one written now is byte for byte
// the same: a change of the format needs another version.
func TestGoldenJournal(t *testing.T) {
	const path = "testdata/journal-9.cst"
	plan := testPlan()
	cuts := runRecorded(t, plan, 2)
	now, _ := journalOf(t, plan, cuts, true)
	if *update {
		if err := os.WriteFile(path, now, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, now) {
		t.Errorf("the same run is written as other bytes: raise JournalVersion, and keep %s", path)
	}
	got, err := ReadJournal(bytes.NewReader(old))
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(sum(t, plan, cuts), got.Snapshot); diff != "" || !got.Closed {
		t.Errorf("closed %v, %s", got.Closed, diff)
	}
}

// Of a journal of before there were response times by tier, times of reasoning,
// clusters, phases, places of turns over time, tokens, or turns to refuse, all else is read.
func TestGoldenJournalsOfBefore(t *testing.T) {
	for version := uint16(2); version < JournalVersion; version++ {
		plan := testPlan()
		for b := range plan.Budgets {
			plan.Budgets[b].Together = plan.Budgets[b].Together && version >= 5
			if version < toRefuseSince {
				plan.Budgets[b].Valid &^= ToRefuse
				plan.Budgets[b].Good &^= ToRefuse
			}
		}
		old, err := os.ReadFile(fmt.Sprintf("testdata/journal-%d.cst", version))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadJournal(bytes.NewReader(old))
		if err != nil {
			t.Fatal(err)
		}
		want := sum(t, plan, runRecorded(t, plan, 2))
		if version < 8 {
			want.Timings[TokenTime], want.Usage = NewHistogram(), Usage{}
		}
		if version < 7 {
			for i := range want.Seconds {
				want.Seconds[i].Positions = [Positions]TurnTime{}
			}
		}
		if version < 6 {
			want.AnsweredBands, want.FailedBands, want.Server = Bands{}, Bands{}, nil
		}
		if version < 4 {
			want.Timings[FirstReasoning] = NewHistogram()
		}
		if version < 3 {
			want.TierTimes = [Tiers]Sketch{}
		}
		if diff := same(want, got.Snapshot); diff != "" || !got.Closed || got.Header.Version != version {
			t.Errorf("closed %v, version %d, %s", got.Closed, got.Header.Version, diff)
		}
	}
}

func TestMergeShards(t *testing.T) {
	plan := testPlan()
	cuts := runRecorded(t, plan, 3)
	shard := func(i int, closed bool) *Recovered {
		data, _ := journalOf(t, plan, cuts[i:i+1], closed)
		r, err := ReadJournal(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Facts.Generator = Generator{
			CPU: time.Second, MaxRSS: 10, MaxInFlight: 5, InFlightMean: 0.1 + 0.2*float64(i*i), Cores: 1 + i%2, SharedHost: i == 1, Planned: int64(100 + i),
			Seconds: []GeneratorSecond{{Second: i, InFlight: 1}, {Second: 7, CPU: time.Second, GCPause: time.Duration(i), InFlight: 2, Open: 3}},
		}
		r.Facts.Storms = []Storm{{"storm", "status", time.Second, time.Duration(5+i) * time.Second}}
		r.Facts.Calls = []CallSecond{{Second: 3, Calls: int64(i + 1), Probes: 1}}
		r.Facts.Processes = []Process{{Name: "cstest", CPU: time.Second, MaxRSS: 100}}
		return r
	}
	orders := [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}}
	var first *Recovered
	for _, order := range orders {
		got, err := Merge(shard(order[0], true), shard(order[1], true), shard(order[2], true))
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(sum(t, plan, cuts), got.Snapshot); diff != "" {
			t.Errorf("order %v: %s", order, diff)
		}
		g := got.Facts.Generator
		if !got.Closed || got.Intervals != 3 || g.CPU != 3*time.Second || g.MaxRSS != 30 || g.MaxInFlight != 15 || math.Abs(g.InFlightMean-1.3) > 1e-9 || g.Cores != 2 || !g.SharedHost || g.Planned != 303 {
			t.Errorf("closed %v, %d intervals, %+v", got.Closed, got.Intervals, g)
		}
		if len(g.Seconds) != 4 || g.Seconds[3] != (GeneratorSecond{Second: 7, CPU: 3 * time.Second, GCPause: 2, InFlight: 6, Open: 9}) {
			t.Errorf("seconds %+v", g.Seconds)
		}
		f := got.Facts
		if f.LLMCalls != 21 || len(f.Calls) != 1 || f.Calls[0] != (CallSecond{Second: 3, Calls: 6, Probes: 3}) || !f.LLMKnown {
			t.Errorf("calls %d, %v", f.LLMCalls, f.Calls)
		}
		if len(f.Storms) != 1 || f.Storms[0].End != 7*time.Second || len(f.Processes) != 1 || f.Processes[0] != (Process{Name: "cstest", CPU: 3 * time.Second, MaxRSS: 300}) {
			t.Errorf("storms %v, processes %v", f.Storms, f.Processes)
		}
		if len(got.Marks) != 1 || len(got.Exemplars) != 3 || string(got.Notes["scenario"]) != `{"name":"x"}` || got.Header.Run != testRun.Run {
			t.Errorf("marks %v, %d exemplars, notes %v", got.Marks, len(got.Exemplars), got.Notes)
		}
		if first == nil {
			first = got
		}
		if !reflect.DeepEqual(first.Facts, got.Facts) {
			t.Errorf("order %v: the facts differ:\n%+v\n%+v", order, first.Facts, got.Facts)
		}
	}
	killed, err := Merge(shard(0, true), shard(1, false))
	if err != nil || killed.Closed || len(killed.Facts.Interrupted) == 0 {
		t.Errorf("with a killed shard: closed %v, interrupted %q, %v", killed.Closed, killed.Facts.Interrupted, err)
	}
	other := shard(0, true)
	other.Plan = &Plan{}
	if _, err := Merge(shard(1, true), other); err == nil {
		t.Error("shards of two plans are merged")
	}
	if _, err := Merge(); err == nil {
		t.Error("nothing is merged")
	}
}

func TestMergeFacts(t *testing.T) {
	a := &Facts{
		ExternalTarget: true, LLMKnown: true, LLMCalls: 10, Interrupted: reason.Reasons{reason.Said("b"), reason.Said("a")}, Aborted: reason.Reasons{reason.Said("guard")}, Calls: []CallSecond{{Second: 1, Calls: 5}},
		Storms:    []Storm{{"s", "status", 1, 2}, {"s", "status", 10, 0}},
		Processes: []Process{{Name: "p", Ended: 5, Exit: "killed"}}, Target: TargetFacts{Profile: "hardened", Known: true, Turns: 3},
		Host:      &Host{Cores: 2, Seconds: []HostSecond{{Second: 1, Pressure: 0.5, Busy: 1, Others: 1}}, Others: []HostProcess{{"x", 5}, {"y", 2}}},
		Generator: Generator{Traffic: Traffic{Addresses: []AddressTurns{{"10.0.0.2:80", 5, 1}}}},
	}
	b := &Facts{
		ExternalTarget: true, LLMKnown: false, LLMCalls: 12, Interrupted: reason.Reasons{reason.Said("a")}, Aborted: reason.Reasons{reason.Said("a bad second"), reason.Said("guard")}, Gaps: 2, Calls: []CallSecond{{Second: 0, Calls: 1}, {Second: 1, Calls: 4}},
		Storms:    []Storm{{"s", "status", 3, 4}, {"s", "status", 12, 13}, {"t", "slow", 0, 20}},
		Processes: []Process{{Name: "p", Ended: 7}, {Name: "o"}}, Target: TargetFacts{Known: false, Turns: 4},
		Host:      &Host{Cores: 4, Seconds: []HostSecond{{Second: 0, Busy: 0.1}, {Second: 1, Pressure: 0.4, Steal: 0.2, Busy: 0.5, Others: 2}}, Others: []HostProcess{{"y", 4}}},
		Generator: Generator{Traffic: Traffic{Addresses: []AddressTurns{{"10.0.0.1:80", 4, 0}, {"10.0.0.2:80", 7, 2}}}},
	}
	for _, got := range []*Facts{MergeFacts(a, b), MergeFacts(b, a)} {
		if got.LLMCalls != 12 || len(got.Calls) != 2 || got.Calls[1].Calls != 5 || got.Interrupted.String() != "a; b" || got.Aborted.String() != "a bad second; guard" || got.Gaps != 2 || !got.LLMKnown {
			t.Errorf("%+v", got)
		}
		if len(got.Storms) != 4 || got.Storms[0].Name != "t" || got.Storms[3] != (Storm{"s", "status", 10, 0}) {
			t.Errorf("storms %v", got.Storms)
		}
		if len(got.Processes) != 2 || got.Processes[1] != (Process{Name: "p", Ended: 5, Exit: "killed"}) {
			t.Errorf("processes %v", got.Processes)
		}
		if want := (&Host{Cores: 4, Seconds: []HostSecond{{Second: 0, Busy: 0.1}, {1, 0.5, 1, 0.2, 2}}, Others: []HostProcess{{"y", 6}, {"x", 5}}}); !reflect.DeepEqual(got.Host, want) {
			t.Errorf("host %+v", got.Host)
		}
		if want := []AddressTurns{{"10.0.0.1:80", 4, 0}, {"10.0.0.2:80", 12, 3}}; !reflect.DeepEqual(got.Generator.Traffic.Addresses, want) {
			t.Errorf("addresses %+v", got.Generator.Traffic.Addresses)
		}
		if got.Target != (TargetFacts{Profile: "hardened", Turns: 7}) {
			t.Errorf("target %+v", got.Target)
		}
	}
}
