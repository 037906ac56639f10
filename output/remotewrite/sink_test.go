package remotewrite_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/output/remotewrite"
	"github.com/cstest/cstest/result"
)

var about = &output.About{RunID: "r-1", Scenario: "客服 \"x\"\n", Target: "t", Tags: map[string]string{"a-b": "1", "a b": "2"}, Plan: &measure.Plan{}}

// second has three answers: two near 100 ms and one near 400 ms.
func second(at time.Time) *output.Second {
	s := &output.Second{At: at, Stage: "peak"}
	s.Outcomes[measure.OK] = 3
	s.Distributions[measure.Response] = output.Distribution{
		Count: 3, Sum: 600 * time.Millisecond,
		Buckets: map[int]int64{output.BucketOf(100 * time.Millisecond): 2, output.BucketOf(400 * time.Millisecond): 1},
	}
	return s
}

// receiver answers as Prometheus does, and keeps what it was written.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	series   []prompb.TimeSeries
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		packed, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		plain, err := snappy.Decode(nil, packed)
		if err != nil {
			t.Error(err)
		}
		var m prompb.WriteRequest
		if err := m.Unmarshal(plain); err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.requests, r.series = append(r.requests, req), append(r.series, m.Timeseries...)
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func taken(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func open(t *testing.T, address string) *remotewrite.Sink {
	t.Helper()
	s, err := remotewrite.New(address, about)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// key is a series as one string, and whether its labels are as the protocol wants them:
// sorted, none twice, none empty.
func key(s *prompb.TimeSeries) (name string, proper bool) {
	proper = true
	labels := map[string]string{}
	for i, l := range s.Labels {
		proper = proper && l.Value != "" && (i == 0 || s.Labels[i-1].Name < l.Name)
		labels[l.Name] = l.Value
	}
	name = labels["__name__"]
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if k == "outcome" || k == "le" || k == "verdict" {
			name += " " + k + "=" + labels[k]
		}
	}
	return name, proper && labels["run_id"] == "r-1" && labels["scenario"] == about.Scenario
}

func TestASecondAndTheVerdictAreWritten(t *testing.T) {
	r := receive(t, taken)
	s := open(t, strings.Replace(r.URL, "http://", "http://me:pa55%20word@", 1)+"/api/v1/write")
	at := time.UnixMilli(1_790_000_000_123)
	if err := s.Take(t.Context(), second(at)); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	var native *prompb.Histogram
	for i := range r.series {
		name, proper := key(&r.series[i])
		if _, twice := got[name]; !proper || twice && strings.Contains(name, "=") {
			t.Errorf("labels %v", r.series[i].Labels)
		}
		for _, v := range r.series[i].Samples {
			if v.Timestamp != at.UnixMilli() {
				t.Errorf("%s at %d", name, v.Timestamp)
			}
			got[name] = v.Value
		}
		if len(r.series[i].Histograms) == 1 && name == "cstest_response_seconds" {
			native = &r.series[i].Histograms[0]
		}
	}
	for name, want := range map[string]float64{
		"cstest_turns_total outcome=ok": 3, "cstest_response_seconds_count": 3, "cstest_response_seconds_sum": 0.6,
		"cstest_response_seconds_bucket le=0.1": 0, "cstest_response_seconds_bucket le=0.25": 2, "cstest_response_seconds_bucket le=0.5": 3, "cstest_response_seconds_bucket le=+Inf": 3,
	} {
		if v, has := got[name]; !has || v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, has, want)
		}
	}
	first, other := int32(output.BucketOf(100*time.Millisecond)), int32(output.BucketOf(400*time.Millisecond))
	if native == nil || native.GetCountInt() != 3 || native.Sum != 0.6 || native.Schema != output.Schema || native.Timestamp != at.UnixMilli() ||
		!reflect.DeepEqual(native.PositiveSpans, []prompb.BucketSpan{{Offset: first, Length: 1}, {Offset: other - first - 1, Length: 1}}) ||
		!slices.Equal(native.PositiveDeltas, []int64{2, -1}) {
		t.Errorf("native histogram %v, want 2 in %d and 1 in %d", native, first, other)
	}
	if user, password, _ := r.requests[0].BasicAuth(); user != "me" || password != "pa55 word" {
		t.Errorf("user %q, password %q", user, password)
	}
	if h := r.requests[0].Header; r.requests[0].URL.Path != "/api/v1/write" || h.Get("Content-Encoding") != "snappy" || h.Get("Content-Type") != "application/x-protobuf" || h.Get("X-Prometheus-Remote-Write-Version") != "0.1.0" {
		t.Errorf("%s with %v", r.requests[0].URL, h)
	}

	r.series = nil
	if err := s.End(t.Context(), &result.Document{Verdict: "fail"}); err != nil {
		t.Fatal(err)
	}
	said := false
	for i := range r.series {
		name, _ := key(&r.series[i])
		for _, v := range r.series[i].Samples {
			if v.Timestamp <= at.UnixMilli() {
				t.Errorf("%s is written again at the same instant", name)
			}
			said = said || name == "cstest_verdict verdict=fail" && v.Value == 1
		}
	}
	if !said {
		t.Error("the verdict is not among what was written")
	}
}

