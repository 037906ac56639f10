package main

import (
	"io"
	"path/filepath"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/histograms"
	"github.com/cstest/cstest/result"
)

// newAbout is what the results of a run say beside its measurements.
func newAbout(c *chosen, sp spread, tags map[string]string, lang reason.Lang, inconclusivePasses bool, redact func(string) string) (*result.About, error) {
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
	return &result.About{
		Scenario: string(resolved), Dir: dir, Version: fullVersion(), Tags: tags, Overrides: c.overrides,
		RunID: sp.runID(c.Name, string(resolved)),
		Scale: float64(c.scale), Environment: result.ThisMachine(), Lang: lang, InconclusivePasses: inconclusivePasses,
	}, nil
}

// scenarioFile is the name of the scenario in a result directory.
const scenarioFile = "scenario.yaml"

// writeResult writes every file of a result directory but the journal and the logs.
func writeResult(dir string, doc *result.Document, snap *measure.Snapshot, a *result.About) error {
	files := append(report.Renderings(doc, a.Lang),
		histograms.File(doc, snap),
		directory.File{Name: scenarioFile, Write: func(w io.Writer) error {
			_, err := io.WriteString(w, a.Scenario)
			return err
		}},
	)
	return directory.Write(dir, doc, files)
}
