package capacity

import (
	"math"
	"slices"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// SchemaVersion is the version of capacity.json.
const SchemaVersion = 1

// Probe is one run at one rate. Turns is the rate of turns that were asked for in
// the stage that is judged, null where none was.
type Probe struct {
	Starts  float64  `json:"starts_per_s"`
	Lengths int      `json:"lengths"` // times the shortest
	Turns   *float64 `json:"turns_per_s"`
	Outcome Outcome  `json:"outcome"`
	Verdict string   `json:"verdict"`
	P99Ns   *int64   `json:"p99_ns"` // null where too few turns bound it, and where it is infinite
	// P99Infinite: so many turns failed that no time holds 99 %.
	P99Infinite bool     `json:"p99_infinite"`
	BadShare    *float64 `json:"bad_share"`
	// Wrong is the share of answers that missed the kind of objective the search is
	// until, and Others what all other objectives say; null and empty without one.
	Wrong  *float64 `json:"wrong_share"`
	Others Outcome  `json:"others"`
	// Limits are the objectives that were not met; Signs what else was seen to run out.
	Limits []string       `json:"limits"`
	Signs  reason.Reasons `json:"signs"`
	Dir    string         `json:"dir"`
}

// Result is capacity.json: plain data, complete in itself.
type Result struct {
	SchemaVersion int     `json:"schema_version"`
	CstestVersion string  `json:"cstest_version"`
	Scenario      string  `json:"scenario"`
	Target        string  `json:"target"`
	StartedAt     string  `json:"started_at"`
	Seed          uint64  `json:"seed"`
	Interrupted   bool    `json:"interrupted"`
	Probes        []Probe `json:"probes"` // in the order they were made

	Holds  *Knee `json:"holds"`  // the highest rate that was seen to hold; null without one
	Breaks *Knee `json:"breaks"` // the lowest above it that does not; null without one
	// LimitedBy is sla, generator (it could not measure more), max (more was not asked for), or nothing_held.
	LimitedBy string         `json:"limited_by"`
	Sure      bool           `json:"sure"`   // both were confirmed, and are near one another
	Limits    []string       `json:"limits"` // objectives that break first
	Signs     reason.Reasons `json:"signs"`  // what else ran out there
	Need      *Need          `json:"need"`

	// Until is the kind of objective that ends the search in place of the whole SLA,
	// empty without; Beside is the boundary of all other objectives, as far as the
	// same probes show it.
	Until  scenario.ObjectiveKind `json:"until"`
	Beside *Beside                `json:"beside"`

	Verdict      string         `json:"verdict"`
	ExitCode     int            `json:"exit_code"`
	Warnings     []string       `json:"warnings"`
	WarningCodes reason.Reasons `json:"warning_codes"`
}

// Knee is one side of the boundary: medians of its probes.
type Knee struct {
	Starts float64 `json:"starts_per_s"`
	Turns  float64 `json:"turns_per_s"`
	Probes int     `json:"probes"` // that say so
}

// Beside is up to where no other objective failed, and from where one did; null
// where no probe shows it.
type Beside struct {
	Holds  *Knee    `json:"holds"`
	Breaks *Knee    `json:"breaks"`
	Limits []string `json:"limits"` // those that break first
}

// Need is how many like this one a load takes. It is computed, not measured.
type Need struct {
	Turns    float64 `json:"turns_per_s"`
	Headroom float64 `json:"headroom"`
	Replicas int     `json:"replicas"`
	Given    int     `json:"given"` // how many there are; 0 when that was not said
}

// ProbeOf is what a finished run at a rate shows, of the SLA or of the objectives of
// one kind.
func ProbeOf(step Step, d *result.Document, dir string, until scenario.ObjectiveKind) Probe {
	p := Probe{Starts: step.Rate, Lengths: step.Lengths, Verdict: d.Verdict, P99Ns: d.Latency.FailedAsInfinite.P99Ns, P99Infinite: infinite(d), Dir: dir, Limits: []string{}, Signs: signs(d)}
	p.Outcome = outcomeOf(d.Verdict)
	if until != "" && p.Outcome != Invalid {
		p.Outcome, p.Others = Held, Held
		p.Wrong = wrongShare(d, until)
	}
	for _, o := range d.Objectives {
		if o.Verdict == "fail" {
			p.Limits = append(p.Limits, o.Name)
		}
		switch {
		case until == "" || p.Outcome == Invalid:
		case o.Kind == until:
			p.Outcome = worse(p.Outcome, outcomeOf(o.Verdict))
		default:
			p.Others = worse(p.Others, outcomeOf(o.Verdict))
		}
	}
	judged := map[string]bool{}
	for _, s := range d.Stages {
		judged[s.Name] = s.Judged
	}
	var seconds, turns, bad int64
	for _, s := range d.Series {
		if judged[s.Stage] {
			seconds++
			turns += s.Turns + s.Dropped
			bad += s.Bad + s.Dropped
		}
	}
	if turns > 0 {
		rate, share := float64(turns)/float64(seconds), float64(bad)/float64(turns)
		p.Turns, p.BadShare = &rate, &share
	}
	return p
}

// infinite tells whether the P99 of all turns is that of one that failed.
func infinite(d *result.Document) bool {
	q := d.Latency.FailedAsInfinite
	return q.P99Ns == nil && q.N >= result.QuantileNeeds(0.99) && q.FiniteShare < 0.99
}

func outcomeOf(verdict string) Outcome {
	switch verdict {
	case "pass":
		return Held
	case "fail":
		return Broke
	case "invalid", "incomplete":
		return Invalid
	}
	return Unsure
}

// worse is what two objectives say together.
func worse(a, b Outcome) Outcome {
	switch {
	case a == Broke || b == Broke:
		return Broke
	case a == Held && b == Held:
		return Held
	}
	return Unsure
}

// wrongShare is the largest share of bad turns of an objective of the kind.
func wrongShare(d *result.Document, kind scenario.ObjectiveKind) (share *float64) {
	for _, o := range d.Objectives {
		if o.Kind != kind || o.N <= 0 {
			continue
		}
		if v := float64(o.Bad) / float64(o.N); share == nil || v > *share {
			share = &v
		}
	}
	return share
}

// What counts as run out.
const (
	cpuFull   = 0.9  // of the machine's cores
	shareSeen = 0.01 // of the turns
)

// signs are what was seen to run out, beside the objectives.
func signs(d *result.Document) reason.Reasons {
	out := reason.Reasons{}
	var cpu float64
	for _, p := range d.Processes {
		cpu += p.CPUShare
	}
	if d.Environment.Cores > 0 && cpu >= cpuFull*float64(d.Environment.Cores) {
		busiest := slices.MaxFunc(d.Processes, func(a, b result.Process) int { return int(math.Copysign(1, a.CPUShare-b.CPUShare)) })
		out = append(out, reason.New(reason.CPUFull, cpu, d.Environment.Cores, busiest.Name, busiest.CPUShare))
	}
	for _, x := range []struct {
		what reason.Word
		n    int64
	}{
		{"rate_limited", d.Counts.RateLimited},
		{"shed", d.Counts.Shed},
		{"timeout", d.Counts.Timeout},
		{"transport_error", d.Counts.TransportError},
		{"dropped_target", d.Counts.DroppedTarget},
		{"degraded", d.Counts.Degraded},
	} {
		if all := d.Counts.Turns + d.Counts.DroppedTarget; all > 0 && float64(x.n) >= shareSeen*float64(all) {
			out = append(out, reason.New(reason.TurnsWere, unit.Share(float64(x.n)/float64(all)), x.what))
		}
	}
	return out
}

// Asked is what the user wants to know beside the knee.
type Asked struct {
	Need     float64                // turns per second; 0: nothing
	Headroom float64                // as a share
	Replicas int                    // 0: as many as it takes
	Until    scenario.ObjectiveKind // what ends the search; empty: the whole SLA
}

// beside is the boundary of the other objectives, as far as the probes show it.
func beside(probes []Probe) *Beside {
	others := slices.Clone(probes)
	for i := range others {
		switch {
		case others[i].Outcome == Invalid:
		case others[i].Others == Broke:
			others[i].Outcome = Broke
		default: // a probe this short need not be enough for every objective
			others[i].Outcome = Held
		}
	}
	b := &Beside{Limits: []string{}}
	low, high := bounds(standings(others))
	if low != nil {
		b.Holds = knee(others, low, Held)
	}
	if high != nil && high.opinion() == breaks {
		b.Breaks = knee(others, high, Broke, Unsure)
		for _, p := range others {
			for _, name := range p.Limits {
				if p.Starts == high.rate && p.Outcome == Broke && !slices.Contains(b.Limits, name) {
					b.Limits = append(b.Limits, name)
				}
			}
		}
	}
	return b
}

// Conclude says what the probes show.
func Conclude(s Search, probes []Probe, asked Asked) *Result {
	r := &Result{SchemaVersion: SchemaVersion, Probes: slices.Clone(probes), Limits: []string{}, Signs: reason.Reasons{}, WarningCodes: reason.Reasons{}}
	if r.Probes == nil {
		r.Probes = []Probe{}
	}
	all := standings(probes)
	low, high := bounds(all)
	if low != nil {
		r.Holds = knee(probes, low, Held)
	}
	r.LimitedBy = "sla"
	switch {
	case high == nil && low != nil && low.rate >= s.Max:
		r.LimitedBy = "max"
	case high == nil:
		r.LimitedBy = "unknown"
	case high.opinion() == wall:
		r.LimitedBy = "generator"
	default:
		r.Breaks = knee(probes, high, Broke, Unsure)
		r.why(probes, high.rate)
	}
	near := high != nil && low != nil && nice(math.Sqrt(high.rate*low.rate)) != low.rate && high.rate <= low.rate*(1+s.Precision)*1.001
	r.Sure = low != nil && low.held >= s.Confirm &&
		(r.LimitedBy == "max" || near && (high.not >= s.Confirm || r.LimitedBy == "generator"))
	r.told(all)
	r.answer(asked)
	if r.Until = asked.Until; r.Until != "" {
		r.Beside = beside(probes)
	}
	r.Warnings = r.WarningCodes.Texts(reason.English)
	return r
}

// knee is a rate as it was measured.
func knee(probes []Probe, at *standing, outcomes ...Outcome) *Knee {
	k := &Knee{Starts: at.rate}
	var turns []float64
	for _, p := range probes {
		if p.Starts == at.rate && slices.Contains(outcomes, p.Outcome) {
			k.Probes++
			if p.Turns != nil {
				turns = append(turns, *p.Turns)
			}
		}
	}
	if slices.Sort(turns); len(turns) > 0 {
		k.Turns = turns[(len(turns)-1)/2]
	}
	return k
}

// why gathers what was not met at the rate that breaks.
func (r *Result) why(probes []Probe, rate float64) {
	for _, p := range probes {
		if p.Starts != rate || p.Outcome == Held {
			continue
		}
		for _, name := range p.Limits {
			if !slices.Contains(r.Limits, name) {
				r.Limits = append(r.Limits, name)
			}
		}
		if len(r.Signs) == 0 {
			r.Signs = p.Signs
		}
	}
}

// told warns of what the reader must know.
func (r *Result) told(all []standing) {
	_, high := bounds(all)
	for i := range all {
		if high != nil && all[i].rate > high.rate && all[i].opinion() == holds {
			r.WarningCodes = append(r.WarningCodes, reason.New(reason.HeldAbove, all[i].rate, high.rate))
		}
		if all[i].held > 0 && all[i].not > 0 {
			r.WarningCodes = append(r.WarningCodes, reason.New(reason.ProbesDisagree, all[i].rate, all[i].held, all[i].not))
		}
	}
	if r.LimitedBy == "generator" {
		r.WarningCodes = append(r.WarningCodes, reason.New(reason.GeneratorIsTheLimit, high.rate))
	}
}

// answer sets the verdict: what was not confirmed is not sure, and a load that
// more than one must bear is an extrapolation.
func (r *Result) answer(a Asked) {
	switch {
	case r.Holds == nil && r.LimitedBy == "generator":
		r.Verdict, r.ExitCode = "invalid", 12
		return
	case r.Holds == nil && r.LimitedBy == "sla":
		r.LimitedBy, r.Verdict, r.ExitCode = "nothing_held", "fail", 10
		return
	case !r.Sure:
		r.Verdict, r.ExitCode = "inconclusive", 11
	default:
		r.Verdict = "measured"
	}
	if a.Need <= 0 || r.Holds == nil || r.Holds.Turns <= 0 {
		return
	}
	r.Need = &Need{Turns: a.Need, Headroom: a.Headroom, Given: a.Replicas}
	r.Need.Replicas = int(math.Ceil(a.Need*(1+a.Headroom)/r.Holds.Turns - 1e-9))
	if r.Need.Replicas > 1 {
		r.WarningCodes = append(r.WarningCodes, reason.New(reason.Extrapolated, r.Need.Replicas))
	}
	if !r.Sure || a.Replicas == 0 {
		return
	}
	if r.Verdict = "pass"; a.Replicas < r.Need.Replicas {
		r.Verdict, r.ExitCode = "fail", 10
	}
}
