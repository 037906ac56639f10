package report

import (
	"strings"

	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

func mdAddresses(d *result.Document, w *words.Words, p func(string, ...any)) {
	rows := facts.Addresses(d, w)
	if rows == nil {
		return
	}
	markdown.Head(p, rows[0], "lrrr")
	for _, r := range rows[1:] {
		p("| %s | %s |", markdown.Escape(r[0]), strings.Join(r[1:], " | "))
	}
	p("")
}

func mdBreakdowns(d *result.Document, w *words.Words, p func(string, ...any)) {
	b := facts.Breakdowns(d, w)
	all := b.Rows
	if len(all) == 0 {
		return
	}
	p("<details><summary>%s</summary>\n", b.Title)
	markdown.Head(p, []string{"", w.N, "P50", "P90", "P95", "P99", "P99.9"}, "lrrrrrr")
	for i, cells := range facts.LatencyTable(all) {
		c := facts.Texts(cells)
		p("| %s | %s | %s |", markdown.Escape(all[i].Name), c[0], strings.Join(c[2:7], " | "))
	}
	p("\n%s\n\n</details>\n", markdown.Escape(b.Note))
}

func mdClient(d *result.Document, w *words.Words, p func(string, ...any)) {
	v := facts.Client(d, w)
	if v == nil {
		return
	}
	markdown.Head(p, append([]string{v.Title}, append(v.Head[1:], "")...), "llrrrl")
	for _, r := range v.Rows {
		text := markdown.Escape(r.Text)
		if r.State == "found" && r.Examples != "" {
			text += " · " + markdown.Escape(r.Examples)
		}
		p("| %s | %s |", strings.Join(r.Cells, " | "), text)
	}
	p("\n%s\n", markdown.Escape(v.Note))
}

func mdObserved(d *result.Document, w *words.Words, p func(string, ...any)) {
	rows := facts.Observed(d, w)
	if rows == nil {
		return
	}
	markdown.Head(p, rows[0], "lrrrrl")
	for _, row := range rows[1:] {
		for i := range row {
			row[i] = markdown.Escape(row[i])
		}
		p("| %s |", strings.Join(row, " | "))
	}
	p("")
}

func mdSlowest(d *result.Document, w *words.Words, p func(string, ...any)) {
	v := facts.Slowest(d, w)
	if v == nil {
		return
	}
	p("%s%s%s\n", v.Title, w.Colon, markdown.Escape(d.Slowest.Text))
	p("<details><summary>%s</summary>\n", v.Title)
	markdown.Head(p, v.Head, "lrrr")
	for _, row := range v.Rows {
		p("| %s | %s |", markdown.Escape(row[0]), strings.Join(row[1:], " | "))
	}
	p("\n%s\n\n</details>\n", v.Note)
}

func mdUsage(d *result.Document, w *words.Words, p func(string, ...any)) {
	rows := facts.Usage(d, w)
	if rows == nil {
		return
	}
	if d.Usage.Told > 0 {
		markdown.Head(p, rows[0], "lrrr")
		for _, row := range rows[1:] {
			p("| %s |", strings.Join(row, " | "))
		}
		p("")
	} else {
		p("**%s**  ", rows[0][0])
	}
	p("%s\n", markdown.Escape(facts.UsageNote(d, w)))
}
