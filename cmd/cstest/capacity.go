package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/capacities"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/unit"
)

// capacityOptions are the flags of `cstest capacity`.
type capacityOptions struct {
	scenarioFlags
	from, max, need unit.Rate
	headroom        unit.Share
	replicas        int
	until           string
	settle, hold    unit.Duration
	precision       unit.Share
	probes          int
	resultsDir      string
	allowTarget     []string
	noTUI           bool
	json            bool
	quiet           bool
	noColor         bool
}

func newCapacityCmd(s streams) *cobra.Command {
	var o capacityOptions
	cmd := &cobra.Command{
		Use:   "capacity [SCENARIO]",
		Short: "Find the highest load that still meets the SLA",
		Long: `Find the highest load that still meets the SLA. The scenario's target, conversations and
SLA are used with a load of their own: probes double until the SLA breaks, then halve the
gap, and at last the highest rate that held and the lowest that did not are tried again.
Only a pass counts as held: what was too little to tell is looked at longer, and a rate the
generator could not measure is no capacity.

--need tells how many like this one a load takes; with --replicas N: exits 10 when N are
too few. 11: the boundary is not sure; 12: the generator could measure nothing.

--until context, integrity, full_quality or expected looks for the load at which answers
go wrong, whatever latency does, and says where the other objectives break.`,
		Example: `  cstest capacity my.yaml
  cstest capacity my.yaml --need 3600/s --headroom 25%
  cstest capacity my.yaml --from 50/s --max 2000/s --hold 20s
  cstest capacity my.yaml --until context`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return runCapacity(cmd.Context(), s, &o, args) },
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	f := cmd.Flags()
	o.from, o.max, o.hold, o.precision = 20, 100_000, unit.Duration(8*time.Second), 0.05
	f.Var(textFlag(&o.from), "from", "turns a second to begin with (default 20/s)")
	f.Var(textFlag(&o.max), "max", "turns a second not to go beyond (default 100k/s)")
	f.Var(textFlag(&o.need), "need", "turns a second that are needed: says how many replicas bear them")
	f.Var(textFlag(&o.headroom), "headroom", "what to keep free beyond --need, as 25%")
	f.IntVar(&o.replicas, "replicas", 0, "how many replicas there are: exits 10 when they do not bear --need")
	f.StringVar(&o.until, "until", "", "search until answers of this kind go wrong, not until the SLA breaks: context, integrity, full_quality or expected")
	f.Var(textFlag(&o.settle), "settle", "start of each probe that is not judged (default as long as a conversation, 2s at least)")
	f.Var(textFlag(&o.hold), "hold", "judged part of each probe, longer where that is too little to tell (default 8s)")
	f.Var(textFlag(&o.precision), "precision", "how near the boundary is looked for (default 5%)")
	f.IntVar(&o.probes, "probes", 40, "probes at most")
	f.StringVar(&o.resultsDir, "results-dir", "", "where the results go (default results/capacity-<name>-<UTC time>)")
	f.StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	f.BoolVar(&o.noTUI, "no-tui", false, "a line for each probe instead of the live view")
	f.BoolVar(&o.json, "json", false, "print capacity.json instead of the summary")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the verdict")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	return cmd
}

// probing is one `cstest capacity` under way.
type probing struct {
	*capacityOptions
	s       streams
	lang    reason.Lang
	from    found
	base    *chosen
	search  capacity.Search
	secrets *redact.Redactor
	dir     string
	signals *signals
	view    *searchView
	started time.Time
	probes  []capacity.Probe
}

func runCapacity(ctx context.Context, s streams, o *capacityOptions, args []string) error {
	p, err := newProbing(s, o, args)
	if err != nil {
		return err
	}
	s, flush := s.clean(p.secrets)
	defer flush()
	p.s = s
	return cleaned(p.run(ctx), p.secrets)
}