// Whatever a receiver answers that does not mean that it took what it was written is a
// short, printable error, and shows no password; what may pass is tried again.
func TestReceiversThatDoNotTakeIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // in the error; empty: it was taken
		tries  int
	}{
		"takes it": {taken, "", 1},
		"400": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "out of order\x1b[2J", http.StatusBadRequest)
		}, `400 Bad Request: "out of order\x1b[2J\n"`, 1},
		"401": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "401 Unauthorized", 1},
		"404": {http.NotFound, "404 Not Found", 1},
		"429": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, "429 Too Many Requests", 4},
		"503 for good, in a hurry": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "-3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "503 Service Unavailable", 4},
		"leads elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		}, "307 Temporary Redirect", 1},
		"endless answer": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, "400 Bad Request", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, c.answer)
			s := open(t, strings.Replace(r.URL, "http://", "http://me:pa55word@", 1))
			err := s.Take(t.Context(), second(time.Now()))
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "pa55word") || len(err.Error()) > 1000) {
				t.Errorf("%.500v, want %q", err, c.want)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.requests) != c.tries {
				t.Errorf("tried %d times, want %d", len(r.requests), c.tries)
			}
		})
	}
}

// A receiver that fails once has everything, told once.
func TestAReceiverThatComesBackHasItAll(t *testing.T) {
	failed := false
	r := receive(t, func(w http.ResponseWriter, req *http.Request) {
		if !failed {
			failed = true
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		taken(w, req)
	})
	if err := open(t, r.URL).Take(t.Context(), second(time.Now())); err != nil || len(r.requests) != 2 {
		t.Fatalf("%v after %d tries", err, len(r.requests))
	}
	half := len(r.series) / 2
	if len(r.series)%2 != 0 || half == 0 {
		t.Fatalf("%d series in two tries", len(r.series))
	}
	for i := range half {
		if was, is := r.series[i].String(), r.series[half+i].String(); was != is {
			t.Errorf("%s came again as %s", was, is)
		}
	}
}

// One that is down, or takes a connection and says nothing, is an error too; the
// latter when its time is over.
func TestReceiversThatAreNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "http://me:pa55word@"+l.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Take(ctx, second(time.Now())); err == nil || !strings.Contains(err.Error(), "deadline exceeded") || strings.Contains(err.Error(), "pa55word") {
		t.Errorf("silent: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Take(t.Context(), second(time.Now())); err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "pa55word") {
		t.Errorf("down: %v", err)
	}
	if err := s.End(t.Context(), &result.Document{Verdict: "pass"}); err == nil {
		t.Error("the verdict is written to nobody")
	}
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"", "prometheus:9090", "ftp://me:pa55word@h/w", "http://", "http://me:pa55word@h:x/w", "http://\x00"} {
		if _, err := remotewrite.New(address, about); err == nil || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
