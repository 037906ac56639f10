package prometheus_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/output/prometheus"
	"github.com/cstest/cstest/result"
)

var about = &output.About{RunID: "r-1", Scenario: "客服 \"x\"\n", Version: "1", Target: "t", Tags: map[string]string{"a-b": "1", "a b": "2"}, Plan: &measure.Plan{}}

func second() *output.Second {
	s := &output.Second{Stage: "peak", InFlight: 3, Observed: []output.Observed{{Name: "cpu", Value: 0.5}}}
	s.Outcomes[measure.OK], s.Outcomes[measure.DroppedTarget] = 3, 2
	s.Distributions[measure.Response] = output.Distribution{
		Count: 3, Sum: 600 * time.Millisecond,
		Buckets: map[int]int64{output.BucketOf(100 * time.Millisecond): 2, output.BucketOf(400 * time.Millisecond): 1},
	}
	return s
}

func scrape(t *testing.T, s *prometheus.Server, accept string) map[string]*dto.MetricFamily {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Address()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", res.Status, body, err)
	}
	families := map[string]*dto.MetricFamily{}
	d := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(res.Header))
	for {
		f := &dto.MetricFamily{}
		if err := d.Decode(f); err == io.EOF { //nolint:errorlint // it is that value
			return families
		} else if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		families[f.GetName()] = f
	}
}

const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

func TestScrapesSeeTheSecond(t *testing.T) {
	s, err := prometheus.Listen("127.0.0.1:0", about)
	if err != nil {
		t.Fatal(err)
	}
	defer s.End(t.Context(), nil) //nolint:errcheck // its listener is closed
	if before := scrape(t, s, "text/plain"); before["cstest_turns_total"] == nil {
		t.Error("nothing to scrape before the first second")
	}
	if err := s.Take(t.Context(), second()); err != nil {
		t.Fatal(err)
	}
	text, binary := scrape(t, s, "text/plain"), scrape(t, s, protobuf)
	if len(text) != len(binary) {
		t.Errorf("%d families as text, %d as protobuf", len(text), len(binary))
	}
	for _, m := range text["cstest_turns_total"].Metric {
		labels := map[string]string{}
		for _, l := range m.Label {
			labels[l.GetName()] = l.GetValue()
		}
		want := 0.0
		if labels["outcome"] == "ok" {
			want = 3
		}
		if m.GetCounter().GetValue() != want || labels["scenario"] != about.Scenario || labels["run_id"] != "r-1" {
			t.Errorf("%v", m)
		}
	}
	h := binary["cstest_response_seconds"].Metric[0].GetHistogram()
	if h.GetSampleCount() != 3 || h.GetSampleSum() != 0.6 || h.GetSchema() != output.Schema || len(h.GetPositiveDelta()) != 2 || len(h.Bucket) != len(output.Edges()) {
		t.Errorf("as protobuf %v", h)
	}
	for _, b := range text["cstest_response_seconds"].Metric[0].GetHistogram().Bucket {
		want := uint64(0)
		switch up := b.GetUpperBound(); {
		case up >= 0.5:
			want = 3
		case up >= 0.25:
			want = 2
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("%d up to %v, want %d", b.GetCumulativeCount(), b.GetUpperBound(), want)
		}
	}
}

// A run that ends waits for who has been scraping to see the verdict.
func TestTheVerdictIsScraped(t *testing.T) {
	s, err := prometheus.Listen("127.0.0.1:0", about)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Take(t.Context(), second()); err != nil {
		t.Fatal(err)
	}
	scrape(t, s, protobuf)
	ended := make(chan error)
	go func() { ended <- s.End(t.Context(), &result.Document{Verdict: "fail"}) }()
	for {
		f := scrape(t, s, protobuf)["cstest_verdict"]
		if f == nil {
			continue // the end has not begun
		}
		labels := f.Metric[0].Label
		if got := labels[len(labels)-1]; got.GetName() != "verdict" || got.GetValue() != "fail" {
			t.Errorf("verdict %v", labels)
		}
		break
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + s.Address()); err == nil { //nolint:noctx // it is not answered
		t.Error("it is still served")
	}
}

// Every metric is told by one that the catalogue names, and none but those.
func TestNamesAreAllThereAre(t *testing.T) {
	names := map[string]bool{}
	for _, n := range output.Names() {
		if names[n] || !model.LegacyValidation.IsValidMetricName(n) || !strings.HasPrefix(n, "cstest_") {
			t.Errorf("%s is there twice, or no name", n)
		}
		names[n] = true
	}
	for _, f := range second().FamiliesUntil(about, "pass") {
		delete(names, f.Name)
	}
	for n := range maps.Keys(names) {
		if !strings.HasSuffix(n, "_seconds") {
			t.Errorf("%s is never told", n)
		}
	}
}
