package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
)

type mergeOptions struct {
	resultsDir string
	lang       string
	noColor    bool
	json       bool
}

func newMergeCmd(s streams) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge RESULT...",
		Short: "Add the shards of one run and judge the sum",
		Long: `Add the shards of one run (cstest run --shard i/N, on one machine or several) and judge
the sum as one run. The order does not matter. Shards of another seed, scenario or number
of parts are refused, and so is one given twice; without one of them the sum is incomplete.
Exits with the verdict.`,
		Example: "  cstest merge results/shard-0 results/shard-1 --results-dir results/sale",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return runMerge(s, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the sum goes (needed)")
	f.StringVar(&o.lang, "lang", "en", "language of what a person reads: en or zh")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	return cmd
}

func runMerge(s streams, o mergeOptions, dirs []string) error {
	lang, err := reason.ParseLang(o.lang)
	if err != nil {
		return usageError{err}
	}
	if o.resultsDir == "" {
		return refused(reason.MergeWithoutDir)
	}
	if err := unused(o.resultsDir); err != nil {
		return err
	}
	shards := make([]*journal, len(dirs))
	for i, dir := range dirs {
		path := filepath.Join(dir, journalFile)
		if _, err := os.Stat(path); err != nil {
			return refused(reason.MergeNoJournal, dir, journalFile)
		}
		if shards[i], err = openJournal(path); err != nil {
			return usageError{err}
		}
	}
	doc, snap, a, err := sum(shards)
	if err != nil {
		return usageError{err}
	}
	release, err := report.Lock(o.resultsDir)
	if err != nil {
		return resultsError{err}
	}
	defer release() //nolint:errcheck // a lock left behind is taken over
	if err := writeResult(o.resultsDir, doc, snap, a); err != nil {
		return resultsError{err}
	}
	if err := printDocument(s, doc, lang, o.json, o.noColor); err != nil {
		return resultsError{fmt.Errorf("standard output: %w", err)}
	}
	if doc.ExitCode == exitPass {
		return nil
	}
	return quietError{doc.ExitCode}
}

// printDocument puts a result on standard output.
func printDocument(s streams, doc *report.Document, lang report.Lang, json, noColor bool) error {
	if json {
		return report.WriteJSON(doc, s.out)
	}
	return report.WriteText(doc, s.out, report.TextOptions{Color: colorful(s.out, noColor), Width: width(s.out), Lang: lang})
}

// unused errs when dir holds a run already: a sum must not take its place.
func unused(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, report.ResultFile)); err == nil {
		return refused(reason.MergeHoldsResult, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, journalFile)); err == nil {
		return refused(reason.MergeHoldsJournal, dir)
	}
	return nil
}

// apartMost is how far apart shards may start without being told: seconds of the
// sum are a second long.
const apartMost = time.Second

// sum adds shards up and judges them as one run. The order does not matter. It
// errs when they are not parts of one load, or one is there twice.
func sum(shards []*journal) (*report.Document, *measure.Snapshot, *about, error) {
	parts, err := partsOf(shards)
	if err != nil {
		return nil, nil, nil, err
	}
	recovered := make([]*measure.Recovered, len(parts))
	for i, p := range parts {
		recovered[i] = p.Recovered
	}
	merged, err := measure.Merge(recovered...)
	if err != nil {
		return nil, nil, nil, err
	}
	facts := *merged.Facts
	facts.Missing = missing(parts)
	a := parts[0].about
	a.Overrides = slices.DeleteFunc(slices.Clone(a.Overrides), func(o string) bool { return strings.HasPrefix(o, shardOverride) })
	r := recorded{snapshot: merged.Snapshot, facts: &facts, signal: parts[0].recorded.signal}
	var last time.Time
	for _, p := range parts {
		r.warnings = append(r.warnings, p.recorded.warnings...)
		r.signal = min(r.signal, p.recorded.signal)
		a.InconclusivePasses = a.InconclusivePasses && p.about.InconclusivePasses
		at := p.recorded.started
		if !at.IsZero() && (r.started.IsZero() || at.Before(r.started)) {
			r.started = at
		}
		if at.After(last) {
			last = at
		}
	}
	r.warnings = once(r.warnings, reason.Compare)
	if apart := last.Sub(r.started); apart > apartMost {
		r.warnings = append(r.warnings, reason.New(reason.ShardsApart, apart))
	}
	doc, err := a.judge(parts[0].path, r)
	return doc, merged.Snapshot, &a, err
}

// shardOverride begins the override by which a shard's journal says which one it is.
const shardOverride = "shard="

// part is a shard and which of a load it is: i of n, 0 of 1 for the whole.
type part struct {
	*journal
	i, n int
	seed uint64
}

// name is the part as --shard has it.
func (p part) name() string { return fmt.Sprintf("%d/%d", p.i, p.n) }

// partsOf gives the shards in order. It errs, and says what to do, unless they
// are different parts of the same load.
func partsOf(shards []*journal) ([]part, error) {
	parts := make([]part, len(shards))
	for i, j := range shards {
		p, err := partOf(j)
		if err != nil {
			return nil, err
		}
		if len(shards) > 1 && p.n == 1 {
			return nil, refused(reason.MergeWholeRun, filepath.Dir(j.path))
		}
		parts[i] = p
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.i, b.i)) })
	for k, p := range parts[1:] {
		first, before := parts[0], parts[k]
		here, there := filepath.Dir(p.path), filepath.Dir(first.path)
		switch {
		case p.n != first.n:
			return nil, refused(reason.MergeOtherNumber, there, first.name(), here, p.name())
		case p.i == before.i:
			return nil, refused(reason.MergeTwice, filepath.Dir(before.path), here, p.name())
		case p.seed != first.seed:
			return nil, refused(reason.MergeOtherSeed, there, fmt.Sprint(first.seed), here, fmt.Sprint(p.seed))
		case p.about.Scenario != first.about.Scenario:
			return nil, refused(reason.MergeOtherScenario, there, here)
		}
	}
	return parts, nil
}

// partOf reads from a journal which part of a load it is.
func partOf(j *journal) (p part, err error) {
	p = part{journal: j, n: 1}
	for _, o := range j.about.Overrides {
		if text, ok := strings.CutPrefix(o, shardOverride); ok {
			if p.i, p.n, err = parseShard(text); err != nil {
				return p, fmt.Errorf("%s: %w", j.path, err)
			}
		}
	}
	sc, err := scenario.Parse("scenario.yaml", []byte(j.about.Scenario), scenario.Options{Dir: j.about.Dir, AnyPath: true})
	if err != nil {
		return p, fmt.Errorf("the scenario in %s: %w", j.path, err)
	}
	p.seed = sc.Seed
	return p, nil
}

// missing names the parts that are not among some of one load, in order of their numbers.
func missing(parts []part) (names []string) {
	have := map[int]bool{}
	for _, p := range parts {
		have[p.i] = true
	}
	for i := range parts[0].n {
		if !have[i] {
			names = append(names, part{i: i, n: parts[0].n}.name())
		}
	}
	return names
}
