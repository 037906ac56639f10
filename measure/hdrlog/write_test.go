package hdrlog

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cstest/cstest/measure"
)

func TestTheLibraryReadsIt(t *testing.T) {
	h := measure.NewHistogram()
	for i := range 1000 {
		h.Record(time.Duration(i) * time.Millisecond)
	}
	var out bytes.Buffer
	start := time.Date(2026, 11, 11, 0, 0, 0, 250e6, time.UTC)
	err := Write(&out, start, []string{"cstest\n[StartTime: 1 forged]\rthree"}, []Entry{
		{Tag: "response", From: time.Second, To: 3 * time.Second, Histogram: h}, {To: time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"#[Histogram log format version 1.3]\n", "#cstest\n# [StartTime: 1 forged]\n#three\n",
		"#[StartTime: 1794355200.250 (seconds since epoch), 2026-11-11T00:00:00Z]\n", "Tag=response,1.000,2.000,999.000,HIST",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%.300s", want, text)
		}
	}
	r := hdrhistogram.NewHistogramLogReader(&out)
	got, err := r.NextIntervalHistogram()
	if err != nil || got == nil {
		t.Fatalf("the library reads %v, %v", got, err)
	}
	if got.Tag() != "response" || got.TotalCount() != 1000 || got.EndTimeMs()-got.StartTimeMs() != 2000 || got.StartTimeMs() != 1794355201250 {
		t.Errorf("tag %q, %d values, from %d to %d", got.Tag(), got.TotalCount(), got.StartTimeMs(), got.EndTimeMs())
	}
	same := hdrhistogram.New(got.LowestTrackableValue(), got.HighestTrackableValue(), int(got.SignificantFigures()))
	for i := range 1000 {
		check(t, same.RecordValue(int64(time.Duration(i)*time.Millisecond)))
	}
	if !got.Equals(same) {
		t.Error("the library reads other counts")
	}
	if second, err := r.NextIntervalHistogram(); err != nil || second == nil || second.TotalCount() != 0 {
		t.Errorf("the empty histogram: %v, %v", second, err)
	}
}

func TestTags(t *testing.T) {
	for _, tag := range []string{"a,", ",a", "a b", "a\nb", "a\r", "\x00", "a\u2028b", "a\u0085"} {
		var out bytes.Buffer
		if err := Write(&out, time.Now(), nil, []Entry{{Tag: "fine"}, {Tag: tag}}); err == nil || out.Len() != 0 {
			t.Errorf("tag %q: %v, %d bytes written", tag, err, out.Len())
		}
	}
	if err := Write(&bytes.Buffer{}, time.Now(), nil, []Entry{{Tag: "响应-p99"}}); err != nil {
		t.Error(err)
	}
}