func newProbing(s streams, o *capacityOptions, args []string) (*probing, error) {
	for _, flag := range []string{"users", "rate", "duration", "scale"} {
		if o.changed(flag) {
			return nil, refused(reason.LoadIsSearched, "--"+flag)
		}
	}
	if o.precision < 0.005 || o.precision > 0.5 || o.probes < 1 || o.replicas < 0 || o.hold <= 0 || o.from <= 0 || o.max < o.from {
		return nil, usagef("--precision is from 0.5%% to 50%%, --probes 1 or more, --hold and --from above 0, --max not below --from")
	}
	if o.replicas > 0 && o.need <= 0 {
		return nil, usagef("--replicas tells whether they bear a load: say it with --need")
	}
	p := &probing{capacityOptions: o, s: s, lang: s.language()}
	var err error
	if p.from, err = find(s.in, args); err != nil {
		return nil, err
	}
	if p.base, err = o.choose(p.from); err != nil {
		return nil, err
	}
	if err := p.checkUntil(); err != nil {
		return nil, err
	}
	if err := p.base.CheckSecrets(); err != nil {
		return nil, err
	}
	if p.secrets, err = p.base.redactor(); err != nil {
		return nil, err
	}
	turns := p.base.MeanTurns()
	p.search = capacity.Search{
		From: float64(o.from) / turns, Max: float64(o.max) / turns, Precision: float64(o.precision), Confirm: 2, Most: o.probes,
		Enough: enoughTurns(p.base) / turns, Length: o.hold.D().Seconds(),
	}
	if o.settle == 0 {
		o.settle = unit.Duration(max(2*time.Second, p.base.MeanThink()).Round(100 * time.Millisecond))
	}
	if _, err := p.at(capacity.Step{Rate: p.search.From, Lengths: 1}); err != nil {
		return nil, err
	}
	if p.dir = o.resultsDir; p.dir == "" {
		p.dir = filepath.Join("results", "capacity-"+escape.Slug(p.base.Name)+"-"+time.Now().UTC().Format("20060102T150405Z"))
	}
	if _, err := os.Stat(filepath.Join(p.dir, capacities.FileName)); err == nil {
		return nil, usagef("%s already holds a search: choose another --results-dir", p.dir)
	}
	return p, nil
}

// checkUntil makes sure that the scenario judges what the search is until.
func (p *probing) checkUntil() error {
	kind := scenario.ObjectiveKind(p.until)
	switch kind {
	case "", scenario.KindIntegrity:
		return nil
	case scenario.KindFullQuality:
		if !p.judges(kind) { // none is asked for: as availability is asked for by most
			p.set = append(p.set, "sla.full_quality=99%")
			base, err := p.choose(p.from)
			p.base = base
			return err
		}
	case scenario.KindContext, scenario.KindExpected:
		if !p.judges(kind) {
			return refused(reason.UntilNothing, p.until, map[scenario.ObjectiveKind]string{
				scenario.KindContext: "checks.memory", scenario.KindExpected: "conversations.turns.expect",
			}[kind])
		}
	default:
		return usagef("--until %q: want context, integrity, full_quality or expected", p.until)
	}
	return nil
}

func (p *probing) judges(kind scenario.ObjectiveKind) bool {
	for _, o := range p.base.Objectives() {
		if o.Kind == kind {
			return true
		}
	}
	return false
}

// enoughTurns is how many turns the objectives need when a few of them are bad.
func enoughTurns(c *chosen) float64 {
	most := 0.0
	for _, o := range c.Objectives() {
		if countedInTurns(o) {
			most = max(most, float64(sla.Needs(float64(o.Target), float64(c.SLA.Confidence), c.TurnsTogether())))
		}
	}
	return 1.5 * most
}

// at is the scenario at a rate.
func (p *probing) at(step capacity.Step) (*chosen, error) {
	f := p.scenarioFlags
	f.set = append([]string{}, f.set...)
	rate := unit.Rate(step.Rate).String()
	hold := time.Duration(step.Lengths) * p.hold.D()
	f.set = append(f.set, fmt.Sprintf("load.stages=[{name: settle, for: %s, starts: %s, judged: false}, {name: hold, for: %s, starts: %s}]",
		p.settle, rate, unit.Duration(hold), rate))
	if p.base.Load.Pacing != 0 {
		f.set = append(f.set, "load.pacing=null")
	}
	f.set = append(f.set, p.leftOut()...)
	return f.choose(p.from)
}

// leftOut takes away what has no place in a search: faults are not capacity, and
// the guard would end a probe that shall break.
func (p *probing) leftOut() (sets []string) {
	if p.base.LLM != nil && len(p.base.LLM.Faults) > 0 {
		sets = append(sets, "llm.faults=null")
	}
	if p.base.SLA.Recovery != nil {
		sets = append(sets, "sla.recovery=null")
	}
	if p.base.Guard != (scenario.Guard{}) {
		sets = append(sets, "guard=null")
	}
	return sets
}

