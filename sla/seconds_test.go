package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

var seconds99 = scenario.SLA{Availability: 0.99}

// fill records good and bad turns second by second.
func (b *bench) fill(counts ...[2]int) {
	for second, c := range counts {
		b.turns(second, c[0], nil)
		b.turns(second, c[1], as(measure.Timeout))
	}
}

func TestCensusOfSeconds(t *testing.T) {
	for _, c := range []struct {
		name     string
		counts   [][2]int
		bad, not int
		verdict  Verdict
	}{
		{"exactly 95 % is good", [][2]int{{19, 1}, {95, 5}}, 0, 0, Pass},
		{"under 95 % is bad", [][2]int{{18, 2}, {94, 6}, {20, 0}}, 2, 0, Fail},
		{"one bad second of any length is allowed", [][2]int{{0, 20}, {20, 0}}, 1, 0, Pass},
		{"small seconds merge forward", [][2]int{{9, 1}, {9, 0}, {1, 0}, {20, 0}}, 0, 0, Pass},
		{"and are bad together", [][2]int{{8, 2}, {9, 0}, {1, 0}, {20, 0}}, 3, 0, Fail},
		{"the last merges backward", [][2]int{{20, 0}, {20, 0}, {5, 1}}, 0, 0, Pass},
		{"and spoils the slice it joins", [][2]int{{20, 0}, {20, 0}, {5, 2}}, 2, 0, Fail},
		{"empty ones are unknown", [][2]int{{20, 0}, {0, 0}, {0, 0}, {20, 0}}, 0, 2, Pass},
		{"too few to tell", [][2]int{{9, 10}}, 0, 1, Inconclusive},
	} {
		b := newBench(t, seconds99, judged(time.Duration(len(c.counts))*time.Second))
		b.fill(c.counts...)
		r := b.evaluate()
		o := find(t, r, "availability-seconds")
		want := SecondsCount{Total: len(c.counts), Bad: c.bad, Unknown: c.not, Budget: 1, Scaled: true}
		if r.Seconds != want || o.Verdict != c.verdict || o.Bad != int64(c.bad) || o.N != int64(len(c.counts)-c.not) || o.Target != 1 || o.Unit != "s" {
			t.Errorf("%s: %+v, %v (%d of %d); want %+v, %v", c.name, r.Seconds, o.Verdict, o.Bad, o.N, want, c.verdict)
		}
	}
}

func TestAllowedSeconds(t *testing.T) {
	for _, c := range []struct {
		target  float64
		seconds int
		want    int
	}{{0.99, 3600, 36}, {0.99, 110, 2}, {0.99, 100, 1}, {0.99, 101, 2}, {0.999, 3600, 4}, {1, 3600, 0}, {0.95, 60, 3}, {0.99, 0, 0}} {
		if got := allowance(c.target, c.seconds); got != c.want {
			t.Errorf("%v of %d s allows %d, want %d", c.target, c.seconds, got, c.want)
		}
	}
}

func TestSecondsOfJudgedStagesOnly(t *testing.T) {
	b := newBench(t, seconds99, measure.Stage{Name: "warmup", End: 2 * time.Second}, judged(300*time.Second), measure.Stage{Name: "after", End: 10 * time.Second})
	b.turns(0, 30, as(measure.Timeout))
	b.turns(5, 30, nil)
	b.turns(305, 30, as(measure.Timeout))
	b.turns(400, 30, as(measure.Timeout)) // in the drain
	r := b.evaluate()
	if want := (SecondsCount{Total: 300, Bad: 0, Unknown: 299, Budget: 3}); r.Seconds != want || len(r.Outages) != 0 {
		t.Errorf("%+v, outages %v; want %+v", r.Seconds, r.Outages, want)
	}
	o := find(t, r, "availability-seconds")
	if o.Reason.String() != "pass: 0 of 1 s under 95 % answered, 3 allowed" {
		t.Errorf("%q", o.Reason)
	}
	b = newBench(t, seconds99, judged(100*time.Second))
	b.fill([2]int{0, 20}, [2]int{0, 20}, [2]int{20, 0})
	if o := find(t, b.evaluate(), "availability-seconds"); o.Reason.String() != "fail: 2 of 3 s under 95 % answered, 1 allowed (scaled; 36 per hour)" {
		t.Errorf("%q", o.Reason)
	}
}

func TestOutages(t *testing.T) {
	b := newBench(t, seconds99, judged(20*time.Second))
	for second := range 20 {
		switch {
		case second >= 3 && second < 6:
			b.turns(second, 10, nil)
			b.turns(second, 8, as(measure.Timeout))
			b.turns(second, 9, as(measure.TransportError))
			b.turns(second, 50, as(measure.Degraded))
			b.rec.Lane(0).Dropped(time.Duration(second)*time.Second, measure.DroppedTarget)
		case second == 7: // nothing at all: it neither ends nor is an outage
		case second == 6 || second == 8:
			b.turns(second, 30, as(measure.Shed))
		default:
			b.turns(second, 30, nil)
		}
	}
	r := b.evaluate()
	want := []Outage{{3 * time.Second, 6 * time.Second, "shed"}}
	if !slices.Equal(r.Outages, want) || r.Seconds.Bad != 5 || r.Seconds.Unknown != 1 {
		t.Errorf("outages %v of %+v, want %v", r.Outages, r.Seconds, want)
	}
	b = newBench(t, scenario.SLA{}, judged(20*time.Second))
	for second := range 20 {
		b.turns(second, 30, nil)
	}
	b.turns(4, 30, as(measure.TransportError))
	b.turns(9, 10, as(measure.Timeout))
	b.turns(9, 10, as(measure.ServerError))
	r = b.evaluate()
	want = []Outage{{4 * time.Second, time.Second, "transport_error"}, {9 * time.Second, time.Second, "server_error"}}
	if !slices.Equal(r.Outages, want) || r.Seconds.Budget != 1 {
		t.Errorf("without an objective: outages %v, budget %d; want %v", r.Outages, r.Seconds.Budget, want)
	}
}
