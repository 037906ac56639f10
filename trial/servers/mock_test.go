package servers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// admin is a mock LLM's admin side that remembers what it was told.
type admin struct {
	*httptest.Server
	told   map[string]string // method and path to the last body
	answer func(w http.ResponseWriter, r *http.Request)
}

func newAdmin(t *testing.T, answer string) *admin {
	a := &admin{told: map[string]string{}}
	a.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		a.told[r.Method+" "+r.URL.Path] = string(b)
		a.answer(w, r)
	}))
	t.Cleanup(a.Close)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return a
}

func (a *admin) mock(t *testing.T) *Mock {
	m := NewMock(a.URL+"/", Access{Token: "sesame", Owner: "run-a"})
	t.Cleanup(m.client.CloseIdleConnections)
	return m
}

func TestMockIsArmedAndForgets(t *testing.T) {
	a := newAdmin(t, "")
	m := a.mock(t)
	llm := &scenario.LLM{Listen: "127.0.0.1:9", Admin: "http://127.0.0.1:8"}
	if err := m.Arm(patient(t), llm, 42, true, 90*time.Second); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(a.told["PUT /mock/config"]), &got); err != nil {
		t.Fatal(err)
	}
	if got["seed"] != 42.0 || got["ttl"] != "1m30s" || got["await_epoch"] != true || got["echo_context"] != true {
		t.Errorf("armed with %v", got)
	}
	// Where it listens is not its to change.
	if got["listen"] != nil && got["listen"] != "" || got["admin"] != nil && got["admin"] != "" {
		t.Errorf("armed with addresses: %v", got)
	}
	if llm.Listen != "127.0.0.1:9" {
		t.Error("arming changed the scenario")
	}
	if err := m.Epoch(patient(t), time.Now().Add(time.Hour), ""); err != nil {
		t.Fatal(err)
	}
	var at map[string]float64
	if err := json.Unmarshal([]byte(a.told["PUT /mock/epoch"]), &at); err != nil || at["starts_in_ms"] < 3_590_000 || at["starts_in_ms"] > 3_600_000 {
		t.Errorf("t = 0 is told as %v (%v)", at, err)
	}
}

func TestMockFacts(t *testing.T) {
	a := newAdmin(t, `{"epoch_set":true,"calls":90,"before_epoch":3,"phases":[{"name":"storm","kind":"status","start_ns":2000000000,"end_ns":4000000000}],
		"per_second":[{"t_s":2,"calls":7,"faulted":5}]}`)
	f := &measure.Facts{}
	if err := a.mock(t).Facts(patient(t), f); err != nil {
		t.Fatal(err)
	}
	if !f.LLMKnown || f.LLMCalls != 93 || len(f.Calls) != 1 || f.Calls[0].Faulted != 5 {
		t.Errorf("calls: %+v", f)
	}
	if len(f.Storms) != 1 || f.Storms[0] != (measure.Storm{Name: "storm", Kind: "status", Start: 2 * time.Second, End: 4 * time.Second}) {
		t.Errorf("storms %+v", f.Storms)
	}
}

func TestMockThatCannotTell(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"restarted": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"epoch_set":false,"calls":5}`)
		}, "restarted or reset during the run"},
		"refuses": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("no ", 1000), http.StatusConflict)
		}, "is armed for another run: no no"},
		"no JSON":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "invalid character"},
		"wrong shape": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[]`) }, "cannot unmarshal array"},
		"drops":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		a := newAdmin(t, "")
		a.answer = tt.answer
		f := &measure.Facts{}
		err := a.mock(t).Facts(patient(t), f)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 800 {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if f.LLMKnown || f.LLMCalls != 0 {
			t.Errorf("%s: it is taken for known: %+v", name, f)
		}
	}
}

