package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// What is waited for all through a second, and nothing answered since it was sent.
func TestSilences(t *testing.T) {
	lost, lostEnd, late := measure.Flow{Lost: 1}, measure.Flow{LostEnd: 1}, measure.Flow{Late: 1}
	answer, lateEnd := measure.Flow{Answers: 1}, measure.Flow{Answers: 1, LateEnd: 1}
	for _, c := range []struct {
		name     string
		patience time.Duration
		flow     map[int]measure.Flow
		want     string
	}{
		{"nothing", 2 * time.Second, nil, ".........."},
		{"nothing, and no patience", 500 * ms, nil, ".........."},
		{"one is lost", 2 * time.Second, map[int]measure.Flow{1: lost, 5: lostEnd}, "..sss....."},
		{"from the begin", 2 * time.Second, map[int]measure.Flow{0: lost, 3: lostEnd}, ".ss......."},
		{"to the end", 2 * time.Second, map[int]measure.Flow{7: lost}, "........ss"},
		{"another was answered in the second it was sent in", 2 * time.Second, map[int]measure.Flow{1: {Lost: 1, Answers: 3}, 5: lostEnd}, "..sss....."},
		{"another was answered while it was waited for", 2 * time.Second, map[int]measure.Flow{1: lost, 3: answer, 5: lostEnd}, "..s......."},
		{"a second one is lost after that", 2 * time.Second, map[int]measure.Flow{1: lost, 3: answer, 4: lost, 7: {LostEnd: 2}}, "..s..ss..."},
		{"one of two ends", 2 * time.Second, map[int]measure.Flow{1: {Lost: 2}, 3: lostEnd, 6: lostEnd}, "..ssss...."},
		{"one is late", 2 * time.Second, map[int]measure.Flow{3: late, 6: lateEnd}, "....ss...."},
		{"another was answered as it was sent", 2 * time.Second, map[int]measure.Flow{1: answer, 3: late, 6: lateEnd}, "....ss...."},
		{"another was answered after it was sent", 2 * time.Second, map[int]measure.Flow{2: answer, 3: late, 6: lateEnd}, ".........."},
		{"another was answered long ago, but after it was sent", 2 * time.Second, map[int]measure.Flow{3: {Late: 1, Answers: 1}, 9: lateEnd}, ".........."},
		{"without patience, in the first second", 500 * ms, map[int]measure.Flow{0: late, 3: lateEnd}, ".ss......."},
		{"without patience, and answered in it", 500 * ms, map[int]measure.Flow{1: {Late: 1, Answers: 1}, 3: lateEnd}, "..s......."},
		{"one late after another", 2 * time.Second, map[int]measure.Flow{2: late, 4: lateEnd, 7: late, 9: lateEnd}, "...s....s."},
	} {
		s := &measure.Snapshot{Plan: &measure.Plan{Stages: []measure.Stage{judged(10 * time.Second)}, Patience: c.patience}, Seconds: make([]measure.Second, 10)}
		for second, flow := range c.flow {
			s.Seconds[second].Flow = flow
		}
		got := []byte("..........")
		for second, silent := range silences(s) {
			if silent {
				got[second] = 's'
			}
		}
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The cause of an outage is what most turns in it came to that were not answered, also
// those that were waited for from before it; or late answers, where they are more.
func TestCauseOfAnOutage(t *testing.T) {
	sla := scenario.SLA{Availability: 0.99, Latency: map[string]unit.Duration{"p99": unit.Duration(time.Second)}}
	for _, c := range []struct {
		name string
		fill func(b *bench) // seconds 0 to 5 are warm-up, what is judged fails from 5 to 8
		want string
	}{
		{"the most frequent", func(b *bench) {
			b.turns(5, 2, as(measure.Shed))
			b.turns(6, 2, as(measure.Timeout))
			b.turns(7, 1, as(measure.Timeout))
			b.turns(7, 1, as(measure.ServerError))
		}, "timeout"},
		{"of equals the first", func(b *bench) {
			for s := 5; s < 8; s++ {
				b.turns(s, 1, as(measure.Timeout))
				b.turns(s, 1, as(measure.Shed))
			}
		}, "shed"},
		{"what the generator dropped is none", func(b *bench) {
			for s := 5; s < 8; s++ {
				b.turns(s, 1, as(measure.Shed))
				for range 9 {
					b.rec.Lane(0).Dropped(time.Duration(s)*time.Second, 1, measure.DroppedGenerator)
				}
			}
		}, "shed"},
		{"what came before is none", func(b *bench) {
			b.turns(4, 50, as(measure.Shed))
			for s := 5; s < 8; s++ {
				b.turns(s, 1, as(measure.Timeout))
			}
			b.turns(8, 50, as(measure.Shed))
			b.turns(8, 5000, nil)
		}, "timeout"},
		{"waited for from before it", func(b *bench) {
			b.turns(0, 5, as(measure.Shed))
			b.waiting(1500*ms, 8100*ms, 1, measure.Timeout)
		}, "timeout"},
		{"waited for, lost and late", func(b *bench) {
			b.turns(0, 5, as(measure.Shed))
			b.waiting(1500*ms, 8100*ms, 2, measure.Timeout)
			b.waiting(500*ms, 8100*ms, 2, measure.OK) // late from 1.5 s on
		}, "timeout"},
		{"more were late", func(b *bench) {
			b.waiting(1500*ms, 8100*ms, 1, measure.Timeout)
			b.waiting(500*ms, 8100*ms, 2, measure.OK)
		}, "late"},
		{"late alone", func(b *bench) {
			b.turns(0, 5, as(measure.Shed))
			b.waiting(1500*ms, 8100*ms, 1, measure.OK)
		}, "late"},
	} {
		b := newBench(t, sla, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(5*time.Second))
		c.fill(b)
		want := []Outage{{5 * time.Second, 3 * time.Second, c.want}}
		if got := b.evaluate().Outages; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

// An outage to the end of the plan ends with it, and there is none by a budget that
// was not counted.
func TestOutageToTheEnd(t *testing.T) {
	b := newBench(t, seconds99, judged(5500*ms))
	for s := 3; s < 8; s++ {
		b.turns(s, 30, as(measure.Shed))
	}
	if got, want := b.evaluate().Outages, []Outage{{3 * time.Second, 3 * time.Second, "shed"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	plan := *b.rec.Plan()
	plan.Budgets = []measure.Budget{{Name: "another", Stages: 1, Valid: sent, Good: measure.Answered}}
	b.rec, b.s = measure.NewRecorder(&plan, 1), &scenario.Scenario{}
	b.turns(3, 30, as(measure.Shed))
	if got := b.evaluate(); got.Outages != nil || got.Seconds != (SecondsCount{}) {
		t.Errorf("%v, %+v", got.Outages, got.Seconds)
	}
}
