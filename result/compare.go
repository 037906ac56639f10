package result

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Comparison is what two sides of finished results differ in. It is plain data;
// null stands for what cannot be known.
type Comparison struct {
	A           []RunRef       `json:"a"`       // the baseline
	B           []RunRef       `json:"b"`       // the candidate
	Verdict     string         `json:"verdict"` // worse | better | equivalent | cannot_tell
	ExitCode    int            `json:"exit_code"`
	NoiseKnown  bool           `json:"noise_known"` // each side has several runs
	Differences []Difference   `json:"differences"`
	Objectives  []Change       `json:"objectives"`
	Notes       []string       `json:"notes"` // what else differs between the sides, and within one
	NoteCodes   reason.Reasons `json:"note_codes"`
	// Advice is what would tell where the verdict is cannot_tell, else nothing.
	Advice      []string       `json:"advice"`
	AdviceCodes reason.Reasons `json:"advice_codes"`
}

// RunRef names one result.
type RunRef struct {
	RunID     string `json:"run_id"`
	Scenario  string `json:"scenario"`
	StartedAt string `json:"started_at"`
	Verdict   string `json:"verdict"`
}

// Difference is one metric on both sides: medians of the runs. Effect is B
// relative to A for times and rates (0.1 is 10 % more), B − A for shares; Lower
// and Upper bound it, from the runs' own scatter, at a confidence of 95 % that
// all intervals of the comparison hold together (Bonferroni).
type Difference struct {
	Metric  string   `json:"metric"`
	Unit    string   `json:"unit"` // ns | share | per_s | us
	A       *float64 `json:"a"`
	B       *float64 `json:"b"`
	Effect  *float64 `json:"effect"`
	Lower   *float64 `json:"lower"`
	Upper   *float64 `json:"upper"`
	Verdict string   `json:"verdict"`
}

// Change is an objective whose verdict is not the same on both sides. It decides
// where it is more than chance: see decides.
type Change struct {
	Name    string `json:"name"`
	A       string `json:"a"`
	B       string `json:"b"`
	Decides bool   `json:"decides"`
}

// CompareOptions say what Compare accepts.
type CompareOptions struct {
	// AnyScenario lets results of different scenarios be compared.
	AnyScenario bool
}

// DifferentScenariosError is of two results that were not asked the same.
type DifferentScenariosError struct {
	A, B string // the runs, as their files name them: hostile text
	What string // in which they differ
}

// Error says what to do.
func (e *DifferentScenariosError) Error() string { return e.Reasons().String() }

// Reasons is the error as a reason.
func (e *DifferentScenariosError) Reasons() reason.Reasons {
	return reason.Reasons{reason.New(reason.DifferentScenarios, e.A, e.B, reason.Word(e.What))}
}

// Compare compares the results of a baseline, a, with those of a candidate, b.
// With several runs on each side a difference is judged by their scatter
// (Welch's t interval, of logarithms for times and rates): worse or better when
// the interval excludes no change and the effect exceeds the margin (5 % of
// latency, 2 % of throughput, 0.2 points of a share), equivalent when the
// interval lies within the margin. With fewer, noise between runs is unknown,
// and only an objective that turns from pass to fail, or back, decides: one whose
// verdicts were inferred. What was merely counted falls on one side of a border by
// chance.
func Compare(baseline, candidate []Run, o CompareOptions) (*Comparison, error) {
	if len(baseline) == 0 || len(candidate) == 0 {
		return nil, errors.New("a comparison takes at least one result on each side")
	}
	c := &Comparison{A: refs(baseline), B: refs(candidate), Differences: []Difference{}, Objectives: []Change{}}
	c.advise(reason.Reasons{})
	base := baseline[0].Doc
	for _, r := range append(slices.Clone(baseline[1:]), candidate...) {
		if why := sameQuestion(base, r.Doc); why != "" && !o.AnyScenario {
			return nil, &DifferentScenariosError{base.RunID, r.Doc.RunID, why}
		}
	}
	c.Note(notes(baseline, candidate)...)
	a, b := c.whole(baseline), c.whole(candidate)
	if len(a) == 0 || len(b) == 0 {
		c.conclude()
		return c, nil
	}
	base, c.NoiseKnown = a[0], len(a) > 1 && len(b) > 1
	list := Metrics()
	confidence := 1 - 0.05/float64(len(list))
	for _, m := range list {
		if d, ok := difference(m, a, b, c.NoiseKnown, confidence); ok {
			c.Differences = append(c.Differences, d)
		}
	}
	for _, x := range base.Objectives {
		if from, to := verdictOf(a, x.Name), verdictOf(b, x.Name); from != to {
			c.Objectives = append(c.Objectives, Change{x.Name, from, to, decides(x.Name, a, b)})
		}
	}
	c.conclude()
	if c.Verdict == "cannot_tell" {
		c.advise(advice(list, a, b, confidence))
	}
	return c, nil
}