func TestBorrowedMockIsGivenBack(t *testing.T) {
	a := newAdmin(t, `{"seed":99}`)
	m := a.mock(t)
	former, err := m.config(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	(&Set{Mock: m, former: former}).Stop(patient(t))
	if got := a.told["PUT /mock/config"]; got != `{"seed":99}` {
		t.Errorf("given back %q", got)
	}
}

func TestBorrowedMockIsSpokenToAsItsOwner(t *testing.T) {
	a := newAdmin(t, `{"seed":99}`)
	seen := map[string]bool{}
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		seen[r.Method+" "+r.URL.Path] = r.Header.Get("Authorization") == "Bearer sesame" && r.Header.Get("Mock-Owner") == "run-b"
		_, _ = io.WriteString(w, `{"seed":99}`)
	}
	t.Setenv("MOCK_TOKEN", "sesame")
	s := &scenario.Scenario{LLM: &scenario.LLM{Admin: a.URL, Token: "${env:MOCK_TOKEN}"}}
	b, err := Borrow(patient(t), s, "run-b", "00000000000000ff")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.mock.client.CloseIdleConnections)
	if err := b.Arm(patient(t), time.Now(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(a.told["PUT /mock/config"], "sesame") || strings.Contains(a.told["PUT /mock/config"], "MOCK_TOKEN") {
		t.Errorf("the token is in the configuration: %s", a.told["PUT /mock/config"])
	}
	b.Release()
	for _, want := range []string{"GET /mock/config", "POST /mock/reset", "PUT /mock/config", "PUT /mock/epoch", "DELETE /mock/owner"} {
		if !seen[want] {
			t.Errorf("%s did not come, or without token and owner", want)
		}
	}
	a.answer = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "armed by run-a", http.StatusConflict) }
	var refused *Error
	if err := b.Arm(patient(t), time.Now(), time.Minute); !errors.As(err, &refused) || refused.Why.Code != reason.MockOwned {
		t.Errorf("armed for another: %v", err)
	}
}

// What is asked of the client is what the load noted, and what is told is bounded.
func TestMockTellsOfItsClient(t *testing.T) {
	long := strings.Repeat("f", 5000)
	a := newAdmin(t, `{"calls":7,"max_calls_trace_id":"`+long+`","after_user_left":{"n":1,"of":2,"examples":[{"trace_id":"`+long+`","t_ns":5}]}}`)
	m := a.mock(t)
	if err := m.Epoch(patient(t), time.Now(), "00000000000000ff"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.told["PUT /mock/epoch"], `"trace_prefix":"00000000000000ff"`) {
		t.Errorf("the epoch is %s", a.told["PUT /mock/epoch"])
	}
	f := &measure.Facts{Ends: &measure.Ends{}}
	f.Ends.Left.Add(&measure.EndedTurn{Turn: 0xabc, At: 3 * time.Second})
	f.Ends.Good.Add(&measure.EndedTurn{Turn: 0xdef, Said: measure.Said{Whole: 1, Head: 2, Tail: 3}})
	if err := m.Client(patient(t), f, "00000000000000ff"); err != nil {
		t.Fatal(err)
	}
	want := `{"trace_prefix":"00000000000000ff","left":[{"turn":"0000000000000abc","at_ns":3000000000}],"good":[{"turn":"0000000000000def","whole":1,"head":2,"tail":3}]}`
	if got := a.told["POST /mock/client"]; got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	if c := f.Client; c == nil || c.Calls != 7 || len(c.MaxCallsOf) != 32 || c.AfterLeft.Of != 2 || len(c.AfterLeft.Examples[0].TraceID) != 32 {
		t.Errorf("told %+v", c)
	}
	if f.Ends.Left.N != 1 || f.Ends.Left.Packed != nil || f.Ends.Good.Packed != nil {
		t.Errorf("kept %+v", f.Ends)
	}
	a.answer = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "another run's", http.StatusConflict) }
	if err := m.Client(patient(t), &measure.Facts{}, "00000000000000ff"); !errors.Is(err, ErrOwned) {
		t.Errorf("of another run: %v", err)
	}
}

// A shard leaves the mock to who drives all of them.
func TestShardLeavesTheMockAlone(t *testing.T) {
	a := newAdmin(t, `{}`)
	s := &scenario.Scenario{LLM: &scenario.LLM{Admin: a.URL}, Target: scenario.Target{URL: "http://127.0.0.1:9"}}
	up, err := Start(patient(t), s, Options{ArmedElsewhere: true})
	if err != nil || up.Mock != nil {
		t.Fatalf("%+v, %v", up, err)
	}
	up.Stop(patient(t))
	if len(a.told) != 0 {
		t.Errorf("it was told %v", a.told)
	}
}
