package histograms

import (
	"bytes"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/result"
)

func TestALogReadsBack(t *testing.T) {
	plan := &measure.Plan{
		Stages: []measure.Stage{{Name: "s", End: 10 * time.Second, Judged: true}},
		Slots:  []measure.Slot{{Conversation: "coupon-return-coupon"}, {Conversation: "coupon-return-coupon", Index: 1}},
	}
	rec := measure.NewRecorder(plan, 1)
	for i := range 400 {
		at := time.Duration(i) * 20 * time.Millisecond
		turn := measure.Turn{Slot: i % 2, Intended: at, Lag: time.Millisecond, Sent: at + time.Millisecond, Done: at + time.Duration(i+100)*time.Millisecond}
		if i >= 396 {
			turn.Outcome = measure.Timeout
		}
		rec.Lane(0).Record(&turn)
	}
	cut, err := rec.Cut(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	snap := measure.NewSnapshot(plan)
	if err := snap.Add(cut); err != nil {
		t.Fatal(err)
	}
	d := result.Build(nil, nil, result.Recording{Snapshot: snap, Started: time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)})
	d.Scenario.Name, d.RunID = "x\nTag=evil,1,2,3", "a,b"
	var b bytes.Buffer
	if err := File(d, snap).Write(&b); err != nil {
		t.Fatal(err)
	}
	r := hdrhistogram.NewHistogramLogReader(&b)
	n := map[string]int64{}
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		n[h.Tag()] = h.TotalCount()
		// The 393rd of 396 answers took 492 ms.
		if p99, want := h.ValueAtPercentile(99), int64(492e6); h.Tag() == "response" && max(p99-want, want-p99) > want/500 {
			t.Errorf("P99 in the log %d, want about %d", p99, want)
		}
	}
	want := map[string]int64{"response": 396, "service": 396, "lag": 400, "coupon-return-coupon.1": 198, "coupon-return-coupon.2": 198}
	if len(n) != len(want) {
		t.Errorf("the log holds %v, want %v", n, want)
	}
	for tag, count := range want {
		if n[tag] != count {
			t.Errorf("%s: %d, want %d", tag, n[tag], count)
		}
	}
}
