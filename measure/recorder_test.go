package measure

import (
	"testing"
	"time"
	"unsafe"
)

func testPlan() *Plan {
	all := OutcomeSet(1<<Outcomes-1) &^ SetOf(DroppedGenerator)
	return &Plan{
		Stages: []Stage{
			{Name: "warmup", Start: 0, End: 2 * time.Second},
			{Name: "peak", Start: 2 * time.Second, End: 5500 * time.Millisecond, Judged: true},
		},
		Slots: []Slot{{Conversation: "a", Index: 0, Say: "hi"}, {Conversation: "a", Index: 1, Say: "there", Checked: true}},
		Budgets: []Budget{
			{Name: "availability", Stages: 2, Valid: all, Good: Answered, Together: true},
			{Name: "p99", Stages: 2, Valid: all, Good: Answered, Limit: 500 * time.Millisecond, Together: true},
			{Name: "service", Stages: 3, Valid: all, Good: Answered, Limit: 500 * time.Millisecond, Of: Service},
			{Name: "first_token", Stages: 2, Valid: all, Good: Answered, Limit: 100 * time.Millisecond, Of: FirstToken},
			{Name: "chunk_gap", Stages: 2, Valid: Answered, Good: Answered, Limit: 50 * time.Millisecond, Of: ChunkGap, Together: true},
			{Name: "faq", Stages: 2, Valid: all, Good: Answered, TierAtMost: TierFAQ},
			{Name: "expected", Stages: 2, Valid: SetOf(OK, Unexpected), Good: SetOf(OK), Checked: true},
			{Name: "context", Stages: 2, Valid: all, Good: all &^ SetOf(ContextLost), Verified: true},
			{Name: "lag", Stages: 3, Valid: all, Good: all, Limit: 10 * time.Millisecond, Of: Lag},
			{Name: "p95", Stages: 2, Valid: all, Good: Answered, Limit: 300 * time.Millisecond},
			{Name: "warm_gap", Stages: 1, Valid: Answered, Good: Answered, Limit: 50 * time.Millisecond, Of: ChunkGap},
		},
		Drain: 30 * time.Second,
	}
}

const ms = time.Millisecond

func TestRecordAllocatesNothing(t *testing.T) {
	r := NewRecorder(testPlan(), 2)
	lane := r.Lane(1)
	turn := Turn{
		Slot: 1, Intended: 2100 * ms, Sent: 2101 * ms, FirstByte: 2150 * ms, FirstToken: 2151 * ms, Done: 2200 * ms,
		Lag: ms, Tier: TierLLM, Memory: Verified, Connect: ms, Gaps: []time.Duration{10 * ms, 60 * ms},
	}
	bad := turn
	bad.Outcome = ServerError
	var dialog Dialog
	turn.Dialog, bad.Dialog = &dialog, &dialog
	failure := Failure{Outcome: ServerError, Message: "status 500", At: 2200 * ms}
	lane.Record(&turn)
	lane.Record(&bad)
	lane.Failed(&failure)
	allocs := testing.AllocsPerRun(1000, func() {
		lane.Started(2100 * ms)
		lane.Record(&turn)
		lane.Record(&bad)
		lane.Failed(&failure)
		lane.Dropped(2100*ms, 1, DroppedTarget)
		lane.Ended(Complete, &dialog)
	})
	if allocs != 0 {
		t.Errorf("recording allocates %v times", allocs)
	}
}

// A cell of response times (one a tier and lane) is 4.1 KiB, however many turns.
func TestTimesByTierTakeBoundedMemory(t *testing.T) {
	if size := unsafe.Sizeof(sketchTally{}); size > 4200 {
		t.Errorf("a cell takes %d bytes", size)
	}
	r := NewRecorder(testPlan(), 1)
	for i := range 200_000 {
		at := time.Duration(i%3000) * ms
		r.Lane(0).Record(&Turn{Intended: at, Sent: at, Done: at + time.Duration(i)*time.Millisecond, Tier: Tier(i % Tiers)})
	}
	s, err := r.Cut(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for tier := range s.TierTimes {
		if n := len(s.TierTimes[tier].cells); s.TierTimes[tier].N() != 40_000 || n > sketchCells {
			t.Errorf("tier %d: %d turns in %d cells", tier, s.TierTimes[tier].N(), n)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(testPlan(), 2)
	lane := r.Lane(0)
	turn := Turn{Slot: 1, Intended: 2100 * ms, Sent: 2101 * ms, FirstByte: 2150 * ms, Tier: TierLLM, Memory: Verified}
	b.ReportAllocs()
	for i := range b.N {
		turn.Done = 2150*ms + time.Duration(i&0xfff)*10*time.Microsecond
		turn.Lag = time.Duration(i & 0xffff)
		lane.Record(&turn)
	}
}
