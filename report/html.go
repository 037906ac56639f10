package report

import (
	_ "embed" // the page's parts
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markup"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// The parts of the page. uPlot is version 1.6.32 of the npm package of that
// name, as published in its dist folder; its licence is uPlot.LICENSE beside it.
var (
	//go:embed assets/page.html
	pageSource string
	//go:embed assets/report.js
	pageScript string
	//go:embed assets/uPlot.iife.min.js
	uPlotScript string
	//go:embed assets/uPlot.min.css
	uPlotStyle string
)

// page is what the template sees.
type page struct {
	D               *result.Document
	W               *words.Words
	Policy          string
	Notes           []string // under the objectives
	Style           markup.Raw
	Library, Script markup.Raw
	Data            markup.Raw
	Tiles           []tile
	Got             []gotBar
	Latency         []cellRow
	TurnRows        []turnCells

	Breakdowns                    []cellRow
	Slowest                       *facts.SlowestTable
	Client                        *facts.ClientTable
	BreakdownTitle, BreakdownNote string
	Facts                         []factList
	Addresses                     [][]string
	Usage                         [][]string
	UsageTitle, UsageNote         string
	Observed                      [][]string
	ObservedTitle                 string
	ObservedCharts                []chartObserved
	Live, ErrorKinds, ByTurn      bool
	ByLoad                        bool
}

type tile struct{ Key, Value, Under, Class string }

type gotBar struct {
	Name, Class, Share string
	N                  int64
	Width              string
}

type cellRow struct {
	Name, Note string
	Cells      []facts.Cell
}

type turnCells struct {
	Conversation, Say string
	Index             int
	Cells             []facts.Cell
}

type factList struct {
	Title string
	Rows  [][2]string
}

// WriteHTML writes the report as one page that needs nothing else: it opens
// from disk, loads nothing, and its policy forbids everything but its own two
// scripts and its style, by hash. Data reaches the scripts as JSON that is
// parsed, never as code.
func WriteHTML(d *result.Document, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	d = facts.InLanguage(d, lang)
	t, err := markup.Parse(pageFuncs(w), pageSource)
	if err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	data, err := json.Marshal(chartsOf(d, w)) // escapes <, >, & and U+2028/9
	if err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	style := uPlotStyle + "\n" + webpage.Style
	p := page{
		D: d, W: w, Style: markup.Raw(style), Library: markup.Raw(uPlotScript), Script: markup.Raw(pageScript), Data: markup.Raw(data),
		Policy: fmt.Sprintf("default-src 'none'; script-src %s %s; style-src %s; img-src data:; base-uri 'none'; form-action 'none'",
			webpage.Hash(uPlotScript), webpage.Hash(pageScript), webpage.Hash(style)),
		Notes: []string{facts.Judging(d, w), facts.Correlation(d, w), facts.Load(d, w), facts.Partly(d, w)}, Tiles: tilesOf(d, w), Got: gotBars(d.Tiers, w), Facts: factsOf(d, w), Addresses: facts.Addresses(d, w), Live: slices.ContainsFunc(d.Series, func(s result.Second) bool { return s.Conversations > 0 }), ErrorKinds: len(errorLayers(d, w)) > 0,
		ByLoad: loadVaries(d),
		ByTurn: slices.ContainsFunc(d.Series, func(s result.Second) bool { return len(s.TurnMeanNs) > 0 }),
	}
	p.Observed, p.ObservedCharts = facts.Observed(d, w), observedCharts(d)
	if p.Observed != nil {
		p.ObservedTitle = p.Observed[0][0]
	}
	if rows := facts.Usage(d, w); rows != nil {
		p.UsageTitle, p.UsageNote = rows[0][0], facts.UsageNote(d, w)
		if d.Usage.Told > 0 {
			p.Usage = rows
			p.Usage[0][0] = ""
		}
	}
	rows := facts.Latencies(d, w)
	for i, cells := range facts.LatencyTable(rows) {
		p.Latency = append(p.Latency, cellRow{rows[i].Name, rows[i].Note, cells})
	}
	p.Slowest, p.Client = facts.Slowest(d, w), facts.Client(d, w)
	parts := facts.Breakdowns(d, w)
	for i, cells := range facts.LatencyTable(parts.Rows) {
		p.Breakdowns = append(p.Breakdowns, cellRow{parts.Rows[i].Name, parts.Rows[i].Note, slices.Concat(cells[:1], cells[2:7])})
	}
	p.BreakdownTitle, p.BreakdownNote = parts.Title, parts.Note
	turns := make([]result.Quantiles, len(d.Turns))
	for i, r := range d.Turns {
		turns[i] = r.Latency
	}
	for i, c := range facts.QuantileTable(turns) {
		r := &d.Turns[i]
		p.TurnRows = append(p.TurnRows, turnCells{r.Conversation, r.Say, r.Index, []facts.Cell{{Text: figure.Whole(r.N)}, c[0], c[1], c[2], c[4], c[5], c[7]}})
	}
	if err := t.Execute(out, p); err != nil {
		return fmt.Errorf("report.html: %w", err)
	}
	return nil
}

func pageFuncs(w *words.Words) markup.Funcs {
	all := webpage.Funcs(w)
	maps.Copy(all, markup.Funcs{
		"seconds": figure.Seconds, "whole": figure.Whole, "share": figure.Share, "time_of_day": facts.TimeOfDay,
		"totals": func(d *result.Document) string {
			return fmt.Sprintf(w.HeadlineF, figure.Whole(d.Counts.Conversations), figure.Whole(d.Counts.Turns))
		},
		"subtitle":     func(d *result.Document) string { return escape.Fit(facts.Subtitle(d, w), 600) },
		"seconds_line": func(s result.Seconds) string { return facts.Seconds(s, w) },
		"scale_note":   func(v float64) string { return fmt.Sprintf(w.ScaleF, figure.Share(v)) },
		"measured":     func(o result.Objective) string { return figure.Measured(o, w) },
		"budget":       func(o result.Objective) string { return figure.Budget(o, w) },
		"bounds":       figure.Bounds,
		"meter":        func(o result.Objective) *meter { return meterOf(o, w) },
		"storm_span":   func(s result.Storm) string { return facts.StormSpan(s, w) },
		"storm_bar":    gotParts,
		"storm_mix":    func(t result.Tiers) string { return gotMix(t, w) },
		"or_none":      optionalSeconds,
		"memory": func(list []result.Process, p result.Process) string {
			return facts.MemoryColumn(list)(unit.Size(p.MaxRSSBytes))
		},
		"per_turn": func(v *float64) string {
			if v == nil {
				return "–"
			}
			return unit.Figure(*v)
		},
		"needs_note":      func(d *result.Document) string { return facts.Needs(facts.Latencies(d, w), w) },
		"more_errors":     func(n int64) string { return fmt.Sprintf(w.MoreErrorsF, figure.Whole(n)) },
		"generator_facts": func(d *result.Document) []string { return facts.Generator(d, w) },
		"ended": func(p result.Process) string {
			return escape.Clean(fmt.Sprintf(w.EndedF, figure.Seconds(*p.EndedS)) + " " + p.Exit)
		},
	})
	return all
}

// meter draws how much of an objective's budget is spent: 88 units are all of
// it, 132 the end of the track. From and To are the confidence bounds.
type meter struct {
	Class, Label   string
	Used, From, To string
}

const (
	meterFull = 88.0
	meterEnd  = 132.0
)

func meterOf(o result.Objective, w *words.Words) *meter {
	if o.Measured == nil || o.N == 0 || o.Verdict == "not_verified" {
		return nil
	}
	var spent, from, to float64
	switch limit := figure.Allowed(o); {
	case limit == nil:
		return nil
	case o.Unit == "share" && *limit < 1:
		room := 1 - *limit
		spent = (1 - *o.Measured) / room
		from, to = spent, spent
		if o.Lower != nil && o.Upper != nil {
			from, to = (1-*o.Upper)/room, (1-*o.Lower)/room
		}
	case o.Unit != "share" && *limit > 0:
		spent = *o.Measured / *limit
		from, to = spent, spent
	default:
		return nil
	}
	at := func(v float64) string {
		return strconv.FormatFloat(math.Round(min(max(v, 0)*meterFull, meterEnd)*10)/10, 'f', -1, 64)
	}
	return &meter{Class: webpage.Class(o.Verdict), Label: w.BurnTitle + w.Colon + figure.Share(spent), Used: at(spent), From: at(from), To: at(to)}
}

func tilesOf(d *result.Document, w *words.Words) []tile {
	var out []tile
	if a := d.Availability.Answers; a != nil {
		t := tile{Key: w.TileAnswered, Value: figure.Share(*a), Under: figure.Whole(d.Counts.Turns) + " " + w.Turns}
		for _, o := range d.Objectives {
			if o.Kind == scenario.KindAvailability && o.TierAtMost == "" && len(o.Stages) == 0 {
				t.Under, t.Class = figure.Budget(o, w), webpage.Class(o.Verdict)
			}
		}
		out = append(out, t)
	}
	answers := d.Latency.Response
	if d.Latency.Judged != nil {
		answers = *d.Latency.Judged
	}
	p99 := tile{Key: w.TileP99, Value: facts.QuantileTable([]result.Quantiles{answers})[0][5].Text}
	for _, o := range d.Objectives {
		if o.Kind == scenario.KindLatency && o.LimitNs != nil && (p99.Under == "" || strings.Contains(o.Name, "p99")) {
			p99.Under, p99.Class = figure.Budget(o, w), webpage.Class(o.Verdict)
		}
	}
	out = append(out, p99)
	for _, o := range d.Objectives {
		if o.Kind == scenario.KindFullQuality {
			out = append(out, tile{w.TileQuality, figure.Measured(o, w), qualityNote(d, o, w), webpage.Class(o.Verdict)})
			break
		}
	}
	if s := d.Availability.Seconds; s.TotalS > 0 {
		out = append(out, tile{Key: w.TileSeconds, Value: fmt.Sprintf("%d / %d", s.BadS, s.TotalS), Under: fmt.Sprintf(w.AllowedF, figure.Whole(int64(s.BudgetS))), Class: classOf(d, "seconds")})
	}
	if len(d.Storms) > 0 {
		s := d.Storms[len(d.Storms)-1]
		out = append(out, tile{Key: w.QualityBack, Value: optionalSeconds(s.Recovery.QualityS, w.NotBack), Under: escape.Fit(s.Name, 24), Class: classOf(d, "recovery_quality")})
	}
	peak := int64(0)
	for _, s := range d.Series {
		if !afterStages(d, s) {
			peak = max(peak, s.Turns)
		}
	}
	return append(out, tile{Key: w.TilePeak, Value: figure.Whole(peak), Under: w.TurnsPerS})
}

// qualityNote is what stands under the share of full quality: in a run with storms
// it is that outside of them, which is not what users got on the whole.
func qualityNote(d *result.Document, o result.Objective, w *words.Words) string {
	var full, valid int64
	for _, s := range d.Series {
		full, valid = full+s.FullQuality, valid+s.Valid
	}
	if len(d.Storms) == 0 || valid == 0 || len(o.Stages) > 0 {
		return figure.Budget(o, w)
	}
	return fmt.Sprintf(w.QualityNoteF, figure.Share(float64(full)/float64(valid)), figure.Budget(o, w))
}

// classOf is the class of the first objective of a kind, "" without one.
func classOf(d *result.Document, kind scenario.ObjectiveKind) string {
	for _, o := range d.Objectives {
		if o.Kind == kind {
			return webpage.Class(o.Verdict)
		}
	}
	return ""
}

// afterStages tells the second that takes what was intended after the last stage: it
// stands for many and belongs in no line over time.
func afterStages(d *result.Document, s result.Second) bool {
	return len(d.Stages) > 0 && float64(s.TS) >= d.Stages[len(d.Stages)-1].EndS
}

type gotPart struct{ Class, X, Width string }

// gotParts are the parts of a bar of what users got.
func gotParts(t result.Tiers) []gotPart {
	var out []gotPart
	sum, x := float64(t.All()), 0.0
	for _, r := range facts.WhatUsersGot(t, words.In(reason.English)) {
		if r.N > 0 {
			w := float64(r.N) / sum * 100
			out = append(out, gotPart{r.Class, strconv.FormatFloat(x, 'f', 2, 64), strconv.FormatFloat(w, 'f', 2, 64)})
			x += w
		}
	}
	return out
}

func gotMix(t result.Tiers, w *words.Words) string {
	var out []string
	for _, r := range facts.WhatUsersGot(t, w) {
		if r.N > 0 {
			out = append(out, r.Name+" "+figure.Share(float64(r.N)/float64(t.All())))
		}
	}
	return strings.Join(out, " · ")
}

func gotBars(t result.Tiers, w *words.Words) []gotBar {
	var out []gotBar
	parts := gotParts(t)
	for _, r := range facts.WhatUsersGot(t, w) {
		if r.N > 0 {
			p := parts[len(out)]
			out = append(out, gotBar{r.Name, p.Class, figure.Share(float64(r.N) / float64(t.All())), r.N, p.Width})
		}
	}
	return out
}

// factsOf lists what describes the run, in groups.
func factsOf(d *result.Document, w *words.Words) []factList {
	var out []factList
	add := func(title string, rows ...[2]string) {
		kept := rows[:0]
		for _, r := range rows {
			if r[1] != "" {
				kept = append(kept, [2]string{escape.Clean(r[0]), escape.Clean(r[1])})
			}
		}
		if len(kept) > 0 {
			out = append(out, factList{title, kept})
		}
	}
	add(w.Run, [2]string{w.RunID, d.RunID}, [2]string{w.Started, facts.TimeOfDay(d)}, [2]string{w.Version, d.CstestVersion},
		[2]string{w.Seed, strconv.FormatUint(d.Scenario.Seed, 10)}, [2]string{"SHA-256", short(d.Scenario.SHA256)},
		[2]string{w.Overrides, strings.Join(d.Overrides, " ")})
	t := d.Target
	add(w.TargetTitle, [2]string{w.Target, strings.TrimSpace(string(t.Kind) + " " + t.Profile)}, [2]string{"URL", t.URL}, [2]string{"API", string(t.API)},
		[2]string{"HTTP", strings.TrimSpace(string(t.HTTP) + " " + w.Word(string(t.Mode)))}, [2]string{w.Connections, w.Word(string(t.Connections))}, [2]string{"Redis", t.Redis},
		[2]string{w.KnobsSum, short(t.KnobsSHA256)})
	var knobs, tags [][2]string
	for _, k := range slices.Sorted(maps.Keys(d.Knobs)) {
		knobs = append(knobs, [2]string{k, d.Knobs[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		tags = append(tags, [2]string{k, d.Tags[k]})
	}
	add(w.Knobs, knobs...)
	e := d.Environment
	cores, memory := "", ""
	if e.Cores > 0 {
		cores = fmt.Sprintf("%d %s", e.Cores, w.Cores)
	}
	if e.MemoryBytes > 0 {
		memory = figure.Size(e.MemoryBytes)
	}
	add(w.Environment, [2]string{"OS", strings.TrimSpace(e.OS + " " + e.Arch + " " + e.Kernel)}, [2]string{w.CPU, strings.TrimSpace(e.CPU + " " + cores)},
		[2]string{w.Memory, memory}, [2]string{"Go", e.Go})
	add(w.Tags, tags...)
	var stages [][2]string
	for _, s := range d.Stages {
		note := figure.Seconds(s.StartS) + " – " + figure.Seconds(s.EndS) + plannedOf(s, w)
		if !s.Judged {
			note += w.Aside(w.NotJudged)
		}
		stages = append(stages, [2]string{s.Name, note})
	}
	add(w.Stages, stages...)
	return out
}

// plannedOf is the load that was planned for a stage.
func plannedOf(s result.Stage, w *words.Words) string {
	ramp := func(r *result.Ramp, unitOf string) string {
		text := unit.Figure(r.To)
		if r.From != r.To {
			text = unit.Figure(r.From) + " → " + text
		}
		return " · " + text + unitOf
	}
	switch {
	case s.StartsPerS != nil:
		return ramp(s.StartsPerS, " "+w.StartsPerS)
	case s.Users != nil:
		return ramp(s.Users, " "+w.Users)
	}
	return ""
}

func short(sum string) string {
	if len(sum) > 16 {
		return sum[:16] + "…"
	}
	return sum
}

func optionalSeconds(s *float64, none string) string {
	if s == nil {
		return none
	}
	return figure.Seconds(*s)
}
