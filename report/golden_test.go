package report

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

func TestGolden(t *testing.T) {
	pass, fail := saleDocument(t), slowDocument(t)
	for name, render := range map[string]func(io.Writer) error{
		"pass.txt":       func(w io.Writer) error { return WriteText(pass, w, TextOptions{}) },
		"pass.zh.txt":    func(w io.Writer) error { return WriteText(pass, w, TextOptions{Lang: reason.Chinese}) },
		"pass.color.txt": func(w io.Writer) error { return WriteText(pass, w, TextOptions{Color: true, Width: 80}) },
		"fail.txt":       func(w io.Writer) error { return WriteText(fail, w, TextOptions{}) },
		"fail.zh.txt":    func(w io.Writer) error { return WriteText(fail, w, TextOptions{Lang: reason.Chinese}) },
		"fail.md":        func(w io.Writer) error { return WriteMarkdown(fail, w, reason.English) },
		"fail.zh.md":     func(w io.Writer) error { return WriteMarkdown(fail, w, reason.Chinese) },
		"fail.junit.xml": func(w io.Writer) error { return ci.WriteJUnit(fail, w) },
		"pass.csv":       func(w io.Writer) error { return WriteCSV(pass, w) },
		"pass.html": func(w io.Writer) error {
			page := pageOf(t, pass, reason.English)
			_, err := io.WriteString(w, strings.NewReplacer(uPlotScript, "(uPlot)", pageScript, "(script)", uPlotStyle, "(style)", webpage.Style, "").Replace(page))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := render(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name, b.Bytes())
		})
	}
}

// The JSON rendering of what was read is what was read.
func TestWriteJSONGivesBackTheFile(t *testing.T) {
	for _, path := range []string{passJSON, failJSON} {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := WriteJSON(reporttest.Document(t, path), &got); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s is written differently", path)
		}
	}
}

// A killed run never told of its own processor and turns in flight: no figure is better than zero.
func TestWhatTheGeneratorNeverToldIsLeftOut(t *testing.T) {
	d := saleDocument(t)
	d.Generator = result.Generator{LagP99Ns: d.Generator.LagP99Ns}
	d.LittlesLaw.InFlightMean = 0
	told := strings.Join(facts.Generator(d, words.In(reason.English)), " · ")
	for _, unknown := range []string{"CPU per turn", "most in flight", "Little's law"} {
		if strings.Contains(told, unknown) {
			t.Errorf("%q speaks of %s", told, unknown)
		}
	}
	if !strings.Contains(told, "lag P99") {
		t.Errorf("no lag in %q", told)
	}
}
