package result

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"sort"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// input is everything a Document is computed from, with nothing missing.
type input struct {
	*About
	Recording
	scenario *scenario.Scenario
	judged   sla.Result
}

// Build judges what was recorded and computes the Document of the run. It is the
// only place where a run that has ended is judged, be it just now, read back from
// a journal or added up from shards. s is the scenario as run: scaled, with
// overrides. It changes nothing of what it is given. Missing parts (no facts, an
// empty snapshot) give an emptier Document, never a panic.
func Build(s *scenario.Scenario, a *About, r Recording) *Document {
	in := input{About: a, Recording: r, scenario: s}
	if s == nil {
		in.scenario = &scenario.Scenario{}
	}
	if a == nil {
		in.About = &About{}
	}
	if r.Facts == nil {
		in.Facts = &measure.Facts{}
	}
	if r.Snapshot == nil {
		in.Snapshot = &measure.Snapshot{}
	}
	if in.Snapshot.Plan == nil {
		s := *in.Snapshot
		s.Plan = &measure.Plan{}
		in.Snapshot = &s
	}
	in.judged = sla.Evaluate(in.scenario, in.Snapshot, in.Facts)
	return settled(document(in))
}

func document(in input) *Document {
	scale := in.Scale
	if scale == 0 {
		scale = 1
	}
	warnings := slices.Concat(in.judged.Warnings, in.Warnings)
	d := &Document{
		SchemaVersion: SchemaVersion,
		CstestVersion: in.Version,
		RunID:         in.RunID,
		Tags:          orEmptyMap(in.Tags),
		Scenario:      ScenarioRef{Name: in.scenario.Name, Description: in.scenario.Description, SHA256: digest(in.Scenario), Seed: in.scenario.Seed, Scale: scale},
		StartedAt:     in.Started.UTC().Format(time.RFC3339Nano),
		DurationS:     roundS(in.Snapshot.Elapsed),
		Target:        targetOf(in),
		Environment:   in.Environment,
		Verdict:       in.judged.Verdict.String(),
		ExitCode:      ExitCode(in.judged.Verdict, in.Signal, in.InconclusivePasses),
		Reasons:       in.judged.Reasons.Texts(reason.English),
		ReasonCodes:   in.judged.Reasons.OrEmpty(),
		Warnings:      warnings.Texts(reason.English),
		WarningCodes:  warnings.OrEmpty(),
		Outputs:       in.Outputs,
		Overrides:     orEmpty(in.Overrides),
		Knobs:         knobsOf(in.scenario),
		Stages:        stagesOf(in.Snapshot.Plan, in.scenario),
		LittlesLaw: LittlesLaw{
			InFlightMean: finite(in.judged.LittlesLaw.InFlightMean), RateTimesMean: finite(in.judged.LittlesLaw.RateTimesMean),
			ErrorShare: finite(in.judged.LittlesLaw.ErrorShare),
		},
	}
	d.Environment.SharedHost = in.Facts.Generator.SharedHost
	d.Judging = judgingOf(in)
	d.Objectives = objectivesOf(in.scenario, in.judged)
	d.Counts = countsOf(in.Snapshot)
	d.Tiers = tiersOf(in.Snapshot.Tiers, in.Snapshot.Counts)
	d.fillLatency(in.Snapshot)
	d.Turns = turnRows(in.Snapshot)
	d.Breakdowns = breakdowns(in)
	d.Slowest = slowestOf(in)
	d.Series = seriesOf(in)
	d.Availability = availabilityOf(in.judged)
	d.Storms = stormsOf(in)
	d.Conversations = Conversations{
		Complete:         in.Snapshot.Conversations[measure.Complete],
		CompleteDegraded: in.Snapshot.Conversations[measure.CompleteDegraded],
		Broken:           in.Snapshot.Conversations[measure.Broken],
		Abandoned:        in.Snapshot.Conversations[measure.Abandoned],
		Left:             in.Snapshot.Conversations[measure.Left],
	}
	d.Errors, d.ErrorsMore = errorsOf(in.Snapshot, in.Facts)
	d.fillRun(in)
	d.Usage = usageOf(in.scenario, in.Snapshot)
	d.Burn = burnOf(in)
	d.Observed = observationsOf(in)
	d.Client = clientOf(in)
	return d
}