// FirstOf is the comparison of a candidate with a baseline that holds nothing yet.
func FirstOf(candidate []Run, advice reason.Reason) *Comparison {
	c := &Comparison{A: []RunRef{}, B: refs(candidate), Differences: []Difference{}, Objectives: []Change{}}
	c.conclude()
	c.Note()
	c.advise(reason.Reasons{advice})
	return c
}

// Note adds what a reader should know beside the differences.
func (c *Comparison) Note(list ...reason.Reason) {
	c.NoteCodes = append(c.NoteCodes, list...).OrEmpty()
	c.Notes = c.NoteCodes.Texts(reason.English)
}

// Forget takes back the advice of a code.
func (c *Comparison) Forget(code reason.Code) {
	c.advise(slices.DeleteFunc(c.AdviceCodes, func(r reason.Reason) bool { return r.Code == code }).OrEmpty())
}

func (c *Comparison) advise(list reason.Reasons) {
	c.AdviceCodes = list
	c.Advice = list.Texts(reason.English)
}

// whole are the runs that were measured to their end, and soundly; what was not
// tells nothing of a server, and is said.
func (c *Comparison) whole(runs []Run) (out []*Document) {
	for _, r := range runs {
		if v := r.Doc.Verdict; v == "invalid" || v == "incomplete" {
			c.Note(reason.New(reason.PoolNotUsed, r.Doc.RunID, reason.Word(v)))
			continue
		}
		out = append(out, r.Doc)
	}
	return out
}

func refs(runs []Run) []RunRef {
	out := make([]RunRef, 0, len(runs))
	for _, r := range runs {
		d := r.Doc
		out = append(out, RunRef{d.RunID, d.Scenario.Name, d.StartedAt, d.Verdict})
	}
	return out
}

// difference judges one metric; false when a side does not know it.
func difference(m Metric, a, b []*Document, noise bool, confidence float64) (Difference, bool) {
	x, okA := values(m, a)
	y, okB := values(m, b)
	if !okA || !okB {
		return Difference{}, false
	}
	ma, mb := Median(x), Median(y)
	d := Difference{Metric: m.Name, Unit: m.Unit, A: known(ma), B: known(mb), Effect: m.Change(ma, mb), Verdict: "cannot_tell"}
	if d.Effect == nil || !noise {
		return d, true
	}
	lower, upper, ok := welch(x, y, m.Relative(), confidence)
	if !ok {
		return d, true
	}
	d.Lower, d.Upper = known(lower), known(upper)
	up, down := "better", "worse"
	if m.MoreIs == "worse" {
		up, down = down, up
	}
	switch {
	case lower >= -m.Margin && upper <= m.Margin:
		d.Verdict = "equivalent"
	case lower > 0 && *d.Effect > m.Margin:
		d.Verdict = up
	case upper < 0 && *d.Effect < -m.Margin:
		d.Verdict = down
	}
	return d, true
}

