package result

import (
	"bytes"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/measure/hdrlog"
)

// A log of a run gives the figures that its document has, up to a bucket's edge,
// and gives none where the document gives none.
func TestReadLogAgreesWithTheDocument(t *testing.T) {
	s, about, run := saleRun(t, 1, 1)
	d := Build(s, about, run)
	few := measure.NewHistogram()
	for i := range 20 {
		few.Record(time.Duration(i+1) * time.Millisecond)
	}
	var b bytes.Buffer
	err := hdrlog.Write(&b, run.Started, nil, []hdrlog.Entry{
		{Tag: "response", To: run.Snapshot.Elapsed, Histogram: run.Snapshot.Timings[measure.Response]},
		{Tag: "few", To: run.Snapshot.Elapsed, Histogram: few},
	})
	if err != nil {
		t.Fatal(err)
	}
	log, err := ReadLog(&b, "latency.hlog", time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	if log.File != "latency.hlog" || log.StartedAt == nil || !log.StartedAt.Equal(run.Started) || len(log.Series) != 2 {
		t.Fatalf("%+v", log)
	}
	all, want := log.Series[0], d.Latency.Response
	if all.Tag != "response" || all.N != want.N || all.FromS != 0 || all.ToS != d.DurationS {
		t.Errorf("%+v", all)
	}
	for name, pair := range map[string][2]*int64{
		"mean": {all.MeanNs, want.MeanNs}, "P50": {all.P50Ns, want.P50Ns}, "P90": {all.P90Ns, want.P90Ns}, "P95": {all.P95Ns, want.P95Ns},
		"P99": {all.P99Ns, want.P99Ns}, "P99.9": {all.P999Ns, want.P999Ns}, "max": {all.MaxNs, want.MaxNs},
	} {
		if got, want := *pair[0], *pair[1]; max(got-want, want-got) > want/500 {
			t.Errorf("%s: %d, the document says %d", name, got, want)
		}
	}
	short := log.Series[1]
	if short.N != 20 || short.P50Ns == nil || short.P99Ns != nil || short.P999Ns != nil || short.MaxNs == nil {
		t.Errorf("of 20 values: %+v", short)
	}
	if _, err := ReadLog(bytes.NewReader([]byte("not a log")), "x", time.Nanosecond); err == nil {
		t.Error("a text is read as a log")
	}
}