// settled is d as it reads back from result.json, so that a rendering made now
// and one made from the file later are the same bytes: invalid UTF-8 has become
// U+FFFD in both.
func settled(d *Document) *Document {
	var out Document
	b, err := json.Marshal(d)
	if err != nil || json.Unmarshal(b, &out) != nil {
		return d
	}
	return &out
}

// ExitCode is the exit code of a verdict. signal is the number of the signal
// that ended the run, 0 when none did; inconclusivePasses is
// --on-inconclusive pass.
func ExitCode(v sla.Verdict, signal int, inconclusivePasses bool) int {
	if signal > 0 {
		return 128 + signal
	}
	switch v {
	case sla.Pass:
		return 0
	case sla.Fail:
		return 10
	case sla.Invalid:
		return 12
	case sla.Inconclusive:
		if inconclusivePasses {
			return 0
		}
	case sla.NotVerified, sla.Incomplete:
	}
	return 11
}

func targetOf(in input) Target {
	t := in.scenario.Target
	out := Target{
		Kind: TargetExternal, URL: cleanURL(t.URL), Profile: in.Facts.Target.Profile, KnobsSHA256: in.Facts.Target.KnobsSHA256,
		API: t.API, HTTP: t.HTTP, Mode: t.Mode, Connections: t.Connections, Redis: cleanURL(in.Facts.Target.Redis),
		Insecure: t.TLS != nil && t.TLS.Insecure,
	}
	if t.Bundled != nil {
		out.Kind, out.URL = TargetBundled, ""
		if out.Profile == "" {
			out.Profile = string(t.Bundled.Profile)
		}
		if out.Redis == "" {
			out.Redis = cleanURL(t.Bundled.Redis)
		}
	}
	return out
}

// cleanURL takes away what may be secret in a URL: user info, query, fragment.
func cleanURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "[unreadable URL]"
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	return u.String()
}

func knobsOf(s *scenario.Scenario) map[string]string {
	if b := s.Target.Bundled; b != nil {
		return orEmptyMap(b.Knobs)
	}
	return map[string]string{}
}

// digest is the SHA-256 of a scenario's text, in hex; empty where there is none.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func stagesOf(p *measure.Plan, sc *scenario.Scenario) []Stage {
	out := make([]Stage, 0, len(p.Stages))
	for i, s := range p.Stages {
		stage := Stage{Name: s.Name, StartS: roundS(s.Start), EndS: roundS(s.End), Judged: s.Judged}
		if i < len(sc.Load.Stages) && sc.Load.Stages[i].Name == s.Name {
			of := sc.Load.Stages[i]
			if of.Starts != nil {
				stage.StartsPerS = &Ramp{float64(of.Starts.From), float64(of.Starts.To)}
			}
			if of.Users != nil {
				stage.Users = &Ramp{float64(of.Users.From), float64(of.Users.To)}
			}
		}
		out = append(out, stage)
	}
	return out
}

func objectivesOf(s *scenario.Scenario, r sla.Result) []Objective {
	asked := map[string]scenario.Objective{}
	for _, o := range s.Objectives() {
		asked[o.Name] = o
	}
	out := make([]Objective, 0, len(r.Objectives))
	for _, j := range r.Objectives {
		o := Objective{
			Name: j.Name, Kind: j.Kind, Unit: j.Unit, Target: known(j.Target), Measured: known(j.Measured),
			Lower: known(j.Lower), Upper: known(j.Upper), N: j.N, Bad: j.Bad,
			Verdict: j.Verdict.String(), Reason: j.Reason.Text(reason.English), ReasonCodes: j.Reason.OrEmpty(), Needs: j.Needs,
			TierAtMost: string(asked[j.Name].TierAtMost), Stages: orEmpty(asked[j.Name].Stages), Group: asked[j.Name].Group, After: asked[j.Name].After,
			Observe: asked[j.Name].Observe, Client: asked[j.Name].Client, Cut: j.Cut, Untold: j.Untold, Census: censusOf(j.Census), Comebacks: comebacksOf(j.Comebacks),
		}
		if unseenRecovery(j) {
			o.Measured, o.Lower, o.Upper = nil, nil, nil
		}
		if j.Kind == scenario.KindObserved {
			o.Min, o.Max = asked[j.Name].Min, asked[j.Name].Max
		}
		if j.DEFF > 0 {
			o.Confidence, o.DEFF = known(j.Confidence), known(j.DEFF)
		}
		if c := j.Correlation; c != nil {
			o.ICC, o.MeasuredDEFF = known(c.Rho), known(c.DEFF)
		}
		if j.Limit > 0 {
			ns := j.Limit.Nanoseconds()
			o.LimitNs = &ns
		}
		out = append(out, o)
	}
	return out
}

