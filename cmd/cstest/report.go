package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

type reportOptions struct {
	format  string
	noColor bool
	output  string
	unit    string
	detail  bool
}

func newReportCmd(s streams) *cobra.Command {
	o := reportOptions{}
	cmd := &cobra.Command{
		Use:   "report RESULT...",
		Short: "Render a finished, interrupted or killed run again, several together, or a histogram log",
		Long: `Render a run again from its result directory. A run that was killed has no
result.json; what its journal holds is judged then, and the report says what is missing.
Exits with the verdict of the run.

Several results, or a directory of them, are judged together: one verdict in which the
scatter between runs counts. They must have run the same scenario against the same target;
the seed may differ. Runs of the same question, target and tags that lie beside them count as
left out, and then there is no pass.

RESULT may also be an HdrHistogram log (version 1.1 to 1.3), such as the latency.hlog of a
run or what another tool wrote. For each tag it prints n, mean, P50, P90, P95, P99, P99.9 and
max over all intervals, as text or json; then there is no verdict, and the exit code is 0. A
log does not say what its values count: --unit does where they are not nanoseconds.`,
		Example: `  cstest report results/smoke-20261111T000000Z --format markdown
  cstest report results/nightly --format markdown
  cstest report results/smoke-20261111T000000Z/latency.hlog
  cstest report other-tool.hlog --unit us --format json`,
		Args: arguments(1, many),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || severalIn(args[0]) {
				return reportTogether(s, o, args)
			}
			return runReport(s, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "text", "text | html | markdown | junit | json | csv, or for CI: openmetrics | load-performance | benchmark-json | gobench | github")
	f.StringVarP(&o.output, "output", "o", "", "write to this file instead of standard output")
	f.BoolVar(&o.detail, "detail", false, "as text: response times by stage, storm phase, turn, conversation and tier too")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.StringVar(&o.unit, "unit", "", "what the values of a histogram log count: ns, us or ms (default ns)")
	return cmd
}

func runReport(s streams, o reportOptions, dir string) error {
	if isLog(dir) {
		return reportLog(s, o, dir)
	}
	if o.unit != "" {
		return usagef("--unit is for histogram logs; a result says its units")
	}
	lang := s.language()
	doc, err := openResult(dir)
	if err != nil {
		return err
	}
	if err := renderTo(s, o, lang, doc); err != nil {
		return err
	}
	if doc.ExitCode == exitPass {
		return nil
	}
	return quietError{doc.ExitCode}
}

func renderTo(s streams, o reportOptions, lang reason.Lang, doc *result.Document) error {
	if o.format == "text" && o.output == "" {
		return s.show(o.noColor, lang, func(out io.Writer, opts report.TextOptions) error {
			opts.Detail = o.detail
			return report.WriteText(doc, out, opts)
		})
	}
	return o.to(s.out, func(out io.Writer) error { return render(doc, out, o, lang) })
}

// to has write print to standard output or to the file of --output.
func (o *reportOptions) to(out io.Writer, write func(io.Writer) error) (err error) {
	if o.output == "" {
		return write(out)
	}
	f, err := os.Create(o.output)
	if err != nil {
		return resultsError{err}
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = resultsError{cerr}
		}
	}()
	return write(f)
}

func render(doc *result.Document, out io.Writer, o reportOptions, lang reason.Lang) error {
	switch o.format {
	case "text":
		return report.WriteText(doc, out, report.TextOptions{Lang: lang, Detail: o.detail})
	case "html":
		return report.WriteHTML(doc, out, lang)
	case "markdown", "md":
		return report.WriteMarkdown(doc, out, lang)
	case "junit":
		return ci.WriteJUnit(doc, out)
	case "json":
		return report.WriteJSON(doc, out)
	case "csv":
		return report.WriteCSV(doc, out)
	case "openmetrics":
		return ci.WriteOpenMetrics(doc, out)
	case "load-performance":
		return ci.WriteLoadPerformance(doc, out)
	case "benchmark-json":
		return ci.WriteBenchmarkJSON(doc, out)
	case "gobench":
		return ci.WriteGoBench(doc, out)
	case "github":
		return ci.WriteAnnotations(doc, out)
	}
	return usagef("--format %q: want text, html, markdown, junit, json, csv, openmetrics, load-performance, benchmark-json, gobench or github", o.format)
}

// openResult reads a result: its directory, or its result.json. Where that is
// missing, the run is judged from its journal, and the directory completed.
func openResult(path string) (*result.Document, error) {
	dir := strings.TrimSuffix(path, string(filepath.Separator)+result.DocumentFile)
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return nil, usagef("%s: no result directory there", path)
	}
	if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil {
		doc, err := result.Read(dir)
		if err != nil {
			return nil, usageError{err} // it was written by somebody else, or changed
		}
		return doc, nil
	}
	journal := filepath.Join(dir, result.JournalFile)
	if _, err := os.Stat(journal); err != nil {
		return nil, usagef("%s: neither %s nor %s in it: nothing was ever recorded there", dir, result.DocumentFile, result.JournalFile)
	}
	release, err := directory.Lock(dir)
	if err != nil {
		return nil, resultsError{err}
	}
	defer release() //nolint:errcheck // a lock left behind is taken over
	recovered, err := result.Recover(journal)
	if err != nil {
		return nil, usagef("%s: %w", dir, err)
	}
	doc, err := recovered.Document()
	if err != nil {
		return nil, usagef("%s: %w", dir, err)
	}
	if err := writeResult(dir, doc, recovered.Snapshot, &recovered.About); err != nil {
		return nil, resultsError{err}
	}
	return doc, nil
}
