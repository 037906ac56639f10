package mockllm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
)

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
		callTraced(t.Context(), t, s, turnA, hello)
	}
	waitFor(t, func() bool { return s.InFlight() == 0 }) // an answer is read before its call has ended
	if err := s.Configure(Config{Latency: Constant(time.Minute)}, 0); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan int)
	go func() { done <- callTraced(ctx, t, s, turnB, hello) }()
	waitFor(t, func() bool { return s.InFlight() == 1 })
	leave()
	<-done
	waitFor(t, func() bool { return s.InFlight() == 0 })
	if err := s.Configure(Config{}, 0); err != nil {
		t.Fatal(err)
	}
	callTraced(t.Context(), t, s, turnB, hello)

	resp, err := http.Get(s.AdminURL() + "/mock/client")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var f ClientFacts
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		t.Fatal(err)
	}
	for _, found := range []*Finding{&f.RetriedEarly, &f.WentOn} {
		if len(found.Examples) != 1 || found.Examples[0].TNs <= 0 {
			t.Errorf("%+v", found)
		} else {
			found.Examples[0].TNs = 0
		}
	}
	f.FirstWaits, f.SecondWaits, f.InFlightMax = nil, nil, 0 // of calls that took a moment
	want := ClientFacts{
		Turns: 2, Calls: 5, CallsPerTurn: 2.5, MaxCalls: 3, MaxCallsOf: turnA, Failed: 2, Retries: 2, Known: 1,
		RetriedEarly: Finding{N: 1, Of: 1, Examples: []FindingExample{{TraceID: turnA}}},
		WentOn:       Finding{N: 1, Of: 1, Examples: []FindingExample{{TraceID: turnB}}}, Damaged: Finding{Of: 2},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
}

// Calls that stay open are counted second by second, and told while they are; what is
// asked about a turn is answered, and about another run's it is not.
func TestClientOfOpenCalls(t *testing.T) {
	s := RunT(t, Config{Latency: Constant(time.Minute)})
	s.SetRunEpoch(time.Now(), 0x0af7651916cd43dd)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan int)
	for range 3 {
		go func() { done <- callTraced(ctx, t, s, turnA, hello) }()
	}
	waitFor(t, func() bool { return s.Facts().InFlightMax == 3 })
	ask := func(body string) (f ClientFacts, status int) {
		resp, err := http.Post(s.AdminURL()+"/mock/client", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
			t.Fatal(err)
		}
		return f, resp.StatusCode
	}
	if f, status := ask(`{"trace_prefix":"0af7651916cd43dd","left":[{"turn":"` + turnA[16:] + `","at_ns":1}],"good":[]}`); status != 200 || f.Open != 3 || f.AfterLeft.N != 1 || f.InFlightMax != 3 {
		t.Errorf("%d %+v", status, f)
	}
	if _, status := ask(`{"trace_prefix":"0af7651916cd43de","left":[],"good":[]}`); status != http.StatusConflict {
		t.Errorf("another run's: %d", status)
	}
	if _, status := ask(`{"trace_prefix":"0af7","left":[],"good":[]}`); status != http.StatusBadRequest {
		t.Errorf("no prefix: %d", status)
	}
	leave()
	for range 3 {
		<-done
	}
	waitFor(t, func() bool { return s.Client().Open == 0 })
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
			if got := callTraced(t.Context(), t, s, turnA, tt.body); got != tt.status {
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
	callTraced(t.Context(), t, s, turnA, hello)
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