// unseenRecovery tells whether a recovery was neither seen nor refuted: 0 s would say
// that it came at once.
func unseenRecovery(j sla.Judged) bool {
	recovery := j.Kind == scenario.KindRecoveryLatency || j.Kind == scenario.KindRecoveryQuality
	return recovery && j.Verdict == sla.Inconclusive && j.Measured == 0
}

func countsOf(s *measure.Snapshot) Counts {
	n := s.Counts
	c := Counts{
		ConversationsPlanned: s.Planned,
		OK:                   n[measure.OK], Degraded: n[measure.Degraded], Unexpected: n[measure.Unexpected],
		ContextLost: n[measure.ContextLost], RateLimited: n[measure.RateLimited], Shed: n[measure.Shed],
		ClientError: n[measure.ClientError], ServerError: n[measure.ServerError], Truncated: n[measure.Truncated],
		Timeout: n[measure.Timeout], TransportError: n[measure.TransportError], Integrity: n[measure.Integrity],
		Refused: n[measure.Refused], LetIn: n[measure.LetIn],
		Censored: n[measure.Censored], DroppedTarget: n[measure.DroppedTarget], DroppedGenerator: n[measure.DroppedGenerator],
		Excluded: s.Excluded, Planted: s.Planted, ContextVerified: s.Verified, ContextNotVerified: s.NotVerified,
	}
	c.Conversations = c.ConversationsPlanned - c.DroppedTarget - c.DroppedGenerator
	for o := measure.OK; o <= measure.Censored; o++ {
		c.Turns += n[o]
	}
	return c
}

func tiersOf[T int64 | uint32](t [measure.Tiers]T, outcomes [measure.Outcomes]T) Tiers {
	out := Tiers{
		LLM: int64(t[measure.TierLLM]), FAQ: int64(t[measure.TierFAQ]), Handoff: int64(t[measure.TierHandoff]),
		Static: int64(t[measure.TierStatic]), Unknown: int64(t[measure.TierUnknown]),
		Wrong: int64(outcomes[measure.ContextLost]) + int64(outcomes[measure.Integrity]),
	}
	for o := range measure.Censored {
		if !measure.Answered.Has(o) && o != measure.ContextLost && o != measure.Integrity && !measure.ToRefuse.Has(o) {
			out.Nobody += int64(outcomes[o])
		}
	}
	return out
}

func availabilityOf(r sla.Result) Availability {
	out := Availability{
		Seconds: Seconds{
			TotalS: r.Seconds.Total, BadS: r.Seconds.Bad, BudgetS: r.Seconds.Budget,
			DoubtfulS: r.Seconds.Doubtful, UnknownS: r.Seconds.Unknown, Scaled: r.Seconds.Scaled,
			BudgetPerHourS: math.Round(r.Seconds.PerHour*1e6) / 1e6,
		},
		Outages: make([]Outage, 0, len(r.Outages)),
	}
	for _, o := range r.Outages {
		out.Outages = append(out.Outages, Outage{StartS: roundS(o.Start), LengthS: roundS(o.Length), Cause: o.Cause})
	}
	if a := r.Answered; a.N > 0 {
		out.Answers = known(1 - float64(a.Bad)/float64(a.N))
	}
	return out
}

func stormsOf(in input) []Storm {
	out := make([]Storm, 0, len(in.judged.Storms))
	for _, s := range in.judged.Storms {
		storm := Storm{
			Name: s.Name, StartS: roundS(s.Start), DetectS: optionalS(s.Detect),
			Recovery: Recovery{LatencyS: optionalS(s.Latency), QualityS: optionalS(s.Quality)}, Metastable: s.Metastable,
		}
		end := s.End
		if end > 0 {
			storm.EndS = optionalS(&end)
		} else {
			end = in.Snapshot.Elapsed
		}
		for _, f := range in.Facts.Storms {
			if f.Name == s.Name && f.Start == s.Start {
				storm.Kind = f.Kind
			}
		}
		if s.CallsKnown {
			storm.CallsPerTurn = known(s.CallsPerTurn)
		}
		for i, sec := range in.Snapshot.Seconds {
			// The middle of the second: a storm's edges are a millisecond beside whole seconds.
			at := time.Duration(in.Snapshot.First+i)*time.Second + time.Second/2
			if at >= s.Start && at < end {
				storm.Tiers.add(tiersOf(sec.Tiers, sec.Outcomes))
			}
		}
		out = append(out, storm)
	}
	return out
}

