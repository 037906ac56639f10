package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/trends"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trend"
)

type trendOptions struct {
	label   string
	tags    []string
	format  string
	output  string
	noColor bool
}

func newTrendCmd(s streams) *cobra.Command {
	var o trendOptions
	cmd := &cobra.Command{
		Use:   "trend RESULT...",
		Short: "Lay many runs of one scenario along time and mark what changed",
		Long: `Lay the results of many runs of one scenario along time: a table, a chart of every metric
with --format html, and the places where a metric went to another level by more than chance,
with what differs there. RESULT is a result directory or a folder of them. Runs that were
asked something else than the newest are left out, and said.`,
		Example: `  cstest trend results --label commit
  cstest trend results accepted --tag branch=main --format html -o trend.html`,
		Args: arguments(1, many),
		RunE: func(_ *cobra.Command, args []string) error { return runTrend(s, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.label, "label", "commit", "the tag whose value names a run (see: cstest run --tag)")
	f.StringArrayVar(&o.tags, "tag", nil, "KEY=VALUE: only runs with this tag (may be repeated)")
	f.StringVar(&o.format, "format", "text", "text | html | markdown | json")
	f.StringVarP(&o.output, "output", "o", "", "write to this file instead of standard output")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	return cmd
}

func runTrend(s streams, o trendOptions, paths []string) error {
	lang := s.language()
	write, err := trendAs(o.format, lang)
	if err != nil {
		return err
	}
	want, err := pairs("tag", o.tags)
	if err != nil {
		return err
	}
	var runs []result.Run
	for _, path := range paths {
		list, err := runsIn(path)
		if err != nil {
			return err
		}
		for _, r := range list {
			if tagged(r.Doc, want) {
				runs = append(runs, r)
			}
		}
	}
	if len(runs) == 0 {
		if len(want) > 0 {
			return usagef("no run has the tags %s", strings.Join(o.tags, " "))
		}
		return refused(reason.TrendNone)
	}
	t := trend.Of(runs, o.label, fullVersion())
	out := reportOptions{output: o.output}
	if o.format == "text" && o.output == "" {
		err = s.show(o.noColor, lang, func(w io.Writer, opts report.TextOptions) error { return trends.WriteText(t, w, opts) })
	} else {
		err = out.to(s.out, func(w io.Writer) error { return write(t, w) })
	}
	if err != nil {
		return resultsError{err}
	}
	return nil
}

// trendAs is how a format is written.
func trendAs(format string, lang reason.Lang) (func(*trend.Trend, io.Writer) error, error) {
	switch format {
	case "text":
		return func(t *trend.Trend, w io.Writer) error {
			return trends.WriteText(t, w, report.TextOptions{Lang: lang})
		}, nil
	case "html":
		return func(t *trend.Trend, w io.Writer) error { return trends.WriteHTML(t, w, lang) }, nil
	case "markdown", "md":
		return func(t *trend.Trend, w io.Writer) error { return trends.WriteMarkdown(t, w, lang) }, nil
	case "json":
		return trends.WriteJSON, nil
	}
	return nil, usagef("--format %q: want text, html, markdown or json", format)
}

func tagged(d *result.Document, want map[string]string) bool {
	for k, v := range want {
		if d.Tags[k] != v {
			return false
		}
	}
	return true
}
