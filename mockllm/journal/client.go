package journal

import (
	"cmp"
	"slices"
	"time"

	"github.com/cstest/cstest/mockllm/config"
)

// ClientFacts tell how the client under test, the application that calls this
// server, treated it: what it retried, how soon, and how much at a time. They
// count attempts made for users' turns; those of one trace id are one turn.
type ClientFacts struct {
	// Lost journal records were overwritten: the facts are of the rest.
	Lost uint64 `json:"lost"`
	// Turns had Calls attempts in all and MaxCalls at most. Untraced attempts
	// carried no valid traceparent: they belong to no turn and only count for InFlightMax.
	Turns        int     `json:"turns"`
	Calls        int     `json:"calls"`
	CallsPerTurn float64 `json:"calls_per_turn"`
	MaxCalls     int     `json:"max_calls"`
	Untraced     int     `json:"untraced"`
	// Retries are attempts that began after another of their turn had ended
	// without an answer; the last that ended is the one retried.
	Retries int `json:"retries"`
	// RetryAfterGiven is how many attempts were told a Retry-After.
	RetryAfterGiven int `json:"retry_after_given"`
	// Retried4xx are retries of what no retry can mend: a 4xx but for 408,
	// 409, 425 and 429. RetriedEarly came before a Retry-After had elapsed.
	Retried4xx   Finding `json:"retried_4xx"`
	RetriedEarly Finding `json:"retried_early"`
	// WentOn are attempts that began after the client had left another one of
	// the turn before its answer.
	WentOn Finding `json:"went_on_after_leaving"`
	// Damaged are turns whose last attempt got an answer that was truncated,
	// empty or no answer at all under a 200, and was not retried.
	Damaged Finding `json:"damaged_kept"`
	// Backoff are the ratios of a turn's consecutive waits before retries: 1
	// is a constant wait, 2 one that doubles.
	Backoff Ratios `json:"backoff"`
	// InFlightMax is the most attempts that were open at a time.
	InFlightMax int `json:"in_flight_max"`
}

// Finding is how often something was seen, with the trace ids of the first five turns.
type Finding struct {
	N        int      `json:"n"`
	TraceIDs []string `json:"trace_ids,omitempty"`
}

const maxExamples = 5

func (f *Finding) add(trace string) {
	f.N++
	if len(f.TraceIDs) < maxExamples && !slices.Contains(f.TraceIDs, trace) {
		f.TraceIDs = append(f.TraceIDs, trace)
	}
}

// Ratios describes a set of ratios; the median is by nearest rank.
type Ratios struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// ClientOf derives the facts from journal records, in any order. It takes time
// n·log n and no memory beyond that of the records.
func ClientOf(rows []Record) ClientFacts {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Record) bool { return r.Purpose != "" })
	f := ClientFacts{InFlightMax: mostInFlight(rows)}
	slices.SortFunc(rows, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.TraceID, b.TraceID), cmp.Compare(a.TNs, b.TNs), cmp.Compare(a.Attempt, b.Attempt))
	})
	var ratios []float64
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].TraceID == rows[0].TraceID {
			n++
		}
		if rows[0].TraceID == "" {
			f.Untraced = n
		} else {
			ratios = f.turn(rows[:n], ratios)
		}
		rows = rows[n:]
	}
	if f.Turns > 0 {
		f.CallsPerTurn = float64(f.Calls) / float64(f.Turns)
	}
	if n := len(ratios); n > 0 {
		slices.Sort(ratios)
		f.Backoff = Ratios{N: n, Min: ratios[0], Median: ratios[(n-1)/2], Max: ratios[n-1]}
	}
	return f
}

// ended is when the attempt was over, answered or left. It is not WrittenNs: a
// client may have its answer, and come again, before the write returns.
func (r *Record) ended() int64 { return r.TNs + r.InjectedNs }

// turn adds the attempts of one turn, in order of arrival.
func (f *ClientFacts) turn(calls []Record, ratios []float64) []float64 {
	f.Turns++
	f.Calls += len(calls)
	f.MaxCalls = max(f.MaxCalls, len(calls))
	byEnd := make([]*Record, len(calls))
	for i := range calls {
		byEnd[i] = &calls[i]
		if calls[i].RetryAfterNs > 0 {
			f.RetryAfterGiven++
		}
	}
	slices.SortStableFunc(byEnd, func(a, b *Record) int { return cmp.Compare(a.ended(), b.ended()) })
	ended, left := 0, false
	wait := int64(0) // before the retry that came last
	for i := range calls {
		c := &calls[i]
		for ; ended < len(byEnd) && byEnd[ended].ended() <= c.TNs && byEnd[ended] != c; ended++ {
			left = left || byEnd[ended].Outcome == OutcomeGone.String()
		}
		if left {
			f.WentOn.add(c.TraceID)
		}
		if ended == 0 {
			continue
		}
		former := byEnd[ended-1]
		if former.answered() {
			wait = 0
			continue
		}
		f.retry(former, c)
		now := c.TNs - former.ended()
		if wait > 0 {
			ratios = append(ratios, float64(now)/float64(wait))
		}
		wait = now
	}
	if last := byEnd[len(byEnd)-1]; last.damaged() {
		f.Damaged.add(last.TraceID)
	}
	return ratios
}

// retry counts the attempt c that followed a former one without an answer.
func (f *ClientFacts) retry(former, c *Record) {
	f.Retries++
	if s := former.Status; s >= 400 && s < 500 && s != 408 && s != 409 && s != 425 && s != 429 {
		f.Retried4xx.add(c.TraceID)
	}
	if former.RetryAfterNs > 0 && c.TNs < former.ended()+former.RetryAfterNs {
		f.RetriedEarly.add(c.TraceID)
	}
}

// answered reports whether the attempt got what the model says.
func (r *Record) answered() bool {
	switch r.Outcome {
	case OutcomeOK.String(), config.KindSlow.String(), config.KindLeak.String(), config.KindEscape.String(), config.KindDrip.String(), config.KindOversized.String():
		return true
	}
	return false
}

// damaged reports whether the attempt got a 200 without the answer.
func (r *Record) damaged() bool {
	return r.Status == 200 && !r.answered() && r.Outcome != OutcomeGone.String() && r.Outcome != config.KindHang.String()
}

// mostInFlight is the most attempts open at a time. One that ends as another
// begins is not open beside it.
func mostInFlight(rows []Record) int {
	starts, ends := make([]int64, len(rows)), make([]int64, len(rows))
	for i := range rows {
		starts[i], ends[i] = rows[i].TNs, rows[i].TNs+max(rows[i].InjectedNs, int64(time.Nanosecond))
	}
	slices.Sort(starts)
	slices.Sort(ends)
	most, done := 0, 0
	for i, t := range starts {
		for ends[done] <= t {
			done++
		}
		most = max(most, i+1-done)
	}
	return most
}