// maxErrors is how many kinds of failure result.json lists.
const maxErrors = 50

func errorsOf(s *measure.Snapshot, facts *measure.Facts) ([]Error, int64) {
	all := append([]measure.FailureCount(nil), s.Failures...)
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		if a.Outcome != b.Outcome {
			return a.Outcome < b.Outcome
		}
		return a.Message < b.Message
	})
	out, more := make([]Error, 0, min(len(all), maxErrors)), s.Unlisted
	for i, f := range all {
		if i >= maxErrors {
			more += f.Count
			continue
		}
		out = append(out, Error{
			Outcome: f.Outcome.String(), Message: f.Message, Count: f.Count, FirstS: roundS(f.First.At),
			Example: Example{Conversation: f.First.Conversation, Turn: f.First.Turn, Status: f.First.Status, TraceID: f.First.TraceID},
			Sample:  facts.SampleOf(f.Outcome, f.Message),
		})
	}
	return out, more
}

// fillRun sets what is known of the processes behind the turns.
func (d *Document) fillRun(in input) {
	f, turns := in.Facts, float64(d.Counts.Turns)
	if f.LLMKnown {
		d.LLM.Calls = &f.LLMCalls
		if turns > 0 {
			d.LLM.CallsPerTurn = known(float64(f.LLMCalls) / turns)
		}
	}
	g := f.Generator
	d.Generator = Generator{
		LagP99Ns: in.judged.Generator.LagP99.Nanoseconds(), CPUS: roundS(g.CPU), MaxRSSBytes: g.MaxRSS,
		MaxInFlight: g.MaxInFlight, TaintedS: len(in.judged.Generator.Tainted), Reasons: in.judged.Generator.Reasons.Texts(reason.English),
		ReasonCodes: in.judged.Generator.Reasons.OrEmpty(), StartsDue: in.judged.Generator.Due, Starts: in.Snapshot.Started,
		SecondsWithTurns: in.judged.Generator.Seconds, LateAtS: append([]int{}, in.judged.Generator.Late...),
		StarvedAtS:       append([]int{}, in.judged.Generator.Starved...),
		FailsWithoutLate: orEmpty(in.judged.Generator.FailsWithout), Drops: dropsOf(in.Snapshot),
		Resent: g.Traffic.Resent, FullHandshakes: g.Traffic.FullHandshakes, ResumedHandshakes: g.Traffic.ResumedHandshakes,
		Addresses: make([]AddressTurns, 0, len(g.Traffic.Addresses)),
	}
	if s := Sockets(g.Traffic.Sockets); s != (Sockets{}) {
		d.Generator.Sockets = &s
	}
	for _, a := range g.Traffic.Addresses {
		d.Generator.Addresses = append(d.Generator.Addresses, AddressTurns(a))
	}
	if turns > 0 && g.Cores > 0 { // else it never told
		d.Generator.CPUUsPerTurn = known(math.Round(float64(g.CPU.Microseconds())/turns*100) / 100)
	}
	d.Processes = make([]Process, 0, len(f.Processes))
	for _, p := range f.Processes {
		row := Process{Name: p.Name, CPUS: roundS(p.CPU), MaxRSSBytes: p.MaxRSS, Exit: p.Exit}
		if d.DurationS > 0 {
			row.CPUShare = math.Round(p.CPU.Seconds()/d.DurationS*1e4) / 1e4
		}
		if p.Ended > 0 {
			row.EndedS = optionalS(&p.Ended)
		}
		d.Processes = append(d.Processes, row)
	}
}

// known is v, or nil when v is no number JSON can hold.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func finite(v float64) float64 {
	if p := known(v); p != nil {
		return *p
	}
	return 0
}

func optionalS(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := roundS(*d)
	return &s
}

// roundS is d in seconds, to the microsecond: enough to read, and short.
func roundS(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

func orEmpty(s []string) []string { return append([]string{}, s...) }

func orEmptyMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	maps.Copy(out, m)
	return out
}