func values(m Metric, list []*Document) ([]float64, bool) {
	out := make([]float64, 0, len(list))
	for _, d := range list {
		v := m.Of(d)
		if v == nil {
			return nil, false
		}
		out = append(out, *v)
	}
	return out, true
}

// Median is the middle of values, of which there is one at least, or the mean of
// the two middle ones.
func Median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// welch is the interval of mean(y) − mean(x) with unequal variances
// (Welch–Satterthwaite), of logarithms and turned back into a relative change
// when relative.
func welch(x, y []float64, relative bool, confidence float64) (lower, upper float64, ok bool) {
	if relative {
		x, y = logarithms(x), logarithms(y)
		if x == nil || y == nil {
			return 0, 0, false
		}
	}
	mx, vx := stat.MeanVariance(x, nil)
	my, vy := stat.MeanVariance(y, nil)
	ex, ey := vx/float64(len(x)), vy/float64(len(y))
	effect, half := my-mx, 0.0
	if ex+ey > 0 {
		freedom := (ex + ey) * (ex + ey) / (ex*ex/float64(len(x)-1) + ey*ey/float64(len(y)-1))
		half = distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile((1+confidence)/2) * math.Sqrt(ex+ey)
	}
	lower, upper = effect-half, effect+half
	if relative {
		lower, upper = math.Expm1(lower), math.Expm1(upper)
	}
	return lower, upper, known(lower) != nil && known(upper) != nil
}

func logarithms(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		if x <= 0 {
			return nil
		}
		out[i] = math.Log(x)
	}
	return out
}

// verdictOf is the verdict of an objective on all runs of a side, "mixed" when
// they do not agree.
func verdictOf(list []*Document, name string) string {
	out := ""
	for _, d := range list {
		v := "not_verified"
		for _, o := range d.Objectives {
			if o.Name == name {
				v = o.Verdict
			}
		}
		if out == "" {
			out = v
		} else if out != v {
			return "mixed"
		}
	}
	return out
}

// decides tells whether an objective that one side passes and the other fails says
// anything of the servers: where its verdicts were inferred; where it is foreign
// content or a planted value, of which one is proof; and else where so many runs
// fall so apart by chance in at most 5 % of comparisons, all such objectives
// together (Fisher's exact test).
func decides(name string, a, b []*Document) bool {
	counted := 0
	for _, o := range a[0].Objectives {
		if !inferred(o, a[0]) {
			counted++
		}
	}
	for _, d := range slices.Concat(a, b) {
		for _, o := range d.Objectives {
			if o.Name != name || inferred(o, d) || o.Kind == scenario.KindIntegrity || o.Kind == scenario.KindPlanted || o.Kind == scenario.KindRefused {
				continue
			}
			// Of C(n, k) ways that n runs fall apart, two are these or the other way round.
			return 2/combin.GeneralizedBinomial(float64(len(a)+len(b)), float64(len(a))) <= 0.05/float64(max(counted, 1))
		}
	}
	return true
}

// inferred tells whether the verdict of an objective rests on bounds.
func inferred(o Objective, d *Document) bool { return o.DEFF != nil && d.Judging.Gate != "measured" }

// conclude sets the verdict: one thing worse outweighs all that is better.
func (c *Comparison) conclude() {
	seen := map[string]bool{}
	for _, d := range c.Differences {
		seen[d.Verdict] = true
	}
	for _, o := range c.Objectives {
		switch {
		case !o.Decides:
		case o.A == "pass" && o.B == "fail":
			seen["worse"] = true
		case o.A == "fail" && o.B == "pass":
			seen["better"] = true
		}
	}
	c.ExitCode = 0
	switch {
	case seen["worse"]:
		c.Verdict, c.ExitCode = "worse", 10
	case seen["better"]:
		c.Verdict = "better"
	case seen["cannot_tell"] || !c.NoiseKnown:
		c.Verdict, c.ExitCode = "cannot_tell", 11
	default:
		c.Verdict = "equivalent"
	}
}
