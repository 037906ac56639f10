package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	refserver "github.com/cstest/cstest/reference-server"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/scenarios"
	"github.com/cstest/cstest/unit"
)

const (
	ownScenario     = "cstest.yaml"
	defaultScenario = "midnight-sale"
)

// scenarioFlags choose a scenario and change parts of it.
type scenarioFlags struct {
	target   string
	users    unit.Count
	rate     unit.Rate
	duration unit.Duration
	count    unit.Count
	scale    unit.Share
	seed     uint64
	set      []string
	profile  string
	knobs    []string
	redis    string
	insecure bool
	env      []string

	changed func(string) bool
}

func (o *scenarioFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.target, "target", "", "test this server instead of the scenario's target (URL)")
	f.VarP(textFlag(&o.users), "users", "u", "closed load of N users (one-stage loads only)")
	f.Var(textFlag(&o.rate), "rate", "open load of R conversation starts, as 50/s (one-stage loads only)")
	f.VarP(textFlag(&o.duration), "duration", "d", "length of the load (one-stage loads only)")
	f.VarP(textFlag(&o.count), "conversations", "n", "exactly N conversations: end when they have begun and ended; without -d a load of one stage is made long enough")
	f.Var(textFlag(&o.scale), "scale", "multiply starts, users, caps and contract limits, as 10%")
	f.Uint64Var(&o.seed, "seed", 0, "random seed; the same seed sends the same turns at the same times")
	f.StringArrayVar(&o.set, "set", nil, "PATH=VALUE, any field: load.stages[peak].starts=600/s (may be repeated)")
	f.StringArrayVarP(&o.env, "env", "e", nil, "KEY=VALUE that ${env:KEY} in the scenario stands for, instead of the environment's (may be repeated)")
	f.StringVar(&o.profile, "profile", "", "profile of the bundled server: hardened, article-0 … article-3")
	f.StringArrayVar(&o.knobs, "knob", nil, "NAME=VALUE of the bundled server (may be repeated)")
	f.StringVar(&o.redis, "redis", "", "redis:// URL for the bundled server instead of the embedded one")
	f.BoolVar(&o.insecure, "insecure", false, "do not check the certificate of an https target; the report says so")
	o.changed = f.Changed
}

// chosen is a scenario ready to run.
type chosen struct {
	*scenario.Scenario
	overrides []string   // as given on the command line
	scale     unit.Share // 1 unless scaled
	dir       string     // where its data tables are
}

// found is the text of a scenario, before any flag is applied.
type found struct {
	name string
	data []byte
	dir  string // where its data tables are
}

// load finds the scenario that arg names, applies the flags and validates the
// whole once more.
func (o *scenarioFlags) load(s streams, args []string) (*chosen, error) {
	f, err := find(s.in, args)
	if err != nil {
		return nil, err
	}
	return o.choose(f)
}

// find reads the scenario that the only argument names, or the default.
func find(stdin io.Reader, args []string) (f found, err error) {
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	f.name, f.data, f.dir, err = findScenario(stdin, arg)
	return f, err
}

// choose applies the flags to a scenario and validates the whole once more.
func (o *scenarioFlags) choose(f found) (*chosen, error) {
	if err := o.setEnvironment(); err != nil {
		return nil, err
	}
	sets, overrides, err := o.sets()
	if err != nil {
		return nil, err
	}
	sc, err := scenario.Parse(f.name, f.data, scenario.Options{Dir: f.dir, Set: sets, Target: o.target, Knobs: knobProblems})
	if err != nil {
		return nil, err
	}
	c := &chosen{Scenario: sc, overrides: overrides, scale: 1, dir: f.dir}
	if err := o.apply(c); err != nil {
		return nil, err
	}
	return c, nil
}

// knobProblems says what the bundled server would refuse, before it is started.
func knobProblems(profile string, set map[string]string) map[string]error {
	problems := refserver.KnobProblems(profile, set)
	for name, err := range problems {
		if errors.Is(err, refserver.ErrUnknownKnob) {
			var names []string
			for _, k := range refserver.Knobs() {
				names = append(names, k.Name)
			}
			problems[name] = reason.Errorf("is not a knob: see `cstest serve reference-server --list-knobs`%s", didYouMean(name, names))
		}
	}
	return problems
}

// setEnvironment puts --env where ${env:NAME} is looked up, in the processes that
// are started as well. What it says may be secret: it is no override to be told.
func (o *scenarioFlags) setEnvironment() error {
	env, err := pairs("env", o.env)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if err := os.Setenv(name, env[name]); err != nil {
			return usagef("--env %s: %w", name, err)
		}
	}
	return nil
}

