package pool

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// Result is what several runs say together. It is plain data; null stands for
// what cannot be known. Runs are in the order in which they were made.
type Result struct {
	SchemaVersion int                `json:"schema_version"`
	CstestVersion string             `json:"cstest_version"`
	Scenario      result.ScenarioRef `json:"scenario"`
	Target        result.Target      `json:"target"`
	Tags          map[string]string  `json:"tags"` // those that all runs have

	Verdict     string         `json:"verdict"` // pass | fail | inconclusive
	ExitCode    int            `json:"exit_code"`
	Reasons     []string       `json:"reasons"`
	ReasonCodes reason.Reasons `json:"reason_codes"`

	Objectives []Objective `json:"objectives"`
	Figures    []Figure    `json:"figures"`
	Runs       []Member    `json:"runs"`
	LeftOut    []Member    `json:"left_out"` // of the same question, target and tags, and not given
	// Warnings are what a reader should know beside the verdict.
	Warnings     []string       `json:"warnings"`
	WarningCodes reason.Reasons `json:"warning_codes"`

	picked int // of LeftOut, those that might change the verdict
}

// Member is one of the runs. Pooled is false of one that measured nothing to judge.
type Member struct {
	Dir       string `json:"dir"`
	RunID     string `json:"run_id"`
	StartedAt string `json:"started_at"`
	Seed      uint64 `json:"seed"`
	Verdict   string `json:"verdict"`
	Pooled    bool   `json:"pooled"`
	Turns     int64  `json:"turns"`
	P50Ns     *int64 `json:"p50_ns"`
	P95Ns     *int64 `json:"p95_ns"`
	P99Ns     *int64 `json:"p99_ns"`
}

// schemaVersion is of what Result is written as.
const schemaVersion = 1

// Judge judges the runs that were given together. Others are those that lie
// beside them: of these the ones that asked the same, of the same target, under
// the same tags, belong to the series, and a pass without them is none. It fails
// with a usage error when the runs given do not belong together. The order of
// both lists makes no difference.
func Judge(given, others []result.Run, version string) (*Result, error) {
	given, others = inOrder(given), inOrder(others)
	first := given[0]
	seen := map[string]string{first.Doc.RunID: first.Dir}
	for _, r := range given[1:] {
		if dir, ok := seen[r.Doc.RunID]; ok {
			return nil, reason.Err(reason.New(reason.PoolTwice, dir, r.Dir))
		}
		seen[r.Doc.RunID] = r.Dir
		if what := result.Differences(first, r); len(what) > 0 {
			return nil, reason.Err(reason.New(reason.PoolDifferent, first.Dir, r.Dir, what))
		}
	}
	out := &Result{
		SchemaVersion: schemaVersion, CstestVersion: version, Scenario: first.Doc.Scenario, Target: first.Doc.Target,
		Tags: commonTags(given), LeftOut: []Member{}, Objectives: []Objective{}, Figures: []Figure{},
	}
	var used []result.Run
	var warnings reason.Reasons
	for _, r := range given {
		m := member(r)
		if m.Pooled {
			used = append(used, r)
		} else {
			warnings = append(warnings, reason.New(reason.PoolNotUsed, r.Doc.RunID, reason.Word(r.Doc.Verdict)))
		}
		out.Runs = append(out.Runs, m)
	}
	for _, r := range others {
		if _, given := seen[r.Doc.RunID]; given || !maps.Equal(first.Doc.Tags, r.Doc.Tags) || len(result.Differences(first, r)) > 0 {
			continue
		}
		m := member(r)
		out.LeftOut = append(out.LeftOut, m)
		if m.Pooled || m.Verdict == "incomplete" && failed(r.Doc) {
			out.picked++
		}
		warnings = append(warnings, reason.New(reason.PoolLeftOut, r.Doc.RunID, reason.Word(r.Doc.Verdict), r.Dir))
	}
	for _, r := range given[1:] {
		for _, d := range result.SurroundingsDiffer(first.Doc, r.Doc) {
			if d.Args[0] != reason.Word("seed") && d.Args[0] != reason.Word("overrides") && !slices.ContainsFunc(warnings, func(w reason.Reason) bool { return reason.Compare(w, d) == 0 }) {
				warnings = append(warnings, d)
			}
		}
	}
	out.judge(used)
	out.Figures = figures(used)
	warnings = append(warnings, reason.New(reason.PoolFixed))
	out.WarningCodes = warnings
	out.Warnings = out.WarningCodes.Texts(reason.English)
	out.ReasonCodes = out.ReasonCodes.OrEmpty()
	out.Reasons = out.ReasonCodes.Texts(reason.English)
	return out, nil
}

// Warn adds what was found beside the runs.
func (r *Result) Warn(list reason.Reasons) {
	r.WarningCodes = append(r.WarningCodes, list...)
	r.Warnings = r.WarningCodes.Texts(reason.English)
}

func inOrder(runs []result.Run) []result.Run {
	return slices.SortedFunc(slices.Values(runs), func(a, b result.Run) int {
		return cmp.Or(a.Doc.Started().Compare(b.Doc.Started()), cmp.Compare(a.Doc.RunID, b.Doc.RunID), cmp.Compare(a.Dir, b.Dir))
	})
}

func member(r result.Run) Member {
	d := r.Doc
	return Member{
		Dir: r.Dir, RunID: d.RunID, StartedAt: d.StartedAt, Seed: d.Scenario.Seed, Verdict: d.Verdict,
		Pooled: d.Verdict != "invalid" && d.Verdict != "incomplete", Turns: d.Counts.Turns,
		P50Ns: d.Latency.Response.P50Ns, P95Ns: d.Latency.Response.P95Ns, P99Ns: d.Latency.Response.P99Ns,
	}
}

// failed tells whether an objective was missed as far as the run came: one that is
// ended while it fails is no less a run than one that fails.
func failed(d *result.Document) bool {
	return slices.ContainsFunc(d.Objectives, func(o result.Objective) bool { return o.Verdict == "fail" })
}

func commonTags(runs []result.Run) map[string]string {
	out := map[string]string{}
	maps.Copy(out, runs[0].Doc.Tags)
	for _, r := range runs[1:] {
		maps.DeleteFunc(out, func(k, v string) bool { return r.Doc.Tags[k] != v })
	}
	return out
}
