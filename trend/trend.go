package trend

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/sla"
)

const (
	schemaVersion = 1
	// errorRate is the share of series without a change of which one is said to have
	// one, over all metrics together.
	errorRate = 0.05
	// fewestRuns is how many it takes for a change to be more than chance.
	fewestRuns = 10
)

// Trend is what many runs of one scenario show over time. It is plain data; null
// stands for what cannot be known. Runs are in the order in which they were made.
type Trend struct {
	SchemaVersion int                `json:"schema_version"`
	CstestVersion string             `json:"cstest_version"`
	Scenario      result.ScenarioRef `json:"scenario"` // of the newest run
	Runs          []Run              `json:"runs"`
	Series        []Series           `json:"series"`
	Notes         []string           `json:"notes"`
	NoteCodes     reason.Reasons     `json:"note_codes"`
}

// Run is one of the runs. One that is invalid or broke off has no figures.
type Run struct {
	RunID     string `json:"run_id"`
	StartedAt string `json:"started_at"`
	Label     string `json:"label"` // the value of the tag asked for; may be empty
	Verdict   string `json:"verdict"`
}

// Series is one metric of all runs.
type Series struct {
	Metric  string     `json:"metric"`
	Unit    string     `json:"unit"`   // ns | share | per_s | us
	Values  []*float64 `json:"values"` // one for each run
	Changes []Change   `json:"changes"`
}

// Change is a step of a series from the median of the level before it to that of
// the level after it. Effect is relative for times and rates, a difference for
// shares; P is of no change, before the correction for the number of metrics.
type Change struct {
	Run     int      `json:"run"` // the first on the new level
	Before  float64  `json:"before"`
	After   float64  `json:"after"`
	Effect  *float64 `json:"effect"`
	P       float64  `json:"p"`
	Verdict string   `json:"verdict"` // better | worse
	// What differs between the first run of the new level and the one before it.
	Differs     []string       `json:"differs"`
	DifferCodes reason.Reasons `json:"differ_codes"`
}

// Of lays runs along time. They must be one at least. Those that were asked
// something else than the newest are left out, and said. Label names the tag whose
// value names a run, such as the commit.
func Of(runs []result.Run, label, version string) *Trend {
	runs = slices.SortedFunc(slices.Values(runs), func(a, b result.Run) int {
		return cmp.Or(a.Doc.Started().Compare(b.Doc.Started()), cmp.Compare(a.Doc.RunID, b.Doc.RunID))
	})
	newest := runs[len(runs)-1]
	t := &Trend{SchemaVersion: schemaVersion, CstestVersion: version, Scenario: newest.Doc.Scenario, Series: []Series{}}
	others := map[string]int{}
	var asked []result.Run
	for _, r := range runs {
		if len(result.AskedDifferently(r.Doc, newest.Doc)) > 0 {
			others[r.Doc.Scenario.Name]++
			continue
		}
		asked = append(asked, r)
		t.Runs = append(t.Runs, Run{r.Doc.RunID, r.Doc.StartedAt, r.Doc.Tags[label], r.Doc.Verdict})
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		t.NoteCodes = append(t.NoteCodes, reason.New(reason.TrendOthers, others[name], name))
	}
	list := result.Metrics()
	measured := 0
	for _, m := range list {
		s, n := seriesOf(m, asked, errorRate/float64(len(list)))
		if measured = max(measured, n); n > 0 {
			t.Series = append(t.Series, s)
		}
	}
	if measured < fewestRuns {
		t.NoteCodes = append(t.NoteCodes, reason.New(reason.TrendFew, measured, fewestRuns))
	}
	t.NoteCodes = t.NoteCodes.OrEmpty()
	t.Notes = t.NoteCodes.Texts(reason.English)
	return t
}

// seriesOf is a metric of all runs, and of how many it is known.
func seriesOf(m result.Metric, runs []result.Run, alpha float64) (s Series, n int) {
	s = Series{Metric: m.Name, Unit: m.Unit, Values: make([]*float64, len(runs)), Changes: []Change{}}
	var values []float64
	var at []int // which run each value is of
	for i, r := range runs {
		if r.Doc.Verdict == "invalid" || r.Doc.Verdict == "incomplete" {
			continue
		}
		if v := m.Of(r.Doc); v != nil {
			s.Values[i] = v
			values, at = append(values, *v), append(at, i)
		}
	}
	points := sla.ChangePoints(values, alpha)
	for i, p := range points {
		from, to := 0, len(values)
		if i > 0 {
			from = points[i-1].At
		}
		if i+1 < len(points) {
			to = points[i+1].At
		}
		c := Change{Run: at[p.At], Before: result.Median(values[from:p.At]), After: result.Median(values[p.At:to]), P: p.P}
		if c.Effect = m.Change(c.Before, c.After); c.Effect == nil || -m.Margin <= *c.Effect && *c.Effect <= m.Margin {
			continue // more than chance, and too small to matter
		}
		c.Verdict = "better"
		if (*c.Effect > 0) == (m.MoreIs == "worse") {
			c.Verdict = "worse"
		}
		c.DifferCodes = result.AllDifferences(runs[at[p.At-1]], runs[at[p.At]]).OrEmpty()
		c.Differs = c.DifferCodes.Texts(reason.English)
		s.Changes = append(s.Changes, c)
	}
	return s, len(values)
}
