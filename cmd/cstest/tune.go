package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	refserver "github.com/cstest/cstest/reference-server"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/experiments"
	"github.com/cstest/cstest/tune"
)

// tuneOptions are the flags of `cstest tune`.
type tuneOptions struct {
	scenarioFlags
	vary        []string
	secure      bool // the target speaks TLS
	rounds      int
	stepwise    bool
	gate        string
	resultsDir  string
	allowTarget []string
	noTUI       bool
	json        bool
	quiet       bool
	noColor     bool
}

func newTuneCmd(s streams) *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune [SCENARIO] --vary KEY=a,b,c",
		Short: "Run variants of a scenario side by side and say which differences are real",
		Long: `Run variants of a scenario side by side and say which differences are real. KEY is a knob
of the bundled server, profile, protocol (rest, queue, websocket, http2), or any field of the
scenario as --set takes it; the first value is the baseline. Several --vary give every combination. One's own server has its
variants in the scenario (variants:, see docs/tune.md); they need no --vary.

Every round runs every variant once, in an order drawn anew, with the same arrivals and
servers freshly started; the baseline runs twice, which shows what chance alone does.
A scenario of seconds with a stage that is not judged, to warm up, is best: see
tuning-stages, which varies the profile by itself, and protocols, which varies the way to talk.

The first Ctrl-C ends the run under way and reports the rounds that are done.
With --gate METRIC: exits 10 when a variant is worse in it, 11 when it cannot be told.`,
		Example: `  cstest tune smoke --vary redis.pool=0,50 --rounds 10
  cstest tune tuning-stages
  cstest tune protocols
  cstest tune my.yaml --vary llm.latency.median=50ms,110ms --vary target.http=1.1,h2c --gate mean`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return runTune(cmd.Context(), s, &o, args) },
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.vary, "vary", nil, "KEY=a,b,c, the first value is the baseline (may be repeated; default the scenario's variants)")
	f.IntVar(&o.rounds, "rounds", 0, "how often every variant runs (default as often as can show a difference and once more, 10 at least)")
	f.BoolVar(&o.stepwise, "stepwise", false, "compare each variant with the one before it, not with the baseline (tuning-stages does)")
	f.StringVar(&o.gate, "gate", "", "the metric that decides the exit code: "+strings.Join(metricNames(), ", "))
	f.StringVar(&o.resultsDir, "results-dir", "", "where the results go (default results/tune-<name>-<UTC time>)")
	f.StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	f.BoolVar(&o.noTUI, "no-tui", false, "a line for each run instead of the live view")
	f.BoolVar(&o.json, "json", false, "print tune.json instead of the tables")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the verdict")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	return cmd
}

func metricNames() []string {
	var out []string
	for _, m := range tune.Metrics() {
		out = append(out, m.Name)
	}
	return out
}

func runTune(ctx context.Context, s streams, o *tuneOptions, args []string) error {
	x, err := newExperiment(s, o, args)
	if err != nil {
		return err
	}
	s, flush := s.clean(x.secrets)
	defer flush()
	x.s = s
	return cleaned(x.run(ctx), x.secrets)
}