// sets turns the flags that stand for one field into --set, so that they are
// checked in the same place.
func (o *scenarioFlags) sets() (sets, overrides []string, err error) {
	sets = append(sets, o.set...)
	if o.changed("seed") {
		sets = append(sets, fmt.Sprintf("seed=%d", o.seed))
	}
	if o.target != "" && (o.profile != "" || len(o.knobs) > 0 || o.redis != "") {
		return nil, nil, usagef("--profile, --knob and --redis are for the bundled server, and --target names another")
	}
	if o.insecure {
		sets = append(sets, "target.tls.insecure=true")
	}
	if o.profile != "" {
		sets = append(sets, "target.bundled.profile="+o.profile)
	}
	overrides = append(overrides, sets...)
	if o.redis != "" {
		sets = append(sets, "target.bundled.redis="+o.redis)
		overrides = append(overrides, "target.bundled.redis=external")
	}
	knobs, err := pairs("knob", o.knobs)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(knobs)) {
		sets = append(sets, fmt.Sprintf("target.bundled.knobs.%s=%s", name, knobs[name]))
		overrides = append(overrides, "knob "+name+"="+knobs[name])
	}
	return sets, overrides, nil
}

// apply makes the changes that are more than one field.
func (o *scenarioFlags) apply(c *chosen) error {
	if o.target != "" {
		c.overrides = append(c.overrides, "target="+o.target)
	} else if c.Target.Bundled == nil && (o.profile != "" || len(o.knobs) > 0 || o.redis != "") {
		return usagef("--profile, --knob and --redis are for the bundled server; the target is %s", targetLine(c))
	}
	for _, f := range []struct {
		name string
		zero bool
	}{{"users", o.users <= 0}, {"rate", o.rate <= 0}, {"duration", o.duration <= 0}, {"conversations", o.count <= 0}, {"scale", o.scale <= 0}} {
		if f.zero && o.changed(f.name) {
			return usagef("--%s must be above 0: with 0 nothing is sent", f.name)
		}
	}
	if o.users > 0 && o.rate > 0 {
		return usagef("--users is a closed load and --rate an open one: give one of them")
	}
	if o.users > 0 {
		if err := o.change(c, "users="+o.users.String(), func() (*scenario.Scenario, error) { return c.ReplaceUsers(o.users) }); err != nil {
			return err
		}
	}
	if o.rate > 0 {
		if err := o.change(c, "rate="+o.rate.String(), func() (*scenario.Scenario, error) { return c.ReplaceRate(o.rate) }); err != nil {
			return err
		}
	}
	if o.duration > 0 {
		if err := o.change(c, "duration="+o.duration.String(), func() (*scenario.Scenario, error) { return c.ReplaceDuration(o.duration) }); err != nil {
			return err
		}
	}
	if o.scale > 0 {
		c.scale = o.scale
		if err := o.change(c, "scale="+o.scale.String(), func() (*scenario.Scenario, error) { return c.Scale(float64(o.scale)) }); err != nil {
			return err
		}
	}
	if o.count > 0 { // of what is scaled: N is N
		return o.change(c, "conversations="+o.count.String(), func() (*scenario.Scenario, error) {
			return c.ReplaceConversations(o.count, o.duration > 0)
		})
	}
	return nil
}

// change replaces the scenario by one with a flag applied, and keeps note of it.
func (o *scenarioFlags) change(c *chosen, override string, derive func() (*scenario.Scenario, error)) error {
	sc, err := derive()
	if err != nil {
		return usageError{err}
	}
	c.Scenario = sc
	c.overrides = append(c.overrides, override)
	return nil
}

// findScenario reads a path, "-", a built-in name, or the default.
func findScenario(stdin io.Reader, arg string) (name string, data []byte, dir string, err error) {
	switch arg {
	case "-":
		data, err := io.ReadAll(io.LimitReader(stdin, 1<<20+1))
		return "-", data, ".", err
	case "":
		data, err := readScenario(ownScenario)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return ownScenario, data, ".", err
		}
		arg = defaultScenario
	}
	looksLikePath := strings.ContainsAny(arg, "/.") || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml")
	if !looksLikePath {
		if data, ok := scenarios.Get(arg); ok {
			return arg + ".yaml", data, ".", nil
		}
	}
	data, err = readScenario(arg)
	if errors.Is(err, fs.ErrNotExist) {
		if data, ok := scenarios.Get(arg); ok { // apis/NAME
			return arg + ".yaml", data, ".", nil
		}
		return "", nil, "", usagef("no file and no built-in scenario %q%s (built in: %s)", arg, didYouMean(arg, slices.Concat(scenarioFiles(filepath.Dir(arg)), scenarios.Names(), scenarios.APIs())), strings.Join(scenarios.Names(), ", "))
	}
	if err != nil {
		return "", nil, "", usageError{err}
	}
	return arg, data, filepath.Dir(arg), nil
}

// scenarioFiles are the scenarios of a folder, by the paths that name them, as far
// as they may be told as what was meant.
func scenarioFiles(dir string) (paths []string) {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()                 // only read from
	entries, _ := d.ReadDir(10_000) // a hint: what can be read is enough
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.Type().IsRegular() && (ext == ".yaml" || ext == ".yml") {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// readScenario reads a regular file, never more than the parser would take.
func readScenario(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, reason.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, 1<<20+1)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b.Bytes(), nil
}
