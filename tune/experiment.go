package tune

import (
	"maps"
	"math"
	"slices"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

// SchemaVersion is the version of tune.json.
const SchemaVersion = 1

// Experiment is tune.json: plain data, complete in itself. null stands for what
// cannot be known.
type Experiment struct {
	SchemaVersion int    `json:"schema_version"`
	CstestVersion string `json:"cstest_version"`
	Scenario      string `json:"scenario"`
	Target        string `json:"target"`
	StartedAt     string `json:"started_at"` // RFC 3339, UTC
	Seed          uint64 `json:"seed"`
	Stepwise      bool   `json:"stepwise"` // a variant is compared with the one before it
	RoundsPlanned int    `json:"rounds_planned"`
	RoundsDone    int    `json:"rounds_done"` // in which every arm was run
	Interrupted   bool   `json:"interrupted"`
	// Confidence that all intervals hold together; Comparisons is how many share what is left of it.
	Confidence  float64 `json:"confidence"`
	Comparisons int     `json:"comparisons"`

	Arms []ArmResult `json:"arms"` // the baseline first, its control last
	Runs []Run       `json:"runs"` // in the order they were made
	// Published is what others say of the variants; empty where nothing is known.
	Published []Published `json:"published"`

	Gate         string         `json:"gate"` // the metric that decides the exit code, "" without one
	Verdict      string         `json:"verdict"`
	ExitCode     int            `json:"exit_code"`
	Warnings     []string       `json:"warnings"`
	WarningCodes reason.Reasons `json:"warning_codes"`
}

// ArmResult is one arm over all rounds.
type ArmResult struct {
	Name     string    `json:"name"`
	Settings []Setting `json:"settings"`
	Control  bool      `json:"control"`
	Against  int       `json:"against"` // the arm that its effects compare it with, -1 for the baseline
	// Invalid: so many of its runs measured nothing that it is not compared.
	Invalid  bool           `json:"invalid"`
	Runs     int            `json:"runs"`
	Used     int            `json:"used"`
	Verdicts map[string]int `json:"verdicts"` // of the SLA, by run
	Figures  []Figure       `json:"figures"`
	Effects  []Effect       `json:"effects"` // none of the baseline
}

// Figure is the median of the runs that are used.
type Figure struct {
	Metric string   `json:"metric"`
	Unit   string   `json:"unit"`
	Median *float64 `json:"median"`
}

// Effect is the change from the arm compared with: a share of it for times, rates and
// counts (0.1 is 10 % more), points for shares. Lower and Upper are null where
// so few pairs bound nothing.
type Effect struct {
	Metric  string   `json:"metric"`
	Unit    string   `json:"unit"`
	Change  *float64 `json:"change"`
	Lower   *float64 `json:"lower"`
	Upper   *float64 `json:"upper"`
	P       float64  `json:"p"`
	Pairs   int      `json:"pairs"`
	Verdict string   `json:"verdict"` // better | worse | equivalent | cannot_tell
	Needs   int      `json:"needs"`   // about as many rounds would tell; 0 when decided
}

// Run is one run of an arm. Left is why it is not used, empty when it is.
type Run struct {
	Round   int                `json:"round"` // from 0
	Arm     int                `json:"arm"`
	Seed    uint64             `json:"seed"`
	Dir     string             `json:"dir"`     // of its result, inside of the experiment's
	Verdict string             `json:"verdict"` // "" when there was none
	Left    string             `json:"left_out"`
	Codes   reason.Reasons     `json:"left_out_codes"`
	Figures map[string]float64 `json:"figures"`
}

// NewRun is a run of a step that was judged. A run that is invalid or incomplete
// measured nothing that could be compared, whatever its figures say.
func NewRun(s Step, dir, verdict string, figures map[string]float64) Run {
	r := Run{Round: s.Round, Arm: s.Arm, Seed: s.Seed, Dir: dir, Verdict: verdict, Figures: figures, Codes: reason.Reasons{}}
	if verdict == sla.Invalid.String() || verdict == sla.Incomplete.String() {
		return r.without(reason.Reasons{reason.New(reason.RunNotUsed, reason.Word(verdict))})
	}
	return r
}

// FailedRun is a run of a step that came to no result.
func FailedRun(s Step, why error) Run {
	r := Run{Round: s.Round, Arm: s.Arm, Seed: s.Seed, Figures: map[string]float64{}}
	return r.without(reason.Of(why))
}

func (r Run) without(why reason.Reasons) Run {
	r.Codes, r.Left = why, why.String()
	return r
}

// invalidFrom is the share of runs left out from which an arm is not compared:
// which runs fail is not chance, so what is left would not speak for the arm.
const invalidFrom = 0.2

// Analyze compares the arms of p by the runs made so far. It changes none of them.
func Analyze(p *Plan, runs []Run, gate string) *Experiment {
	e := &Experiment{
		SchemaVersion: SchemaVersion, Seed: p.Seed, Stepwise: p.Stepwise, RoundsPlanned: p.Rounds, Confidence: confidence,
		Arms: make([]ArmResult, len(p.Arms)), Runs: slices.Clone(runs), Published: []Published{}, Gate: gate, WarningCodes: reason.Reasons{},
	}
	if e.Runs == nil {
		e.Runs = []Run{}
	}
	t := newTable(p, runs)
	e.RoundsDone = t.done
	for i, a := range p.Arms {
		e.Arms[i] = t.arm(i, a, p.against(i))
	}
	if n := t.madeAgain(runs); n > 0 {
		e.WarningCodes = append(e.WarningCodes, reason.New(reason.RunsMadeAgain, n))
	}
	e.compare(t)
	e.conclude()
	e.Warnings = e.WarningCodes.Texts(reason.English)
	return e
}

// table holds the runs by arm and round, of those made again the last one; nil where
// there is none.
type table struct {
	runs [][]*Run
	done int
}

func newTable(p *Plan, runs []Run) *table {
	t := &table{runs: make([][]*Run, len(p.Arms))}
	for i := range t.runs {
		t.runs[i] = make([]*Run, p.Rounds)
	}
	for i := range runs {
		if r := &runs[i]; r.Arm >= 0 && r.Arm < len(t.runs) && r.Round >= 0 && r.Round < p.Rounds {
			t.runs[r.Arm][r.Round] = r
		}
	}
	for round := range p.Rounds {
		if !slices.ContainsFunc(t.runs, func(arm []*Run) bool { return arm[round] == nil }) {
			t.done++
		}
	}
	return t
}

// Again are the runs of a round that are to be made once more: those that measured
// nothing, each once. What decides is that the generator was disturbed, not what a run
// measured, and it is the same for all arms: between two of them it is still chance
// which is disturbed.
func Again(runs []Run, round int) (out []Step) {
	times := map[int]int{}
	last := map[int]*Run{}
	for i := range runs {
		if r := &runs[i]; r.Round == round {
			times[r.Arm]++
			last[r.Arm] = r
		}
	}
	for _, arm := range slices.Sorted(maps.Keys(last)) {
		if r := last[arm]; r.Verdict == sla.Invalid.String() && times[arm] == 1 {
			out = append(out, Step{Round: round, Arm: arm, Seed: r.Seed})
		}
	}
	return out
}

// madeAgain is how many runs another one stands for.
func (t *table) madeAgain(runs []Run) (n int) {
	for i := range runs {
		r := &runs[i]
		if r.Arm >= 0 && r.Arm < len(t.runs) && r.Round >= 0 && r.Round < len(t.runs[r.Arm]) && t.runs[r.Arm][r.Round] != r {
			n++
		}
	}
	return n
}

func (t *table) arm(i int, a Arm, against int) ArmResult {
	out := ArmResult{Name: a.Variant.Name(), Settings: slices.Clone([]Setting(a.Variant)), Control: a.Control, Against: against, Verdicts: map[string]int{}, Effects: []Effect{}}
	for _, r := range t.runs[i] {
		if r == nil {
			continue
		}
		out.Runs++
		if r.Verdict != "" {
			out.Verdicts[r.Verdict]++
		}
		if r.Left == "" {
			out.Used++
		}
	}
	left := out.Runs - out.Used
	out.Invalid = out.Runs > 0 && (out.Used == 0 || float64(left) > invalidFrom*float64(out.Runs))
	for _, m := range Metrics() {
		f := Figure{Metric: m.Name, Unit: m.Unit}
		if v := t.values(i, m.Name); len(v) > 0 {
			slices.Sort(v)
			f.Median = known(v[(len(v)-1)/2]/2 + v[len(v)/2]/2)
		}
		out.Figures = append(out.Figures, f)
	}
	return out
}

func (t *table) values(arm int, metric string) (out []float64) {
	for _, r := range t.runs[arm] {
		if r != nil && r.Left == "" {
			if v, ok := r.Figures[metric]; ok {
				out = append(out, v)
			}
		}
	}
	return out
}

// pairs are the rounds in which both arms told the metric.
func (t *table) pairs(from, to int, metric string) (out []sla.Pair) {
	for round, b := range t.runs[to] {
		a := t.runs[from][round]
		if a == nil || b == nil || a.Left != "" || b.Left != "" {
			continue
		}
		x, okA := a.Figures[metric]
		y, okB := b.Figures[metric]
		if okA && okB {
			out = append(out, sla.Pair{A: x, B: y})
		}
	}
	return out
}

// compare fills in the effects. Every comparison that could find a difference
// takes an equal share of what the confidence leaves, so that one wrong one in
// twenty experiments is the most that chance makes, not in twenty figures.
func (e *Experiment) compare(t *table) {
	metrics := Metrics()
	for i := range e.Arms {
		for _, m := range metrics {
			if e.compared(i) && sla.Differs(t.pairs(e.Arms[i].Against, i, m.Name), m.Metric) {
				e.Comparisons++
			}
		}
	}
	each := shared(e.Comparisons)
	for i := range e.Arms {
		if !e.compared(i) {
			continue
		}
		for _, m := range metrics {
			pairs := t.pairs(e.Arms[i].Against, i, m.Name)
			if len(pairs) == 0 {
				continue
			}
			x := sla.Compare(pairs, m.Metric, each)
			e.Arms[i].Effects = append(e.Arms[i].Effects, Effect{
				Metric: m.Name, Unit: m.Unit, Change: known(x.Change), Lower: known(x.Lower), Upper: known(x.Upper),
				P: x.P, Pairs: x.Pairs, Verdict: x.Comparison.String(), Needs: x.Needs,
			})
		}
	}
	e.distrust()
}

// compared tells whether an arm and the one it is compared with both measured
// enough.
func (e *Experiment) compared(arm int) bool {
	a := &e.Arms[arm]
	return a.Against >= 0 && !a.Invalid && !e.Arms[a.Against].Invalid
}

// distrust takes back what was found in a metric in which the baseline differs
// from itself: whatever made that difference may have made the others.
func (e *Experiment) distrust() {
	control := &e.Arms[len(e.Arms)-1]
	for _, c := range control.Effects {
		if c.Verdict != "better" && c.Verdict != "worse" {
			continue
		}
		e.WarningCodes = append(e.WarningCodes, reason.New(reason.ControlDiffers, reason.Word(c.Metric)))
		for i := range e.Arms {
			for k := range e.Arms[i].Effects {
				if x := &e.Arms[i].Effects[k]; x.Metric == c.Metric && !e.Arms[i].Control {
					x.Verdict, x.Needs = "cannot_tell", 0
				}
			}
		}
	}
}

// The verdicts of an experiment.
const (
	measured = "measured" // nothing was asked of it but the figures
	invalid  = "invalid"
)

// conclude sets the verdict and the exit code, and says what was left out.
func (e *Experiment) conclude() {
	ranked := 0
	for i := range e.Arms {
		a := &e.Arms[i]
		switch {
		case a.Invalid:
			e.WarningCodes = append(e.WarningCodes, reason.New(reason.ArmInvalid, e.title(i), a.Runs-a.Used, a.Runs, e.why(i)))
		case a.Used < a.Runs:
			e.WarningCodes = append(e.WarningCodes, reason.New(reason.RunsLeftOut, e.title(i), a.Runs-a.Used, a.Runs, e.why(i)))
		}
		if !a.Control && a.Used > 0 && e.compared(i) {
			ranked++
		}
	}
	if least := roundsFor(e.Comparisons); e.Comparisons > 0 && e.RoundsDone < least {
		e.WarningCodes = append(e.WarningCodes, reason.New(reason.TooFewRounds, e.RoundsDone, least, e.Comparisons))
	}
	if e.Verdict = measured; ranked == 0 {
		e.Verdict, e.ExitCode = invalid, 12
		if e.RoundsDone == 0 && !slices.ContainsFunc(e.Arms, func(a ArmResult) bool { return a.Invalid }) {
			e.Verdict, e.ExitCode = "cannot_tell", 11
		}
		return
	}
	if e.Gate != "" {
		e.gate()
	}
}

// gate decides by one metric: one variant that is worse outweighs all others,
// and one of which it cannot be told all that are no worse.
func (e *Experiment) gate() {
	e.Verdict = "equivalent"
	order := []string{"equivalent", "better", "cannot_tell", "worse"}
	for i := range e.Arms[1:] {
		a := &e.Arms[i+1]
		if a.Control {
			continue
		}
		v := "cannot_tell"
		for _, x := range a.Effects {
			if x.Metric == e.Gate {
				v = x.Verdict
			}
		}
		if slices.Index(order, v) > slices.Index(order, e.Verdict) {
			e.Verdict = v
		}
	}
	switch e.Verdict {
	case "worse":
		e.ExitCode = 10
	case "cannot_tell":
		e.ExitCode = 11
	}
}

// why is what the first run of an arm that is not used was left out for.
func (e *Experiment) why(arm int) reason.Reasons {
	for _, r := range e.Runs {
		if r.Arm == arm && r.Left != "" {
			return r.Codes
		}
	}
	return reason.Reasons{}
}

// title names an arm in a sentence.
func (e *Experiment) title(arm int) string {
	if e.Arms[arm].Control {
		return e.Arms[arm].Name + " (A/A)"
	}
	return e.Arms[arm].Name
}

// EffectOf is the effect of an arm in a metric, nil without one.
func (a *ArmResult) EffectOf(metric string) *Effect {
	for i := range a.Effects {
		if a.Effects[i].Metric == metric {
			return &a.Effects[i]
		}
	}
	return nil
}

// known is v, or nil when v is no number JSON can hold.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
