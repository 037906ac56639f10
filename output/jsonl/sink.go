// Package jsonl writes a run to a file while it is under way, a JSON value a line.
package jsonl

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// MostTurns is how many turns a file of turns takes; the others are dropped.
const MostTurns = 1_000_000

// Sink writes lines. It is an output.Sink.
type Sink struct {
	about *output.About
	most  int64 // turns
	file  io.WriteCloser
	out   *bufio.Writer
	turns int64
}

// Create begins a file, in place of one that is there.
// It takes at most so many turns, a line each; with 0 it has a line for each second.
func Create(path string, about *output.About, most int64) (*Sink, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return New(f, about, most)
}

// New begins to write to f, which the sink closes.
func New(f io.WriteCloser, about *output.About, most int64) (*Sink, error) {
	s := &Sink{about: about, most: most, file: f, out: bufio.NewWriterSize(f, 64<<10)}
	first := start{Type: "start", RunID: about.RunID, Scenario: about.Scenario, Version: about.Version, Target: about.Target, Tags: about.Tags}
	if err := s.lines(first); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

type start struct {
	Type     string            `json:"type"`
	RunID    string            `json:"run_id"`
	Scenario string            `json:"scenario"`
	Version  string            `json:"cstest_version"`
	Target   string            `json:"target"`
	Tags     map[string]string `json:"tags,omitempty"`
}

type second struct {
	Type          string             `json:"type"`
	At            string             `json:"at"`
	TS            float64            `json:"t_s"`
	Stage         string             `json:"stage"`
	Starts        int64              `json:"starts"`
	Turns         int64              `json:"turns"`
	Outcomes      map[string]int64   `json:"outcomes,omitempty"`
	Tiers         map[string]int64   `json:"tiers,omitempty"`
	P50Ns         int64              `json:"p50_ns,omitempty"`
	P90Ns         int64              `json:"p90_ns,omitempty"`
	P95Ns         int64              `json:"p95_ns,omitempty"`
	P99Ns         int64              `json:"p99_ns,omitempty"`
	MaxNs         int64              `json:"max_ns,omitempty"`
	LagP99Ns      int64              `json:"lag_p99_ns,omitempty"`
	InFlight      *int64             `json:"in_flight,omitempty"`
	Conversations int64              `json:"conversations"`
	CPUCores      *float64           `json:"generator_cpu_cores,omitempty"`
	Observed      map[string]float64 `json:"observed,omitempty"`
	Total         total              `json:"total"`
}

// total is since the load began.
type total struct {
	Planned  int64            `json:"conversations_planned"`
	Started  int64            `json:"conversations"`
	Turns    int64            `json:"turns"`
	Outcomes map[string]int64 `json:"outcomes,omitempty"`
}

// Take writes the line of a second, and has the system have it.
func (s *Sink) Take(_ context.Context, at *output.Second) error {
	if s.most > 0 {
		return nil
	}
	l := second{
		Type: "second", At: at.At.UTC().Format(time.RFC3339Nano), TS: at.Elapsed.Round(time.Millisecond).Seconds(), Stage: at.Stage,
		Starts: at.Last.Started, Turns: at.Last.Turns, Outcomes: outcomes(&at.Last.Outcomes), Tiers: tiers(&at.Last.Tiers),
		P50Ns: int64(at.Last.P50), P90Ns: int64(at.Last.P90), P95Ns: int64(at.Last.P95), P99Ns: int64(at.Last.P99), MaxNs: int64(at.Last.Max),
		LagP99Ns: int64(at.Last.LagP99), Conversations: at.Conversations,
		Total: total{at.Planned, at.Started, at.Turns(), outcomes(&at.Outcomes)},
	}
	if !at.Elsewhere {
		l.InFlight, l.CPUCores = &at.InFlight, &at.CPU
	}
	for _, o := range at.Observed {
		if l.Observed == nil {
			l.Observed = map[string]float64{}
		}
		l.Observed[o.Name] = o.Value
	}
	return s.lines(l)
}

type turn struct {
	Type         string `json:"type"`
	Conversation string `json:"conversation"`
	Number       int64  `json:"number"`
	Turn         int    `json:"turn"`
	TraceID      string `json:"trace_id"`
	IntendedNs   int64  `json:"intended_ns"`
	SentNs       int64  `json:"sent_ns,omitempty"`
	FirstByteNs  int64  `json:"first_byte_ns,omitempty"`
	FirstTokenNs int64  `json:"first_token_ns,omitempty"`
	DoneNs       int64  `json:"done_ns"`
	ResponseNs   int64  `json:"response_ns"`
	ConnectNs    int64  `json:"connect_ns,omitempty"`
	LagNs        int64  `json:"lag_ns,omitempty"`
	Status       int    `json:"status,omitempty"`
	Outcome      string `json:"outcome"`
	Tier         string `json:"tier,omitempty"`
}

// ErrFull is a file that holds as many turns as it may.
var ErrFull = reason.Errorf("the file takes no more turns")

// Turns writes a line for each.
func (s *Sink) Turns(_ context.Context, turns []output.Turn) error {
	if s.turns+int64(len(turns)) > s.most {
		return ErrFull
	}
	s.turns += int64(len(turns))
	lines := make([]any, len(turns))
	for i := range turns {
		t := &turns[i]
		l := turn{
			Type: "turn", Number: t.Number, TraceID: hex.EncodeToString(t.TraceID[:]), IntendedNs: int64(t.Intended), SentNs: int64(t.Sent),
			FirstByteNs: int64(t.FirstByte), FirstTokenNs: int64(t.FirstToken), DoneNs: int64(t.Done), ResponseNs: int64(t.Done - t.Intended - t.Login),
			ConnectNs: int64(t.Connect), LagNs: int64(t.Lag), Status: t.Status, Outcome: t.Outcome.String(),
		}
		if t.Slot >= 0 && t.Slot < len(s.about.Plan.Slots) {
			slot := &s.about.Plan.Slots[t.Slot]
			l.Conversation, l.Turn = slot.Conversation, slot.Index+1
		}
		if measure.Answered.Has(t.Outcome) {
			l.Tier = t.Tier.String()
		}
		lines[i] = l
	}
	return s.lines(lines...)
}

type end struct {
	Type     string         `json:"type"`
	Verdict  string         `json:"verdict"`
	ExitCode int            `json:"exit_code"`
	Reasons  []string       `json:"reasons"`
	Counts   *result.Counts `json:"counts"`
}

// End writes the verdict and closes the file.
func (s *Sink) End(_ context.Context, doc *result.Document) error {
	var err error
	if doc != nil {
		err = s.lines(end{"end", doc.Verdict, doc.ExitCode, doc.Reasons, &doc.Counts})
	}
	return errors.Join(err, s.file.Close())
}

// lines writes values, each on a line of its own.
func (s *Sink) lines(values ...any) error {
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if _, err := s.out.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	return s.out.Flush()
}

func outcomes(counts *[measure.Outcomes]int64) map[string]int64 {
	m := map[string]int64{}
	for o, n := range counts {
		if n > 0 {
			m[measure.Outcome(o).String()] = n
		}
	}
	return m
}

func tiers(counts *[measure.Tiers]int64) map[string]int64 {
	m := map[string]int64{}
	for t, n := range counts {
		if n > 0 {
			m[measure.Tier(t).String()] = n
		}
	}
	return m
}
