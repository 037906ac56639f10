package mockllm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
)

const (
	traceA = "0af7651916cd43dd8448eb211c80319c"
	traceB = "1bf7651916cd43dd8448eb211c80319c"
)

// row is an attempt from start to end milliseconds.
func row(trace string, start, end int64, outcome string, status int) Record {
	return Record{TraceID: trace, TNs: start * 1e6, InjectedNs: (end - start) * 1e6, Outcome: outcome, Status: status}
}

func TestClientOf(t *testing.T) {
	told := row(traceA, 0, 10, "status_503", 503)
	told.RetryAfterNs = 1e9
	probe := row(traceB, 0, 5000, "ok", 200)
	probe.Purpose = "probe"
	found := Finding{N: 1, TraceIDs: []string{traceA}}
	for _, tt := range []struct {
		name string
		rows []Record
		want ClientFacts
	}{
		{"nothing", nil, ClientFacts{}},
		{"two calls in a row that were answered are no retry", []Record{row(traceA, 0, 10, "ok", 200), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, InFlightMax: 1}},
		{"a probe is not the user's", []Record{row(traceA, 0, 10, "ok", 200), probe}, ClientFacts{Turns: 1, Calls: 1, CallsPerTurn: 1, MaxCalls: 1, InFlightMax: 1}},
		{"untraced calls are only in flight", []Record{row("", 0, 10, "ok", 200), row("", 5, 15, "ok", 200), row("", 10, 20, "ok", 200)},
			ClientFacts{Untraced: 3, InFlightMax: 2}},
		{"too early", []Record{told, row(traceA, 1009, 1020, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, RetryAfterGiven: 1, RetriedEarly: found, InFlightMax: 1}},
		{"just in time", []Record{row(traceA, 1010, 1020, "ok", 200), told},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, RetryAfterGiven: 1, InFlightMax: 1}},
		{"401 again", []Record{row(traceA, 0, 10, "status_401", 401), row(traceA, 20, 30, "status_401", 401)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, Retried4xx: found, InFlightMax: 1}},
		{"429 again is allowed", []Record{row(traceA, 0, 10, "status_429", 429), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, InFlightMax: 1}},
		{"went on", []Record{row(traceA, 0, 10, "client_gone", 0), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, WentOn: found, InFlightMax: 1}},
		{"kept a truncated answer", []Record{row(traceA, 0, 10, "truncate", 200), row(traceB, 10, 20, "truncate", 200), row(traceB, 30, 40, "ok", 200)},
			ClientFacts{Turns: 2, Calls: 3, CallsPerTurn: 1.5, MaxCalls: 2, Retries: 1, Damaged: found, InFlightMax: 1}},
		{"waits of 10, 20 and 60 ms", []Record{row(traceA, 0, 10, "status_500", 500), row(traceA, 20, 30, "status_500", 500), row(traceA, 50, 60, "status_500", 500), row(traceA, 120, 130, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 4, CallsPerTurn: 4, MaxCalls: 4, Retries: 3, Backoff: Ratios{N: 2, Min: 2, Median: 2, Max: 3}, InFlightMax: 1}},
		{"a hedge is no retry", []Record{row(traceA, 0, 100, "ok", 200), row(traceA, 50, 80, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, InFlightMax: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.rows)
			if got := ClientOf(tt.rows); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if !reflect.DeepEqual(before, tt.rows) {
				t.Error("the records were changed")
			}
			shuffled := slices.Clone(tt.rows)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := ClientOf(shuffled); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("shuffled %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFindingKeepsFiveExamples(t *testing.T) {
	var rows []Record
	for i := range 9 {
		rows = append(rows, row(fmt.Sprintf("%032x", i+1), 0, 10, "empty", 200))
	}
	if f := ClientOf(rows).Damaged; f.N != 9 || len(f.TraceIDs) != maxExamples || f.TraceIDs[4] != fmt.Sprintf("%032x", 5) {
		t.Errorf("%+v", f)
	}
}

// callTraced sends a completion as the application under test would, and reads it all.
func callTraced(ctx context.Context, t *testing.T, s *Server, trace, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+chatPath, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestClientScripted reads the facts of clients that behave in known ways over
// the admin API.
func TestClientScripted(t *testing.T) {
	s := RunT(t, Config{Faults: []Fault{{Kind: "fail-first", Attempts: 1, RetryAfter: unit.Duration(1500 * time.Millisecond)}}})
	for range 3 { // retries at once, though told to wait 2 s
		callTraced(t.Context(), t, s, traceA, hello)
	}
	waitFor(t, func() bool { return s.InFlight() == 0 }) // an answer is read before its call has ended
	if err := s.Configure(Config{Latency: Constant(time.Minute)}, 0); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan int)
	go func() { done <- callTraced(ctx, t, s, traceB, hello) }()
	waitFor(t, func() bool { return s.InFlight() == 1 })
	leave()
	<-done
	waitFor(t, func() bool { return s.InFlight() == 0 })
	if err := s.Configure(Config{}, 0); err != nil {
		t.Fatal(err)
	}
	callTraced(t.Context(), t, s, traceB, hello)

	resp, err := http.Get(s.AdminURL() + "/mock/client")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var f ClientFacts
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		t.Fatal(err)
	}
	want := ClientFacts{
		Turns: 2, Calls: 5, CallsPerTurn: 2.5, MaxCalls: 3, Retries: 2, RetryAfterGiven: 1, InFlightMax: 1,
		RetriedEarly: Finding{1, []string{traceA}}, WentOn: Finding{1, []string{traceB}},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
}

// TestJournalTimes holds when an answer was due and written against the latency
// that was asked for, for each form of answer.
func TestJournalTimes(t *testing.T) {
	per := Dist{Constant: unit.Duration(2 * time.Millisecond)}
	for name, tt := range map[string]struct {
		cfg        Config
		body       string
		due, after time.Duration // the answer, and its end, after the arrival
		status     int
	}{
		"plain":  {Config{Latency: Constant(20 * time.Millisecond)}, hello, 20 * time.Millisecond, 20 * time.Millisecond, 200},
		"stream": {Config{Latency: Latency{FirstToken: &Dist{Constant: unit.Duration(10 * time.Millisecond)}, PerToken: &per}}, `{"stream":true,"max_tokens":6,"messages":[{"role":"user","content":"你好"}]}`, 10 * time.Millisecond, 20 * time.Millisecond, 200},
		"status": {Config{Faults: []Fault{{Kind: "status"}}}, hello, 0, 0, 503},
		"wrong":  {Config{}, `{}`, 0, 0, 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := RunT(t, tt.cfg)
			if got := callTraced(t.Context(), t, s, traceA, tt.body); got != tt.status {
				t.Fatalf("status %d", got)
			}
			waitFor(t, func() bool { rs := records(s); return len(rs) == 1 && rs[0].WrittenNs > 0 })
			r := records(s)[0]
			if got := time.Duration(r.DueNs - r.TNs); got != tt.due {
				t.Errorf("due after %s, want %s", got, tt.due)
			}
			if got := time.Duration(r.LastDueNs - r.TNs); got != tt.after {
				t.Errorf("end due after %s, want %s", got, tt.after)
			}
			if r.WrittenNs < r.LastDueNs || r.WrittenNs < r.TNs+r.InjectedNs {
				t.Errorf("written at %d, due at %d, settled at %d", r.WrittenNs, r.LastDueNs, r.TNs+r.InjectedNs)
			}
		})
	}
}

// TestJournalNothingWritten: an attempt that got no byte says so.
func TestJournalNothingWritten(t *testing.T) {
	s := RunT(t, Config{Faults: []Fault{{Kind: "reset"}}})
	callTraced(t.Context(), t, s, traceA, hello)
	waitFor(t, func() bool { return s.InFlight() == 0 })
	if r := records(s)[0]; r.WrittenNs != 0 || r.Outcome != "reset" {
		t.Errorf("%+v", r)
	}
}

// post sends a chat completion and returns status and body.
func post(t *testing.T, s *Server, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(s.URL()+chatPath, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(all)
}