// newExperiment plans, and checks every variant before the first is run.
func newExperiment(s streams, o *tuneOptions, args []string) (*experiment, error) {
	if o.gate != "" && !slices.Contains(metricNames(), o.gate) {
		return nil, usagef("--gate %q: want one of %s", o.gate, strings.Join(metricNames(), ", "))
	}
	x := &experiment{tuneOptions: o, s: s, lang: s.language()}
	var err error
	if x.from, err = find(s.in, args); err != nil {
		return nil, err
	}
	variants, err := o.variants(x.from)
	if err != nil {
		return nil, err
	}
	same := map[string]string{}
	for i, v := range variants {
		c, err := o.arm(v, 0).choose(x.from)
		if err != nil {
			return nil, refused(reason.VariantRefused, v.Name(), reason.Of(err))
		}
		if err := c.CheckSecrets(); err != nil {
			return nil, err
		}
		resolved, err := c.resolved()
		if err != nil {
			return nil, err
		}
		state := v.Value(variantKey) + "\x00" + string(resolved)
		if other, ok := same[state]; ok {
			return nil, refused(reason.VariantsSame, other, v.Name())
		}
		same[state] = v.Name()
		if i == 0 {
			x.base = c
		}
	}
	if x.secrets, err = x.base.redactor(); err != nil {
		return nil, err
	}
	x.own = applier{variants: x.base.Variants, dir: x.base.dir, secrets: x.secrets}
	x.held = slices.ContainsFunc(variants[0], func(s tune.Setting) bool { return holds(s.Key) })
	if x.plan, err = tune.NewPlan(variants, o.rounds, x.base.Seed, x.held); err != nil {
		return nil, usageError{err}
	}
	x.article = len(o.vary) == 0 && x.from.name == tuningStages
	x.plan.Stepwise = o.stepwise || x.article
	if x.dir = o.resultsDir; x.dir == "" {
		x.dir = filepath.Join("results", "tune-"+escape.Slug(x.base.Name)+"-"+time.Now().UTC().Format("20060102T150405Z"))
	}
	if _, err := os.Stat(filepath.Join(x.dir, experiments.FileName)); err == nil {
		return nil, usagef("%s already holds an experiment: choose another --results-dir", x.dir)
	}
	return x, nil
}

// The built-in scenarios that are made for one variation.
const (
	tuningStages = "tuning-stages.yaml"
	waysToTalk   = "protocols.yaml"
)

// variants are all combinations of what is varied: as --vary says, or as the
// scenario is made for.
func (o *tuneOptions) variants(from found) ([]tune.Variant, error) {
	c, err := o.choose(from)
	if err != nil {
		return nil, err
	}
	o.secure = c.Target.Bundled == nil && (strings.HasPrefix(c.Target.URL, "https:") || strings.HasPrefix(c.Target.URL, "wss:"))
	var list []tune.Vary
	for _, text := range o.vary {
		v, err := tune.ParseVary(text)
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		switch {
		case len(c.Variants) > 0:
			list = append(list, ownVariants(c.Scenario))
		case from.name == tuningStages:
			list = append(list, tune.Vary{Key: "profile", Values: []string{"article-0", "article-1", "article-2", "article-3"}})
		case from.name == waysToTalk:
			list = append(list, tune.Vary{Key: protocolKey, Values: protocolNames()})
		default:
			return nil, refused(reason.VaryNothing)
		}
	}
	if err := checkVariants(c.Scenario, list); err != nil {
		return nil, err
	}
	if err := checkProtocols(list); err != nil {
		return nil, err
	}
	variants, err := tune.Matrix(list)
	if err != nil {
		return nil, usageError{err}
	}
	return variants, nil
}

// arm gives the flags of a variant: those of the command line, then its settings.
func (o *tuneOptions) arm(v tune.Variant, seed uint64) *scenarioFlags {
	f := o.scenarioFlags
	f.set = slices.Clone(f.set)
	for _, s := range v {
		switch s.Key {
		case variantKey:
		case protocolKey:
			f.set = append(f.set, protocolFields(s.Value, o.secure)...)
		default:
			f.set = append(f.set, pathOf(s.Key)+"="+s.Value)
		}
	}
	if seed != 0 {
		f.seed = seed
		f.changed = func(name string) bool { return name == "seed" || o.changed(name) }
	}
	return &f
}

// pathOf is the scenario's field that a key of --vary means.
func pathOf(key string) string {
	if key == "profile" {
		return "target.bundled.profile"
	}
	if slices.ContainsFunc(refserver.Knobs(), func(k refserver.Knob) bool { return k.Name == key }) {
		return "target.bundled.knobs." + key
	}
	return key
}