func (p *probing) run(ctx context.Context) error {
	release, err := directory.Lock(p.dir)
	if err != nil {
		return resultsError{err}
	}
	defer func() {
		_ = release() // a lock left behind is taken over by the next run
		_ = os.Remove(p.dir)
	}()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	p.say(targetLine(p.base))
	p.say(reason.New(reason.CapacityPlan, p.search.From, p.base.MeanTurns(), p.settle.D()+p.hold.D()+overhead, p.search.Most).Text(p.lang))
	if len(p.leftOut()) > 0 {
		p.say(reason.New(reason.FaultsLeftOut).Text(p.lang))
	}
	p.signals = catchSignals(ctx)
	defer p.signals.release()
	p.started = time.Now()
	p.view = newSearchView(p)
	defer p.view.close() // a panic must not leave the terminal to itself
	for {
		step, more := p.search.Next(p.probes)
		if !more {
			return p.finish()
		}
		probe, err := p.probe(executable, step)
		switch {
		case p.signals.stopping():
			return p.finish() // the probe was cut short: it is in its folder and counts for nothing
		case err != nil:
			return err
		}
		p.probes = append(p.probes, probe)
		p.view.made(p.conclude())
		if err := p.write(); err != nil {
			return resultsError{err}
		}
	}
}

// probe makes one run and writes its result as `cstest run` does.
func (p *probing) probe(executable string, step capacity.Step) (capacity.Probe, error) {
	c, err := p.at(step)
	if err != nil {
		return capacity.Probe{}, err
	}
	run := oneRun{
		dir: p.dir, inside: fmt.Sprintf("probes/%03d-%s", len(p.probes)+1, escape.Slug(fmt.Sprintf("%.4g", step.Rate))),
		executable: executable, allowTarget: p.allowTarget, lang: p.lang, signals: p.signals, secrets: p.secrets,
		tags: map[string]string{"starts": unit.Rate(step.Rate).String()}, observe: p.view.begin(step, c),
	}
	doc, _, err := run.drive(c)
	if _, ok := errors.AsType[*trial.LimitError](err); ok { // this machine cannot: that is an answer too
		return capacity.Probe{Starts: step.Rate, Lengths: step.Lengths, Outcome: capacity.Invalid, Limits: []string{}, Signs: reason.Of(err)}, nil
	}
	if err != nil {
		return capacity.Probe{}, err
	}
	return capacity.ProbeOf(step, doc, run.inside, scenario.ObjectiveKind(p.until)), nil
}

func (p *probing) say(line string) {
	if !p.quiet {
		fmt.Fprintln(p.s.err, line)
	}
}

func (p *probing) conclude() *capacity.Result {
	r := capacity.Conclude(p.search, p.probes, capacity.Asked{Need: float64(p.need), Headroom: float64(p.headroom), Replicas: p.replicas, Until: scenario.ObjectiveKind(p.until)})
	r.CstestVersion, r.Scenario, r.Target, r.Seed = fullVersion(), p.base.Name, targetLine(p.base), p.base.Seed
	r.StartedAt = p.started.UTC().Format(time.RFC3339Nano)
	if n := p.signals.number(); n != 0 {
		r.Interrupted, r.ExitCode = true, 128+n
	}
	return r
}

func (p *probing) write() error {
	return directory.WriteFiles(p.dir, capacities.Renderings(p.conclude(), p.lang))
}

// finish writes and prints the whole, and gives the exit code.
func (p *probing) finish() error {
	p.view.close()
	r := p.conclude()
	var written error
	if len(p.probes) > 0 {
		written = p.write()
	}
	return conclude(p.s, p.signals, written, p.print(r), r.ExitCode)
}

func (p *probing) print(r *capacity.Result) error {
	switch {
	case p.json:
		return capacities.WriteJSON(r, unscrubbed(p.s.out))
	case p.quiet:
		turns := math.NaN()
		if r.Holds != nil {
			turns = r.Holds.Turns
		}
		_, err := fmt.Fprintf(p.s.out, "%s %.4g/s %s\n", r.Verdict, turns, p.dir)
		return err
	}
	err := p.s.show(p.noColor, p.lang, func(w io.Writer, o report.TextOptions) error { return capacities.WriteText(r, w, o) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.s.out, "  %s\n", filepath.Join(p.dir, "capacity.html"))
	return err
}
