package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
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

func newAbout(c *chosen, sp spread, tags map[string]string, lang report.Lang, inconclusivePasses bool, redact func(string) string) (*about, error) {
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
		RunID: sp.runID(c.Name, string(resolved)),
		Scale: float64(c.scale), Environment: report.ThisMachine(), Lang: lang, InconclusivePasses: inconclusivePasses,
	}, nil
}

// recorded is what a run left, live or read back.
type recorded struct {
	snapshot *measure.Snapshot
	facts    *measure.Facts
	started  time.Time
	warnings reason.Reasons
	signal   int
}

// document judges what was recorded. The report of a run under way and the one
// made later from its journal both come from here.
func (a *about) document(sc *scenario.Scenario, r recorded) *report.Document {
	sum := sha256.Sum256([]byte(a.Scenario))
	return report.New(report.Input{
		Scenario: sc, SHA256: hex.EncodeToString(sum[:]),
		Snapshot: r.snapshot, Facts: r.facts, Result: sla.Evaluate(sc, r.snapshot, r.facts),
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

// journal is one that was read back.
type journal struct {
	path string
	*measure.Recovered
	about    about
	recorded recorded
}

// fromJournal reads a run back from its journal.
func fromJournal(path string) (*report.Document, *measure.Snapshot, *about, error) {
	j, err := openJournal(path)
	if err != nil {
		return nil, nil, nil, err
	}
	doc, err := j.about.judge(path, j.recorded)
	return doc, j.Snapshot, &j.about, err
}

// openJournal reads the journal at path and what it says of its run.
func openJournal(path string) (*journal, error) {
	r, err := measure.OpenJournal(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", path, err, compressed(path))
	}
	j := &journal{path: path, Recovered: r, recorded: recorded{snapshot: r.Snapshot, facts: r.Facts}}
	if err := json.Unmarshal(r.Notes[trial.NoteAbout], &j.about); err != nil {
		return nil, fmt.Errorf("%s: it does not say which scenario was run: %w", path, err)
	}
	lost := damage(path, r)
	for name, to := range map[string]any{
		trial.NoteStarted: &j.recorded.started, trial.NoteSignal: &j.recorded.signal,
		trial.NoteIncidents: &j.recorded.facts.Incidents, trial.NoteWarnings: &j.recorded.warnings,
	} {
		note, ok := r.Notes[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(note, to); err != nil {
			lost = append(lost, reason.New(reason.NoteUnreadable, name, err))
		}
	}
	slices.SortFunc(lost, reason.Compare)
	j.recorded.warnings = append(j.recorded.warnings, lost...)
	return j, nil
}

// judge makes the document of what was read back; path is where from.
func (a *about) judge(path string, r recorded) (*report.Document, error) {
	sc, err := scenario.Parse("scenario.yaml", []byte(a.Scenario), scenario.Options{Dir: a.Dir, AnyPath: true})
	if err != nil {
		return nil, fmt.Errorf("the scenario in %s: %w", path, err)
	}
	return a.document(sc, r), nil
}

// once gives each of list one time, in order, so that the order of shards does not matter.
func once[T any](list []T, order func(a, b T) int) []T {
	slices.SortFunc(list, order)
	return slices.CompactFunc(list, func(a, b T) bool { return order(a, b) == 0 })
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
func damage(path string, r *measure.Recovered) reason.Reasons {
	var list reason.Reasons
	if !r.Closed {
		list = append(list, reason.New(reason.JournalCut, path, r.Snapshot.Elapsed))
	}
	if r.Lost > 0 {
		list = append(list, reason.New(reason.JournalTorn, path, r.Lost))
	}
	for _, g := range r.Gaps {
		list = append(list, reason.New(reason.JournalDamaged, path, g.Length, g.Offset))
	}
	return list
}
