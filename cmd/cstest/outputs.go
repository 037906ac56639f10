package main

import (
	"context"
	"errors"
	"os"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/output/jsonl"
	"github.com/cstest/cstest/output/otlp"
	"github.com/cstest/cstest/output/prometheus"
	"github.com/cstest/cstest/output/remotewrite"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
)

// openOutputs starts what --out asks for. One that cannot begin is an error: nothing
// has happened yet.
func (j *job) openOutputs() error {
	parse := output.ParseSpecs
	if j.elsewhere {
		parse = output.ParseSpecsElsewhere
	}
	specs, err := parse(j.runOptions.outputs)
	if err != nil {
		return usageError{err}
	}
	about := &output.About{
		RunID: j.about.RunID, Scenario: j.chosen.Name, Version: j.about.Version, Target: j.secrets.Text(targetLine(j.chosen)), Tags: j.about.Tags,
		Plan: trial.Plan(j.chosen.Scenario),
	}
	var feeds []output.Feed
	for _, s := range specs {
		f, err := j.openOutput(s, about)
		if err != nil {
			for _, open := range feeds {
				err = errors.Join(err, open.Sink.End(context.Background(), nil))
			}
			return err
		}
		feeds = append(feeds, f)
	}
	j.outputs = output.Open(about, feeds)
	return nil
}

func (j *job) openOutput(s output.Spec, about *output.About) (f output.Feed, err error) {
	f.Spec = s
	switch s.Kind {
	case "prometheus":
		var server *prometheus.Server
		if server, err = prometheus.Listen(s.To, about); err == nil {
			f.Sink, f.Linger = server, prometheus.Longest
			if !j.quiet {
				j.s.say("metrics of the run: http://%s/metrics", server.Address())
			}
		}
		return f, wrongUsage(s.Wrong(err))
	case "remote-write":
		f.Sink, err = remotewrite.New(s.To, about)
		return f, wrongUsage(s.Wrong(err))
	case "otlp":
		f.Sink, err = otlp.New(s.To, os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"), about)
		f.Turns = measure.SampledTurns
		return f, wrongUsage(s.Wrong(err))
	case "json", "turns":
		most := int64(0)
		if s.Kind == "turns" {
			most, f.Turns = jsonl.MostTurns, measure.EveryTurn
		}
		if f.Sink, err = jsonl.Create(s.To, about, most); err != nil {
			return f, resultsError{s.Wrong(err)}
		}
		return f, nil
	}
	return f, nil
}

// observe shows each second and tells the outputs of it; nil where nobody looks.
func (j *job) observe() func(*trial.Live) {
	if j.outputs == nil {
		return j.view.observe
	}
	return func(l *trial.Live) {
		if j.view.observe != nil {
			j.view.observe(l)
		}
		told := liveOf(l)
		told.Elsewhere = j.elsewhere
		j.outputs.Take(told)
	}
}

// liveOf is what outputs are told of a second.
func liveOf(l *trial.Live) *output.Live {
	counters := l.Counters()
	told := &output.Live{Elapsed: l.Elapsed, Last: l.Last, InFlight: counters.InFlight, Conversations: counters.Conversations}
	for _, o := range l.Observed {
		if n := len(o.Values); n > 0 {
			told.Observed = append(told.Observed, output.Observed{Name: o.Name, Value: o.Values[n-1].Value})
		}
	}
	if n := len(l.Health); n > 0 {
		told.CPU = l.Health[n-1].CPU
	}
	return told
}

// flushOutputs has the outputs told of the rest, and says what they miss.
func (j *job) flushOutputs() ([]result.Output, reason.Reasons) {
	told := j.outputs.Flush()
	for i := range told {
		told[i].To, told[i].Error = j.secrets.Text(told[i].To), j.secrets.Text(told[i].Error)
	}
	missed := result.OutputWarnings(told)
	for _, what := range missed {
		j.notice(what)
	}
	return told, missed
}

// endOutputs tells the outputs of the verdict; nil is none.
func (j *job) endOutputs(doc *result.Document) {
	hurry := context.Background()
	if j.signals != nil {
		hurry = j.signals.hard
	}
	if err := j.outputs.End(hurry, doc); err != nil {
		j.s.warn(err)
	}
}
