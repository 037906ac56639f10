package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

const journalFile = "journal.cst"

// about is what a report needs beside the measurements. It is kept in the
// journal, so that a run that was killed can be reported all the same.
type about struct {
	Scenario           string             `json:"scenario"` // resolved YAML, secrets unexpanded
	Dir                string             `json:"dir"`      // where its data tables are
	RunID              string             `json:"run_id"`
	Version            string             `json:"version"`
	Tags               map[string]string  `json:"tags"`
	Overrides          []string           `json:"overrides"`
	Scale              float64            `json:"scale"`
	Environment        report.Environment `json:"environment"`
	Lang               report.Lang        `json:"lang"`
	InconclusivePasses bool               `json:"inconclusive_passes"`
}

func newAbout(c *chosen, tags map[string]string, lang report.Lang, inconclusivePasses bool, redact func(string) string) (*about, error) {
	resolved, err := c.resolved()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return nil, err
	}
	for key, value := range tags {
		tags[key] = redact(value)
	}
	for i, o := range c.overrides {
		c.overrides[i] = redact(o)
	}
	return &about{
		Scenario: string(resolved), Dir: dir, Version: fullVersion(), Tags: tags, Overrides: c.overrides,
		RunID: report.Slug(c.Name) + "-" + time.Now().UTC().Format("20060102T150405Z"),
		Scale: float64(c.scale), Environment: report.ThisMachine(), Lang: lang, InconclusivePasses: inconclusivePasses,
	}, nil
}

// recorded is what a run left, live or read back.
type recorded struct {
	snapshot *measure.Snapshot
	facts    *measure.Facts
	started  time.Time
	warnings []string
	signal   int
	// incidents befell the run as a whole.
	incidents []trial.Incident
}

// document judges what was recorded. The report of a run under way and the one
// made later from its journal both come from here.
func (a *about) document(sc *scenario.Scenario, r recorded) *report.Document {
	sum := sha256.Sum256([]byte(a.Scenario))
	return report.New(report.Input{
		Scenario: sc, SHA256: hex.EncodeToString(sum[:]),
		Snapshot: r.snapshot, Facts: r.facts, Result: trial.Judge(sc, r.snapshot, r.facts, r.incidents),
		Started: r.started, RunID: a.RunID, Version: a.Version, Tags: a.Tags,
		Overrides: a.Overrides, Environment: a.Environment, Scale: a.Scale,
		Signal: r.signal, InconclusivePasses: a.InconclusivePasses, Warnings: r.warnings,
	})
}

// writeResult writes every file of a result directory but the journal and the logs.
func writeResult(dir string, doc *report.Document, snap *measure.Snapshot, a *about) error {
	files := append(report.Renderings(doc, a.Lang),
		report.HDRLog(doc, snap),
		report.File{Name: "scenario.yaml", Write: func(w io.Writer) error {
			_, err := io.WriteString(w, a.Scenario)
			return err
		}},
	)
	return report.WriteDirectory(nil, dir, doc, files)
}

// fromJournal reads a run, or several shards of one, back from journals.
func fromJournal(paths ...string) (*report.Document, *measure.Snapshot, *about, error) {
	var shards []*measure.Recovered
	var warnings []string
	for _, path := range paths {
		r, err := measure.OpenJournal(path)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w%s", path, err, compressed(path))
		}
		warnings = append(warnings, damage(path, r)...)
		shards = append(shards, r)
	}
	merged, err := measure.Merge(shards...)
	if err != nil {
		return nil, nil, nil, err
	}
	var a about
	if err := json.Unmarshal(merged.Notes[trial.NoteAbout], &a); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: it does not say which scenario was run: %w", paths[0], err)
	}
	sc, err := scenario.Parse("scenario.yaml", []byte(a.Scenario), scenario.Options{Dir: a.Dir, AnyPath: true})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("the scenario in %s: %w", paths[0], err)
	}
	r := recorded{snapshot: merged.Snapshot, facts: merged.Facts}
	read := func(notes map[string]json.RawMessage, name string, to any) {
		if note, ok := notes[name]; ok {
			if err := json.Unmarshal(note, to); err != nil {
				warnings = append(warnings, fmt.Sprintf("the journal's note %q cannot be read: %v", name, err))
			}
		}
	}
	read(merged.Notes, trial.NoteStarted, &r.started)
	read(merged.Notes, trial.NoteSignal, &r.signal)
	var told []string
	for _, shard := range shards { // what befell one befell the run
		var incidents []trial.Incident
		var warned []string
		read(shard.Notes, trial.NoteIncidents, &incidents)
		read(shard.Notes, trial.NoteWarnings, &warned)
		r.incidents, told = append(r.incidents, incidents...), append(told, warned...)
	}
	if len(shards) > 1 {
		r.incidents, told = once(r.incidents, incidentOrder), once(told, strings.Compare)
	}
	r.warnings = append(told, warnings...)
	return a.document(sc, r), merged.Snapshot, &a, nil
}

// once gives each of list one time, in order, so that the order of shards does not matter.
func once[T comparable](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.Compact(list)
}

func incidentOrder(a, b trial.Incident) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Kind, b.Kind), cmp.Compare(a.By, b.By), strings.Compare(a.What, b.What))
}

// compressed says so, where that is why a journal cannot be read.
func compressed(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() // only read from
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || magic != [2]byte{0x1f, 0x8b} {
		return ""
	}
	return " (it is gzip-compressed: decompress it first)"
}

// damage says what is missing from a journal.
func damage(path string, r *measure.Recovered) []string {
	var list []string
	if !r.Closed {
		list = append(list, fmt.Sprintf("%s ends after %.1f s of the load without the end of the run: up to a second before that is lost", path, r.Snapshot.Elapsed.Seconds()))
	}
	if r.Lost > 0 {
		list = append(list, fmt.Sprintf("%s: the last %d bytes are a write that was never finished", path, r.Lost))
	}
	for _, g := range r.Gaps {
		list = append(list, fmt.Sprintf("%s: %d bytes at offset %d cannot be read: what they held is missing", path, g.Length, g.Offset))
	}
	return list
}
