package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// WriteMarkdown writes the summary for a pull request or a CI job's page
// (GitHub-flavoured). Hostile text cannot leave its cell: every character with
// a meaning in Markdown or HTML is escaped.
func WriteMarkdown(d *result.Document, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	d = facts.InLanguage(d, lang)
	b := bufio.NewWriter(out)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(b, format+"\n", args...) }
	p("## %s %s%s%s\n", markdown.Badge(d.Verdict), markdown.Escape(d.Scenario.Name), w.Colon, w.Word(d.Verdict))
	p("%s · %s  ", figure.Seconds(d.DurationS), fmt.Sprintf(w.HeadlineF, figure.Whole(d.Counts.Conversations), figure.Whole(d.Counts.Turns)))
	p("%s\n", markdown.Escape(facts.Subtitle(d, w)+" · "+facts.TimeOfDay(d)))
	if d.Scenario.Scale != 1 {
		p("> %s\n", markdown.Escape(fmt.Sprintf(w.ScaleF, figure.Share(d.Scenario.Scale))))
	}
	if list := d.Reasons; len(list) > 0 {
		for _, r := range list {
			p("- %s", markdown.Escape(r))
		}
		p("")
	}
	if len(d.Objectives) > 0 {
		markdown.Head(p, []string{"", w.Objective, w.Measured, w.Budget, w.N, w.Verdict, w.Evidence}, "llrrrll")
		for _, o := range d.Objectives {
			p("| %s | %s | %s | %s | %s | %s | %s |", markdown.Badge(o.Verdict), markdown.Escape(o.Name), figure.Measured(o, w), figure.Budget(o, w), figure.Whole(o.N), w.Word(o.Verdict), markdown.Escape(o.Reason))
		}
		p("")
		for _, note := range []string{facts.Correlation(d, w), facts.Load(d, w), facts.Partly(d, w)} {
			if note != "" {
				p("%s\n", markdown.Escape(note))
			}
		}
	}
	mdAnswers(d, w, p)
	mdStorms(d, w, p)
	markdown.Head(p, []string{w.Latency, w.N, w.Mean, "P50", "P90", "P95", "P99", "P99.9", w.Max}, "lrrrrrrrr")
	rows := facts.Latencies(d, w)
	for i, cells := range facts.LatencyTable(rows) {
		p("| %s | %s |", rows[i].Name, strings.Join(facts.Texts(cells), " | "))
	}
	p("\n%s\n", markdown.Escape(w.ReadNote))
	if note := facts.Needs(rows, w); note != "" {
		p("%s\n", markdown.Escape(note))
	}
	mdSlowest(d, w, p)
	mdBreakdowns(d, w, p)
	mdClient(d, w, p)
	mdUsage(d, w, p)
	mdObserved(d, w, p)
	mdErrors(d, w, p)
	mdAddresses(d, w, p)
	p("<details><summary>%s</summary>\n", w.Run)
	p("- %s%s%s", w.RunID, w.Colon, markdown.Escape(d.RunID))
	p("- %s", markdown.Escape(strings.Join(facts.Generator(d, w), " · ")))
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		p("- %s: %s", markdown.Escape(k), markdown.Escape(d.Tags[k]))
	}
	p("\n</details>")
	return b.Flush()
}

func mdAnswers(d *result.Document, w *words.Words, p func(string, ...any)) {
	sum := d.Tiers.All()
	if sum > 0 {
		markdown.Head(p, []string{w.WhoAnswered, w.Turns, w.Share}, "lrr")
		for _, r := range facts.WhatUsersGot(d.Tiers, w) {
			if r.N > 0 {
				p("| %s | %s | %s |", r.Name, figure.Whole(r.N), figure.Share(float64(r.N)/float64(sum)))
			}
		}
		p("")
	}
	c := d.Conversations
	left := ""
	if c.Left > 0 {
		left = " · " + w.Left + " " + figure.Whole(c.Left)
	}
	p("%s%s%s %s · %s %s · %s %s · %s %s%s\n", w.Conversations, w.Colon, w.Complete, figure.Whole(c.Complete), w.CompleteDegraded, figure.Whole(c.CompleteDegraded),
		w.Broken, figure.Whole(c.Broken), w.Abandoned, figure.Whole(c.Abandoned), left)
}

func mdStorms(d *result.Document, w *words.Words, p func(string, ...any)) {
	for _, s := range d.Storms {
		p("- **%s** %s%s%s", markdown.Escape(s.Name), markdown.Escape(facts.StormSpan(s, w)), w.Colon, markdown.Escape(strings.Join(facts.Storm(s, w), " · ")))
		if s.Metastable {
			p("  - **%s**", markdown.Escape(w.Metastable))
		}
	}
	if s := d.Availability.Seconds; s.TotalS > 0 {
		p("- **%s** %s", w.Outages, markdown.Escape(facts.Seconds(s, w)))
	} else if len(d.Availability.Outages) > 0 {
		p("- **%s**", w.Outages)
	}
	for i, o := range d.Availability.Outages {
		if i == 10 {
			p("  - … +%d", len(d.Availability.Outages)-10)
			break
		}
		p("  - %s", markdown.Escape(facts.Outage(o, w)))
	}
	p("")
}

func mdErrors(d *result.Document, w *words.Words, p func(string, ...any)) {
	if len(d.Errors) > 0 {
		markdown.Head(p, []string{w.Errors, w.Count, w.Message, w.First}, "lrlr")
		for i, e := range d.Errors {
			if i == 10 {
				break
			}
			message := markdown.Escape(w.Word(e.Message))
			if e.Sample != "" {
				message += "<br>" + markdown.Escape(e.Sample)
			}
			p("| %s | %s | %s | %s |", markdown.Escape(w.Word(e.Outcome)), figure.Whole(e.Count), message, figure.Seconds(e.FirstS))
		}
		p("")
	}
	for _, s := range d.Warnings {
		p("> ⚠ %s  ", markdown.Escape(s))
	}
	if len(d.Warnings) > 0 {
		p("")
	}
}
