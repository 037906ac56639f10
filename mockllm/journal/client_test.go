package journal

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/draw"
)

const (
	traceA = "0af7651916cd43dd8448eb211c80319c"
	traceB = "1bf7651916cd43dd8448eb211c80319c"
)

// row is an attempt from start to end milliseconds.
func row(trace string, start, end int64, outcome string, status int) Record {
	return Record{TraceID: trace, TNs: start * 1e6, InjectedNs: (end - start) * 1e6, Outcome: outcome, Status: status}
}

// ask is an attempt of another request.
func (r Record) ask(body uint64) Record {
	r.Body = body
	return r
}

// told is an attempt that was told to wait for some milliseconds.
func (r Record) told(ms int64) Record {
	r.RetryAfterNs = ms * 1e6
	return r
}

func seen(n, of int, at ...int64) Finding {
	f := Finding{N: n, Of: of}
	for _, ms := range at {
		f.Examples = append(f.Examples, Example{traceA, ms * 1e6})
	}
	return f
}

func TestClientOf(t *testing.T) {
	busy := func(start, end int64) Record { return row(traceA, start, end, "status_503", 503) }
	probe := row(traceB, 0, 5000, "ok", 200)
	probe.Purpose = "probe"
	late := busy(0, 10).told(1000)
	late.WrittenNs = 5000e6 // the server was put to sleep in its write
	for _, tt := range []struct {
		name string
		rows []Record
		want func(f *ClientFacts)
	}{
		{"two calls in a row that were answered are no retry", []Record{row(traceA, 0, 10, "ok", 200), row(traceA, 20, 30, "ok", 200)}, func(*ClientFacts) {}},
		{"a probe is not the user's", []Record{row(traceA, 0, 10, "ok", 200), probe}, func(*ClientFacts) {}},
		{"too early", []Record{busy(0, 10).told(1000), row(traceA, 990, 1020, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.RetriedEarly = 1, 1, seen(1, 1, 990)
			f.FirstWaits = []Bucket{{waitBounds[40], 1}}
		}},
		{"just in time", []Record{row(traceA, 1010, 1020, "ok", 200), late}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.RetriedEarly = 1, 1, seen(0, 1)
		}},
		{"another request too early", []Record{busy(0, 10).told(1000), row(traceA, 20, 30, "ok", 200).ask(2)}, func(f *ClientFacts) {
			f.Failed, f.EarlyUnclear, f.RetriedEarly = 1, 1, seen(0, 1)
		}},
		{"401 again", []Record{row(traceA, 0, 10, "status_401", 401), row(traceA, 20, 30, "status_401", 401)}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.Retried4xx = 2, 1, seen(1, 2, 20)
			f.FirstWaits = []Bucket{{waitBounds[14], 1}}
		}},
		{"another request after 400", []Record{row(traceA, 0, 10, "status_400", 400), row(traceA, 20, 30, "ok", 200).ask(2)}, func(f *ClientFacts) {
			f.Failed, f.Retried4xx = 1, seen(0, 1)
		}},
		{"429 again is allowed", []Record{row(traceA, 0, 10, "status_429", 429), row(traceA, 20, 30, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.FirstWaits = 1, 1, []Bucket{{waitBounds[14], 1}}
		}},
		{"went on", []Record{row(traceA, 0, 10, "client_gone", 0), row(traceA, 20, 30, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.WentOn = 1, 1, seen(1, 1, 20)
			f.FirstWaits = []Bucket{{waitBounds[14], 1}}
		}},
		{"kept a truncated answer", []Record{row(traceA, 0, 10, "truncate", 200)}, func(f *ClientFacts) {
			f.Failed, f.Broken, f.Damaged = 1, 1, seen(1, 1, 10)
		}},
		{"asked again for it", []Record{row(traceA, 0, 10, "truncate", 200), row(traceA, 20, 30, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Broken, f.Retries, f.FirstWaits = 1, 1, 1, []Bucket{{waitBounds[14], 1}}
		}},
		{"waits of 10, 20 and 60 ms", []Record{busy(0, 10), busy(20, 30), busy(50, 60), row(traceA, 120, 130, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries = 3, 3
			f.FirstWaits, f.SecondWaits, f.NotLonger = []Bucket{{waitBounds[14], 1}}, []Bucket{{waitBounds[18], 1}}, seen(0, 1)
		}},
		{"waits of 20 and 21 ms", []Record{busy(0, 10), busy(30, 40), row(traceA, 61, 70, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries = 2, 2
			f.FirstWaits, f.SecondWaits, f.NotLonger = []Bucket{{waitBounds[18], 1}}, []Bucket{{waitBounds[18], 1}}, seen(1, 1, 61)
		}},
		{"waits that were told", []Record{busy(0, 10).told(100), busy(120, 130).told(100), row(traceA, 240, 250, "ok", 200)}, func(f *ClientFacts) {
			f.Failed, f.Retries, f.RetriedEarly = 2, 2, seen(0, 2)
		}},
		{"a hedge is no retry", []Record{row(traceA, 0, 100, "ok", 200), row(traceA, 50, 80, "ok", 200)}, func(f *ClientFacts) { f.InFlightMax = 2 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mine := 0
			for _, r := range tt.rows {
				if r.Purpose == "" {
					mine++
				}
			}
			want := ClientFacts{
				Turns: 1, Calls: mine, CallsPerTurn: float64(mine), MaxCalls: mine, MaxCallsOf: traceA, InFlightMax: 1,
				Damaged: Finding{Of: 1}, FirstWaits: []Bucket{}, SecondWaits: []Bucket{},
			}
			tt.want(&want)
			before := slices.Clone(tt.rows)
			if got := ClientOf(tt.rows); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if !reflect.DeepEqual(before, tt.rows) {
				t.Error("the records were changed")
			}
			shuffled := slices.Clone(tt.rows)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := ClientOf(shuffled); !reflect.DeepEqual(got, want) {
				t.Errorf("shuffled %+v\nwant %+v", got, want)
			}
		})
	}
	untraced := ClientOf([]Record{row("", 0, 10, "ok", 200), row("", 5, 15, "status_503", 503), row("", 16, 20, "ok", 200)})
	if want := (ClientFacts{Untraced: 3, InFlightMax: 2, FirstWaits: []Bucket{}, SecondWaits: []Bucket{}}); !reflect.DeepEqual(untraced, want) {
		t.Errorf("untraced %+v", untraced)
	}
}

func TestFindingKeepsFiveExamples(t *testing.T) {
	var rows []Record
	for i := range 9 {
		rows = append(rows, row(fmt.Sprintf("%032x", i+1), 0, 10, "empty", 200))
	}
	if f := ClientOf(rows).Damaged; f.N != 9 || len(f.Examples) != maxExamples || f.Examples[4].TraceID != fmt.Sprintf("%032x", 5) {
		t.Errorf("%+v", f)
	}
}

// entryOf is an attempt of turn n, as it is journalled.
func entryOf(n uint64, start, end time.Duration, o Outcome, status uint16) *Entry {
	e := &Entry{T: start, Injected: end - start, Outcome: o, Status: status, Traced: true, Attempt: 1}
	binary.BigEndian.PutUint64(e.Trace[:8], runPrefix)
	binary.BigEndian.PutUint64(e.Trace[8:], n)
	return e
}

const runPrefix = 0x0102030405060708

// What falls out of the ring is not lost: the facts of a small journal are those of a
// large one.
func TestSmallJournalTellsTheSame(t *testing.T) {
	var small, large Log
	small.Limit, large.Limit = 7, 10_000
	var asked Asked
	for _, j := range []*Log{&small, &large} {
		j.Begin(runPrefix, true)
		for n := range uint64(500) {
			at := time.Duration(n) * time.Millisecond
			j.Add(entryOf(n, at, at+time.Millisecond, 503, 503))
			last := entryOf(n, at+5*time.Millisecond, at+2*time.Second, OutcomeOK, 200)
			if n%5 == 0 {
				last.Outcome, last.Said = kindOutcome(config.KindTruncate), SaidOf("您好，这张优惠券")
			}
			j.Add(last)
			j.Add(&Entry{T: at, Outcome: OutcomeOK, Status: 200})
			other := entryOf(n, at, at, OutcomeOK, 200)
			other.Trace[0] = 9
			j.Add(other)
		}
	}
	for n := range 100 {
		asked.Left = append(asked.Left, LeftTurn{fmt.Sprintf("%016x", n), int64(time.Duration(n)*time.Millisecond + 500*time.Millisecond)})
		said := SaidOf("您好，这张优惠券")
		asked.Good = append(asked.Good, GoodTurn{fmt.Sprintf("%016x", n), said.Whole, said.Head, said.Tail})
	}
	got, want := small.Client(&asked), large.Client(&asked)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("small %+v\nlarge %+v", got, want)
	}
	if want.Turns != 500 || want.Calls != 1000 || want.Untraced != 500 || want.Foreign != 500 || want.Retries != 500 ||
		want.Broken != 100 || want.AfterLeft.N != 100 || want.AfterLeft.Of != 100 || want.PassedOn.N != 20 || want.PassedOn.Of != 20 || want.Known != 1 {
		t.Errorf("%+v", want)
	}
}

// However many turns there are, memory is bounded, counts are exact, and of what is put
// away a share can be asked about.
func TestManyTurnsAreBounded(t *testing.T) {
	var j Log
	j.Limit = 10
	j.Begin(runPrefix, true)
	const turns = 4 * mostTails
	var asked Asked
	for n := range uint64(turns) {
		j.Add(entryOf(draw.Mix(n), time.Duration(n), time.Duration(n)+time.Hour, OutcomeOK, 200))
		if n < 10_000 {
			asked.Left = append(asked.Left, LeftTurn{fmt.Sprintf("%016x", draw.Mix(n)), int64(n)})
		}
	}
	again := entryOf(draw.Mix(turns-mostTurns-20), 0, 1, OutcomeOK, 200)
	again.Attempt = 2
	j.Add(again)
	for range 10 {
		j.Add(&Entry{Outcome: OutcomeOK, Status: 200})
	}
	f := j.Client(&asked)
	if f.Turns != turns || f.Calls != turns+1 || f.Late != 1 || f.Untraced != 10 {
		t.Errorf("%d turns, %d calls, %d late, %d untraced", f.Turns, f.Calls, f.Late, f.Untraced)
	}
	if len(j.turns.open) > mostTurns || len(j.turns.tails) > mostTails || j.turns.young.n > mostTurns || j.turns.old.n > mostTurns {
		t.Errorf("%d open, %d put away, %d and %d known", len(j.turns.open), len(j.turns.tails), j.turns.young.n, j.turns.old.n)
	}
	if of := float64(f.AfterLeft.Of); f.Known != 0.25 || of < 0.22*10_000 || of > 0.28*10_000 || f.AfterLeft.N != f.AfterLeft.Of {
		t.Errorf("known %g, %d of %d", f.Known, f.AfterLeft.N, f.AfterLeft.Of)
	}
}

// Attempts that are open are of the turn, and of nothing that has ended.
func TestOpenAttempts(t *testing.T) {
	var j Log
	j.Limit = 10
	open := Open{T: time.Second, Traced: true, Body: 1}
	binary.BigEndian.PutUint64(open.Trace[8:], 7)
	untraced := Open{T: 2 * time.Second}
	j.Open.Add(&untraced)
	j.Open.Add(&open)
	asked := &Asked{Left: []LeftTurn{{"0000000000000007", int64(3 * time.Second)}}}
	f := j.Client(asked)
	if f.Turns != 1 || f.Calls != 1 || f.Open != 1 || f.AfterLeft.N != 1 || f.Failed != 0 || f.Damaged.N != 0 {
		t.Errorf("%+v", f)
	}
	j.Open.Remove(&open)
	j.Open.Remove(&untraced)
	if f := j.Client(asked); f.Turns != 0 || f.Open != 0 {
		t.Errorf("%+v", f)
	}
}

func TestSaid(t *testing.T) {
	broken := SaidOf(" 您好，这张优惠券 ")
	for text, want := range map[string][2]bool{
		"您好，这张优惠券": {true, true}, "您好，这张优惠券满 200 减 30": {true, true}, "客服：您好，这张优惠券": {true, true},
		"转人工": {false, true}, "": {false, true},
	} {
		if carried, known := broken.In(SaidOf(text)); [2]bool{carried, known} != want {
			t.Errorf("%q: %t, %t", text, carried, known)
		}
	}
	if carried, known := SaidOf("您好").In(SaidOf("转人工")); carried || known {
		t.Error("two characters tell of no other text")
	}
	if carried, known := (Said{}).In(SaidOf("转人工")); carried || known {
		t.Error("nothing said tells of no text")
	}
	if got := SaidOf("您好，这张优惠券"); got != (Said{1766216326, 3997769403, 4257006752}) {
		t.Errorf("the load counts on %v", got)
	}
}
