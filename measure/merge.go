package measure

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Merge adds up the shards of one run. The order does not matter. It errs with
// ErrPlan when they are not of one plan. Marks are those of all shards by time;
// of notes of one name the one that sorts first is kept, so that they may differ
// only where shards do.
func Merge(shards ...*Recovered) (*Recovered, error) {
	if len(shards) == 0 {
		return nil, errors.New("merge: no shards")
	}
	out := &Recovered{Plan: shards[0].Plan, Snapshot: NewSnapshot(shards[0].Plan), Closed: true}
	for i, s := range shards {
		if !out.Plan.Equal(s.Plan) {
			return nil, ErrPlan
		}
		if err := out.Snapshot.Add(s.Snapshot); err != nil {
			return nil, err
		}
		if i == 0 {
			out.Header, out.Notes = s.Header, maps.Clone(s.Notes)
		} else {
			out.Header = firstHeader(out.Header, s.Header)
			out.mergeNotes(s)
		}
		out.Intervals += s.Intervals
		out.Marks = append(out.Marks, s.Marks...)
		out.Exemplars = append(out.Exemplars, s.Exemplars...)
		out.Closed = out.Closed && s.Closed
		out.Lost += s.Lost
		out.Gaps = append(out.Gaps, s.Gaps...)
	}
	facts, err := mergeAllFacts(shards)
	if err != nil {
		return nil, err
	}
	out.Facts = facts
	slices.SortFunc(out.Marks, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	out.Marks = slices.Compact(out.Marks)
	slices.SortFunc(out.Exemplars, func(a, b Exemplar) int {
		return cmp.Or(cmp.Compare(a.Failure.At, b.Failure.At), strings.Compare(a.Failure.TraceID, b.Failure.TraceID), strings.Compare(a.Response, b.Response))
	})
	slices.SortFunc(out.Gaps, func(a, b Gap) int { return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length)) })
	return out, nil
}

// mergeAllFacts adds facts up in an order of their own: sums of floating point
// depend on it in their last digit.
func mergeAllFacts(shards []*Recovered) (*Facts, error) {
	type keyed struct {
		key   string
		facts *Facts
	}
	list := make([]keyed, len(shards))
	for i, s := range shards {
		b, err := json.Marshal(s.Facts)
		if err != nil {
			return nil, fmt.Errorf("merge: %w", err)
		}
		list[i] = keyed{string(b), s.Facts}
	}
	slices.SortFunc(list, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	sum := list[0].facts
	for _, next := range list[1:] {
		sum = MergeFacts(sum, next.facts)
	}
	return sum, nil
}

func firstHeader(a, b Header) Header {
	if slices.Compare(b.Run[:], a.Run[:]) < 0 {
		return b
	}
	return a
}

func (r *Recovered) mergeNotes(s *Recovered) {
	for name, note := range s.Notes {
		if r.Notes == nil {
			r.Notes = map[string]json.RawMessage{}
		}
		if have, ok := r.Notes[name]; !ok || string(note) < string(have) {
			r.Notes[name] = note
		}
	}
}

// MergeFacts adds what two shards of one run know; the order does not matter. A
// target of one's own has one LLM that both asked, so its calls are the larger of
// both figures; bundled servers are each shard's own, and their calls add up.
func MergeFacts(a, b *Facts) *Facts {
	out := &Facts{
		LLMKnown: a.LLMKnown || b.LLMKnown, ExternalTarget: a.ExternalTarget || b.ExternalTarget, Gaps: a.Gaps + b.Gaps,
		Interrupted: distinct(a.Interrupted, b.Interrupted), Aborted: distinct(a.Aborted, b.Aborted),
		Observed:  mergeObserved(a.Observed, b.Observed),
		Incidents: mergeIncidents(a.Incidents, b.Incidents), Repeats: mergeRepeats(a.Repeats, b.Repeats),
		Samples: distinctSamples(slices.Concat(a.Samples, b.Samples)),
		Ends:    mergeEnds(a.Ends, b.Ends), Client: mergeClients(a.Client, b.Client),
	}
	calls := func(x, y int64) int64 { return x + y }
	if out.ExternalTarget {
		calls = func(x, y int64) int64 { return max(x, y) }
	}
	out.LLMCalls = calls(a.LLMCalls, b.LLMCalls)
	out.Calls = mergeSeconds(a.Calls, b.Calls, func(c CallSecond) int { return c.Second }, func(x, y CallSecond) CallSecond {
		return CallSecond{x.Second, calls(x.Calls, y.Calls), calls(x.Probes, y.Probes), calls(x.Backflow, y.Backflow), calls(x.Faulted, y.Faulted), calls(x.Open, y.Open)}
	})
	out.Storms = mergeStorms(a.Storms, b.Storms)
	out.Processes = mergeProcesses(a.Processes, b.Processes)
	out.Target = mergeTarget(a.Target, b.Target)
	out.Generator = mergeGenerator(a.Generator, b.Generator)
	out.Host = mergeHosts(a.Host, b.Host)
	return out
}

// distinct keeps each reason of both once, in an order of their own.
func distinct(a, b reason.Reasons) reason.Reasons {
	all := slices.Concat(a, b)
	slices.SortFunc(all, reason.Compare)
	return slices.CompactFunc(all, func(a, b reason.Reason) bool { return reason.Compare(a, b) == 0 })
}

// mergeSeconds joins two lists by second.
func mergeSeconds[T any](a, b []T, second func(T) int, add func(x, y T) T) []T {
	at := make(map[int]T, len(a))
	for _, list := range [][]T{a, b} {
		for _, x := range list {
			if have, ok := at[second(x)]; ok {
				x = add(have, x)
			}
			at[second(x)] = x
		}
	}
	return slices.SortedFunc(maps.Values(at), func(x, y T) int { return cmp.Compare(second(x), second(y)) })
}

// mergeStorms takes windows of one name that overlap for one storm: each shard
// sees it start and end a little apart.
func mergeStorms(a, b []Storm) []Storm {
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, func(x, y Storm) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End), strings.Compare(x.Kind, y.Kind))
	})
	var out []Storm
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].Name == s.Name && (out[n-1].End == 0 || s.Start <= out[n-1].End) {
			if s.End == 0 || out[n-1].End == 0 {
				out[n-1].End = 0
			} else {
				out[n-1].End = max(out[n-1].End, s.End)
			}
			continue
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(x, y Storm) int { return cmp.Compare(x.Start, y.Start) })
	return out
}

