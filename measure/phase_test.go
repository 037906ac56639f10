package measure

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestPhasesOfTurns(t *testing.T) {
	type phases = [Phases]time.Duration
	for name, c := range map[string]struct {
		turn Turn
		want phases // lag, wait, connect, first byte, body
	}{
		"kept connection": {
			Turn{Intended: 100 * ms, Lag: 2 * ms, Sent: 102 * ms, FirstByte: 150 * ms, Done: 160 * ms},
			phases{2 * ms, 0, 0, 48 * ms, 10 * ms},
		},
		"new connection behind a login": {
			Turn{Intended: 100 * ms, Login: 30 * ms, Lag: ms, Connect: 20 * ms, Sent: 151 * ms, FirstByte: 251 * ms, Done: 252 * ms},
			phases{ms, 0, 20 * ms, 100 * ms, ms},
		},
		"waited for a shared connection": {
			Turn{Intended: 100 * ms, Sent: 400 * ms, FirstByte: 410 * ms, Done: 410 * ms},
			phases{0, 300 * ms, 0, 10 * ms, 0},
		},
		"never answered":  {Turn{Intended: 100 * ms, Sent: 101 * ms, Lag: ms, Done: 3100 * ms}, phases{ms, 0, 0, 2999 * ms, 0}},
		"never connected": {Turn{Intended: 100 * ms, Lag: ms, Done: 3100 * ms}, phases{ms, 0, 2999 * ms, 0, 0}},
		"nonsense":        {Turn{Intended: 100 * ms, Lag: -ms, Sent: 90 * ms, FirstByte: 20 * ms, Connect: time.Hour, Done: 110 * ms}, phases{0, 0, 10 * ms, 0, 0}},
		"done before":     {Turn{Intended: 100 * ms, Lag: ms, Done: 90 * ms}, phases{}},
	} {
		if got := c.turn.phases(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Whatever the times of a turn are, its phases add up to its response time, and it
// lies in the band whose edges hold it.
func TestPhasesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	offset := func() time.Duration { return time.Duration(r.Int64N(1<<r.IntN(42))) - time.Duration(r.Int64N(1000)) }
	for range 20_000 {
		turn := Turn{Intended: offset(), Sent: offset() * time.Duration(r.IntN(2)), FirstByte: offset() * time.Duration(r.IntN(2)), Done: offset(), Login: offset(), Lag: offset(), Connect: offset() * time.Duration(r.IntN(2))}
		response := max(turn.Done-turn.Intended-turn.Login, 0)
		sum := time.Duration(0)
		for _, d := range turn.phases() {
			if d < 0 {
				t.Fatalf("%+v: a phase of %v", turn, d)
			}
			sum += d
		}
		if sum != response {
			t.Fatalf("%+v: phases of %v, response time %v", turn, sum, response)
		}
		if band := bandOf(response); response < BandFrom(band) || band+1 < bands && response >= BandFrom(band+1) {
			t.Fatalf("%v is in band %d, from %v to %v", response, band, BandFrom(band), BandFrom(band+1))
		}
	}
}

func TestBandsOfARun(t *testing.T) {
	r := NewRecorder(testPlan(), 2)
	record := func(lane int, o Outcome, took time.Duration, server ...ServerTime) {
		r.Lane(lane).Record(&Turn{Outcome: o, Sent: ms, Lag: ms, FirstByte: took - ms, Done: took, Server: server})
	}
	llm := func(d time.Duration) ServerTime { return ServerTime{[]byte("llm"), d} }
	record(0, OK, 102*ms, llm(80*ms), ServerTime{[]byte("db"), 5 * ms})
	record(1, Degraded, 103*ms, llm(90*ms))
	record(1, Timeout, 3*time.Second)
	record(0, Censored, 3*time.Second, llm(time.Second))
	var sum *Snapshot
	for range 2 { // the second cut has nothing left
		cut, err := r.Cut(time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if sum == nil {
			sum = NewSnapshot(testPlan())
		}
		if err := sum.Add(cut); err != nil {
			t.Fatal(err)
		}
	}
	at := bandOf(102 * ms)
	if got, want := sum.AnsweredBands[at], (Band{2, [Phases]time.Duration{2 * ms, 0, 0, 201 * ms, 2 * ms}}); got != want {
		t.Errorf("answered: %+v, want %+v", got, want)
	}
	if got := sum.FailedBands[bandOf(3*time.Second)]; got.Turns != 1 {
		t.Errorf("failed: %+v: censored turns are in neither", got)
	}
	if len(sum.Server) != 2 || sum.Server[0].Name != "db" || sum.Server[1].Name != "llm" || sum.Server[1].Bands[at] != (ServerBand{2, 170 * ms}) || sum.Server[0].Bands[at] != (ServerBand{1, 5 * ms}) {
		t.Errorf("%d server times: %+v", len(sum.Server), sum.Server[len(sum.Server)-1].Bands[at])
	}
}

// A server that names a new metric in every answer costs no memory.
func TestServerTimesAreBounded(t *testing.T) {
	r := NewRecorder(testPlan(), 1)
	for i := range 1000 {
		r.Lane(0).Record(&Turn{Done: ms, Server: []ServerTime{{fmt.Appendf(nil, "m%03d", i), ms}}})
	}
	s, err := r.Cut(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Server) != MaxServerTimes || s.Server[0].Name != "m000" || s.Server[MaxServerTimes-1].Name != "m007" {
		t.Errorf("%d metrics", len(s.Server))
	}
}
