package result

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// recorded is a run of 20 s of two conversations: ten turns a second, each as
// turn says.
func recorded(t *testing.T, turn func(second, i int, to *measure.Turn)) *measure.Snapshot {
	t.Helper()
	plan := &measure.Plan{
		Stages: []measure.Stage{{Name: "steady", End: 10 * time.Second, Judged: true}, {Name: "peak", Start: 10 * time.Second, End: 20 * time.Second, Judged: true}},
		Slots:  []measure.Slot{{Conversation: "coupon"}, {Conversation: "coupon", Index: 1}, {Conversation: "parcel"}},
	}
	rec := measure.NewRecorder(plan, 2)
	for second := range 20 {
		for i := range 60 {
			at := time.Duration(second)*time.Second + time.Duration(i)*10*time.Millisecond
			to := measure.Turn{Slot: i % 3, Intended: at, Sent: at, Done: at + 100*time.Millisecond, Tier: measure.TierLLM}
			turn(second, i, &to)
			rec.Lane(i).Record(&to)
		}
	}
	s, err := rec.Cut(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBreakdownsFindWhatIsSlow(t *testing.T) {
	slow := func(to *measure.Turn) { to.Done = to.Intended + 900*time.Millisecond }
	storm := []sla.StormResult{{Name: "storm", Start: 4 * time.Second, End: 8 * time.Second, Latency: new(time.Duration), Quality: new(time.Duration)}}
	*storm[0].Quality = 3 * time.Second
	for _, tt := range []struct {
		by, name string
		when     func(second, i int, to *measure.Turn) bool
	}{
		{"stage", "peak", func(second, _ int, _ *measure.Turn) bool { return second >= 10 }},
		{"storm", "during", func(second, _ int, _ *measure.Turn) bool { return second >= 4 && second < 8 }},
		{"storm", "recovery", func(second, _ int, _ *measure.Turn) bool { return second >= 8 && second < 11 }},
		{"turn", "2", func(_, _ int, to *measure.Turn) bool { return to.Slot == 1 }},
		{"conversation", "parcel", func(_, _ int, to *measure.Turn) bool { return to.Slot == 2 }},
		{"tier", "faq", func(_, i int, to *measure.Turn) bool {
			if i%5 == 0 {
				to.Tier, to.Outcome = measure.TierFAQ, measure.Degraded
			}
			return i%5 == 0
		}},
	} {
		t.Run(tt.by+" "+tt.name, func(t *testing.T) {
			s := recorded(t, func(second, i int, to *measure.Turn) {
				if tt.when(second, i, to) {
					slow(to)
				}
			})
			worst, at := Breakdown{}, int64(0)
			for _, b := range breakdowns(input{Recording: Recording{Snapshot: s}, judged: sla.Result{Storms: storm}}) {
				if b.By == tt.by && b.Latency.P50Ns != nil && *b.Latency.P50Ns > at {
					worst, at = b, *b.Latency.P50Ns
				}
			}
			if worst.Name != tt.name || at < int64(880*time.Millisecond) || at > int64(920*time.Millisecond) {
				t.Errorf("the slowest by %s is %q with a P50 of %v", tt.by, worst.Name, time.Duration(at))
			}
		})
	}
}

// Turns that nobody answered are infinite, and what few turns carry is not told.
func TestBreakdownsCountFailuresAndSayNoMoreThanTheyHave(t *testing.T) {
	s := recorded(t, func(second, _ int, to *measure.Turn) {
		if second == 12 || second == 13 || second == 14 {
			to.Outcome = measure.Timeout
		}
	})
	sum := map[string]int64{}
	for _, b := range breakdowns(input{Recording: Recording{Snapshot: s}}) {
		sum[b.By] += b.Latency.N
		q := b.Latency
		if b.By == "stage" && b.Name == "peak" && (q.N != 600 || q.FiniteShare != 0.7 || q.P50Ns == nil || q.P90Ns != nil || q.P90BoundsNs != nil) {
			t.Errorf("a stage with 30 %% failed: %+v", q)
		}
		if b.By == "stage" && q.P999Ns != nil {
			t.Errorf("a P99.9 of 600 turns: %+v", q)
		}
		if q.P50BoundsNs != nil && (*q.P50BoundsNs[0] > *q.P50Ns || q.P50BoundsNs[1] != nil && *q.P50BoundsNs[1] < *q.P50Ns) {
			t.Errorf("%s %s: P50 %d outside of its bounds", b.By, b.Name, *q.P50Ns)
		}
	}
	if sum["stage"] != 1200 || sum["turn"] != 1200 || sum["conversation"] != 1200 || sum["tier"] != 1020 {
		t.Errorf("turns by kind: %v", sum)
	}
}

// A second has a percentile only where it has the turns for it.
func TestSecondsShowWhatTheyCarry(t *testing.T) {
	for _, row := range seriesOf(input{Recording: Recording{Snapshot: recorded(t, func(int, int, *measure.Turn) {}), Facts: &measure.Facts{}}, scenario: saleScenario()})[:20] {
		if row.P50Ns == nil || row.P99Ns != nil || row.LagP99Ns != nil {
			t.Fatalf("second %d of 60 turns: %+v", row.TS, row)
		}
	}
}