// mergeProcesses adds the CPU of processes of one name and sums their memory.
func mergeProcesses(a, b []Process) []Process {
	at := map[string]Process{}
	for _, p := range append(slices.Clone(a), b...) {
		have, ok := at[p.Name]
		if ok {
			p.CPU += have.CPU
			p.MaxRSS += have.MaxRSS
			p.BaseRSS += have.BaseRSS
			if have.Ended > 0 && (p.Ended == 0 || have.Ended < p.Ended || have.Ended == p.Ended && have.Exit < p.Exit) {
				p.Ended, p.Exit = have.Ended, have.Exit
			}
		}
		at[p.Name] = p
	}
	return slices.SortedFunc(maps.Values(at), func(x, y Process) int { return strings.Compare(x.Name, y.Name) })
}

func mergeTarget(a, b TargetFacts) TargetFacts {
	out := TargetFacts{Turns: a.Turns + b.Turns, Known: a.Known && b.Known}
	if a.RoundTripsKnown && b.RoundTripsKnown {
		out.RoundTrips, out.Connections, out.RoundTripsKnown = a.RoundTrips+b.RoundTrips, a.Connections+b.Connections, true
	}
	out.Profile = max(a.Profile, b.Profile)
	out.KnobsSHA256 = max(a.KnobsSHA256, b.KnobsSHA256)
	out.Redis = max(a.Redis, b.Redis)
	return out
}

func mergeGenerator(a, b Generator) Generator {
	return Generator{
		CPU: a.CPU + b.CPU, MaxRSS: a.MaxRSS + b.MaxRSS, MaxInFlight: a.MaxInFlight + b.MaxInFlight,
		Planned: a.Planned + b.Planned, Asked: a.Asked + b.Asked, InFlightMean: a.InFlightMean + b.InFlightMean, SharedHost: a.SharedHost || b.SharedHost, Cores: max(a.Cores, b.Cores),
		Traffic: mergeTraffic(a.Traffic, b.Traffic),
		Seconds: mergeSeconds(a.Seconds, b.Seconds, func(s GeneratorSecond) int { return s.Second }, func(x, y GeneratorSecond) GeneratorSecond {
			return GeneratorSecond{
				Second: x.Second, CPU: x.CPU + y.CPU, GCPause: max(x.GCPause, y.GCPause),
				InFlight: x.InFlight + y.InFlight, Conversations: x.Conversations + y.Conversations, Open: x.Open + y.Open,
			}
		}),
	}
}

func mergeTraffic(a, b Traffic) Traffic {
	out := Traffic{
		Resent:         a.Resent + b.Resent,
		FullHandshakes: a.FullHandshakes + b.FullHandshakes, ResumedHandshakes: a.ResumedHandshakes + b.ResumedHandshakes,
		Sockets: a.Sockets.add(b.Sockets),
	}
	at := map[string]AddressTurns{}
	for _, t := range slices.Concat(a.Addresses, b.Addresses) {
		have := at[t.Address]
		at[t.Address] = AddressTurns{t.Address, have.Turns + t.Turns, have.Failed + t.Failed}
	}
	out.Addresses = slices.SortedFunc(maps.Values(at), func(x, y AddressTurns) int { return strings.Compare(x.Address, y.Address) })
	return out
}
